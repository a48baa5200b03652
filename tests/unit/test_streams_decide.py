"""The decision table, row by row."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from schemas.alert import Alert
from schemas.categories import builtin_categories
from schemas.fast import encode, epoch_ms
from schemas.ids import alert_id
from schemas.visit import Visit
from streams.decide import UNKNOWN, Policy, StatusView, VenueView, decide, unregistered, view_of
from streams.rules import RULES
from tests.support.worker_scans import moment, scan, token, venue

POLICY = Policy(alert_id_key=b"test key", dedupe_ms=7_200_000, review_ms=600_000, late_ms=48 * 3_600_000)
ORIGIN = ("venue.scans.v1", 3, 41)
OPEN = view_of(venue(), builtin_categories())
VIEWS = {
    "green": StatusView("green", (), 4, epoch_ms(moment(-90.5))),
    "yellow": StatusView("yellow", ("fever",), 5, epoch_ms(moment(-90.5))),
    "red": StatusView("red", ("case", "ward"), 6, epoch_ms(moment(-90.5))),
    "unknown": UNKNOWN,
}


def decided(colour: str, place: VenueView = OPEN, delay_s: float = 1, **changes: Any) -> tuple[Visit, Alert | None]:
    """The decision as it goes on the topics, read back through the contract."""
    at = moment()
    now = at + timedelta(seconds=delay_s)
    made = scan(1, at, **changes)
    visit, alert = decide(made, epoch_ms(at), place, VIEWS[colour], ORIGIN, now, epoch_ms(now), POLICY)
    return (
        Visit.model_validate_json(encode(visit)),
        None if alert is None else Alert.model_validate_json(encode(alert)),
    )


@pytest.mark.parametrize(
    ("colour", "decision", "level", "action"),
    [
        ("green", "admit", None, None),
        ("yellow", "refuse", "yellow", "refuse_and_send_home"),
        ("red", "isolate", "red", "isolate_and_report"),
        ("unknown", "check", "review", "check_by_hand"),
    ],
)
def test_each_colour_decides_and_alerts_as_the_design_says(
    colour: str, decision: str, level: str | None, action: str | None
) -> None:
    visit, alert = decided(colour)
    assert (visit.colour, visit.decision) == (colour, decision)
    assert (alert and alert.level) == level
    assert (alert and alert.action.code) == action


@pytest.mark.parametrize("colour", VIEWS)
def test_a_leave_scan_is_recorded_and_raises_no_alert(colour: str) -> None:
    visit, alert = decided(colour, direction="leave")
    assert alert is None
    assert visit.direction == "leave"
    assert visit.stay_until is None


def test_a_visit_carries_the_scan_its_place_its_status_and_its_origin() -> None:
    visit, _ = decided("red")
    made = scan(1, moment())
    assert {name: getattr(visit, name) for name in made.field_names()} == dict(made)
    assert (visit.category, visit.area_code, visit.lat, visit.lon) == ("restaurant", "140105", 37.87, 112.55)
    assert (visit.labels, visit.status_version, visit.status_age_s) == (("case", "ward"), 6, 90)
    assert (visit.source_topic, visit.source_partition, visit.source_offset) == ORIGIN
    assert visit.processed_at == moment(1)
    assert visit.stay_until == moment() + timedelta(minutes=60)


def test_an_unknown_status_has_neither_version_nor_age() -> None:
    visit, _ = decided("unknown")
    assert (visit.status_version, visit.status_age_s, visit.labels) == (None, None, ())


def test_an_alert_says_who_where_why_and_what_to_do_in_both_languages() -> None:
    _, alert = decided("red")
    assert alert is not None
    assert (alert.kind, alert.person_token, alert.venue_name) == ("red_scan", token(1), "Venue V-1")
    assert alert.rule_version == RULES.version
    assert alert.detected_at == moment(1)
    assert "隔离" in alert.action.zh
    assert "Isolate" in alert.action.en
    assert alert.alert_id == alert_id(b"test key", "red_scan", token(1), "V-1", epoch_ms(moment()), 7_200_000)


def test_a_review_alert_has_one_id_per_venue_and_window_whoever_the_person_is() -> None:
    ids = set()
    for person in range(5):
        at = moment(person)
        _, alert = decide(scan(person, at), epoch_ms(at), OPEN, UNKNOWN, ORIGIN, at, epoch_ms(at), POLICY)
        assert alert is not None
        ids.add(alert.alert_id)
    assert ids == {alert_id(b"test key", "unknown_scan", "", "V-1", epoch_ms(moment()), 600_000)}


def test_a_scan_at_a_venue_nobody_registered_is_kept_and_flagged() -> None:
    visit, alert = decided("red", unregistered("V-9"), venue="V-9")
    assert visit.flags == ("unknown_venue",)
    assert (visit.category, visit.area_code, visit.lat, visit.lon) == (None, "000000", None, None)
    assert visit.stay_until == moment() + timedelta(minutes=60)
    assert alert is not None
    assert (alert.venue_name, alert.area_code, alert.category) == ("V-9", "000000", None)


@pytest.mark.parametrize("state", ["pending", "suspended", "closed"])
def test_a_venue_that_is_not_approved_is_flagged(state: Any) -> None:
    visit, _ = decided("green", view_of(venue(state=state), builtin_categories()))
    assert visit.flags == ("venue_not_open",)


def test_a_category_nobody_knows_is_kept_and_flagged() -> None:
    visit, _ = decided("green", view_of(venue(category="moon_base"), builtin_categories()))
    assert (visit.category, visit.flags) == ("moon_base", ("unknown_category",))
    assert visit.stay_until == moment() + timedelta(minutes=60)


def test_a_scan_processed_after_48_hours_is_late_and_one_on_the_hour_is_not() -> None:
    assert decided("green", delay_s=48 * 3600)[0].flags == ()
    assert decided("green", delay_s=48 * 3600 + 0.001)[0].flags == ("late",)


def test_all_flags_that_apply_are_set() -> None:
    place = view_of(venue(category="moon_base", state="closed"), builtin_categories())
    assert decided("green", place, delay_s=49 * 3600)[0].flags == ("venue_not_open", "unknown_category", "late")


def test_every_category_decides_its_own_stay() -> None:
    for category in builtin_categories().values():
        visit, _ = decided("green", view_of(venue(category=category.category), builtin_categories()))
        assert visit.stay_until == moment() + timedelta(minutes=category.default_stay_minutes)
