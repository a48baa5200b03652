"""A slow network between the services and the broker, that breaks connections off."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.embedded.kafka import EmbeddedKafka
from infra.embedded.kafka.ports import free_ports
from tests.faults.platform import platform
from tests.faults.report import Round
from tests.faults.trickle import Standstill, Trickle
from tests.support.tcp_proxy import TcpProxy

_PER_SECOND = 400
_DELAY_S: Final = 0.15
_AWAY_S: Final = 3.0
_GET_ON_S = 90.0


@dataclass(frozen=True, slots=True)
class ProxiedKafka:
    """A broker that can be reached directly, and by another address through a proxy."""

    kafka: EmbeddedKafka
    proxy: TcpProxy

    @property
    def far_servers(self) -> str:
        """The address by which everything goes through the proxy: the broker advertises it to whoever asks there."""
        return f"127.0.0.1:{self.proxy.port}"


@contextmanager
def proxied_kafka(directory: Path, **properties: str) -> Iterator[ProxiedKafka]:
    """One broker with a second listener, advertised under the port of a proxy.

    Args:
        directory: of its data.
        **properties: further ones of the broker, with `_` for `.`.
    """
    port, far_port, controller_port = free_ports(3)
    with TcpProxy(far_port) as proxy:
        listeners = {
            "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
            "listeners": f"PLAINTEXT://127.0.0.1:{port},FAR://127.0.0.1:{far_port},"
            f"CONTROLLER://127.0.0.1:{controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port},FAR://127.0.0.1:{proxy.port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,FAR:PLAINTEXT,CONTROLLER:PLAINTEXT",
        }
        further = {name.replace("_", "."): value for name, value in properties.items()}
        with EmbeddedKafka(directory, port=port, properties={**listeners, **further}) as kafka:
            yield ProxiedKafka(kafka, proxy)


def network_round(
    proxied: ProxiedKafka, clickhouse: tuple[str, int], directory: Path, *, seed: int, cuts: int
) -> Round:
    """Services work through a delay each way; again and again all their connections break, in mid-message if need be.

    Args:
        proxied: the broker; the sender uses the near address, the services the far one.
        clickhouse: the server.
        directory: for logs.
        seed: of the load.
        cuts: how often everything is cut; every third time the network stays away for 3 s.
    """
    result = Round("slow network that breaks off", seed)
    result.notes.append(f"{_DELAY_S * 1000:.0f} ms each way")
    near = proxied.kafka.bootstrap_servers
    with platform(result, near, clickhouse, directory, services_at=proxied.far_servers) as own:
        proxied.proxy.delay_s = _DELAY_S
        for kind in ("worker", "sink"):
            own.service(kind, kind).start()
        with Trickle(own, _PER_SECOND), Standstill(own) as standstill:
            began = standstill.begin()
            own.wait_until(lambda: standstill.all_grew_since(began), _GET_ON_S, "the worker to work")
            for number in range(cuts):
                moment = standstill.begin()
                away = number % 3 == 2
                proxied.proxy.refuse(away)
                result.faults["connections cut"] = result.faults.get("connections cut", 0) + proxied.proxy.cut()
                if away:
                    time.sleep(_AWAY_S)
                    proxied.proxy.refuse(False)
                own.wait_until(
                    lambda moment=moment: standstill.all_grew_since(moment),  # type: ignore[misc]
                    _GET_ON_S,
                    "every partition to get on after a cut",
                )
                result.standstill_s.append(round(standstill.longest(), 2))
        proxied.proxy.delay_s = 0.0
        own.settle()
        return own.judge()
