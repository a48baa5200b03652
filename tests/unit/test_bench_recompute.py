"""The benchmark's recomputation says of a scan what the worker says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.bench.recompute import comparable, expected_visit
from schemas.categories import builtin_categories
from schemas.fast import encode, epoch_ms
from schemas.health import Colour
from streams.decide import UNKNOWN, Policy, StatusView, decide, view_of
from tests.support.worker_scans import moment, scan, status, venue

ORIGIN = ("venue.scans.v1", 3, 41)
POLICY = Policy(b"key", 7_200_000, 600_000, 48 * 3_600_000)


@pytest.mark.parametrize("colour", ["green", "red", None])
@pytest.mark.parametrize("direction", ["enter", "leave"])
@pytest.mark.parametrize("issued_s", [-100.5, -99.9995], ids=["plain", "finer than a millisecond"])
def test_the_same_visit_is_expected_as_is_decided(colour: Colour | None, direction: Any, issued_s: float) -> None:
    at, place = moment(), venue()
    made = scan(1, at, direction=direction)
    known = None if colour is None else status(1, colour, moment(issued_s))
    view = (
        UNKNOWN if known is None else StatusView(known.colour, known.labels, known.version, epoch_ms(known.issued_at))
    )
    visit, _ = decide(
        made, epoch_ms(at), view_of(place, builtin_categories()), view, ORIGIN, moment(1), epoch_ms(at), POLICY
    )
    expected = expected_visit(
        json.loads(made.to_json()),
        None if known is None else json.loads(known.to_json()),
        json.loads(place.to_json()),
        *ORIGIN,
    )
    assert comparable(json.loads(encode(visit))) == comparable(expected)
    assert comparable({**expected, "colour": "yellow"}) != comparable(expected)
    assert comparable(None) is None


def test_a_status_that_is_over_or_not_yet_in_force_is_none() -> None:
    made = json.loads(scan(1, moment()).to_json())
    for since, hours in ((10.0, 72.0), (-7200.0, 1.0)):
        given = json.loads(status(1, "red", moment(since), hours=hours).to_json())
        assert expected_visit(made, given, None, *ORIGIN)["colour"] == "unknown"
