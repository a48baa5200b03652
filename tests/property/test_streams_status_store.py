"""The compact status store against a plain dict, on any history of changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.fast import epoch_ms
from schemas.health import Colour, HealthStatus
from streams.decide import UNKNOWN, StatusView
from streams.status_store import StatusStore
from streams.statuses.reading import Change
from tests.support.worker_scans import moment, status, token

PERSONS = st.integers(0, 5)
HOURS = st.integers(0, 12)


@st.composite
def changes(draw: st.DrawFn) -> Change:
    person = draw(PERSONS)
    if draw(st.integers(0, 7)) == 0:
        return token(person), None
    since = moment() + timedelta(hours=draw(HOURS))
    colour: Colour = draw(st.sampled_from(get_args(Colour)))
    return token(person), status(person, colour, since, version=draw(st.integers(0, 6)), hours=draw(HOURS))


class Model:
    """What the store promises, person by person."""

    def __init__(self) -> None:
        self.latest: dict[str, HealthStatus] = {}
        self.superseded: dict[str, HealthStatus] = {}

    def apply(self, person: str, change: HealthStatus | None) -> None:
        before = self.latest.get(person)
        if change is None:
            self.latest.pop(person, None)
            self.superseded.pop(person, None)
        elif before is None:
            self.latest[person] = change
        elif change.version >= before.version:
            if change.version > before.version:
                self.superseded[person] = before
            self.latest[person] = change

    def look_up(self, person: str, at: datetime) -> StatusView:
        found = self.latest.get(person)
        if found is not None and found.valid_from > at:
            found = self.superseded.get(person)
        if found is None or not found.valid_from <= at < found.valid_until:
            return UNKNOWN
        return StatusView(found.colour, found.labels, found.version, epoch_ms(found.issued_at))


@settings(max_examples=150)
@given(st.lists(st.lists(changes(), max_size=12), max_size=8))
def test_the_store_knows_what_a_dict_knows_at_any_time(history: list[list[Change]]) -> None:
    store, model = StatusStore(), Model()
    store.open(0)
    for batch in history:
        store.apply(0, batch)
        for person, change in batch:
            model.apply(person, change)
        for hour in range(-1, 26, 3):
            for at in (moment() + timedelta(hours=hour), moment() + timedelta(hours=hour, milliseconds=-1)):
                persons = [token(number) for number in range(7)]
                expected = [model.look_up(person, at) for person in persons]
                assert store.look_up(0, persons, [epoch_ms(at)] * len(persons)) == expected


def test_growing_loses_nobody() -> None:
    store = StatusStore()
    store.open(0)
    for first in range(0, 20_000, 500):
        store.apply(0, [(token(n), status(n, "green", moment())) for n in range(first, first + 500)])
        store.apply(0, [(token(n), status(n, "red", moment(3600), version=2)) for n in range(first, first + 250)])
    everybody = [token(n) for n in range(20_000)]
    before = store.look_up(0, everybody, [epoch_ms(moment(1))] * len(everybody))
    after = store.look_up(0, everybody, [epoch_ms(moment(3601))] * len(everybody))
    assert {view.colour for view in before} == {"green"}
    assert [view.colour for view in after] == ["red" if n % 500 < 250 else "green" for n in range(20_000)]
    assert len(store) == 20_000
