"""A small file system of its own, to be filled."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PAGE = 4096


class NoSmallDiskError(Exception):
    """This machine does not let us mount one; says why."""


@contextmanager
def small_disk(path: Path, megabytes: int) -> Iterator[Path]:
    """Mount a file system of that size, in memory; unmounted at the end.

    Raises:
        NoSmallDiskError: that takes root, and Linux.
    """
    path.mkdir(parents=True)
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        raise NoSmallDiskError("mounting a file system takes root")
    argv = [mount, "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(path)]
    answer = subprocess.run(argv, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise NoSmallDiskError(f"mounting a file system is refused: {answer.stderr.strip()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@contextmanager
def filled(disk: Path) -> Iterator[Path]:
    """Take all free room, until the block ends."""
    filler = disk / "filler"
    room = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    with filler.open("wb") as file:
        while room >= _PAGE:  # others write meanwhile: what does not fit is tried by halves
            try:
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), room)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                room //= 2
    try:
        yield filler
    finally:
        filler.unlink()
