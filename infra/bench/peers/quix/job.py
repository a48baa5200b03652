"""A streaming dataframe: topic, apply, topic. Its JSON is orjson's; checkpoints flush, then commit."""

from __future__ import annotations

from typing import Any

from quixstreams import Application

from infra.bench.peers.contract import (
    DECISIONS,
    LIBRDKAFKA_CONSUMER,
    LIBRDKAFKA_PRODUCER,
    UNKNOWN,
    Task,
    read_colours,
)


def main() -> None:
    task = Task.from_arguments()
    colours = read_colours(task.colours)

    def enrich(scan: dict[str, Any]) -> dict[str, Any]:
        colour = colours.get(scan["person_token"], UNKNOWN)
        scan["colour"] = colour
        scan["decision"] = DECISIONS[colour]
        return scan

    app = Application(
        broker_address=task.bootstrap,
        consumer_group=task.group,
        auto_offset_reset="earliest",
        commit_interval=1.0,
        consumer_extra_config=dict(LIBRDKAFKA_CONSUMER),
        producer_extra_config=dict(LIBRDKAFKA_PRODUCER),
        auto_create_topics=False,
        loglevel="WARNING",
    )
    scans = app.topic(task.scans, value_deserializer="json", key_deserializer="bytes")
    output = app.topic(task.output, value_serializer="json", key_serializer="bytes")
    app.dataframe(scans).apply(enrich).to_topic(output)
    app.run()


if __name__ == "__main__":
    main()
