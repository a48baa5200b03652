"""One run of one peer: started, watched until its last record is out, stopped, and its output checked."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from infra.bench.figures import Run
from infra.bench.peers.catalogue import Launcher, Peer
from infra.bench.peers.contract import Task
from infra.bench.peers.ground import TOPICS, Ground, Input, ends
from infra.bench.peers.installation import PeerUnavailableError
from infra.bench.peers.outputs import Ends, digest, read_verdicts
from infra.bench.peers.tree import ProcessTree
from infra.embedded.process import ChildProcess, ending
from infra.lag import GroupLag
from schemas.errors import FatalError, RetryableError

_FIRST_S = 120.0
_LAST_S = 240.0
_COMMITTED_S = 5.0
_POLL_S = 0.05
_LOOK_S = 1.0
_STOP_S = 15.0


def run_peer(peer: Peer, launcher: Launcher, ground: Ground, number: int) -> Run:
    """Run a peer once, on a topic and with a consumer group of its own.

    The clock, and the count of CPU seconds, run from the moment when the first records are seen on the output topic to
    the moment when the last one is, and only what came between them counts: how a peer starts and loads the colours is
    left out, for all of them alike.

    Returns:
        `events_per_s`, `cpu_s_per_million` and `peak_rss_mb` of the process and everything it started, `seconds`,
        `seconds_to_first`, and `uncommitted`: records of the input behind the group's offsets 5 s after the last record
        at the latest (the whole input for a peer that keeps no offsets there).

    Raises:
        PeerUnavailableError: it ended by itself, or did not get on.
        FatalError: its output is not what it must be.
    """
    given = ground.short if peer.short else ground.full
    own = ground.folder / f"{peer.name}-{number}"
    own.mkdir()
    task = Task(ground.bootstrap, given.topic, f"peers.{peer.name}.{number}", str(ground.colours), own.name)
    # The worker writes where its settings say: all its runs to one topic.
    is_worker = peer.name == "worker"
    if is_worker:
        task = replace(task, output=TOPICS.visits)
    else:
        ground.make_output(task.output)
    before = ends(ground.admin(), task.output)
    launch = launcher(task, own)
    child = ChildProcess(peer.name, launch.argv, own / "log", env=launch.env, cwd=own)
    child.start()
    tree = ProcessTree(child.pid)
    try:
        found = _watched(child, tree, ground, task, given, before)
        found["uncommitted"] = _uncommitted(ground, task)
    finally:
        child.stop(_STOP_S)
        tree.kill_the_rest()
    _check(ground, task, given, before)
    if not is_worker:
        ground.drop(task.output)
    return found


def _watched(
    child: ChildProcess, tree: ProcessTree, ground: Ground, task: Task, given: Input, before: Ends
) -> dict[str, Any]:
    admin = ground.admin()
    began = time.perf_counter()

    def written() -> int:
        return sum(ends(admin, task.output).values()) - sum(before.values())

    first = _await(child, tree, written, 1, _FIRST_S)
    started, cpu = time.perf_counter(), tree.look()
    last = _await(child, tree, written, given.expected.records, _LAST_S)
    seconds, cpu = time.perf_counter() - started, tree.look() - cpu
    counted = last - first
    if counted <= 0:
        raise PeerUnavailableError("all its output came at once: nothing to measure between; use more --events")
    return {
        "events_per_s": round(counted / seconds),
        "cpu_s_per_million": round(cpu / counted * 1e6, 2),
        "peak_rss_mb": round(tree.peak_rss_mb),
        "seconds": round(seconds, 2),
        "seconds_to_first": round(started - began, 2),
    }


def _await(child: ChildProcess, tree: ProcessTree, written: Callable[[], int], least: int, seconds: float) -> int:
    looked = time.monotonic()
    deadline = looked + seconds
    while time.monotonic() < deadline:
        found = written()
        if found >= least:
            return found
        if (code := child.poll()) is not None:
            raise PeerUnavailableError(f"it {ending(code)} after {found:,} records:\n{child.log_tail()}")
        if time.monotonic() - looked > _LOOK_S:
            looked = time.monotonic()
            tree.look()
        time.sleep(_POLL_S)
    raise PeerUnavailableError(f"it wrote {found:,} of {least:,} records in {seconds:.0f} s:\n{child.log_tail()}")


def _uncommitted(ground: Ground, task: Task) -> int:
    deadline = time.monotonic() + _COMMITTED_S
    with GroupLag(ground.cluster, task.group) as lag:
        while True:
            try:
                behind = lag.records([task.scans])[task.scans]
            except RetryableError:
                behind = -1
            if behind == 0 or time.monotonic() > deadline:
                return behind
            time.sleep(4 * _POLL_S)


def _check(ground: Ground, task: Task, given: Input, before: Ends) -> None:
    found = digest(read_verdicts(ground.cluster, task.output, before, ends(ground.admin(), task.output)))
    if (difference := found.differs_from(given.expected)) is not None:
        raise FatalError(difference)
