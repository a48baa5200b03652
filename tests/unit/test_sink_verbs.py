"""What the verbs over ClickHouse share: spans, tokens, spreadsheet-safe CSV, levels and areas of alerts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import typer
from typer.testing import CliRunner

from infra.cli.clickhouse import duration, shortened, span
from infra.cli.forms import Form, as_dicts, defused, print_rows
from infra.cli.main import build_app
from infra.settings import Settings
from schemas.alert import Alert
from sinks.alerts.tail import in_area
from tests.support.documents import to_bytes

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
runner = CliRunner()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_cell_that_a_spreadsheet_would_run_is_defused(text: str) -> None:
    assert defused(text) == "'" + text


@pytest.mark.parametrize("text", ["", "a=1", "市场", " =1"])
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert defused(text) == text


@dataclass(frozen=True)
class Row:
    name: str
    at: datetime
    number: int
    venues: list[str]


def test_csv_has_a_header_times_in_utc_lists_in_one_cell_and_numbers_as_they_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_rows(Form.CSV, Row, [Row("=cmd", NOW, -5, ["@a", "b"]), Row('a,"b"\n', NOW, 0, [])], "rows", {})
    assert capsys.readouterr().out == (
        'name,at,number,venues\n\'=cmd,2026-03-15T12:00:00Z,-5,\'@a b\n"a,""b""\n",2026-03-15T12:00:00Z,0,\n'
    )


def test_json_rows_have_times_in_utc() -> None:
    eastern = NOW.astimezone(tz=None)
    assert as_dicts([Row("x", eastern, 1, [])]) == [
        {"name": "x", "at": "2026-03-15T12:00:00Z", "number": 1, "venues": []}
    ]


def test_the_span_is_the_last_fourteen_days_unless_told_otherwise() -> None:
    assert span(None, None, Settings(), NOW) == (NOW - timedelta(days=14), NOW)


def test_times_without_an_offset_are_in_the_citys_zone_and_dates_begin_the_day() -> None:
    since, until = span("2026-03-01", "2026-03-02T08:30+00:00", Settings(timezone="Asia/Shanghai"), NOW)
    assert since == datetime(2026, 2, 28, 16, tzinfo=UTC)
    assert until == datetime(2026, 3, 2, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(("since", "until"), [("yesterday", None), (None, "12"), ("2026-03-02", "2026-03-01")])
def test_a_span_that_is_none_is_refused(since: str | None, until: str | None) -> None:
    with pytest.raises(typer.BadParameter):
        span(since, until, Settings(), NOW)


@pytest.mark.parametrize("token", ["a" * 31, "g" * 32, "", "a" * 33])
def test_a_token_that_is_none_ends_with_exit_code_2(token: str) -> None:
    assert runner.invoke(build_app(("contacts",)), [token]).exit_code == 2


def test_two_forms_of_output_at_once_are_refused() -> None:
    assert runner.invoke(build_app(("contacts",)), ["a" * 32, "--json", "--csv"]).exit_code == 2


def test_an_unknown_level_is_refused_by_name() -> None:
    result = runner.invoke(build_app(("alerts",)), ["alerts", "tail", "--level", "red,purple"])
    assert (result.exit_code, "purple" in result.output) == (2, True)


@pytest.mark.parametrize(
    ("area", "inside"), [(None, True), ("1401", True), ("140105", True), ("140105001", True), ("140106", False)]
)
def test_an_area_holds_the_codes_that_begin_like_it(area: str | None, inside: bool) -> None:
    assert in_area(alert(), area) is inside


def test_durations_and_lists_are_short_enough_to_read() -> None:
    assert [duration(59), duration(60), duration(3599.9), duration(7_320)] == [
        "0 min 59 s",
        "1 min 00 s",
        "59 min 59 s",
        "2 h 02 min",
    ]
    assert shortened(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


def alert() -> Alert:
    return Alert.model_validate_json(
        to_bytes(
            {
                "alert_id": "0" * 32,
                "level": "red",
                "kind": "red_scan",
                "person_token": "a" * 32,
                "venue_id": "V-1",
                "point_id": "gate-1",
                "venue_name": "Market",
                "category": None,
                "area_code": "140105001",
                "lat": None,
                "lon": None,
                "scan_id": "00000000-0000-7000-8000-000000000000",
                "scanned_at": "2026-03-01T00:00:00Z",
                "detected_at": "2026-03-01T00:00:00Z",
                "reason": "",
                "action": {"code": "isolate", "zh": "隔离", "en": "Isolate"},
                "rule_version": 1,
            }
        )
    )
