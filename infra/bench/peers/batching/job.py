"""A Faust agent that is given batches: decode, look up, encode; offsets follow what Kafka has acknowledged.

What the worker adds to this is validation, venues, stays, alerts, dead letters and metrics.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from concurrent.futures import Future
from itertools import repeat
from typing import Any, Final, NoReturn, cast

import msgspec

from infra.bench.peers.contract import DECISIONS, UNKNOWN, Task, read_colours
from schemas.kafka import ClientConfig
from streams.batch_producer import Records
from streams.batching.app import BatchApp
from streams.batching.batch import Batch, Place
from streams.batching.ledger import OffsetLedger
from streams.batching.transport import Batching
from streams.cluster import broker_urls
from streams.memory import keep_freed_memory
from streams.output import Output

_UNDER_WAY: Final = 4
_GC_ALLOCATIONS: Final = 200_000


class Scan(msgspec.Struct, gc=False):
    """A scan, and what is added to it."""

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


class Enricher:
    """What the agent does with a batch."""

    def __init__(self, colours: dict[str, str], output: Output, ledger: OffsetLedger[Place]) -> None:
        self._colour_of, self._output, self._ledger = colours.get, output, ledger
        self._decode, self._encode = msgspec.json.Decoder(Scan).decode_lines, msgspec.json.Encoder().encode_lines
        self._places = asyncio.Semaphore(_UNDER_WAY)
        self._loop = asyncio.get_running_loop()

    async def handle(self, batch: Batch) -> None:
        """Enrich, and hand over to the producer; returns before it is acknowledged."""
        scans = self._decode(b"\n".join(cast("list[bytes]", batch.values)))
        for scan, colour in zip(
            scans, map(self._colour_of, [s.person_token for s in scans], repeat(UNKNOWN)), strict=True
        ):
            scan.colour = colour
            scan.decision = DECISIONS[colour]
        counts = {stretch.place.partition: stretch.end - stretch.begin for stretch in batch.stretches}
        await self._places.acquire()
        future = self._output.submit((), Records(counts, cast("list[bytes]", batch.keys), self._encode(scans)))

        def finished(_: Future[None]) -> None:
            self._loop.call_soon_threadsafe(self._finished, batch)

        future.add_done_callback(finished)

    async def finished(self) -> None:
        """Wait until all that was handed over is acknowledged."""
        for _ in range(_UNDER_WAY):
            await self._places.acquire()
        for _ in range(_UNDER_WAY):
            self._places.release()

    def _finished(self, batch: Batch) -> None:
        for stretch in batch.stretches:
            self._ledger.done(stretch.ticket)
        self._places.release()


def _die(_: str) -> NoReturn:
    os._exit(70)


async def _run(task: Task, colours: dict[str, str]) -> None:
    cluster: ClientConfig = {"bootstrap.servers": task.bootstrap}
    batching = Batching(frozenset({task.scans}), cluster, _die)
    output = Output(cluster, task.output, _die)
    enricher = Enricher(colours, output, batching.ledger)

    batching.effects_finished = enricher.finished
    app = BatchApp(
        task.group,
        batching,
        broker=broker_urls(cluster),
        broker_commit_interval=1.0,
        stream_buffer_maxsize=16,
        worker_redirect_stdouts=False,
    )

    async def scans(stream: Any) -> None:
        async for batch in stream:
            await enricher.handle(batch)

    app.agent(app.batch_topic(task.scans), name="scans")(scans)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await app.start()
    await stopped.wait()
    await app.stop()
    output.close()


def main() -> None:
    task = Task.from_arguments()
    colours = read_colours(task.colours)
    gc.freeze()
    gc.set_threshold(_GC_ALLOCATIONS, 20, 20)
    keep_freed_memory()
    asyncio.run(_run(task, colours))


if __name__ == "__main__":
    main()
