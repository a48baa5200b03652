"""The residents of a city, one row each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from producers.simulator.config import STREAM_PEOPLE, CityConfig
from producers.simulator.profiles import category_profiles, districts
from producers.simulator.venues import VenueTable

CHANNELS: Final = ("phone", "staff", "gate", "manual", "companion")
PHONE, STAFF, GATE, MANUAL, COMPANION = range(len(CHANNELS))

COLOURS: Final = ("green", "yellow", "red")
GREEN, YELLOW, RED, EXPIRED, UNKNOWN = range(5)
"""What a resident's status is at the start; an expired one was green, an unknown person has none."""

WORKING, STUDYING, AT_HOME = range(3)


@dataclass(frozen=True, slots=True)
class People:
    """Residents.

    Attributes:
        tokens: shape (n, 16); as hex digits they are the person tokens.
        home, work: rows of the venue table; `work` is -1 for people who stay at home.
        home_district, work_district: where they run their errands.
        channel: `PHONE` for people with a phone, else who scans for them.
        colour: `GREEN` ... `UNKNOWN`.
    """

    tokens: NDArray[np.uint8]
    home: NDArray[np.int32]
    work: NDArray[np.int32]
    home_district: NDArray[np.int16]
    work_district: NDArray[np.int16]
    channel: NDArray[np.int8]
    colour: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.home)


def draw(weights: list[float], chance: NDArray[np.float64]) -> NDArray[np.int64]:
    """An index for every chance in [0, 1), by weight."""
    cumulative = np.cumsum(weights)
    found: NDArray[np.int64] = np.searchsorted(cumulative, chance * cumulative[-1], side="right")
    return np.minimum(found, len(weights) - 1)


def tokens_of(count: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Random tokens, shape (count, 16)."""
    return np.frombuffer(rng.bytes(16 * count), np.uint8).reshape(count, 16)


def build_people(config: CityConfig, venues: VenueTable) -> People:
    """The residents of a city."""
    rng = config.random(STREAM_PEOPLE)
    count, places, profiles = config.residents, districts(), category_profiles()
    names = [profile.category for profile in profiles]
    urban = np.array([place.urban for place in places])
    district = draw([place.share for place in places], rng.random(count))
    home = venues.pick(district, np.full(count, names.index("residential_compound")), rng.random(count))
    # Most work in their own district; the others in a city district, people of the counties hardly ever.
    elsewhere = draw([place.share * place.urban for place in places], rng.random(count))
    commutes = rng.random(count) < np.where(urban[district], 0.35, 0.03)
    work_district = np.where(commutes, elsewhere, district)
    occupation = draw([0.62, 0.13, 0.25], rng.random(count))
    job = draw([profile.job_weight for profile in profiles], rng.random(count))
    job[occupation == STUDYING] = names.index("training_institution")
    work = venues.pick(work_district, job, rng.random(count))
    work[occupation == AT_HOME] = -1
    phoneless = rng.random(count) < config.phoneless_share
    channel = np.where(phoneless, np.where(rng.random(count) < 0.6, MANUAL, COMPANION), PHONE)
    return People(
        tokens=tokens_of(count, rng),
        home=home.astype(np.int32),
        work=work.astype(np.int32),
        home_district=district.astype(np.int16),
        work_district=np.where(work < 0, district, work_district).astype(np.int16),
        channel=channel.astype(np.int8),
        colour=_colours(config, rng.random(count)),
    )


def _colours(config: CityConfig, chance: NDArray[Any]) -> NDArray[np.int8]:
    shares = [config.yellow_share, config.red_share, config.expired_share, config.unknown_share]
    bounds = np.cumsum(shares)
    kinds = np.array([YELLOW, RED, EXPIRED, UNKNOWN, GREEN], np.int8)
    return kinds[np.searchsorted(bounds, chance, side="right")]
