"""A table read from Kafka, two columns more by a function, written to Kafka; its engine decodes and encodes JSON."""

from __future__ import annotations

from typing import Any

import pathway as pw

from infra.bench.peers.contract import (
    DECISIONS,
    LIBRDKAFKA_CONSUMER,
    LIBRDKAFKA_PRODUCER,
    UNKNOWN,
    Task,
    read_colours,
)


class Scan(pw.Schema):
    scan_id: str
    person_token: str
    venue_id: str
    point_id: str
    scanned_at: str
    direction: str
    channel: str
    trip: str | None
    gateway: str


def main() -> None:
    task = Task.from_arguments()
    colours = read_colours(task.colours)

    def colour_of(person: str) -> str:
        return colours.get(person, UNKNOWN)

    def decision_of(colour: str) -> str:
        return DECISIONS[colour]

    def settings(more: dict[str, Any]) -> dict[str, str]:
        return {"bootstrap.servers": task.bootstrap, **{name: str(value) for name, value in more.items()}}

    scans = pw.io.kafka.read(
        settings({**LIBRDKAFKA_CONSUMER, "group.id": task.group, "auto.offset.reset": "earliest"}),
        topic=task.scans,
        format="json",
        schema=Scan,
        autocommit_duration_ms=100,
    )
    coloured = scans.with_columns(colour=pw.apply_with_type(colour_of, str, scans.person_token))
    visits = coloured.with_columns(decision=pw.apply_with_type(decision_of, str, coloured.colour))
    pw.io.kafka.write(visits, settings(dict(LIBRDKAFKA_PRODUCER)), task.output, format="json")
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)


if __name__ == "__main__":
    main()
