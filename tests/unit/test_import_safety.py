"""The token key, the rejects, the brake and the ledger."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from producers.importers.ledger import Ledger, Progress, content_hash, import_id
from producers.importers.records import Brake, TooManyRejectsError
from producers.importers.rejects import Rejects, rejects_path
from producers.importers.row import Row
from producers.importers.token_key import create_token_key, read_token_key
from schemas.errors import ConfigurationError, FatalError


def test_a_new_key_is_random_readable_by_its_owner_only_and_never_overwritten(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "one.key", tmp_path / "two.key"
    assert create_token_key(first)
    assert create_token_key(second)
    assert first.stat().st_mode & 0o777 == 0o600
    key = read_token_key(first)
    assert len(key) == 32
    assert key != read_token_key(second)
    assert not create_token_key(first)
    assert read_token_key(first) == key


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        ("00" * 32, 0o644, "chmod 600"),
        ("pass phrase", 0o600, "hexadecimal"),
        ("00" * 15, 0o600, "at least 16"),
        ("", 0o600, "at least 16"),
    ],
)
def test_a_key_file_that_cannot_be_used_says_why_and_quotes_nothing(
    tmp_path: Path, content: str, mode: int, message: str
) -> None:
    path = tmp_path / "token.key"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match=message) as error:
        read_token_key(path)
    assert not content or content not in str(error.value)


def test_rejects_are_counted_and_kept_with_line_reason_and_the_raw_row(tmp_path: Path) -> None:
    path = rejects_path(tmp_path / "scans.csv")
    assert path.name == "scans.csv.rejects.csv"
    with Rejects(path) as rejects:
        rejects.add(Row(2, "a,\udcff", ["a", "\udcff"]), "not_utf8")
        rejects.add(Row(9, '"x\ny",', ["x\ny", ""]), "missing_value")
    assert rejects.by_reason == {"not_utf8": 1, "missing_value": 1}
    assert path.stat().st_mode & 0o777 == 0o600
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        assert list(csv.reader(file)) == [
            ["line", "reason", "raw"],
            ["2", "not_utf8", "a,\udcff"],
            ["9", "missing_value", '"x\ny",'],
        ]
    assert b"a,\xff" in path.read_bytes()


def test_a_run_without_rejects_leaves_no_file_also_not_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "x.rejects.csv"
    path.write_text("old")
    with Rejects(path):
        pass
    assert not path.exists()


def test_rejects_that_cannot_be_written_are_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "x.rejects.csv"
    with Rejects(path) as rejects, pytest.raises(ConfigurationError, match="--rejects"):
        rejects.add(Row(2, "a", ["a"]), "blank_row")


@pytest.mark.parametrize(
    ("bad", "rows", "at_end", "stops"),
    [
        (999, 999, False, False),
        (51, 1000, False, True),
        (50, 1000, False, False),
        (1, 3, True, True),
        (0, 0, True, False),
    ],
)
def test_the_brake_judges_a_thousand_rows_or_the_whole_file(bad: int, rows: int, at_end: bool, stops: bool) -> None:
    rejects = Rejects(None)
    rejects.by_reason["unparsable_time"] = bad
    if not stops:
        Brake(0.05).check(rejects, rows, at_end=at_end)
        return
    with pytest.raises(TooManyRejectsError, match=r"unparsable_time.*--max-bad"):
        Brake(0.05).check(rejects, rows, at_end=at_end)


def test_an_import_is_its_content_its_options_and_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"x")
    one = {"content": content_hash(path), "person": "1", "topic": "t"}
    assert import_id(one) == import_id(dict(reversed(one.items())))
    assert import_id(one) != import_id({**one, "person": "2"})
    path.write_bytes(b"y")
    assert import_id(one) != import_id({**one, "content": content_hash(path)})


def test_the_ledger_remembers_and_lets_one_process_in(tmp_path: Path) -> None:
    progress = Progress("running", 500, {0: 7, 12: 3}, -86_400_000, 5)
    with Ledger(tmp_path, "abc") as ledger:
        assert ledger.progress.state == "new"
        ledger.write(progress)
        with pytest.raises(ConfigurationError, match="another process"), Ledger(tmp_path, "abc"):
            pass
    with Ledger(tmp_path, "abc") as ledger:
        assert ledger.progress == progress
    with Ledger(tmp_path, "other") as ledger:
        assert ledger.progress == Progress()


def test_a_damaged_ledger_stops_the_import_rather_than_sending_twice(tmp_path: Path) -> None:
    (tmp_path / "abc.json").write_text('{"state": "run')
    with pytest.raises(FatalError, match="damaged"), Ledger(tmp_path, "abc"):
        pass


def test_a_ledger_that_cannot_be_kept_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="ledger"), Ledger(tmp_path / "file" / "imports", "abc"):
        pass
