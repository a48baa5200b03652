"""Where a simulated city sends its records: a Kafka cluster, or files."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol, cast

from producers.publisher import Publisher
from producers.simulator.events import Batch
from schemas.errors import FatalError
from schemas.topics import Topics
from schemas.venue import Venue


class Target(Protocol):
    """Takes records in order; raises the project's errors when they cannot be kept."""

    def venues(self, records: Iterable[Venue]) -> int:
        """Register venues; how many there were."""
        ...

    def statuses(self, keys: list[bytes], values: list[bytes]) -> None: ...

    def send(self, batch: Batch) -> None:
        """Scans or changed statuses, invalid records among them."""
        ...

    def truth(self, meetings: Iterable[Mapping[str, Any]], decoys: Iterable[Mapping[str, str]]) -> None:
        """What was planted, when all of it was sent."""
        ...

    def flush(self) -> None:
        """Return when everything sent so far is kept."""
        ...

    @property
    def pending(self) -> int:
        """Records sent that may not be kept yet."""
        ...


class KafkaTarget:
    """Sends to the platform's topics through a connected publisher."""

    def __init__(self, publisher: Publisher, topics: Topics) -> None:
        self._publisher, self._topics = publisher, topics

    def venues(self, records: Iterable[Venue]) -> int:
        count = 0
        for record in records:
            self._publisher.publish(self._topics.venues, record.venue_id.encode(), record.to_json())
            count += 1
        return count

    def statuses(self, keys: list[bytes], values: list[bytes]) -> None:
        self._publisher.publish_batch(self._topics.statuses, keys, values)

    def send(self, batch: Batch) -> None:
        topic = self._topics.scans if batch.what == "scans" else self._topics.statuses
        self._publisher.publish_batch(topic, batch.keys, batch.values)

    def truth(self, meetings: Iterable[Mapping[str, Any]], decoys: Iterable[Mapping[str, str]]) -> None:
        """The truth is no record of the platform: it is told as an event."""

    def flush(self) -> None:
        self._publisher.flush()

    @property
    def pending(self) -> int:
        return self._publisher.accepted - self._publisher.delivered


class DirectoryTarget:
    """Writes NDJSON files into a folder: venues, statuses, scans, truth, decoys, bad; what was there is overwritten.

    Scans and statuses hold their key in `person_token`. A bad record is `{"key", "value"}`, base64 or null, in
    `bad.ndjson`, so that every file but that one can be read line by line as what it is. A context manager.

    Raises:
        FatalError: a file cannot be written, with the reason.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._files: dict[str, IO[bytes]] = {}

    def __enter__(self) -> DirectoryTarget:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for name in ("venues", "statuses", "scans", "truth", "decoys", "bad"):
                self._files[name] = self._stack.enter_context((self._folder / f"{name}.ndjson").open("wb"))
        except OSError as error:
            self._stack.close()
            raise FatalError(f"cannot write into {self._folder}: {error.strerror}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def venues(self, records: Iterable[Venue]) -> int:
        lines = [record.to_json() for record in records]
        self._write("venues", lines)
        return len(lines)

    def statuses(self, keys: list[bytes], values: list[bytes]) -> None:
        self._write("statuses", values)

    def send(self, batch: Batch) -> None:
        good = [value for value, bad in zip(batch.values, batch.bad.tolist(), strict=True) if not bad]
        self._write(batch.what, cast("list[bytes]", good))
        if batch.bad.any():
            for row in batch.bad.nonzero()[0].tolist():
                self._write_json("bad", {"key": _text(batch.keys[row]), "value": _text(batch.values[row])})

    def truth(self, meetings: Iterable[Mapping[str, Any]], decoys: Iterable[Mapping[str, str]]) -> None:
        for meeting in meetings:
            self._write_json("truth", meeting)
        for decoy in decoys:
            self._write_json("decoys", decoy)

    def flush(self) -> None:
        try:
            for file in self._files.values():
                file.flush()
        except OSError as error:
            raise FatalError(f"cannot write into {self._folder}: {error.strerror}") from error

    @property
    def pending(self) -> int:
        return 0

    def _write_json(self, name: str, value: Mapping[str, Any]) -> None:
        self._write(name, [json.dumps(value, ensure_ascii=False).encode()])

    def _write(self, name: str, lines: list[bytes]) -> None:
        if lines:
            try:
                self._files[name].write(b"\n".join(lines) + b"\n")
            except OSError as error:
                raise FatalError(f"cannot write {self._folder / name}.ndjson: {error.strerror}") from error


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else base64.b64encode(raw).decode()
