"""An answer has the same rows and columns in every form."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer

from infra.cli.forms import Form, chosen_form, print_rows

NOW = datetime(2026, 3, 15, 12, 0, 0, 123000, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    name: str
    at: datetime
    until: datetime | None
    number: int
    share: float
    venues: list[str]


ROWS = [Row("=a", NOW, None, -5, 0.5, ["x", "y"]), Row("场所", NOW, NOW, 2**40, 1.0, [])]
COLUMNS = ["name", "at", "until", "number", "share", "venues"]


@pytest.mark.parametrize("form", [Form.PARQUET, Form.ARROW])
@pytest.mark.parametrize("rows", [ROWS, []])
def test_binary_forms_hold_the_rows_with_their_types_also_where_there_are_none(
    form: Form, rows: list[Row], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    print_rows(form, Row, rows, "rows", {})
    data = io.BytesIO(capsysbinary.readouterr().out)
    table = pq.read_table(data) if form is Form.PARQUET else pa.ipc.open_stream(data).read_all()
    assert table.schema.names == COLUMNS
    assert [str(kind) for kind in table.schema.types[1:4]] == [
        "timestamp[ms, tz=UTC]",
        "timestamp[ms, tz=UTC]",
        "int64",
    ]
    assert [Row(**entry) for entry in table.to_pylist()] == rows


def test_json_says_what_was_asked_and_the_rows(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    print_rows(Form.JSON, Row, ROWS[:1], "rows", {"since": NOW})
    assert json.loads(capsysbinary.readouterr().out) == {
        "since": "2026-03-15T12:00:00.123000Z",
        "rows": [dict(zip(COLUMNS, ["=a", "2026-03-15T12:00:00.123000Z", None, -5, 0.5, ["x", "y"]], strict=True))],
    }


def test_two_forms_at_once_are_refused() -> None:
    with pytest.raises(typer.BadParameter, match="choose one"):
        chosen_form(as_csv=True, as_arrow=True)


def test_binary_forms_are_refused_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    with pytest.raises(typer.BadParameter, match="terminal"):
        chosen_form(as_parquet=True)
