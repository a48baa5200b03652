"""The rows that were not taken: counted by reason, and kept in a file beside the input."""

from __future__ import annotations

import csv
import os
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any

from producers.importers.row import Row
from schemas.errors import ConfigurationError


def rejects_path(path: Path) -> Path:
    """Where the rejected rows of a file go: beside it."""
    return path.with_name(path.name + ".rejects.csv")


class Rejects:
    """Counts rejected rows and writes them: `line`, `reason`, `raw` (the row as it stood, undecodable bytes included).

    The file is made with the first rejected row, readable by its owner only: raw rows hold what the input holds, person
    ids too. What an earlier run left there goes. A context manager.

    Args:
        path: where to; None: only count.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.by_reason: Counter[str] = Counter()
        self._file: Any = None
        self._writer: Any = None

    @property
    def total(self) -> int:
        """Rejected rows so far."""
        return self.by_reason.total()

    def __enter__(self) -> Rejects:
        if self.path is not None:
            self.path.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, row: Row, reason: str) -> None:
        """Set a row aside.

        Raises:
            ConfigurationError: the file cannot be written.
        """
        self.by_reason[reason] += 1
        if self.path is None:
            return
        if self._writer is None:
            try:
                descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            except OSError as problem:
                raise ConfigurationError(
                    f"cannot write the rejected rows to {self.path} ({problem.strerror}); choose a place with --rejects"
                ) from None
            self._file = os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="")
            self._writer = csv.writer(self._file)
            self._writer.writerow(("line", "reason", "raw"))
        self._writer.writerow((row.line, reason, row.raw))
