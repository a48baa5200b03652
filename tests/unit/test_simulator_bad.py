"""Invalid records that are sent on purpose."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from producers.simulator.bad import BAD_KINDS
from schemas.errors import RejectError
from tests.support.simulated import DECODER, good_values, make_batches, make_city

HOUR = 3600.0
REASONS = {
    "not_json": "not_json",
    "wrong_type": "wrong_type",
    "missing_field": "missing_field",
    "unknown_value": "unknown_value",
    "null_value": "null_value",
    "too_deep": "too_deep",
    "bad_utf8": "bad_utf8",
    "too_large": "too_large",
}
VALID = good_values(make_batches(make_city(), 600))[0]


def key_of(value: bytes) -> bytes:
    return DECODER.decode(value).person_token.encode()


@pytest.mark.parametrize(("kind", "reason"), REASONS.items())
def test_a_bad_record_is_rejected_for_what_it_is(kind: str, reason: str) -> None:
    _, value = BAD_KINDS[kind](key_of(VALID), VALID)
    with pytest.raises(RejectError) as caught:
        DECODER.decode(value)
    assert caught.value.reason == reason


def test_the_kinds_the_decoder_cannot_see_are_wrong_in_their_key_or_time() -> None:
    key = key_of(VALID)
    assert set(BAD_KINDS) - set(REASONS) == {"far_future", "empty_key", "null_key", "other_key"}
    assert BAD_KINDS["empty_key"](key, VALID) == (b"", VALID)
    assert BAD_KINDS["null_key"](key, VALID) == (None, VALID)
    assert BAD_KINDS["other_key"](key, VALID)[0] not in (key, None, b"")
    _, value = BAD_KINDS["far_future"](key, VALID)
    assert DECODER.decode(value).scanned_at > datetime(2900, 1, 1, tzinfo=UTC)


def test_the_share_is_kept_every_kind_comes_and_valid_scans_are_the_same_as_without() -> None:
    city = make_city(bad_share=0.05)
    batches = [batch for batch in make_batches(city, 3 * HOUR) if batch.what == "scans"]
    good, bad = sum(int((~batch.bad).sum()) for batch in batches), sum(int(batch.bad.sum()) for batch in batches)
    assert bad == pytest.approx(0.05 * good, rel=0.1)
    assert good_values(batches) == good_values(make_batches(make_city(), 3 * HOUR))
    reasons: Counter[str] = Counter()
    for batch in batches:
        for row in batch.bad.nonzero()[0].tolist():
            try:
                DECODER.decode(batch.values[row])
                reasons["key or time"] += 1
            except RejectError as error:
                reasons[error.reason] += 1
    assert set(reasons) == {*REASONS.values(), "key or time"}


def test_the_order_of_the_others_is_kept() -> None:
    for batch in make_batches(make_city(bad_share=0.1), HOUR):
        assert (batch.due[1:] >= batch.due[:-1]).all()
        assert len(batch.keys) == len(batch.values) == len(batch.due) == len(batch.at) == len(batch.bad)
