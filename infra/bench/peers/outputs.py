"""What a peer put out, as one number that two peers share when, and only when, they decided the same scans alike."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec
from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.errors import FatalError
from schemas.kafka import ClientConfig, consumer_config

Ends = Mapping[int, int]
"""Offsets by partition number."""

_AT_ONCE = 500
_SILENCE_S = 20.0
_MODULUS = 1 << 128


class Verdict(msgspec.Struct):
    """What every output record has, whatever else it has."""

    scan_id: str
    decision: str
    colour: str


@dataclass(frozen=True, slots=True)
class Digest:
    """Of a multiset of verdicts: their number, and the sum of their hashes (order does not matter, repeats do)."""

    records: int
    value: str

    def differs_from(self, expected: Digest) -> str | None:
        """In words, or None when they are the same."""
        if self.records != expected.records:
            return f"{expected.records:,} scans were decided with {self.records:,} records"
        return None if self == expected else "the verdicts differ from the recomputation"


def digest(verdicts: Iterable[Verdict]) -> Digest:
    """The digest of verdicts in any order."""
    records = total = 0
    for verdict in verdicts:
        line = f"{verdict.scan_id} {verdict.decision} {verdict.colour}".encode()
        total += int.from_bytes(hashlib.blake2b(line, digest_size=16).digest(), "big")
        records += 1
    return Digest(records, f"{total % _MODULUS:032x}")


def read_verdicts(cluster: ClientConfig, topic: str, begin: Ends, end: Ends) -> Iterator[Verdict]:
    """The verdicts between two ends of a topic.

    Raises:
        FatalError: the broker went silent, or a record is no verdict.
    """
    decoder = msgspec.json.Decoder(Verdict)
    for _, value in read_records(cluster, topic, begin, end):
        try:
            yield decoder.decode(value)
        except msgspec.MsgspecError as error:
            raise FatalError(f"a record of {topic} has no scan_id, decision and colour: {error}") from None


def read_records(cluster: ClientConfig, topic: str, begin: Ends, end: Ends) -> Iterator[tuple[bytes | None, bytes]]:
    """Keys and values between two ends of a topic.

    Raises:
        FatalError: the broker went silent.
    """
    left = {partition: offset - begin.get(partition, 0) for partition, offset in end.items()}
    left = {partition: count for partition, count in left.items() if count > 0}
    consumer = Consumer(consumer_config(cluster, "peers-reader"))
    try:
        consumer.assign([TopicPartition(topic, partition, begin.get(partition, 0)) for partition in left])
        while left:
            messages = consumer.consume(_AT_ONCE, _SILENCE_S)
            if not messages:
                raise FatalError(f"{topic} was not read to its end: nothing came for {_SILENCE_S:.0f} s")
            for message in messages:
                if (error := message.error()) is not None:
                    raise KafkaException(error)
                partition = message.partition()
                if left.get(partition, 0) > 0:  # type: ignore[arg-type]
                    left[partition] -= 1  # type: ignore[index]
                    if left[partition] == 0:  # type: ignore[index]
                        del left[partition]  # type: ignore[arg-type]
                    yield message.key(), message.value()  # type: ignore[misc]
    except KafkaException as error:
        raise FatalError(f"{topic} was not read to its end: {error.args[0].str()}") from error
    finally:
        consumer.close()
