"""The colours, once a process: every function of a job is unpickled by itself, and this module is not."""

from __future__ import annotations

from functools import cache

from infra.bench.peers.contract import read_colours

shared_colours = cache(read_colours)
