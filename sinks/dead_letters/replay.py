"""Puts dead letters back where they came from, each once, whatever is killed in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.errors import FatalError, RetryableError
from schemas.kafka import ClientConfig, producer_config
from sinks.dead_letters.letters import Origin, StoredLetter
from sinks.dead_letters.marks import Mark, Marks
from sinks.dead_letters.plan import Candidate
from sinks.dead_letters.reading import read_to_end

_IN_ONE: Final = 200
_TIMEOUT_S: Final = 60.0
_LARGEST: Final = 5 * 1024 * 1024


def overtaken(cluster: ClientConfig, letters: Iterable[StoredLetter], compacted: frozenset[str]) -> set[Origin]:
    """Origins on compacted topics after which a newer record of the same key came.

    Putting such a record back would make it the latest of its key, and compaction would drop the newer one.

    Raises what `read_to_end` raises; reads those partitions from the first of the origins on.
    """
    keys: dict[tuple[str, int, bytes], list[Origin]] = {}
    starts: dict[str, dict[int, int]] = {}
    for stored in letters:
        origin, key = stored.origin, stored.letter.key
        if origin.topic in compacted and key:
            keys.setdefault((origin.topic, origin.partition, key), []).append(origin)
            first = starts.setdefault(origin.topic, {})
            first[origin.partition] = min(first.get(origin.partition, origin.offset), origin.offset)
    found: set[Origin] = set()
    for topic, offsets in starts.items():
        for message in read_to_end(cluster, topic, offsets):
            key, partition, offset = message.key(), message.partition(), message.offset()
            if isinstance(key, bytes) and partition is not None and offset is not None:
                found.update(each for each in keys.get((topic, partition, key), ()) if each.offset < offset)
    return found


class Replayer:
    """Puts records back. One at a time on a cluster: a second one fences off the first.

    Guarantee: a record and its mark are written in one transaction, so a record is put back exactly when it is marked.
    Whoever reads uncommitted records may see one twice after a kill; all of this project's readers read committed ones.

    Args:
        cluster: the brokers.
        dead_letters: the topic the letters lie on.
        marks: the topic of the marks.
        clock: the time now, aware.

    Raises:
        RetryableError: the brokers do not answer.
    """

    def __init__(
        self, cluster: ClientConfig, dead_letters: str, marks: str, clock: Callable[[], datetime], batch: int = _IN_ONE
    ) -> None:
        self._cluster, self._dead_letters, self._topic = cluster, dead_letters, marks
        self._clock, self._batch = clock, batch
        self._producer: Any = Producer(
            {
                **producer_config(cluster, message_max_bytes=_LARGEST),
                "transactional.id": f"venuecode-replay-{dead_letters}",
                "log_level": 2,
            }
        )
        # Ends what an earlier one left open: from here on its records are visible or gone.
        self._call(lambda: self._producer.init_transactions(_TIMEOUT_S))

    def marks(self) -> Marks:
        """What was put back before, and can no longer be added to by anybody else."""
        return Marks.read(self._cluster, self._topic)

    def put_back(self, candidates: Sequence[Candidate], done: Callable[[int], None] = lambda _: None) -> None:
        """Put all of them back, a few hundred in a transaction.

        Args:
            candidates: of a plan made with `marks()` of this object.
            done: called after each transaction with how many are back.

        Raises:
            FatalError: another replay took over, or a record was refused; what was reported as done stays done.
            RetryableError: the brokers do not answer; nothing after what was reported as done was written.
        """
        for begin in range(0, len(candidates), self._batch):
            part = candidates[begin : begin + self._batch]
            self._call(self._producer.begin_transaction)
            try:
                self._write(part)
                self._call(lambda: self._producer.commit_transaction(_TIMEOUT_S))
            except BaseException:
                self._abort()
                raise
            done(begin + len(part))

    def _write(self, part: Sequence[Candidate]) -> None:
        written: dict[Origin, Origin] = {}
        refused: list[str] = []

        def delivered(origin: Origin, error: KafkaError | None, message: Message) -> None:
            partition, offset = message.partition(), message.offset()
            if error is not None or partition is None or offset is None:
                refused.append(f"{origin}: {error.str() if error is not None else 'no offset came back'}")
            else:
                written[origin] = Origin(origin.topic, partition, offset)

        for each in part:
            stored = each.stored
            headers = [
                ("replayed_from", f"{self._dead_letters}/{stored.partition}/{stored.offset}".encode()),
                ("replays", str(each.replays).encode()),
            ]
            # A record with a key goes where its key belongs now; the number of partitions may have grown.
            place = {} if stored.letter.key is not None else {"partition": stored.origin.partition}
            self._call(
                partial(
                    self._producer.produce,
                    stored.origin.topic,
                    stored.letter.value,
                    stored.letter.key,
                    headers=headers,
                    on_delivery=partial(delivered, stored.origin),
                    **place,
                )
            )
        self._flush(refused)
        for each in part:
            mark = Mark(each.stored.origin, written[each.stored.origin], each.replays, self._clock())
            self._call(partial(self._producer.produce, self._topic, mark.value(), mark.key()))
        self._flush(refused)

    def _flush(self, refused: list[str]) -> None:
        left = self._producer.flush(_TIMEOUT_S)
        if refused:
            raise FatalError(f"{len(refused)} records were refused; the first: {refused[0]}")
        if left:
            raise RetryableError(f"{left} records were not acknowledged within {_TIMEOUT_S:.0f} s")

    def _abort(self) -> None:
        try:
            self._producer.abort_transaction(_TIMEOUT_S)
        except KafkaException:
            return  # fenced, or the brokers are gone: they abort it themselves after the transaction's time-out

    def _call(self, action: Callable[[], object]) -> None:
        try:
            action()
        except KafkaException as error:
            what = error.args[0]
            if what.code() in (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH):
                raise FatalError(
                    "another replay took over; nothing after what was reported as done was written"
                ) from error
            if what.fatal():
                raise FatalError(f"nothing more can be put back: {what.str()}") from error
            raise RetryableError(f"the brokers do not answer: {what.str()}") from error
