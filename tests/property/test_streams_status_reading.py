"""Statuses read as columns, a batch at once, are what reading them one by one gives; so are their times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
from confluent_kafka import Message
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.base import format_timestamp, parse_timestamp
from schemas.fast import encode, epoch_ms, struct_of
from schemas.health import HealthStatus
from streams.statuses.canonical import read_canonical
from streams.statuses.instants import epoch_ms_of
from streams.statuses.kinds import Kinds
from streams.statuses.packing import Statuses, keys_of, kinds_of, pack, times_of, versions_of
from streams.statuses.reading import StatusReader, changes_as_columns
from tests.support.worker_scans import moment, status, token

TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001 - the strategy wants them so
ALMOST_TIMES = r"[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{3,6})?[Zz]?"
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-3, minutes=-30))])


def consumed(key: bytes | None, value: bytes | None) -> Message:
    return Message(key=key, value=value)


@given(st.lists(st.builds(lambda at, zone: at.replace(tzinfo=zone), TIMES, ZONES), max_size=6))
@example([datetime(9999, 12, 30, 23, 59, 59, 999_999, UTC), datetime(1970, 1, 1, tzinfo=UTC)])
def test_a_column_of_times_is_read_as_each_of_them_is_or_not_at_all(times: list[datetime]) -> None:
    found = epoch_ms_of([format_timestamp(time) for time in times])
    if found is not None:
        assert found.tolist() == [epoch_ms(time) for time in times]
    elif all(time.tzinfo is UTC and time.year >= 1970 for time in times):
        raise AssertionError("our own encoder's times were not read")


@settings(max_examples=300)
@given(st.from_regex(ALMOST_TIMES, fullmatch=True))
@example("2026-02-29T00:00:00Z")
@example("2024-02-29T00:00:00.000001Z")
@example("2026-01-01T00:00:60Z")
@example("2026-01-01T24:00:00Z")
@example("０026-01-01T00:00:00Z")
@example("2026-01-01T00:00:00Z\0\0\0\0\0\0\0")
def test_a_text_that_is_no_time_is_never_read_as_one(text: str) -> None:
    found = epoch_ms_of([text])
    if found is not None:
        assert found.tolist() == [epoch_ms(parse_timestamp(text))]


IMPOSSIBLE = status(9, "red", moment()).to_json().replace(b"2026-03-02T08:30:00Z", b"2026-02-30T08:30:00Z")
GOOD = [
    consumed(token(1).encode(), status(1, "red", moment()).to_json()),
    consumed(token(2).encode(), status(2, "green", moment(0.5), version=2**53).to_json()),
    consumed(token(1).encode(), None),
    consumed(token(3).encode(), status(3, "yellow", moment().astimezone(timezone(timedelta(hours=8)))).to_json()),
]
BAD = [
    consumed(token(4).encode(), b"{}"),
    consumed(token(5).encode(), status(6, "red", moment()).to_json()),
    consumed(token(7).upper().encode(), None),
    consumed(b"", None),
    consumed(None, status(8, "red", moment()).to_json()),
    consumed(token(9).encode(), IMPOSSIBLE),
    consumed(token(9).encode()[:-1] + b"\xff", None),
]


@given(st.lists(st.sampled_from(GOOD + BAD), max_size=8))
def test_a_batch_is_read_as_its_records_are_one_by_one(messages: list[Message]) -> None:
    kinds = Kinds()
    reader = StatusReader("topic", kinds)
    keys, statuses, rejected = reader.read(messages)
    changes, set_aside = reader.decoder.decode(messages)
    expected_keys, expected = changes_as_columns(changes, kinds)
    assert keys.tolist() == expected_keys.tolist()
    assert [column.tolist() for column in statuses] == [column.tolist() for column in expected]
    assert [message for message, _ in rejected] == [message for message, _ in set_aside]
    assert [message for message in messages if message in BAD] == [message for message, _ in rejected]


PEOPLE = st.integers(1, 3).map(token)
TEXTS = st.text(max_size=8) | st.sampled_from(["", "made up", "七天未检", '"', "x" * 24, "y" * 200, "é" * 150])
NEAR = st.datetimes(datetime(1969, 1, 1), datetime(2100, 1, 2))  # noqa: DTZ001 - as above
INSTANTS = st.builds(lambda at, zone: at.replace(tzinfo=zone), NEAR, ZONES)
STATUSES = st.builds(
    struct_of(HealthStatus),
    person_token=PEOPLE,
    colour=st.sampled_from(["green", "yellow", "red"]),
    labels=st.lists(st.sampled_from(["returned", "密接", 'a"]b']), max_size=2).map(tuple),
    reason=TEXTS,
    evidence=st.none() | TEXTS,
    valid_from=INSTANTS,
    valid_until=INSTANTS,
    version=st.sampled_from([0, 1, 2**53]) | st.integers(0, 2**53),
    issuer=st.text(min_size=1, max_size=64),
    issued_at=INSTANTS,
)
ODD = st.sampled_from([b"", b" ", b'"', b"\\", b"\xff", b"0", b"[]", b"null", b"}", b"\x00", b"\n"])


@st.composite
def written(draw: st.DrawFn) -> Message:
    """A status as our encoder writes it, now and then with a few bytes changed, or another key."""
    record = draw(STATUSES)
    raw = encode(record)
    if draw(st.integers(0, 9)) == 0:
        begin = draw(st.integers(0, len(raw)))
        raw = raw[:begin] + draw(ODD) + raw[begin + draw(st.integers(0, 3)) :]
    key = record.person_token if draw(st.integers(0, 19)) else draw(PEOPLE)
    return consumed(key.encode(), raw)


@settings(max_examples=400)
@given(st.lists(written(), min_size=1, max_size=4))
def test_statuses_read_by_the_column_are_what_the_decoder_reads_or_left_to_it(messages: list[Message]) -> None:
    kinds = Kinds()
    found = read_canonical([each.key() for each in messages], [each.value() for each in messages], kinds)
    changes, set_aside = StatusReader("topic", kinds).decoder.decode(messages)
    if found is not None:
        assert not set_aside
        expected_keys, expected = changes_as_columns(changes, kinds)
        assert found[0].tolist() == expected_keys.tolist()
        assert [column.tolist() for column in found[1]] == [column.tolist() for column in expected]


def test_what_authorities_write_is_read_by_the_column() -> None:
    records = [
        status(1, "red", moment()),
        status(2, "green", moment(0.5), version=2**53),
        status(3, "yellow", moment()).model_copy(update={"reason": "七天未检", "labels": ("密接",), "evidence": "x"}),
    ]
    keys, values = [each.person_token.encode() for each in records], [each.to_json() for each in records]
    assert read_canonical(keys, values, Kinds()) is not None


MILLISECONDS = st.integers(-62_135_596_800_000, 253_402_300_799_999)
"""The years 1 to 9999."""


@given(
    st.lists(
        st.tuples(st.integers(1, 2**23 - 1), st.integers(0, 2**53), MILLISECONDS, MILLISECONDS, MILLISECONDS),
        min_size=1,
        max_size=5,
    )
)
@example([(2**23 - 1, 2**53, -62_135_596_800_000, 253_402_300_799_999, -1)])
def test_packing_loses_nothing(rows: list[tuple[int, int, int, int, int]]) -> None:
    columns = [np.array(column, np.int64) for column in zip(*rows, strict=True)]
    words = pack(Statuses(*columns))
    found = (kinds_of(words), versions_of(words), *(times_of(words, word) for word in range(3)))
    assert [column.tolist() for column in found] == [column.tolist() for column in columns]


def test_tokens_are_keys_of_sixteen_bytes() -> None:
    assert keys_of([token(1), token(2)]).tobytes() == bytes.fromhex(token(1) + token(2))
