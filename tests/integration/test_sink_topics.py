"""Everything that is not a visit: venues, statuses, their erasure, exposure windows, alerts; and the verbs over it."""

from __future__ import annotations

import csv
import io
import itertools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.embedded.kafka import EmbeddedKafka
from schemas.alert import Action, Alert
from schemas.exposure_window import ExposureWindow
from schemas.health import HealthStatus
from schemas.metrics import EXPORTED
from schemas.venue import Point, Venue
from sinks.clickhouse.target import ClickHouseTarget
from tests.support.clickhouse_fixtures import ClickHouseServer
from tests.support.exposition import problems
from tests.support.sink_process import SinkProcess, environment, running_sink
from tests.support.visit_rows import migrated_database, milliseconds, visit_document
from tests.support.waiting import wait_until
from tests.support.worker_platform import WorkerPlatform

pytestmark = [pytest.mark.broker, pytest.mark.clickhouse]

START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
A, B, C = "a" * 32, "b" * 32, "c" * 32


@pytest.fixture(scope="module")
def platform(kafka: EmbeddedKafka) -> WorkerPlatform:
    return WorkerPlatform(kafka.bootstrap_servers)


@pytest.fixture(scope="module")
def target(clickhouse: ClickHouseServer) -> Iterator[ClickHouseTarget]:
    with migrated_database(clickhouse, retention_days=14) as target:
        yield target


@pytest.fixture(scope="module")
def sink(
    platform: WorkerPlatform, target: ClickHouseTarget, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SinkProcess]:
    with running_sink(platform, target, tmp_path_factory.mktemp("sink"), VENUECODE_SINK__BATCH_SECONDS="0.05") as sink:
        yield sink


@pytest.fixture
def client(target: ClickHouseTarget, sink: SinkProcess) -> Iterator[Any]:
    client = target.client()
    yield client
    client.close()


def venue(version: int, name: str) -> Venue:
    return Venue(
        venue_id="V-1",
        organisation_id="O-1",
        name=name,
        category="mall_supermarket",
        area_code="140105",
        address="",
        lat=37.87,
        lon=None,
        points=(Point(point_id="gate-1", name="North"),),
        status="approved",
        version=version,
    )


def status(person: str, version: int) -> HealthStatus:
    return HealthStatus(
        person_token=person,
        colour="yellow",
        labels=("contact",),
        reason="",
        valid_from=START,
        valid_until=datetime(9999, 12, 31, tzinfo=UTC),
        version=version,
        issuer="authority",
        issued_at=START,
    )


def window(window_id: str, title: str = "Market") -> ExposureWindow:
    return ExposureWindow(
        window_id=window_id,
        venue_id="V-1",
        starts_at=START - timedelta(minutes=1),
        ends_at=START + timedelta(hours=1),
        title=title,
        advice="",
        source="test",
    )


def alert(number: int, level: str = "red", area_code: str = "140105") -> Alert:
    return Alert(
        alert_id=f"{number:032x}",
        level=level,  # type: ignore[arg-type]
        kind=f"{'unknown' if level == 'review' else level}_scan",  # type: ignore[arg-type]
        person_token=A,
        venue_id="V-1",
        point_id="gate-1",
        venue_name="Market",
        category=None,
        area_code=area_code,
        lat=37.87,
        lon=None,
        scan_id="00000000-0000-7000-8000-000000000000",
        scanned_at=START,
        detected_at=START,
        reason="",
        action=Action(code="isolate", zh="就地隔离", en="Isolate on the spot"),
        rule_version=1,
    )


def rows(client: Any, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in client.query(sql).result_rows]


def test_a_venue_is_shown_in_its_newest_version_and_goes_with_its_tombstone(
    platform: WorkerPlatform, client: Any
) -> None:
    platform.send_records(platform.topics.venues, "venue_id", [venue(2, "New"), venue(1, "Old")])
    wait_until(lambda: rows(client, "SELECT name FROM all_venues") == [("New",)], 30, "the newest version")
    assert rows(client, "SELECT points FROM all_venues")[0][0][0] == {"point_id": "gate-1", "name": "North"}
    platform.send(platform.topics.venues, [("V-1", None)])
    wait_until(lambda: rows(client, "SELECT name FROM all_venues") == [], 30, "the venue to go")


def test_statuses_are_kept_one_row_a_version_and_an_erased_person_has_none_unless_enrolled_again(
    platform: WorkerPlatform, client: Any
) -> None:
    first = [status(A, 1), status(A, 2), status(A, 2), status(B, 1)]
    platform.send_records(platform.topics.statuses, "person_token", first)
    platform.send(platform.topics.statuses, [(A, None)])
    platform.send_records(platform.topics.statuses, "person_token", [status(A, 3), status(C, 1)])
    sql = "SELECT person_token, version FROM all_health_changes ORDER BY person_token, version"
    wait_until(lambda: rows(client, sql) == [(A, 3), (B, 1), (C, 1)], 30, "the statuses")


def test_an_alert_that_was_raised_twice_is_one_row(platform: WorkerPlatform, client: Any) -> None:
    for level in ("red", "yellow", "review"):
        number = {"red": 1, "yellow": 2, "review": 3}[level]
        both = [alert(number, level), alert(number, level)]
        platform.send_records(platform.topics.alerts(level), "area_code", both)
    sql = "SELECT level, alert_id, action_zh FROM all_alerts ORDER BY alert_id"
    expected = [(level, f"{n:032x}", "就地隔离") for n, level in enumerate(("red", "yellow", "review"), 1)]
    wait_until(lambda: rows(client, sql) == expected, 30, "the alerts")


def test_the_verbs_answer_in_text_json_and_csv(platform: WorkerPlatform, target: ClickHouseTarget, client: Any) -> None:
    start = milliseconds(START)
    scans = [
        visit_document(A, start, 0),
        visit_document(A, start + 1_800_000, 1, direction="leave"),
        visit_document(B, start + 600_000, 2),
        visit_document(B, start + 3_600_000, 3, direction="leave"),
        visit_document(C, start + 600_000, 4, venue_id="=V"),
    ]
    platform.send(platform.topics.visits, [(scan["person_token"], json.dumps(scan).encode()) for scan in scans])
    platform.send_records(platform.topics.exposure_windows, "window_id", [window("w-1"), window("W-1"), window("gone")])
    platform.send(platform.topics.exposure_windows, [("gone", None)])
    wait_until(lambda: rows(client, "SELECT count() FROM all_visits") == [(5,)], 30, "the visits")
    wait_until(lambda: rows(client, "SELECT count() FROM all_exposure_windows") == [(2,)], 30, "the windows")

    variables = environment(platform, target)

    def run(*arguments: str) -> str:
        argv = [sys.executable, "-m", "infra.cli.main", *arguments]
        done = subprocess.run(argv, check=False, env=variables, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    (contact,) = json.loads(run("contacts", A, "--json"))["contacts"]
    assert (contact["contact"], contact["overlap_s"], contact["venues"]) == (B, 1200, ["V-1"])
    assert "20 min 00 s" in run("contacts", A)
    (row,) = csv.DictReader(io.StringIO(run("trajectory", C, "--csv")))
    assert (row["venue_id"], row["dwell"]) == ("'=V", "default")
    listed = json.loads(run("windows", "--json"))["windows"]
    assert {entry["window_id"]: entry["people"] for entry in listed} == {"w-1": 2, "W-1": 2}
    visitors = json.loads(run("windows", "--window", "W-1", "--json"))["visitors"]
    assert {visitor["person_token"] for visitor in visitors} == {A, B}


def test_alerts_tail_shows_colour_and_word_and_what_to_do_filters_and_ends_with_0_on_ctrl_c(
    kafka: EmbeddedKafka, target: ClickHouseTarget, tmp_path: Path
) -> None:
    platform = WorkerPlatform(kafka.bootstrap_servers)  # Alert topics that no other test writes to.
    raised = [alert(11, area_code="140105001"), alert(12, area_code="140106")]
    platform.send_records(platform.topics.alerts("red"), "area_code", raised)
    argv = [sys.executable, "-m", "infra.cli.main", "alerts", "tail", "--from-beginning"]
    variables = environment(platform, target)
    filtered = [*argv, "--level", "red", "--area", "140105001", "--limit", "1", "--json"]
    done = subprocess.run(filtered, check=False, env=variables, capture_output=True, text=True, timeout=60)
    assert (done.returncode, json.loads(done.stdout)["alert_id"]) == (0, f"{11:032x}"), done.stderr
    seen = tmp_path / "seen"
    with seen.open("wb") as output:
        process = subprocess.Popen(argv, env=variables, stdout=output, stderr=subprocess.PIPE)
        try:
            wait_until(lambda: seen.read_text().count("Isolate on the spot") == 2, 30, "the alerts to be shown")
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0, process.stderr
        finally:
            process.kill()
            process.communicate()
    text = seen.read_text()
    assert text.count("RED 红") == text.count("就地隔离") == 2
    assert A not in text


def test_five_thousand_exposure_windows_are_answered_at_once(clickhouse: ClickHouseServer) -> None:
    """A bound that holds on a busy machine; the figure itself is in the decision record."""
    with migrated_database(clickhouse) as target:
        client = target.client()
        client.command(
            "INSERT INTO visits_by_place (place, person_token, scanned_at, direction, venue_id, source_offset, slot) "
            "SELECT concat('venue:', venue_id), toFixedString(unhex(leftPad(hex(number % 50021), 32, '0')), 16), "
            "toDateTime64('2026-03-01 00:00:00', 3, 'UTC') + number % 1209600 AS at, 'enter', "
            "concat('V-', toString(number % 2477)) AS venue_id, number, "
            "intDiv(toUnixTimestamp(at), 1800) FROM numbers(300000)"
        )
        client.command(
            "INSERT INTO exposure_windows (window_id, venue_id, starts_at, ends_at) SELECT toString(number), "
            "concat('V-', toString(number % 2477)), toDateTime64('2026-03-01 00:00:00', 3, 'UTC') + "
            "(number * 257) % 1209600 AS at, at + 3600 FROM numbers(5000)"
        )
        started = time.perf_counter()
        assert rows(client, "SELECT count() FROM exposed_in_windows")[0][0] > 0
        assert time.perf_counter() - started < 20
        client.close()


def test_a_sink_that_has_stored_something_exports_the_closed_list_and_no_token(
    platform: WorkerPlatform, sink: SinkProcess, client: Any
) -> None:
    row = visit_document("d" * 32, milliseconds(START), 777)
    offsets = itertools.count(777)

    def parts_are_counted() -> bool:
        # The sink looks when it writes, ten seconds apart at least: it must have something to write then.
        value = json.dumps({**row, "source_offset": next(offsets)}).encode()
        platform.send(platform.topics.visits, [(row["person_token"], value)])
        return sink.metric("parts") >= 2

    wait_until(parts_are_counted, 30, "the parts of both orders")
    assert sink.metric("rows_total") >= 1
    wait_until(lambda: "venuecode_sink_lag_records{" in sink.get("/metrics")[1], 20, "the lag")
    wait_until(lambda: sink.metric("lag_records") == 0, 20, "no lag")
    assert problems(sink.get("/metrics")[1], EXPORTED["sink"], [row["person_token"]]) == []
