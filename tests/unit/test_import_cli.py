"""`venuecode import`, without brokers: dry runs, messages, exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.cli.main import build_app
from producers.importers.fields import FIELDS
from producers.importers.token_key import create_token_key

AT = "2024-04-30T08:00:00Z"


class Cli:
    """The verb, in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.key = directory / "token.key"
        create_token_key(self.key)

    def file(self, name: str, text: str | bytes) -> Path:
        path = self.directory / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def run(self, kind: str, path: Path, *options: str, code: int = 0) -> Any:
        keyed = ["--token-key-file", str(self.key)] if kind in ("scans", "statuses") else []
        result = CliRunner().invoke(build_app(("import_",)), ["import", kind, str(path), *keyed, *options])
        assert result.exit_code == code, result.output
        return result

    def dry(self, kind: str, text: str | bytes, *options: str) -> dict[str, Any]:
        result = self.run(kind, self.file(f"{kind}.csv", text), "--dry-run", "--json", *options)
        found: dict[str, Any] = json.loads(result.stdout)
        return found


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("VENUECODE_RETENTION__ANALYSIS", "true")
    monkeypatch.setenv("VENUECODE_DATA_DIR", str(tmp_path / "data"))
    return Cli(tmp_path)


@pytest.mark.parametrize("kind", list(FIELDS))
def test_every_option_has_help(cli: Cli, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    text = cli.run(kind, Path("x"), "--help").stdout
    for field in FIELDS[kind]:
        assert f"--{field.replace('_', '-')} " in text
    for option in (
        "--encoding",
        "--delimiter",
        "--no-header",
        "--max-bad",
        "--again",
        "--dry-run",
        "--rejects",
        "--json",
    ):
        assert option in text


def test_a_dry_run_shows_the_first_records_and_counts_the_bad_ones(cli: Cli) -> None:
    rows = "".join(f"p{n},V{n},{AT}\n" for n in range(8))
    found = cli.dry("scans", f"person,venue,at\n{rows}bad,,{AT}\n")
    assert (found["rows"], found["rejected"], found["sent"]) == (9, {"missing_value": 1}, 0)
    assert [json.loads(text)["venue_id"] for text in found["first"]] == ["V0", "V1", "V2", "V3", "V4"]
    assert not list(cli.directory.glob("*.rejects.csv"))


def test_no_output_ever_holds_a_person_id(cli: Cli) -> None:
    path = cli.file("scans.csv", f"person,venue,at\nzhangsan,V1,{AT}\nzhangsan,,{AT}\n")
    assert "zhangsan" not in cli.run("scans", path, "--dry-run").output


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (f"person;venue;at\na;V1;{AT}\n", []),
        (f"person#venue#at\na#V1#{AT}\n", ["--delimiter", "#"]),
        (f"a,V1,{AT}\n", ["--no-header", "--person", "1", "--venue", "2", "--at", "3"]),
        (f"who,where,when\na,V1,{AT}\n", ["--person", "who", "--venue", "where", "--at", "when"]),
        ("person,venue,at\na,V1,1714464000\n", ["--at-format", "epoch-s"]),
        ("person,venue,at\na,V1,2024-04-30 16:00:00\n", ["--tz", "Asia/Shanghai"]),
        ("person,venue,at\na,V1,30/04/2024 16:00\n", ["--at-format", "%d/%m/%Y %H:%M"]),
        ("person,venue,at\na,V1,2024-04-29T08:00:00Z\n", ["--shift-by", "86400"]),
    ],
)
def test_the_same_scan_comes_out_of_every_layout(cli: Cli, text: str, options: list[str]) -> None:
    (scan,) = map(json.loads, cli.dry("scans", text, *options)["first"])
    assert (scan["venue_id"], scan["scanned_at"]) == ("V1", AT)


def test_values_are_mapped_and_gbk_is_read(cli: Cli) -> None:
    text = f"人,地点,at,direction,channel\n张三,药店,{AT},出,门\n".encode("gbk")
    found = cli.dry(
        "scans", text, "--encoding", "gbk", "--person", "人", "--venue", "地点",
        "--direction-map", "进=enter,出=leave", "--channel-map", "门=gate",
    )  # fmt: skip
    (scan,) = map(json.loads, found["first"])
    assert (scan["venue_id"], scan["direction"], scan["channel"]) == ("药店", "leave", "gate")


def test_shift_to_now_moves_the_newest_row_to_now_and_keeps_the_gaps(cli: Cli) -> None:
    from datetime import UTC, datetime

    text = "person,venue,at\na,V1,2020-01-01T00:00:00Z\nb,V1,2020-01-02T00:00:00Z\nc,V1,2019-12-31T00:00:00Z\n"
    before = datetime.now(UTC)
    found = cli.dry("scans", text, "--shift-to-now")
    times = [datetime.fromisoformat(json.loads(text)["scanned_at"]) for text in found["first"]]
    assert 0 <= (times[1] - before).total_seconds() + 0.001 < 60
    assert [(time - times[1]).total_seconds() for time in times] == [-86400, 0, -172800]
    assert found["shift_s"] == pytest.approx((times[1] - datetime(2020, 1, 2, tzinfo=UTC)).total_seconds())


def test_retention_is_a_setting_that_an_analysis_platform_lifts(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "person,venue,at\na,V1,2020-01-01T00:00:00Z\n"
    assert cli.dry("scans", text)["rejected"] == {}
    monkeypatch.setenv("VENUECODE_RETENTION__ANALYSIS", "false")
    assert cli.dry("scans", text)["rejected"] == {"older_than_retention": 1}


def test_venues_windows_and_statuses_are_shown_too(cli: Cli) -> None:
    venues = "venue_id,name,address\nV1,Cafe,High Street\n"
    (venue,) = map(json.loads, cli.dry("venues", venues, "--default-category", "cafe")["first"])
    assert (venue["venue_id"], venue["category"]) == ("V1", "cafe")
    places = cli.file("places.csv", venues)
    windows = "id,location,address,start,end\nW,CAFE,High street,2021-08-12 13:00,2021-08-12 14:00\n"
    found = cli.dry("windows", windows, "--venues", str(places), "--tz", "Pacific/Auckland", "--publisher", "MoH")
    (window,) = map(json.loads, found["first"])
    assert (window["venue_id"], window["starts_at"], window["source"]) == ("V1", "2021-08-12T01:00:00Z", "MoH")
    statuses = f"person,colour,valid_from\na,R,{AT}\n"
    options = ["--colour-map", "R=red", "--valid-days", "2", "--given-by", "lab"]
    (status,) = map(json.loads, cli.dry("statuses", statuses, *options)["first"])
    assert (status["colour"], status["valid_until"], status["issuer"]) == ("red", "2024-05-02T08:00:00Z", "lab")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tz", "Mars/Phobos"], "time zone"),
        (["--at-format", "nonsense"], "time format"),
        (["--ambiguous", "both"], "--ambiguous"),
        (["--delimiter", "ab"], "delimiter"),
        (["--encoding", "klingon"], "encoding"),
        (["--person", "nobody"], "no such column"),
        (["--direction-map", "in"], "value=meaning"),
        (["--direction-map", "in=inside"], "enter, leave"),
        (["--shift-to-now", "--shift-by", "5"], "either"),
    ],
)
def test_a_wrong_option_is_a_message_and_exit_code_1(cli: Cli, options: list[str], message: str) -> None:
    path = cli.file("scans.csv", f"person,venue,at,direction\na,V1,{AT},in\n")
    result = cli.run("scans", path, "--dry-run", *options, code=1)
    assert message in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr


def test_without_a_key_the_message_says_how_to_make_one(cli: Cli) -> None:
    path = cli.file("scans.csv", f"person,venue,at\na,V1,{AT}\n")
    missing = str(cli.directory / "new.key")
    result = cli.run("scans", path, "--dry-run", "--token-key-file", missing, code=1)
    assert "--create-token-key" in result.stderr
    cli.run("scans", path, "--dry-run", "--token-key-file", missing, "--create-token-key")
    assert (cli.directory / "new.key").stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_not_there_is_a_message(cli: Cli) -> None:
    assert "cannot read" in cli.run("venues", cli.directory / "nope.csv", "--dry-run", code=1).stderr
