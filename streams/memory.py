"""How the C library's allocator is told to treat what was freed."""

from __future__ import annotations

import ctypes
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_KEPT_BYTES: Final = 32 * 1024 * 1024


def keep_freed_memory(most: int = _KEPT_BYTES) -> None:
    """Keep up to `most` bytes of freed memory at hand instead of giving it back to the kernel at once.

    A batch's texts are a few megabytes; glibc returned them after every batch, and the pages had to be mapped and
    cleared again for the next one: half a microsecond an event. Does nothing where the C library is another one.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(_MMAP_THRESHOLD, _KEPT_BYTES)
    mallopt(_TRIM_THRESHOLD, most)


def give_back_freed_memory() -> None:
    """Give all freed memory back to the kernel now; does nothing where the C library is none that can.

    Reading the statuses leaves a client's buffers behind: measured 100 to 230 MB that nobody needs again.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return
    trim(0)
