"""The broker's disk is full: it ends, or refuses; with room again and a restart, everything gets on."""

from __future__ import annotations

import time
from pathlib import Path

from infra.embedded.kafka import EmbeddedKafka
from tests.faults.platform import platform
from tests.faults.report import Round
from tests.faults.trickle import Standstill, Trickle
from tests.support.small_disk import filled, small_disk

_PER_SECOND = 1_000
_MEGABYTES = 512
_FULL_S = 30.0
_GET_ON_S = 120.0
_POLL_S = 0.1


def disk_round(clickhouse: tuple[str, int], directory: Path, *, seed: int, times: int) -> Round:
    """Fill the disk under a running load, wait until the broker has ended (30 s at most), make room, start it again.

    Raises:
        NoSmallDiskError: this machine lets us mount none.
    """
    result = Round("the broker's disk is full", seed)
    with (
        small_disk(directory / "disk", _MEGABYTES) as disk,
        EmbeddedKafka(disk / "kafka", port=0, min_free_bytes=_MEGABYTES << 19) as kafka,
        platform(result, kafka.bootstrap_servers, clickhouse, directory) as own,
    ):
        for kind in ("worker", "sink"):
            own.service(kind, kind).start()
        with Trickle(own, _PER_SECOND), Standstill(own) as standstill:
            began = standstill.begin()
            own.wait_until(lambda: standstill.all_grew_since(began), _GET_ON_S, "the worker to work")
            for _ in range(times):
                standstill.begin()
                broker = kafka.brokers[0].child
                with filled(disk):
                    deadline = time.monotonic() + _FULL_S
                    while broker.is_running() and time.monotonic() < deadline:
                        own.supervise()
                        time.sleep(_POLL_S)
                result.count("full disk" if broker.is_running() else "full disk that ended the broker")
                kafka.kill_broker(0)
                kafka.start_broker(0)
                moment = time.monotonic()
                own.wait_until(
                    lambda moment=moment: standstill.all_grew_since(moment),  # type: ignore[misc]
                    _GET_ON_S,
                    "every partition to get on with room on the disk",
                )
                result.standstill_s.append(round(standstill.longest(), 2))
        own.settle()
        return own.judge()
