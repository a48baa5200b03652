"""Ports on loopback: free ones, and whether somebody answers."""

from __future__ import annotations

import contextlib
import socket

from infra.embedded.kafka.diagnosis import PortTakenError
from infra.embedded.kafka.properties import HOST


def free_ports(count: int) -> list[int]:
    """Different ports that are free now; another program may still be quicker."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]


def require_free(port: int, setting: str) -> None:
    """Check that a port can be listened on.

    Args:
        port: on loopback.
        setting: the option that chooses another, for the message.

    Raises:
        PortTakenError: it cannot.
    """
    with socket.socket() as probe:
        # As servers do: a port whose last connections linger in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError as error:
            raise PortTakenError(
                f"port {port} on {HOST} cannot be used: {error.strerror}. Another program listens there (`venuecode "
                f"platform status` tells whether it is this one's); stop it, or choose another with {setting}."
            ) from error


def answers(port: int, timeout_s: float = 0.2) -> bool:
    """Whether something accepts a connection on a loopback port."""
    try:
        socket.create_connection((HOST, port), timeout_s).close()
    except OSError:
        return False
    return True
