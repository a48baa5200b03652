"""Files in and out of the operating system's memory."""

from __future__ import annotations

import os
from pathlib import Path


def drop_from_memory(path: Path) -> None:
    """Ask the system to forget its cached pages of a file, or of all files under a folder; needs no rights."""
    files = [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]
    for file in files:
        try:
            descriptor = os.open(file, os.O_RDONLY)
        except FileNotFoundError:
            continue  # a merge has replaced it meanwhile
        try:
            os.fdatasync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def size_of(folder: Path) -> int:
    """Bytes of all files under a folder."""
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
