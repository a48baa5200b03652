"""The data directory of one embedded cluster: whose it is, and that only one cluster runs in it."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from infra.embedded.identity import identify
from infra.embedded.kafka.pins import KAFKA_VERSION
from schemas.errors import ConfigurationError

_DYING_S = 5.0
_POLL_S = 0.05
MIN_FREE_BYTES = 512 * 1024 * 1024
_MARK = "cluster.json"
_LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class ClusterMark:
    """What a data directory belongs to; kept in its `cluster.json`."""

    cluster_id: str
    brokers: int
    kafka_version: str = KAFKA_VERSION

    @classmethod
    def new(cls, brokers: int) -> Self:
        """A new cluster with a random id."""
        return cls(random_id(), brokers)


class DataDirectory:
    """One data directory, opened by at most one cluster at a time.

    Args:
        path: made when missing.
        min_free_bytes: that must be free on its file system before a start.
    """

    def __init__(self, path: Path, *, min_free_bytes: int = MIN_FREE_BYTES) -> None:
        self.path = path
        self._min_free_bytes = min_free_bytes
        self._lock: int | None = None

    @property
    def lock_descriptor(self) -> int:
        """The open lock file. The brokers inherit it: the lock lasts until the last of them has ended.

        Raises:
            ConfigurationError: the directory is not open.
        """
        if self._lock is None:
            raise ConfigurationError(f"{self.path} is not open")
        return self._lock

    def open(self, brokers: int) -> ClusterMark:
        """Lock it and say whose it is; a new or empty directory becomes that of a new cluster.

        Raises:
            ConfigurationError: it cannot be written, is nearly full, in use, not Kafka's, or of another cluster.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigurationError(f"Kafka's data directory {self.path} cannot be used: {error.strerror}") from error
        try:
            self._acquire(self._lock)
            self._check_space()
            return self._mark(brokers)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the lock; harmless when it is not held."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _acquire(self, lock: int) -> None:
        deadline = time.monotonic() + _DYING_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                holder = os.pread(lock, 32, 0).decode(errors="replace").strip() or "unknown"
                # A process that was killed lets go of its locks a moment after it is gone.
                if holder.isdigit() and identify(int(holder)) is None and time.monotonic() < deadline:
                    time.sleep(_POLL_S)
                    continue
                raise ConfigurationError(
                    f"Kafka already runs on {self.path} (started by process {holder}). Stop it "
                    "(`venuecode platform down`), or choose another --data-dir."
                ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)

    def _check_space(self) -> None:
        free = shutil.disk_usage(self.path).free
        if free < self._min_free_bytes:
            raise ConfigurationError(
                f"the disk under {self.path} is nearly full: {free >> 20} MiB free, Kafka needs "
                f"{self._min_free_bytes >> 20} MiB to start. Free some space, or choose another --data-dir."
            )

    def _mark(self, brokers: int) -> ClusterMark:
        file = self.path / _MARK
        if not file.exists():
            strangers = sorted(entry.name for entry in self.path.iterdir() if entry.name != _LOCK)
            if strangers:
                raise ConfigurationError(
                    f"{self.path} holds something else (such as {strangers[0]!r}) and no {_MARK}: it is not a data "
                    "directory of the embedded Kafka. Choose an empty or a new --data-dir."
                )
            mark = ClusterMark.new(brokers)
            temporary = file.with_suffix(".new")
            temporary.write_text(json.dumps({name: getattr(mark, name) for name in mark.__slots__}))
            temporary.replace(file)
            return mark
        try:
            mark = ClusterMark(**json.loads(file.read_text()))
        except (ValueError, TypeError) as error:
            raise ConfigurationError(f"{file} is damaged ({error}); {_remedy(self.path)}") from error
        self._check(mark, brokers)
        return mark

    def _check(self, mark: ClusterMark, brokers: int) -> None:
        if mark.brokers != brokers:
            raise ConfigurationError(
                f"{self.path} belongs to a cluster of {mark.brokers} broker(s), not {brokers}: start it with "
                f"--brokers {mark.brokers}; or {_remedy(self.path)}"
            )
        if _version(mark.kafka_version) > _version(KAFKA_VERSION):
            raise ConfigurationError(
                f"{self.path} was written by Kafka {mark.kafka_version}; this is {KAFKA_VERSION}, which must not open "
                f"it. Use the newer version; or {_remedy(self.path)}"
            )
        for properties in sorted(self.path.glob("broker-*/data/meta.properties")):
            values = dict(line.partition("=")[::2] for line in properties.read_text().splitlines())
            if values.get("cluster.id") != mark.cluster_id:
                raise ConfigurationError(
                    f"{properties.parent} belongs to another cluster ({values.get('cluster.id')}, expected "
                    f"{mark.cluster_id}): {_remedy(self.path)}"
                )


def random_id() -> str:
    """A random id as Kafka writes them: a UUID in URL-safe base64 without padding."""
    identifier = urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
    # Kafka's own tools take a leading dash for an option.
    return identifier.replace("-", "A", 1) if identifier.startswith("-") else identifier


def _remedy(path: Path) -> str:
    return f"choose another --data-dir, or remove {path} and what Kafka stored in it."


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())
