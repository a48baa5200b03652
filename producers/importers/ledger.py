"""What has been imported, remembered on disk: an interrupted import goes on, a finished one is not done again."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from schemas.errors import ConfigurationError, FatalError

State = Literal["new", "running", "finished"]


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from None


def import_id(identity: Mapping[str, Any]) -> str:
    """The id of an import: 16 hex digits of a hash of all that decides which records it makes, and where they go."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode()).hexdigest()[:16]


@dataclass(slots=True)
class Progress:
    """How far an import is.

    Attributes:
        state: `running` also after its process died.
        rows: rows of the file, from its beginning, whose records Kafka has acknowledged.
        offsets: per partition of the topic, where it ended when `rows` was written down: records of later rows lie
            from there on.
        shift_ms: by how much times are moved; decided once.
        version: of the records that have none of their own; decided once.
        result: of a finished import.
    """

    state: State = "new"
    rows: int = 0
    offsets: dict[int, int] = field(default_factory=dict)
    shift_ms: int = 0
    version: int = 0
    result: dict[str, Any] = field(default_factory=dict)


class Ledger:
    """The progress of one import, held by one process at a time (`flock`, which a killed process lets go of).

    A context manager.

    Args:
        directory: of all ledgers.
        name: the import's id.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self._path = directory / f"{name}.json"
        self._lock = directory / f"{name}.lock"
        self._descriptor = -1
        self.progress = Progress()

    def __enter__(self) -> Ledger:
        """Take hold of it and read it.

        Raises:
            ConfigurationError: another process is importing this file, or the directory cannot be written.
            FatalError: the ledger is damaged.
        """
        try:
            self._lock.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(f"cannot keep a ledger in {self._lock.parent}: {error.strerror}") from None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise ConfigurationError("another process is importing this file right now; wait for it") from None
        try:
            found = json.loads(self._path.read_text())
            self.progress = Progress(**{**found, "offsets": {int(k): v for k, v in found["offsets"].items()}})
        except FileNotFoundError:
            self.progress = Progress()
        except (ValueError, TypeError, KeyError):
            os.close(self._descriptor)
            raise FatalError(
                f"the ledger {self._path} is damaged: how much of this file was imported is not known; remove it to"
                " import the file from its beginning"
            ) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def write(self, progress: Progress) -> None:
        """Replace what is written, durably and in one step."""
        temporary = self._path.with_suffix(".new")
        with temporary.open("w") as file:
            json.dump(asdict(progress), file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
        self.progress = progress
