"""Visits at a rate, or as fast as they go: each scanned now, with an identity of its own."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Final

from confluent_kafka import Producer

from infra.bench.visits import visit_lines
from schemas.errors import FatalError
from schemas.kafka import ClientConfig, producer_config

_POOL: Final = 20_000
_TICK_S: Final = 0.01
_AT_ONCE: Final = 2_000
_REST_S: Final = 60


class VisitFeed(threading.Thread):
    """Puts visits on their topic, partition by partition in turn, until it is stopped.

    Args:
        cluster: the brokers.
        topic: of the visits.
        partitions: of it.
        rate: visits a second, at first.

    Attributes:
        ticks: monotonic seconds, and how many visits had been handed to the client by then.
    """

    def __init__(self, cluster: ClientConfig, topic: str, partitions: int, rate: float) -> None:
        super().__init__(name="visit-feed", daemon=True)
        config = producer_config(cluster, queue_buffering_max_messages=200_000)
        self._producer = Producer({**config, "log_level": 2})
        self._topic = topic
        self._partitions = partitions
        self._rate = rate
        self._hurry = 0
        self._ending = threading.Event()
        self._failed: list[str] = []
        self._pool = _templates(partitions)
        self.sent = 0
        self.ticks: list[tuple[float, int]] = []

    def hurry(self, rows: int) -> None:
        """So many visits more, as fast as they go; then at the rate again."""
        self._hurry += rows

    @property
    def hurries(self) -> bool:
        """Whether visits are being put as fast as they go."""
        return self._hurry > 0

    def run(self) -> None:
        due = float(self.sent)
        last = time.monotonic()
        while not self._ending.is_set():
            now = time.monotonic()
            if self._hurry > 0:
                rows = min(self._hurry, _AT_ONCE)
                self._hurry -= rows
                due, last = float(self.sent + rows), now
            else:
                due += (now - last) * self._rate
                last = now
                rows = int(due) - self.sent
            self._put(rows)
            self.ticks.append((time.monotonic(), self.sent))
            if self._hurry <= 0:
                self._ending.wait(_TICK_S)

    def stop(self) -> int:
        """End, and wait until the brokers have everything; how many visits were sent in all.

        Raises:
            FatalError: a visit was not acknowledged.
        """
        self._ending.set()
        self.join(_REST_S)
        if self._producer.flush(_REST_S) or self._failed:
            raise FatalError(f"visits were not acknowledged: {self._failed[:1]}")
        return self.sent

    def _put(self, rows: int) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()
        for number in range(self.sent, self.sent + rows):
            partition, line = self._pool[number % _POOL]
            value = line % {b"at": at, b"offset": number // self._partitions}
            while True:
                try:
                    self._producer.produce(self._topic, value, partition=partition, on_delivery=self._delivered)
                    break
                except BufferError:
                    self._producer.poll(0.05)
        self._producer.poll(0)
        self.sent += rows

    def _delivered(self, error: object, _message: object) -> None:
        if error is not None:
            self._failed.append(str(error))


def _templates(partitions: int) -> list[tuple[int, bytes]]:
    """Visits with gaps for the time and the offset; the n-th lies in partition n modulo their number."""
    until = datetime(2026, 1, 2, tzinfo=UTC)
    pool = []
    for number, (_, line) in enumerate(visit_lines(_POOL, partitions, 7, until)):
        text = line.decode()
        for name in ("scanned_at", "stay_until", "processed_at"):
            head, _, rest = text.partition(f'"{name}":"')
            text = f'{head}"{name}":"%(at)s"{rest.partition(chr(34))[2]}'
        head, _, _ = text.partition('"source_partition"')
        tail = text.partition(',"processed_at"')[2]
        partition = number % partitions
        text = f'{head}"source_partition":{partition},"source_offset":%(offset)d,"processed_at"{tail}'
        pool.append((partition, text.encode()))
    return pool
