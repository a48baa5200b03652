"""Whether containers can be started on this machine."""

from __future__ import annotations

import functools
import socket
from urllib.parse import urlsplit

_TIMEOUT_S = 3
_DEFAULT = "unix:///var/run/docker.sock"


@functools.cache
def docker_available() -> str | None:
    """None when a Docker engine answers, else the reason why containers cannot be started; asked once a process.

    The engine is asked over its socket, for Docker's own client leaves sockets open when nothing answers.
    """
    from testcontainers.core.docker_client import get_docker_host

    address = urlsplit(get_docker_host() or _DEFAULT)
    if address.scheme not in ("unix", "tcp", "http"):
        return f"the Docker engine's address has an unknown form ({address.scheme})"
    is_local = address.scheme == "unix"
    target = address.path if is_local else (address.hostname, address.port or 2375)
    with socket.socket(socket.AF_UNIX if is_local else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(_TIMEOUT_S)
        try:
            probe.connect(target)
            probe.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            answered = bool(probe.recv(1))
        except OSError:
            answered = False
    return None if answered else "no Docker engine answers"
