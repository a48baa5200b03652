"""The colours, once a process: every function of a job is unpickled by itself, and this module is not."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from infra.bench.peers.contract import read_colours


@cache
def shared_colours(path: str) -> Mapping[str, str]:
    """What `read_colours` reads; a function of this module, because a cached one is pickled by the name it bears."""
    return read_colours(path)
