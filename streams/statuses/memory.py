"""Memory that the client library has freed, given back to the system."""

from __future__ import annotations

import ctypes


def release_memory() -> None:
    """Have the C library return what it keeps for later; does nothing where it cannot (it is glibc that can).

    Reading the statuses leaves buffers behind, freed and kept: measured 100 to 230 MB.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
