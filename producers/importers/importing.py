"""An import from its beginning to its end: exactly the file's rows on the topic, whatever was killed in between.

How a killed import goes on without sending a row twice. Every row's scan id is made of the row itself. Before the first
send the ends of the topic's partitions are written into a ledger, and again each time everything sent so far was
acknowledged. A later run holds the ledger's lock (so the earlier process is gone), waits a moment for what that process
may have left in a socket, and reads the topic from those offsets to its end: what is there already is not sent again.
When such a run is done it reads once more, and says so if a late arrival is there twice after all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from producers.importers.ledger import Ledger, Progress, import_id
from producers.importers.plan import Circumstances, ImportResult, Plan, shift_of
from producers.importers.readback import TopicReader
from producers.importers.records import Brake, Chunk, chunks
from producers.importers.rejects import Rejects
from producers.importers.source import open_table
from producers.publisher import Publisher
from schemas.errors import FatalError
from schemas.fast import epoch_ms
from schemas.kafka import ClientConfig

CHECKPOINT_ROWS: Final = 50_000
SETTLE_S: Final = 2.0


class Importer:
    """Imports files into a cluster.

    Args:
        cluster: the brokers.
        ledgers: directory of the ledgers.
        clock: tells the present.
        settle_s: how long to wait, when an earlier run was killed, for what it left on its way.
    """

    def __init__(
        self, cluster: ClientConfig, ledgers: Path, clock: Callable[[], datetime], settle_s: float = SETTLE_S
    ) -> None:
        self._cluster, self._ledgers, self._clock, self._settle_s = cluster, ledgers, clock, settle_s

    def run(
        self,
        plan: Plan,
        identity: Mapping[str, Any],
        *,
        again: bool = False,
        on_bytes: Callable[[int], None] = lambda _: None,
    ) -> ImportResult:
        """Import a file, or what is missing of it.

        Guarantee: when it returns, Kafka has acknowledged a record for every row that was not rejected; of scans, one
        and no more, however often earlier runs were killed. Of the compacted topics the latest record of a key counts,
        and a resumed run may send the last few again.

        Args:
            plan: what to import.
            identity: what decides which records the rows become: the file's content, the options, the key.
            again: import a finished file once more.
            on_bytes: is told how many bytes of the file are read.

        Raises:
            ConfigurationError: the file, an option or the ledger is wrong.
            TooManyRejectsError: more than `max_bad` of the rows are bad.
            RetryableError, FatalError: the brokers do not answer, or refuse records; run it again to go on.
        """
        topic = TopicReader(self._cluster, plan.topic)
        name = import_id({**identity, "cluster": topic.cluster_id(), "topic": plan.topic})
        with Ledger(self._ledgers, name) as ledger:
            ends = topic.ends()
            known = ledger.progress
            lost = any(ends.get(number, -1) < offset for number, offset in known.offsets.items())
            if known.state == "finished" and not again and not lost:
                return ImportResult(**{**known.result, "already_imported": True, "first": ()})
            resumed = known.state == "running" and not lost
            if not resumed:
                now = self._clock()
                shift_ms = round(shift_of(plan, now).total_seconds() * 1000)
                known = Progress("running", 0, ends, shift_ms, epoch_ms(now))
                ledger.write(known)
            delivered: Mapping[str, int] = {}
            gateway = f"import-{name}"
            if resumed:
                time.sleep(self._settle_s)
                delivered = topic.scan_ids(known.offsets, gateway)
            result = self._send(plan, ledger, topic, gateway, delivered, on_bytes)
            result = replace(result, resumed_from=known.rows if resumed else None)
            finished = replace(ledger.progress, state="finished", offsets=topic.ends(), result=asdict(result))
            ledger.write(finished)
            if resumed:
                self._verify(topic, known, gateway)
            return result

    def _send(
        self,
        plan: Plan,
        ledger: Ledger,
        topic: TopicReader,
        gateway: str,
        delivered: Mapping[str, int],
        on_bytes: Callable[[int], None],
    ) -> ImportResult:
        start = ledger.progress
        shift = timedelta(milliseconds=start.shift_ms)
        rows = sent = there = 0
        with (
            Rejects(plan.rejects) as rejects,
            open_table(plan.path, plan.layout) as (table, position),
            Publisher(self._cluster) as publisher,
        ):
            reader = plan.make_reader(table, Circumstances(shift, start.version, gateway))
            for chunk in chunks(table, reader, plan.layout.label, rejects, Brake(plan.max_bad)):
                keys, values = _missing(chunk, start.rows, delivered)
                publisher.publish_batch(plan.topic, keys, values)
                rows, sent, there = chunk.rows, sent + len(values), there + len(chunk.values) - len(values)
                on_bytes(position.done)
                if rows >= ledger.progress.rows + CHECKPOINT_ROWS:
                    publisher.flush()
                    ledger.write(replace(start, rows=rows, offsets=topic.ends()))
        return ImportResult(
            gateway.removeprefix("import-"),
            rows=rows,
            sent=sent,
            already_there=there,
            rejected=dict(rejects.by_reason),
            rejects_file=str(rejects.path) if rejects.total and rejects.path else None,
            shift_s=shift.total_seconds(),
        )

    def _verify(self, topic: TopicReader, known: Progress, gateway: str) -> None:
        twice = sum(count > 1 for count in topic.scan_ids(known.offsets, gateway).values())
        if twice:
            raise FatalError(
                f"{twice:,} scans lie on the topic twice: sends of the killed run arrived late, after the topic was"
                f" read back; they have equal scan ids and the gateway {gateway}"
            )


def _missing(chunk: Chunk, done_rows: int, delivered: Mapping[str, int]) -> tuple[list[bytes], list[bytes]]:
    """Keys and values of the records that are not on the topic yet; `done_rows` is a chunk's end."""
    if chunk.rows <= done_rows:
        return [], []
    if not delivered:
        return chunk.keys, chunk.values
    wanted = [index for index, record in enumerate(chunk.records) if record.scan_id not in delivered]
    return [chunk.keys[index] for index in wanted], [chunk.values[index] for index in wanted]
