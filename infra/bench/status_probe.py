"""Measures the status store from inside: run as a process of its own, prints one JSON object.

python -m infra.bench.status_probe store PEOPLE
python -m infra.bench.status_probe topic BOOTSTRAP PEOPLE FILL_TOPIC UPDATE_TOPIC DIRECTORY
python -m infra.bench.status_probe restart BOOTSTRAP PEOPLE FILL_TOPIC DIRECTORY
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import structlog

from infra.bench.usage import peak_rss_mb
from schemas.errors import FatalError
from streams.follower import Records, TopicFollower
from streams.memory import give_back_freed_memory, keep_freed_memory
from streams.status_store import StatusStore
from streams.statuses.packing import Statuses, Words
from streams.statuses.reading import StatusReader
from streams.statuses.snapshots import Snapshots
from streams.statuses.topic_identity import identify

PARTITIONS: Final = 8
_BATCH: Final = 2000
_LOOKED_UP: Final = 4000
_AT_MS: Final = 1_780_000_000_000
_HOUR_MS: Final = 3_600_000
_DEADLINE_S: Final = 300.0
_LOOK_UP_S: Final = 3.0
_GC_ALLOCATIONS: Final = 200_000

STORM_PERSONS: Final = 82_000
STORM_S: Final = 60.0
"""So many people turned yellow within a minute, and it happened (issue 4)."""


def probe_store(people: int) -> dict[str, Any]:
    """Memory a person, look-ups alone and during a storm of changes; filled without a topic."""
    store = _empty_store()
    before = _rss()
    _apply_all(store, people, version=1)
    peak = peak_rss_mb(os.getpid())
    give_back_freed_memory()
    filled = _rss()
    alone = _look_ups(store, people)
    with _Storm(store, people) as storm:
        in_storm = _look_ups(store, people)
    held_ms = storm.longest_s * 1000
    alone = max(alone, _look_ups(store, people))
    _apply_all(store, people, version=3)
    give_back_freed_memory()
    return {
        "bytes_per_person": round((filled - before) / people, 1),
        "bytes_per_person_peak": round((peak * 2**20 - before) / people, 1),
        "bytes_per_person_with_earlier": round((_rss() - before) / people, 1),
        "lookups_per_s": round(alone),
        "lookups_per_s_in_storm": round(in_storm),
        "storm_slice_longest_ms": round(held_ms, 2),
        "peak_rss_mb": round(peak),
    }


def probe_topic(bootstrap: str, people: int, fill: str, update: str, directory: Path) -> dict[str, Any]:
    """Fill from a full topic, then take over an update of everybody from another, then save."""
    store = _empty_store()
    filling = _read(bootstrap, fill, store, people)
    give_back_freed_memory()
    settled = _rss()
    updating = _read(bootstrap, update, store, people, opened=lambda *_: None)
    snapshots = _snapshots(bootstrap, fill, store, directory)
    for partition, end in filling["ends"].items():
        snapshots.caught_up(partition, end)
    began = time.perf_counter()
    snapshots.save_all()
    return {
        "fill_per_s": round(people / filling["seconds"]),
        "cpu_s_per_million": round(filling["cpu_s"] / people * 1e6, 2),
        "updates_per_s": round(people / updating["seconds"]),
        "update_cpu_s_per_million": round(updating["cpu_s"] / people * 1e6, 2),
        "filled_rss_mb": round(settled / 2**20),
        "snapshot_s": round(time.perf_counter() - began, 2),
        "snapshot_mb": round(sum(path.stat().st_size for path in directory.iterdir()) / 2**20),
    }


def probe_restart(bootstrap: str, people: int, fill: str, directory: Path) -> dict[str, Any]:
    """From the first question to the brokers until everything is caught up, with snapshots of all partitions."""
    store = _empty_store()
    snapshots: list[Snapshots] = []

    def opened(partition: int, low: int, high: int) -> int | None:
        if not snapshots:
            snapshots.append(_snapshots(bootstrap, fill, store, directory))
        return snapshots[0].load(partition, low, high)

    read = _read(bootstrap, fill, store, people, opened=opened)
    if read["records"]:
        raise FatalError(f"{read['records']} records were read again in spite of the snapshots")
    return {"restart_s": round(read["seconds"], 2)}


def _read(
    bootstrap: str,
    topic: str,
    store: StatusStore,
    people: int,
    opened: Callable[[int, int, int], int | None] | None = None,
) -> dict[str, Any]:
    """Follow a topic to its end, as the worker does."""
    reader = StatusReader(topic, store.kind_numbers)
    ends: dict[int, int] = {}
    failed: list[str] = []
    records_read = 0
    done = threading.Event()

    def apply(partition: int, records: Records, _reported: int) -> None:
        nonlocal records_read
        keys, statuses, rejected = reader.read(records)
        store.apply_columns(partition, keys, statuses)
        records_read += len(records)
        failed.extend(str(error) for _, error in rejected)

    def caught_up(partition: int, next_offset: int) -> None:
        ends[partition] = next_offset
        if len(ends) == PARTITIONS:
            done.set()

    def fatal(message: str) -> None:
        failed.append(message)
        done.set()

    cluster = {"bootstrap.servers": bootstrap}
    follower = TopicFollower(
        cluster, "bench", topic, apply=apply, caught_up=caught_up, dropped=lambda _: None, on_fatal=fatal,
        opened=opened or (lambda *_: None),
    )  # fmt: skip
    began, cpu = time.perf_counter(), time.process_time()
    follower.follow(range(PARTITIONS))
    follower.start()
    done.wait(_DEADLINE_S)
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    follower.close()
    if failed or len(store) != people:
        raise FatalError(f"{len(store)} of {people} statuses were read: {failed[:1]}")
    return {"seconds": seconds, "cpu_s": cpu_s, "records": records_read, "ends": ends}


def _empty_store() -> StatusStore:
    keep_freed_memory()  # this and the next two: as the worker does
    gc.freeze()
    gc.set_threshold(_GC_ALLOCATIONS, 20, 20)
    store = StatusStore()
    for partition in range(PARTITIONS):
        store.open(partition)
    store.kind_numbers.numbers([("green", ()), ("yellow", ()), ("red", ())])
    return store


def _snapshots(bootstrap: str, topic: str, store: StatusStore, directory: Path) -> Snapshots:
    cluster = {"bootstrap.servers": bootstrap}
    return Snapshots(directory, topic, store, lambda: identify(cluster, topic), lambda _: 0, 600)


def _keys(partition: int, people: int) -> Words:
    """The tokens of a partition, the same for the same arguments: a slice of them at a time costs no memory."""
    return np.random.default_rng(partition).integers(0, 2**64, (people // PARTITIONS, 2), dtype=np.uint64)


def _apply_all(store: StatusStore, people: int, version: int) -> None:
    """A status of this version for everybody, slice by slice."""
    for partition in range(PARTITIONS):
        tokens = np.random.default_rng(partition)
        for first in range(0, people // PARTITIONS, _BATCH):
            count = min(_BATCH, people // PARTITIONS - first)
            keys = tokens.integers(0, 2**64, (count, 2), dtype=np.uint64)
            store.apply_columns(partition, keys, _statuses(count, 1, version))
        sys.stderr.write(f"  version {version} of {people // PARTITIONS * (partition + 1):,} people\n")


def _statuses(count: int, kind: int, version: int) -> Statuses:
    since = np.full(count, _AT_MS + version * _HOUR_MS)
    return Statuses(np.full(count, kind), np.full(count, version), since, since + 48 * _HOUR_MS, since)


def _look_ups(store: StatusStore, people: int) -> float:
    """Look-ups a second of known persons at random, in batches as the worker's."""
    keys = _keys(0, people)
    order = np.random.default_rng(99).permutation(len(keys))[: 50 * _LOOKED_UP]
    batches = [keys[order[first : first + _LOOKED_UP]].tobytes() for first in range(0, len(order), _LOOKED_UP)]
    at = [np.full(len(batch) // 16, _AT_MS + 5 * _HOUR_MS) for batch in batches]
    del keys
    looked_up, deadline = 0, time.perf_counter() + _LOOK_UP_S
    began = time.perf_counter()
    while time.perf_counter() < deadline:
        for batch, times in zip(batches, at, strict=True):
            if not store.look_up_columns(0, batch, times).kind.all():
                raise FatalError("a person was not found")
            looked_up += len(times)
    return looked_up / (time.perf_counter() - began)


class _Storm:
    """Turns people of one partition yellow in the background, at the rate of the storm."""

    def __init__(self, store: StatusStore, people: int) -> None:
        self._store = store
        self._keys = _keys(0, people)[:STORM_PERSONS].copy()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.longest_s = 0.0

    def __enter__(self) -> _Storm:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        interval = 0.05
        each = round(STORM_PERSONS / STORM_S * interval)
        first = 0
        while not self._ended.wait(interval):
            keys = self._keys[first : first + each]
            began = time.perf_counter()
            self._store.apply_columns(0, keys, _statuses(len(keys), 2, 2))
            self.longest_s = max(self.longest_s, time.perf_counter() - began)
            first = (first + each) % max(1, len(self._keys) - each)


def _rss() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _main(arguments: list[str]) -> dict[str, Any]:
    match arguments:
        case ["store", people]:
            return probe_store(int(people))
        case ["topic", bootstrap, people, fill, update, directory]:
            return probe_topic(bootstrap, int(people), fill, update, Path(directory))
        case ["restart", bootstrap, people, fill, directory]:
            return probe_restart(bootstrap, int(people), fill, Path(directory))
    raise SystemExit(__doc__)


if __name__ == "__main__":
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger("warning"),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    print(json.dumps(_main(sys.argv[1:])))  # noqa: T201 - its one output
