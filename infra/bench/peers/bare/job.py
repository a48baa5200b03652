"""consume(500), decode, look up, encode, produce_batch; once a second: wait for every delivery, then commit.

The variant is the codec: `orjson` or `msgspec`.
"""

from __future__ import annotations

import gc
import os
import signal
import time
from collections.abc import Callable
from typing import Any

from confluent_kafka import Consumer, Producer

from infra.bench.peers.contract import (
    DECISIONS,
    LIBRDKAFKA_CONSUMER,
    LIBRDKAFKA_PRODUCER,
    UNKNOWN,
    Task,
    read_colours,
)

_COMMIT_S = 1.0
_AT_ONCE = 500
_QUEUED = 500_000


def _with_orjson(colours: dict[str, str]) -> Callable[[bytes], bytes]:
    import orjson

    loads, dumps, colour_of = orjson.loads, orjson.dumps, colours.get

    def enrich(value: bytes) -> bytes:
        scan = loads(value)
        colour = colour_of(scan["person_token"], UNKNOWN)
        scan["colour"] = colour
        scan["decision"] = DECISIONS[colour]
        return dumps(scan)

    return enrich


def _with_msgspec(colours: dict[str, str]) -> Callable[[bytes], bytes]:
    import msgspec

    class Scan(msgspec.Struct, gc=False):
        scan_id: str
        person_token: str
        venue_id: str
        point_id: str
        scanned_at: str
        direction: str
        channel: str
        gateway: str
        trip: dict[str, Any] | None = None
        colour: str = UNKNOWN
        decision: str = DECISIONS[UNKNOWN]

    decode, encode, colour_of = msgspec.json.Decoder(Scan).decode, msgspec.json.Encoder().encode, colours.get

    def enrich(value: bytes) -> bytes:
        scan = decode(value)
        scan.colour = colour = colour_of(scan.person_token, UNKNOWN)
        scan.decision = DECISIONS[colour]
        return encode(scan)

    return enrich


def _lost(error: Any, _message: Any) -> None:
    if error is not None:
        os._exit(70)


def main() -> None:
    task = Task.from_arguments()
    colours = read_colours(task.colours)
    enrich = _with_msgspec(colours) if task.variant == "msgspec" else _with_orjson(colours)
    consumer = Consumer(
        {
            **LIBRDKAFKA_CONSUMER,
            "bootstrap.servers": task.bootstrap,
            "group.id": task.group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    producer: Any = Producer(
        {
            **LIBRDKAFKA_PRODUCER,
            "bootstrap.servers": task.bootstrap,
            "delivery.report.only.error": True,
            "on_delivery": _lost,
        }
    )
    running = True

    def stop(_signal: int, _frame: Any) -> None:
        nonlocal running
        running = False

    signal.signal(signal.SIGTERM, stop)
    consumer.subscribe([task.scans])
    gc.freeze()
    committed, pending = time.monotonic(), False
    while running:
        messages = consumer.consume(_AT_ONCE, 0.1)
        if messages:
            batch = [{"key": message.key(), "value": enrich(message.value())} for message in messages]  # type: ignore[arg-type]
            producer.produce_batch(task.output, batch)
            pending = True
            while len(producer) > _QUEUED:
                producer.poll(0.01)
        producer.poll(0)
        if pending and time.monotonic() - committed > _COMMIT_S:
            producer.flush()
            consumer.commit(asynchronous=False)
            committed, pending = time.monotonic(), False
    producer.flush()
    consumer.close()


if __name__ == "__main__":
    main()
