"""Times come out as they went in, in every zone."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.importers.row import RowRejected
from producers.importers.times import EPOCH, TimeReader, zone

ZONES = ("UTC", "Asia/Shanghai", "Pacific/Auckland", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe")
instants = st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 - hypothesis wants naive bounds
    lambda found: found.replace(microsecond=found.microsecond // 1000 * 1000, tzinfo=UTC)
)


@given(instants, st.sampled_from(ZONES))
def test_iso_and_epoch_times_are_read_back_to_the_millisecond(at: datetime, name: str) -> None:
    local = zone(name)
    milliseconds = (at - EPOCH) // timedelta(milliseconds=1)
    reader = TimeReader("auto", local)
    assert reader.read(at.isoformat()) == at
    assert reader.read(at.astimezone(local).isoformat()) == at
    assert reader.read(str(milliseconds)) == at
    assert reader.read(f"{milliseconds / 1000:.3f}") == at
    assert TimeReader("epoch-ms", local).read(str(milliseconds)) == at
    assert TimeReader("%Y-%m-%d %H:%M:%S.%f %z", local).read(f"{at:%Y-%m-%d %H:%M:%S.%f %z}") == at


@given(instants, st.sampled_from(ZONES))
@settings(max_examples=300)
def test_a_local_time_is_the_first_or_the_second_of_what_the_clock_showed(at: datetime, name: str) -> None:
    local = zone(name)
    shown = at.astimezone(local)
    text = shown.replace(tzinfo=None).isoformat()
    first, second = TimeReader("auto", local, "first").read(text), TimeReader("auto", local, "second").read(text)
    assert at in (first, second)
    assert (second if shown.fold else first) == at
    if first != second:
        with pytest.raises(RowRejected, match="ambiguous_time"):
            TimeReader("auto", local, "reject").read(text)


@given(st.sampled_from(ZONES), st.integers(1990, 2037), st.integers(0, 366 * 48 - 1))
@settings(max_examples=300)
def test_every_local_time_either_was_on_the_clock_or_is_refused(name: str, year: int, half_hours: int) -> None:
    local = zone(name)
    naive = datetime(year, 1, 1) + timedelta(minutes=30 * half_hours)  # noqa: DTZ001 - a time on a clock
    try:
        found = TimeReader("auto", local).read(naive.isoformat())
    except RowRejected:
        for fold in (0, 1):
            back = naive.replace(tzinfo=local, fold=fold).astimezone(UTC).astimezone(local)
            assert back.replace(tzinfo=None, fold=0) != naive
    else:
        assert found.astimezone(local).replace(tzinfo=None, fold=0) == naive


@given(st.text(max_size=30), st.sampled_from(["auto", "iso", "epoch-s", "epoch-ms", "%d/%m/%Y %H:%M"]))
@settings(max_examples=300)
def test_any_text_is_a_time_or_refused(text: str, form: str) -> None:
    with contextlib.suppress(RowRejected):
        assert TimeReader(form, zone("Pacific/Auckland")).read(text).tzinfo is UTC
