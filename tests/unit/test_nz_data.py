"""The published rows of New Zealand: all of the whole ones taken, none of the broken ones."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from infra.demo.nz import compare, report_table
from producers.nz import published
from producers.nz.city import NzCity
from producers.nz.dirty import dirty_rows, import_dirty_row
from schemas.categories import builtin_categories
from schemas.exposure_window import ExposureWindow
from schemas.fast import FastDecoder, epoch_ms
from schemas.health import HealthStatus
from schemas.scan import Scan
from schemas.venue import Venue

SEED = 7


@pytest.fixture(scope="module")
def city() -> NzCity:
    return NzCity.build(SEED, people=2_000, background=5_000)


def test_all_venues_are_taken_with_a_category_this_project_knows() -> None:
    venues = published.venues()
    assert len(venues.records) == len(set(venues.keys)) == 2485
    assert {venue.category for venue in venues.records} <= set(builtin_categories())
    assert sum(venue.lat is None for venue in venues.records) == 134
    assert {venue.area_code for venue in venues.records} == {"000000"}


def test_all_windows_are_taken_each_with_an_id_of_its_own_and_a_registered_venue() -> None:
    windows = published.windows()
    assert len(windows.records) == len(set(windows.keys)) == 4335
    assert {window.venue_id.encode() for window in windows.records} <= set(published.venues().keys)
    assert min(window.starts_at for window in windows.records) == datetime(2021, 8, 1, 1, tzinfo=UTC)
    assert {window.source for window in windows.records} == {published.ATTRIBUTION}


def test_ids_that_differ_only_in_case_stay_apart() -> None:
    ids = {key.decode().rsplit("-", 1)[0] for key in published.windows().keys}
    assert (len(ids), len({found.lower() for found in ids})) == (3137, 3101)


def test_long_stays_are_kept_as_published() -> None:
    lengths = [window.ends_at - window.starts_at for window in published.windows().records]
    assert sum(length > timedelta(hours=24) for length in lengths) == 24
    assert sum(length > timedelta(days=29) for length in lengths) == 3


def test_every_broken_row_is_refused_for_what_is_wrong_with_it() -> None:
    wrong = [row for row in dirty_rows() if import_dirty_row(row) != (Counter({row.reason: 1}), 0)]
    assert wrong == []


def test_every_broken_row_stands_in_the_file_of_rejects_with_its_line_and_reason(tmp_path: Path) -> None:
    for row in dirty_rows():
        import_dirty_row(row, tmp_path / "rejects.csv")
        with (tmp_path / "rejects.csv").open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            (found,) = csv.DictReader(file)
        assert (found["line"], found["reason"]) == ("1" if row.geojson else "2", row.reason)
        assert found["raw"].encode(errors="surrogateescape").strip() == row.raw.strip()


def test_all_broken_rows_are_counted(city: NzCity) -> None:
    assert city.rejects().total() == len(dirty_rows()) == 238


def test_the_licence_and_the_attribution_go_with_the_data() -> None:
    folder = files("producers.nz")
    assert "Attribution-Sharealike" in (folder / "data" / "LICENSE").read_text("utf-8")
    readme = (folder / "README.md").read_text("utf-8")
    assert "CC BY-SA 4.0" in readme
    assert "share-alike" in readme


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(city: NzCity) -> None:
    again = NzCity.build(SEED, people=2_000, background=5_000)
    assert list(again.scans()) == list(city.scans())
    assert again.statuses() == city.statuses()
    assert again.truth() == city.truth()
    assert NzCity.build(SEED + 1, people=2_000, background=5_000).tokens != city.tokens


def test_everything_that_is_sent_is_a_valid_record(city: NzCity) -> None:
    batches = list(city.scans())
    assert sum(len(keys) for keys, _ in batches) == city.scan_count
    records: tuple[tuple[type[Any], tuple[list[bytes], list[bytes]]], ...] = (
        *((Scan, batch) for batch in batches),
        (Venue, city.venues()),
        (ExposureWindow, city.windows()),
        (HealthStatus, city.statuses()),
    )
    for model, (keys, values) in records:
        assert len(keys) == len(values)
        decoder: FastDecoder[Any] = FastDecoder(model)
        assert decoder.decode_batch(values) is not None


def test_the_truth_is_every_entry_strictly_inside_a_window_by_brute_force(city: NzCity) -> None:
    entries = [
        (scan.venue_id, epoch_ms(scan.scanned_at), scan.person_token)
        for _, values in city.scans()
        for scan in FastDecoder(Scan).decode_batch(values) or ()
        if scan.direction == "enter"
    ]
    truth = city.truth()
    for window in city.window_records[::97]:
        begins, ends = epoch_ms(window.starts_at), epoch_ms(window.ends_at)
        there = {who for venue, at, who in entries if venue == window.venue_id and begins < at < ends}
        assert truth[window.window_id] == there


def test_somebody_enters_exactly_on_an_edge_so_that_the_rule_is_tried(city: NzCity) -> None:
    edges = {(window.venue_id, edge) for window in city.window_records for edge in (window.starts_at, window.ends_at)}
    on_edge = [
        scan
        for _, values in city.scans()
        for scan in FastDecoder(Scan).decode_batch(values) or ()
        if scan.direction == "enter" and (scan.venue_id, scan.scanned_at) in edges
    ]
    assert len(on_edge) > 500


def test_a_shift_moves_windows_and_scans_alike_and_leaves_the_truth(city: NzCity) -> None:
    moved = NzCity.build(SEED, people=2_000, background=5_000, shift=timedelta(days=1000))
    assert moved.window_records[0].starts_at - city.window_records[0].starts_at == timedelta(days=1000)
    assert moved.truth() == city.truth()


def test_answers_are_held_against_the_truth_window_by_window(city: NzCity) -> None:
    truth = city.truth()
    said = {window_id: set(people) for window_id, people in truth.items()}
    right = compare(city.window_records, truth, said)
    assert (right.windows, right.missing, right.extra) == (4335, 0, 0)
    assert right.expected == right.found == sum(map(len, truth.values()))
    fullest = max(said, key=lambda window_id: len(said[window_id]))
    said[fullest].pop()
    said[fullest].add("f" * 32)
    said["nobody published it"] = {"e" * 32}
    wrong = compare(city.window_records, truth, said)
    assert (wrong.missing, wrong.extra) == (1, 2)
    assert wrong.summary() == {
        "windows": 4335,
        "windows_expected": right.expected,
        "windows_found": right.expected + 1,
        "windows_missing": 1,
        "windows_extra": 2,
    }
    assert report_table(wrong).row_count == 9
