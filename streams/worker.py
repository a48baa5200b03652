"""The worker process: Faust's application, the reference data, the way out, health; started and stopped in order."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn, cast

import structlog

from schemas.brake import DeadLetterBrake
from streams.alert_memory import AlertMemory
from streams.batching.app import BatchApp
from streams.batching.batch import Place
from streams.batching.transport import BatchConsumer, Batching
from streams.cluster import broker_urls, check_cluster, credentials
from streams.config import WorkerConfig
from streams.decide import Policy
from streams.decider import Decider
from streams.health import HealthServer
from streams.intake import Limits
from streams.memory import keep_freed_memory
from streams.metrics import WorkerMetrics
from streams.output import Output
from streams.pipeline import Pipeline
from streams.progress import Progress
from streams.reference import Reference
from streams.steps import AtStep, pass_by
from streams.wall_clock import Clock, WallClock

EXIT_LOST = 70
"""Exit code after an output was lost, a brake was pulled or the worker stalled: nothing was acknowledged after it."""

_STOP_S = 30.0
_BUFFERED_BATCHES = 16
_GC_ALLOCATIONS = 200_000

log = structlog.get_logger(__name__)


def die(message: str) -> NoReturn:
    """End the process at once, without committing or leaving anything: what is not done will be done again."""
    log.critical("worker_stopped", reason=message)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_LOST)


def run_worker(config: WorkerConfig, at_step: AtStep = pass_by, now: Clock = time.time) -> int:
    """Decide scans until SIGTERM or SIGINT; then finish what is under way, commit, and leave the group.

    Guarantee: at least once; offsets are committed only after the visits, alerts and dead letters of everything before
    them are acknowledged by all in-sync replicas.

    Args:
        config: everything a worker is told.
        at_step: see `streams.steps.AtStep`.
        now: the wall clock.

    Returns:
        0 after a clean stop, 1 when Faust crashed. When going on would lose something the process ends at once with
        `EXIT_LOST`.

    Raises:
        ConfigurationError: credentials, topics, or the port.
        RetryableError: no broker answers.
    """
    check_cluster(config.cluster, config.topics)
    # What a batch allocates has no cycles, and is alive together: looking for some after every 700 objects, the
    # default, took a fifth of the time.
    gc.freeze()
    gc.set_threshold(_GC_ALLOCATIONS, 20, 20)
    keep_freed_memory()
    return asyncio.run(_Worker(config, at_step, now).run())


async def _run_until_crash(app: BatchApp) -> None:
    await app.start()
    await app._crashed.wait()


class _Worker:
    """Wires the parts by hand."""

    def __init__(self, config: WorkerConfig, at_step: AtStep, now: Clock) -> None:
        self._config = config
        self._clock = WallClock(config.clock_tolerance_s, now)
        self._at_step = at_step
        self._metrics = WorkerMetrics()
        self._assigned = False
        self._owned: frozenset[int] = frozenset()
        self._standing_still: Callable[[], list[str]] = list
        self._health = HealthServer(config.metrics_port, self._metrics, self._waiting_for, self._clock.warnings)
        self._output = Output(config.cluster, config.topics.visits, die)
        self._reference = Reference(config, self._output, self._metrics, die)
        self._metrics.statuses.set_function(lambda: len(self._reference.statuses))
        self._metrics.status_bytes.set_function(lambda: self._reference.statuses.nbytes)
        self._metrics.status_age_seconds.set_function(self._reference.status_age_s)
        self._metrics.venues.set_function(lambda: len(self._reference.venues))

    async def run(self) -> int:
        config = self._config
        self._write_ready_file()
        self._reference.start()
        batching = Batching(
            frozenset({config.topics.scans}),
            config.cluster,
            die,
            rows=config.batch_rows,
            is_open=self._is_open,
            assigned=self._own,
            at_step=self._at_step,
        )
        pipeline = Pipeline(
            self._decider(), self._output, batching.ledger, config.batches_under_way, die, self._clock, self._at_step
        )
        batching.effects_finished = pipeline.finished
        app = self._app(batching, pipeline)
        progress = Progress(
            config,
            lambda: self._owned,
            cast(BatchConsumer, app.consumer).end_seen,
            batching.ledger,
            self._reference.is_open,
            self._metrics,
            die,
            self._clock,
            cast(BatchConsumer, app.consumer).membership_error,
        )
        self._standing_still = progress.standing_still
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        crashed = await self._until_stopped(app, progress, stopped)
        self._reference.close()
        self._output.close()
        self._health.close()
        log.info("worker_left", crashed=crashed)
        return 1 if crashed else 0

    async def _until_stopped(self, app: BatchApp, progress: Progress, stopped: asyncio.Event) -> bool:
        """Run the application until a signal comes or it crashes; true when it crashed."""
        signalled = asyncio.create_task(stopped.wait())
        ends = [signalled, asyncio.create_task(_run_until_crash(app)), asyncio.create_task(progress.watch())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in ends:
            if task.done() and task.exception() is not None:
                log.error("worker_failed", exc_info=task.exception())
            task.cancel()
        guard = threading.Timer(_STOP_S, die, [f"stopping took longer than {_STOP_S:.0f} s"])
        guard.daemon = True
        guard.start()
        self._reference.hold()
        await app.stop()
        guard.cancel()
        return not stopped.is_set()

    def _decider(self) -> Decider:
        config = self._config
        return Decider(
            topics=config.topics,
            limits=Limits(config.max_future_ms, config.retention_ms),
            policy=Policy(config.alert_id_key, config.dedupe_ms, config.review_ms, config.late_ms),
            venues=self._reference.venues,
            statuses=self._reference.statuses,
            memory=AlertMemory(config.alerts_remembered),
            brake=DeadLetterBrake(config.topics.scans, config.bad_window, config.max_bad_share),
            metrics=self._metrics,
        )

    def _app(self, batching: Batching, pipeline: Pipeline) -> BatchApp:
        config = self._config
        app = BatchApp(
            config.group,
            batching,
            broker=broker_urls(config.cluster),
            broker_credentials=credentials(config.cluster),
            broker_client_id="venuecode-worker",
            broker_session_timeout=config.session_timeout_s,
            broker_heartbeat_interval=config.session_timeout_s / 4,
            broker_rebalance_timeout=max(10.0, config.session_timeout_s),
            broker_request_timeout=max(30.0, config.session_timeout_s),
            broker_max_poll_interval=300.0,
            broker_commit_every=50,
            broker_commit_interval=1.0,
            consumer_group_instance_id=config.instance_id,
            producer_request_timeout=30.0,
            stream_buffer_maxsize=_BUFFERED_BATCHES,
            worker_redirect_stdouts=False,
        )

        async def scans(stream: Any) -> None:
            async for batch in stream:
                await pipeline.handle(batch)

        app.agent(app.batch_topic(config.topics.scans), name="scans")(scans)
        return app

    def _own(self, places: frozenset[Place]) -> None:
        self._assigned = True
        self._owned = frozenset(place.partition for place in places)
        self._metrics.owns(self._owned)
        self._reference.own(self._owned)

    def _is_open(self, place: Place) -> bool:
        return self._reference.is_open(place.partition)

    def _waiting_for(self) -> list[str]:
        waiting = [*self._reference.waiting_for(), *self._standing_still()]
        return waiting if self._assigned else ["partitions", *waiting]

    def _write_ready_file(self) -> None:
        path = self._config.ready_file
        if path is not None:
            partial = path.with_name(path.name + ".partial")
            partial.write_text(json.dumps({"pid": os.getpid(), "metrics_port": self._health.port}) + "\n")
            partial.replace(path)
        log.info("worker_listens", metrics_port=self._health.port)
