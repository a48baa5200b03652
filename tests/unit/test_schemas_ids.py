"""Ids: known answers, layouts, and what makes two of them equal or different."""

from __future__ import annotations

import hashlib
import hmac
import uuid

import pytest

from schemas.ids import alert_id, person_token, uuid7

KEY = bytes(range(32))
HOUR = 3_600_000


@pytest.mark.parametrize(
    ("key", "person", "token"),
    [
        # RFC 4231, test case 1 and 6, first 128 bits.
        (b"\x0b" * 20, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b"),
        (b"\xaa" * 131, "Test Using Larger Than Block-Size Key - Hash Key First", "60e431591ee0b67f0d8a26aacbf5b77f"),
        (KEY, "张三", hmac.new(KEY, "张三".encode(), hashlib.sha256).hexdigest()[:32]),
    ],
)
def test_a_token_is_the_first_half_of_an_hmac_sha256(key: bytes, person: str, token: str) -> None:
    assert person_token(key, person) == token


def test_a_weak_key_and_an_empty_person_are_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        person_token(b"x" * 15, "p")
    with pytest.raises(ValueError, match="empty"):
        person_token(KEY, "")


def test_a_uuid7_has_the_layout_of_rfc_9562() -> None:
    # RFC 9562, appendix A.6.
    assert uuid7(0x017F22E279B0, 0xCC3 << 62 | 0x18C4DC0C0C07398F) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
    parsed = uuid.UUID(uuid7(1_790_000_000_123, (1 << 74) - 1))
    assert (parsed.version, parsed.variant, parsed.int >> 80) == (7, uuid.RFC_4122, 1_790_000_000_123)
    assert uuid7(1, 0) < uuid7(2, 0) < uuid7(2, 1)


@pytest.mark.parametrize(("ms", "bits"), [(-1, 0), (1 << 48, 0), (0, -1), (0, 1 << 74)])
def test_what_does_not_fit_a_uuid7_is_refused(ms: int, bits: int) -> None:
    with pytest.raises(ValueError):
        uuid7(ms, bits)


def test_repeats_within_a_dedupe_window_share_an_alert_and_the_next_window_has_its_own() -> None:
    def at(ms: int) -> str:
        return alert_id(KEY, "red_scan", "p", "v", ms, 2 * HOUR)

    assert at(10 * HOUR) == at(12 * HOUR - 1)
    assert at(12 * HOUR - 1) != at(12 * HOUR)
    assert at(-1) != at(0)
    assert len(at(0)) == 32


def test_a_rise_in_level_another_person_venue_or_key_is_another_alert() -> None:
    ids = {
        alert_id(KEY, "yellow_scan", "p", "v", 0, HOUR),
        alert_id(KEY, "red_scan", "p", "v", 0, HOUR),
        alert_id(KEY, "red_scan", "q", "v", 0, HOUR),
        alert_id(KEY, "red_scan", "p", "w", 0, HOUR),
        alert_id(b"another key", "red_scan", "p", "v", 0, HOUR),
    }
    assert len(ids) == 5


def test_texts_that_join_to_the_same_string_do_not_share_an_alert() -> None:
    assert alert_id(KEY, "red_scan", "ab", "c", 0, HOUR) != alert_id(KEY, "red_scan", "a", "bc", 0, HOUR)


def test_an_alert_id_is_stable_between_releases() -> None:
    assert (
        alert_id(b"key", "red_scan", "0" * 32, "V1", 1_790_000_000_000, 2 * HOUR) == "6cd509d2a6ddf78e402113a56b07fadc"
    )
