"""Taking in a whole batch and record by record give the same result, whatever is mixed in; and the decision is pure."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.fast import encode, epoch_ms
from schemas.visit import Visit
from streams.decide import UNKNOWN, Policy, StatusView, decide, unregistered
from streams.intake import Limits, take_in, take_in_singly
from tests.support.worker_scans import moment, scan, token

NOW_MS = epoch_ms(moment())
LIMITS = Limits(max_future_ms=300_000, retention_ms=14 * 86_400_000)
Raw = tuple[bytes | None, bytes | None]

BROKEN: tuple[bytes | None, ...] = (
    None, b"", b"{", b"null", b"[]", b"{}", b"\xff\xfe", b'{"a":1}\n{"a":2}', b"[" * 5000, b'"' + b"x" * 70_000 + b'"',
)  # fmt: skip


@st.composite
def good(draw: st.DrawFn) -> Raw:
    person = draw(st.integers(0, 9))
    at = moment(draw(st.integers(-14 * 86_400, 300)))
    return token(person).encode(), scan(person, at, serial=draw(st.integers(0, 99))).to_json()


@st.composite
def bad(draw: st.DrawFn) -> Raw:
    key, value = draw(good())
    kind = draw(st.integers(0, 5))
    if kind == 0:
        return draw(st.sampled_from((None, b"", token(77).encode(), key + b"\n" if key else None))), value
    if kind == 1:
        return key, scan(1, moment(301)).to_json()
    if kind == 2:
        return key, scan(1, moment(-14 * 86_400 - 1)).to_json()
    if kind == 3 and value is not None:
        cut = draw(st.integers(0, len(value) - 1))
        return key, value[:cut]
    if kind == 4 and value is not None:
        place = draw(st.integers(0, len(value) - 1))
        return key, value[:place] + draw(st.binary(min_size=1, max_size=2)) + value[place + 1 :]
    return key, draw(st.sampled_from(BROKEN))


@settings(max_examples=200)
@given(st.lists(st.one_of(good(), good(), good(), bad()), max_size=12))
def test_a_batch_gives_what_its_records_give_one_by_one(records: list[Raw]) -> None:
    keys, values = [key for key, _ in records], [value for _, value in records]
    batch = take_in(keys, values, [NOW_MS] * len(keys), LIMITS)
    singly = take_in_singly(keys, values, [NOW_MS] * len(keys), LIMITS)
    assert list(batch.positions) == list(singly.positions)
    assert list(batch.scans) == list(singly.scans)
    assert list(batch.scanned_ms) == list(singly.scanned_ms)
    assert list(batch.rejected) == list(singly.rejected)
    assert sorted([*batch.positions, *(position for position, _ in batch.rejected)]) == list(range(len(records)))


@given(st.lists(good(), min_size=1, max_size=20))
def test_good_records_are_all_taken_in(records: list[Raw]) -> None:
    keys, values = [key for key, _ in records], [value for _, value in records]
    assert len(take_in(keys, values, [NOW_MS] * len(keys), LIMITS).scans) == len(records)


def test_without_a_retention_old_scans_are_taken_in() -> None:
    old = scan(1, moment() - timedelta(days=400))
    assert take_in([token(1).encode()], [old.to_json()], [NOW_MS], Limits(300_000, None)).rejected == ()
    assert take_in([token(1).encode()], [old.to_json()], [NOW_MS], LIMITS).rejected == [(0, "older_than_retention")]


@given(
    colour=st.sampled_from(("green", "yellow", "red", "unknown")),
    age_s=st.integers(-300, 14 * 86_400),
    window_ms=st.integers(1, 10**8),
    enters=st.booleans(),
)
def test_any_decision_is_a_valid_visit_and_alerts_go_by_colour_and_direction(
    colour: str, age_s: int, window_ms: int, enters: bool
) -> None:
    at = moment(-age_s)
    view = UNKNOWN if colour == "unknown" else StatusView(colour, ("a",), 1, epoch_ms(at) - 5)  # type: ignore[arg-type]
    policy = Policy(b"key", dedupe_ms=window_ms, review_ms=window_ms, late_ms=48 * 3_600_000)
    made = scan(1, at, direction="enter" if enters else "leave")
    arguments = (made, epoch_ms(at), unregistered("V-1"), view, ("scans", 0, 7), moment(), NOW_MS, policy)
    visit, alert = decide(*arguments)
    assert decide(*arguments) == (visit, alert)
    assert Visit.model_validate_json(encode(visit)).scanned_at == at
    assert (alert is not None) == (colour != "green" and enters)
    assert ("late" in visit.flags) == (age_s > 48 * 3600)
