"""One process owns a data directory."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from schemas.errors import ConfigurationError

LOCK_NAME = "server.lock"


class DirectoryLock:
    """An exclusive lock on a data directory, held until `release` or the end of the process, however it ends.

    The kernel drops the lock of a killed process, so a file left behind does not count.
    """

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / LOCK_NAME
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock and write this process's id into the file.

        Raises:
            ConfigurationError: another process holds it, or the directory cannot be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(f"cannot use {self._path.parent} as a data directory: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise ConfigurationError(
                f"{self._path.parent} is in use by another ClickHouse server (process {owner}): "
                "stop it first, or choose another --data-dir"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the directory free; the file stays, for removing it would race with the next owner."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None
