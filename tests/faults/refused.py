"""A worker that cannot get its outputs to the broker: its queue is full, or its messages time out."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from infra.embedded.kafka import EmbeddedKafka
from streams.worker import EXIT_LOST
from tests.faults.platform import Platform, platform
from tests.faults.report import Round
from tests.faults.service import DYING

_END_S = 60.0
_POLL_S = 0.05


def refused_round(kafka: EmbeddedKafka, clickhouse: tuple[str, int], directory: Path, *, seed: int) -> Round:
    """Both workers must end with `EXIT_LOST`; the one after them does their work.

    Args:
        kafka: one broker; it is paused for some seconds, just when a batch is about to be produced.
        clickhouse: the server.
        directory: for logs.
        seed: of the load.
    """
    result = Round("producer's queue full, message time-out reached", seed)
    broker = kafka.brokers[0].child.pid
    with platform(result, kafka.bootstrap_servers, clickhouse, directory) as own:
        own.service("sink", "sink").start()
        own.send(5_000)
        _loses(own, "queue-full", "queue.buffering.max.kbytes=1")
        result.count("producer's queue full")
        try:
            # message.timeout.ms cannot be below linger.ms, and the pause must come after the batch was fetched.
            _loses(own, "timed-out", "message.timeout.ms=1500", "--step", "before_produce", "--stop", str(broker))
        finally:
            os.kill(broker, signal.SIGCONT)
        result.count("message time-out reached")
        own.service("worker", "worker").start()
        own.send(5_000)
        own.settle()
        return own.judge()


def _loses(own: Platform, name: str, setting: str, *options: str) -> None:
    worker = own.service("worker", name)
    own.services.remove(worker)  # nobody starts it again
    worker.start(DYING["worker"], "--kafka", setting, *options)
    try:
        deadline = time.monotonic() + _END_S
        while worker.code is None and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        if worker.code != EXIT_LOST:
            raise AssertionError(f"{name}: exit code {worker.code}, not {EXIT_LOST}; its log: {worker.log()[-2000:]}")
    finally:
        worker.kill()
