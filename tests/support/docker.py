"""Whether a Docker engine answers."""

from __future__ import annotations

import gc
import warnings
from functools import cache


@cache
def docker_available() -> str | None:
    """The reason why there is no Docker, or None when there is; asked once a session."""
    with warnings.catch_warnings():
        # The client leaves its socket open when nobody answers, and closes it when it is collected: here, then.
        warnings.simplefilter("ignore", ResourceWarning)
        reason = _ask()
        gc.collect()
    return reason


def _ask() -> str | None:
    import docker

    try:
        client = docker.from_env(timeout=5)
        try:
            client.ping()
        finally:
            client.close()
    except (docker.errors.DockerException, OSError) as error:
        return f"no Docker engine answers ({str(error).splitlines()[0][:120]})"
    return None
