"""A dataflow of one worker: Kafka source, one operator over whole batches, Kafka sink (which flushes every batch)."""

from __future__ import annotations

from typing import Any

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.run import cli_main

from infra.bench.peers.contract import (
    DECISIONS,
    LIBRDKAFKA_CONSUMER,
    LIBRDKAFKA_PRODUCER,
    UNKNOWN,
    Task,
    read_colours,
)

# Larger batches make the sink's flush rarer, and librdkafka hands out thousands at once more slowly.
_BATCH = 2_000


def main() -> None:
    task = Task.from_arguments()
    colours = read_colours(task.colours)

    def enrich(messages: list[Any]) -> list[Any]:
        found = []
        for message in messages:
            scan = orjson.loads(message.value)
            colour = colours.get(scan["person_token"], UNKNOWN)
            scan["colour"] = colour
            scan["decision"] = DECISIONS[colour]
            found.append(KafkaSinkMessage(message.key, orjson.dumps(scan)))
        return found

    flow = Dataflow("peers")
    source = KafkaSource(
        [task.bootstrap],
        [task.scans],
        tail=True,
        batch_size=_BATCH,
        add_config={name: str(value) for name, value in LIBRDKAFKA_CONSUMER.items()},
    )
    scans = op.input("scans", flow, source)
    visits = op.flat_map_batch("enrich", scans, enrich)
    sink = KafkaSink(
        [task.bootstrap], task.output, add_config={name: str(value) for name, value in LIBRDKAFKA_PRODUCER.items()}
    )
    op.output("visits", visits, sink)
    cli_main(flow)


if __name__ == "__main__":
    main()
