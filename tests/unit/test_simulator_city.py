"""Venues, people and statuses of a simulated city."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from itertools import chain

import pytest

from producers.simulator import CityConfig
from producers.simulator.config import MAX_RESIDENTS
from producers.simulator.profiles import category_profiles, districts
from schemas.base import format_timestamp, parse_timestamp
from schemas.categories import builtin_categories
from schemas.errors import ConfigurationError
from schemas.health import HealthStatus
from schemas.venue import Venue
from tests.support.simulated import START_MS, make_city

CITY = make_city(residents=20_000, unknown_share=0.02, expired_share=0.01, yellow_share=0.01, red_share=0.005)
START = datetime.fromtimestamp(START_MS / 1000, parse_timestamp("2026-01-01T00:00:00Z").tzinfo)


def statuses() -> list[HealthStatus]:
    values = chain.from_iterable(values for _, values in CITY.statuses(START_MS))
    return [HealthStatus.model_validate_json(value) for value in values]


def test_profiles_and_categories_name_the_same_kinds_of_venue() -> None:
    assert {profile.category for profile in category_profiles()} == set(builtin_categories())


def test_every_kind_of_venue_and_every_district_is_there() -> None:
    venues = list(CITY.venues())
    assert {venue.category for venue in venues} == set(builtin_categories())
    assert {venue.area_code for venue in venues} == {place.area_code for place in districts()}
    assert len(districts()) == 10
    assert len({venue.venue_id for venue in venues}) == len(venues) == len(CITY.venue_table)


def test_every_venue_is_a_valid_record_inside_its_district() -> None:
    places = {place.area_code: place for place in districts()}
    for venue in CITY.venues():
        assert Venue.model_validate_json(venue.to_json()) == venue
        place = places[venue.area_code]
        assert venue.lat is not None
        assert venue.lon is not None
        assert abs(venue.lat - place.lat) * 111.2 <= place.spread_km
        assert abs(venue.lon - place.lon) * 111.2 * 0.79 <= place.spread_km + 0.001


def test_statuses_are_valid_and_come_in_the_shares_asked_for() -> None:
    found = statuses()
    in_force = Counter(one.colour for one in found if one.valid_from <= START < one.valid_until)
    expired = sum(one.valid_until <= START for one in found)
    residents = CITY.config.residents
    assert residents - len(found) == pytest.approx(0.02 * residents, rel=0.2)
    assert expired == pytest.approx(0.01 * residents, rel=0.3)
    assert in_force["yellow"] == pytest.approx(0.01 * residents, rel=0.3)
    assert in_force["red"] == pytest.approx(0.005 * residents, rel=0.4)
    assert in_force["green"] + in_force["yellow"] + in_force["red"] + expired == len(found)


def test_an_expired_status_expired_within_the_day_before() -> None:
    assert all(
        START - one.valid_until <= timedelta(days=1, minutes=6) for one in statuses() if one.valid_until <= START
    )


def test_keys_of_statuses_are_their_person_tokens_and_no_token_comes_twice() -> None:
    pairs = [pair for keys, values in CITY.statuses(START_MS) for pair in zip(keys, values, strict=True)]
    assert all(key.decode() == HealthStatus.model_validate_json(value).person_token for key, value in pairs)
    assert len({key for key, _ in pairs}) == len(pairs)


@pytest.mark.parametrize(
    ("name", "value"),
    [("residents", 0), ("residents", MAX_RESIDENTS + 1), ("venues", 3), ("late_share", 1.5), ("seed", -1)],
)
def test_a_setting_out_of_bounds_is_named(name: str, value: float) -> None:
    with pytest.raises(ConfigurationError, match=name.replace("_", "-")):
        CityConfig(**{name: value})  # type: ignore[arg-type]


def test_shares_of_colours_that_exceed_everybody_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="exceed 1"):
        CityConfig(unknown_share=0.6, expired_share=0.6)


def test_times_in_statuses_are_rfc_3339() -> None:
    assert all(format_timestamp(one.issued_at).endswith("Z") for one in statuses()[:100])
