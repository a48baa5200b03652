"""The sink's parts by themselves: what becomes of a record, what a batch keeps, how a bad row is found."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError
from confluent_kafka import Message
from prometheus_client import CollectorRegistry

from schemas.brake import DeadLetterBrake
from schemas.errors import ConfigurationError, FatalError
from schemas.topics import Topics, topic_plan
from sinks.clickhouse.bad_rows import RowSifter
from sinks.clickhouse.batch import Batch, Erase, Rows
from sinks.clickhouse.intake import Intake
from sinks.clickhouse.metrics import SinkMetrics
from sinks.clickhouse.pace import Pace
from sinks.clickhouse.routes import routes
from sinks.clickhouse.status_server import StatusServer
from sinks.clickhouse.target import ClickHouseTarget
from sinks.clickhouse.watchdog import Watchdog
from tests.support.visit_rows import visit_document

TOPICS = Topics()
ROUTES = routes(TOPICS)
VISITS = ROUTES[TOPICS.visits]
NOON = 1_772_884_800_000


class Letters:
    """Keeps dead letters instead of sending them."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes | None, str, int, int, str]] = []

    def send(self, key: object, value: bytes | None, topic: str, partition: int, offset: int, reason: str) -> None:
        self.sent.append((value, topic, partition, offset, reason))


def visit(offset: int, **changes: object) -> bytes:
    return json.dumps(visit_document("a" * 32, NOON, offset, **changes)).encode()


def take(topic: str, *values: bytes | None, key: bytes = b"key") -> tuple[Batch, Letters]:
    letters, batch = Letters(), Batch(1, 0.0)
    messages = [Message(topic=topic, partition=3, offset=10 + n, key=key, value=v) for n, v in enumerate(values)]
    brakes = {name: DeadLetterBrake(name, 10_000, 0.5) for name in ROUTES}
    Intake(letters, SinkMetrics(), brakes).take(batch, ROUTES[topic], topic, messages)  # type: ignore[arg-type]
    return batch, letters


def test_every_topic_that_is_to_be_stored_has_a_route_and_dead_letters_and_scans_have_none() -> None:
    planned = {spec.name for spec in topic_plan(TOPICS, partitions=1, replication_factor=1, retention_days=1)}
    assert planned - set(ROUTES) == {TOPICS.scans, TOPICS.dead_letters, TOPICS.replays}


def test_good_values_pass_as_the_bytes_they_are() -> None:
    values = [visit(0), visit(1, unheard_of={"a": 1})]
    batch, letters = take(TOPICS.visits, *values)
    ((_, (rows,)),) = batch.work.values()
    assert isinstance(rows, Rows)
    assert list(rows.records()) == [(values[0], 3, 10), (values[1], 3, 11)]
    assert (batch.rows, batch.next_offsets, letters.sent) == (2, {(TOPICS.visits, 3): 12}, [])


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"no json", "not_json"),
        (None, "null_value"),
        (b"\xff", "bad_utf8"),
        (b"{}", "missing_field"),
        (visit(1, colour="purple"), "unknown_value"),
        (visit(1, source_offset=-1), "out_of_range"),
        (visit(1, scanned_at="1923-01-01T00:00:00Z"), "out_of_range"),
        (visit(1, processed_at="9999-01-01T00:00:00Z"), "out_of_range"),
        (visit(1) + b"\n" + visit(2), "not_json"),
    ],
)
def test_a_bad_value_becomes_a_dead_letter_and_those_around_it_are_stored(bad: bytes | None, reason: str) -> None:
    batch, letters = take(TOPICS.visits, visit(0), bad, visit(5))
    ((_, (rows,)),) = batch.work.values()
    assert isinstance(rows, Rows)
    assert [offset for _, _, offset in rows.records()] == [10, 12]
    assert letters.sent == [(bad, TOPICS.visits, 3, 11, reason)]
    assert batch.next_offsets == {(TOPICS.visits, 3): 13}


def test_a_value_over_several_lines_is_stored_as_one_row() -> None:
    value = json.dumps(visit_document("a" * 32, NOON, 0), indent=2).encode()
    batch, letters = take(TOPICS.visits, value)
    ((_, (rows,)),) = batch.work.values()
    assert isinstance(rows, Rows)
    assert b"\n" not in rows.values[0]
    assert (len(rows), letters.sent) == (1, [])


def test_a_batch_of_dead_letters_only_is_still_committed() -> None:
    batch, _ = take(TOPICS.visits, b"bad")
    assert (batch.rows, batch.next_offsets) == (0, {(TOPICS.visits, 3): 11})


def test_topics_that_take_turns_make_one_insert_each_and_not_one_a_turn() -> None:
    batch = Batch(0, 0.0)
    for turn in range(6):
        topic = TOPICS.all_alerts[turn % 3]
        batch.rows_for(ROUTES[topic], topic).add([b"{}"], [0], [turn])
    assert [[len(step) for step in steps if isinstance(step, Rows)] for _, steps in batch.work.values()] == [[2]] * 3


def test_tombstones_keep_their_place_between_the_records_around_them() -> None:
    status = {
        "person_token": "a" * 32,
        "colour": "green",
        "reason": "",
        "valid_from": "2026-03-01T00:00:00Z",
        "valid_until": "9999-12-31T00:00:00Z",
        "version": 1,
        "issuer": "x",
        "issued_at": "2026-03-01T00:00:00Z",
    }
    line = json.dumps(status).encode()
    batch, letters = take(TOPICS.statuses, line, None, None, line, key=b"a" * 32)
    ((_, steps),) = batch.work.values()
    assert [type(step) for step in steps] == [Rows, Erase, Rows]
    assert isinstance(steps[1], Erase)
    assert (steps[1].keys, letters.sent) == (["a" * 32] * 2, [])


def test_a_null_without_a_key_and_a_null_visit_are_no_tombstones() -> None:
    assert take(TOPICS.statuses, None, key=b"")[1].sent[0][-1] == "null_value"
    assert take(TOPICS.visits, None)[1].sent[0][-1] == "null_value"


def _refusing(bad: set[int], stored: list[int]) -> Callable[[bytes], None]:
    def insert(lines: bytes) -> None:
        offsets = [json.loads(line)["source_offset"] for line in lines.split(b"\n")]
        if bad & set(offsets):
            raise DatabaseError("refused", code=41)
        stored.extend(offsets)

    return insert


def _rows(count: int) -> Rows:
    rows = Rows(TOPICS.visits)
    rows.add([visit(number) for number in range(count)], [3] * count, [100 + n for n in range(count)])
    return rows


def test_rows_that_only_clickhouse_finds_bad_are_set_aside_and_every_other_one_is_inserted_once() -> None:
    letters, stored = Letters(), list[int]()
    sifter = RowSifter(VISITS, _rows(37), letters)  # type: ignore[arg-type]
    sifter.insert_good_rows(_refusing({0, 17, 36}, stored), lambda error: getattr(error, "code", None) == 41)
    assert sorted(stored) == sorted(set(range(37)) - {0, 17, 36})
    assert sorted(offset for _, _, _, offset, _ in letters.sent) == [100, 117, 136]


def test_sifting_goes_on_after_the_server_was_away() -> None:
    letters, stored, calls = Letters(), list[int](), 0
    insert = _refusing({5}, stored)

    def failing(lines: bytes) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise OperationalError("gone")
        insert(lines)

    sifter = RowSifter(VISITS, _rows(8), letters)  # type: ignore[arg-type]
    with pytest.raises(OperationalError):
        sifter.insert_good_rows(failing, lambda error: getattr(error, "code", None) == 41)
    sifter.insert_good_rows(failing, lambda error: getattr(error, "code", None) == 41)
    assert sorted(stored) == [0, 1, 2, 3, 4, 6, 7]
    assert [letter[3] for letter in letters.sent] == [105]


def test_ping_says_alive_and_ready_says_whether_rows_flow(tmp_path: Path) -> None:
    waiting = ["ClickHouse"]
    server = StatusServer(0, CollectorRegistry(), lambda: list(waiting))
    server.write_ready_file(tmp_path / "ready.json")
    port = json.loads((tmp_path / "ready.json").read_text())["metrics_port"]
    assert port == server.port
    with urlopen(f"http://127.0.0.1:{port}/ping", timeout=5) as answer:
        assert answer.read() == b"Ok.\n"
    with pytest.raises(HTTPError, match="503") as refused:
        urlopen(f"http://127.0.0.1:{port}/ready", timeout=5)
    assert json.load(refused.value) == {"ready": False, "waiting_for": ["ClickHouse"]}
    refused.value.close()
    waiting.clear()
    with urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as answer:
        assert answer.status == 200
    with pytest.raises(ConfigurationError, match=str(port)):
        StatusServer(port, CollectorRegistry(), list)
    server.close()


def test_a_password_is_not_shown_with_its_target() -> None:
    assert "hush" not in repr(ClickHouseTarget(password="hush"))


def test_years_at_the_edge_of_what_can_be_stored() -> None:
    at = [datetime(year, 6, 1, tzinfo=UTC).isoformat() for year in (1970, 1971, 2099, 2100)]
    kept = [not take(TOPICS.visits, visit(0, scanned_at=text))[1].sent for text in at]
    assert kept == [False, True, True, False]


def _filled(rows: int, size: int = 0) -> Batch:
    batch = Batch(1, 100.0)
    batch.rows, batch.bytes, batch.next_offsets = rows, size, {(TOPICS.visits, 0): rows}
    return batch


def test_a_batch_is_written_when_it_is_old_and_an_empty_one_never() -> None:
    pace = Pace(rows=800, bytes=8000, seconds=0.5)
    assert not pace.is_due(Batch(1, 0.0), 1000.0)
    assert not pace.is_due(_filled(49, 499), 100.49)
    assert pace.is_due(_filled(49, 499), 100.5)
    assert pace.is_due(_filled(0), 100.5), "dead letters alone are committed too"


def test_batches_of_a_backlog_grow_to_full_ones_and_begin_small_again_after_a_lull() -> None:
    pace = Pace(rows=800, bytes=8000, seconds=0.5)
    for rows in (50, 100, 200, 400, 800, 800):
        assert not pace.is_due(_filled(rows - 1), 100.1)
        assert pace.is_due(_filled(rows), 100.1)
    assert pace.is_due(_filled(5), 101.0)
    assert pace.is_due(_filled(5, size=500), 100.1), "bytes count as well"


def test_the_faster_rows_come_the_older_a_batch_may_grow() -> None:
    pace = Pace(rows=800, bytes=8000, seconds=0.5)
    for rows in (50, 100, 200, 400):
        assert pace.is_due(_filled(rows), 100.1)
    for rows, seconds in ((50, 1.0), (200, 2.0), (450, 3.0), (512, 3.2)):
        assert not pace.is_due(_filled(rows), 100 + seconds - 0.01)
        assert pace.is_due(_filled(rows), 100 + seconds)
    assert not pace.is_due(_filled(450), 102.9), "growing old did not make the next ones small"
    assert pace.is_due(_filled(49), 100.5), "where rows come slowly it does not"
    assert pace.is_due(_filled(50), 100.1), "after a lull a small batch is written at once"


def test_a_batch_is_full_by_rows_or_by_bytes() -> None:
    pace = Pace(rows=800, bytes=8000, seconds=0.5)
    assert not pace.is_full(_filled(799, 7999))
    assert pace.is_full(_filled(800))
    assert pace.is_full(_filled(1, 8000))


def test_a_topic_that_is_mostly_bad_stops_the_sink_after_a_window_and_a_few_bad_records_do_not() -> None:
    letters = Letters()
    brakes = {name: DeadLetterBrake(name, 1_000, 0.5) for name in ROUTES}
    intake = Intake(letters, SinkMetrics(), brakes)  # type: ignore[arg-type]

    def send(values: list[bytes]) -> None:
        messages = [Message(topic=TOPICS.visits, partition=0, offset=n, value=value) for n, value in enumerate(values)]
        intake.take(Batch(0, 0.0), VISITS, TOPICS.visits, messages)

    for _ in range(20):
        send([*(visit(number) for number in range(99)), b"?"])
    for _ in range(4):
        send([b"?"] * 100)
    with pytest.raises(FatalError, match="stopping instead of draining"):
        send([b"?"] * 200)
    assert len(letters.sent) == 20 + 600


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_work_without_commits_is_said_first_and_then_ends_the_sink() -> None:
    clock, said = Clock(), threading.Event()
    watchdog = Watchdog(0.8, lambda what: said.set() if "no commit" in what else None, clock)
    assert watchdog.standing_still() is None
    watchdog.start()
    clock.now = 0.3
    watchdog.turned(has_work=True)
    assert watchdog.standing_still() == "work, and no commit for 0 s"
    assert not said.is_set()
    watchdog.committed()
    assert watchdog.standing_still() is None
    clock.now = 1.2
    watchdog.turned(has_work=True)
    assert said.wait(5)
    watchdog.close()


def test_nothing_to_do_or_clickhouse_away_is_no_stall_but_a_loop_that_stands_still_is() -> None:
    clock, said = Clock(), threading.Event()
    watchdog = Watchdog(0.8, lambda _: said.set(), clock)
    watchdog.start()
    for _ in range(20):
        clock.now += 0.7
        watchdog.turned(has_work=False)
    assert watchdog.standing_still() is None
    assert not said.is_set()
    clock.now += 0.9
    assert "the loop stands still" in (watchdog.standing_still() or "")
    assert said.wait(5)
    watchdog.close()
