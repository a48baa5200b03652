"""Reading somebody's file: encodings, delimiters, quotes, gzip, GeoJSON, damage."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from producers.importers.lines import MAX_LINE, open_lines
from producers.importers.row import Row, RowRejected, check_damage, is_lossy
from producers.importers.source import Layout, open_table
from producers.importers.table import delimiter_of, sniff_delimiter
from schemas.errors import ConfigurationError
from tests.support.import_files import rows_of


@pytest.mark.parametrize(
    ("data", "layout"),
    [
        ("a,b\r\n甲,2\r\n".encode(), Layout()),
        ("a;b\n甲;2\n".encode(), Layout()),
        ("a\tb\n甲\t2".encode(), Layout()),
        ("a|b\n甲|2\n".encode(), Layout(delimiter="|")),
        ("\ufeffa,b\n甲,2\n".encode(), Layout()),
        ("a,b\n甲,2\n".encode("gbk"), Layout(encoding="gbk")),
        ("a,b\n甲,2\n".encode("gb18030"), Layout(encoding="GB18030")),
        ("a,b\n甲,2\n".encode("utf-16"), Layout(encoding="utf-16")),
        (gzip.compress("a;b\n甲;2\n".encode("gbk"), mtime=0), Layout(encoding="gbk")),
    ],
)
def test_the_same_rows_come_out_of_every_delimiter_encoding_and_compression(data: bytes, layout: Layout) -> None:
    assert [row.cells for row in rows_of(data, layout)] == [["甲", "2"]]


def test_rows_know_their_line_also_after_quoted_line_breaks_and_empty_lines() -> None:
    rows = rows_of(b'a,b\n1,"x\ny"\n\n2,z\n', Layout())
    assert [(row.line, row.cells) for row in rows] == [(2, ["1", "x\ny"]), (5, ["2", "z"])]
    assert rows[0].raw == '1,"x\ny"'


def test_a_quote_that_never_closes_spoils_its_own_line_only() -> None:
    rows = rows_of(b'a,b\n1,"open\n2,x\n3,y\n', Layout())
    assert [(row.line, row.problem) for row in rows] == [(2, "bad_quoting"), (3, None), (4, None)]
    assert rows[0].raw == '1,"open'


def test_a_quote_that_closes_in_a_later_bad_row_swallows_nothing() -> None:
    rows = rows_of(b'a,b\n1,"open\n2,x\n3,"y"\n4,z\n', Layout())
    assert [row.cells for row in rows if row.problem is None] == [["2", "x"], ["3", "y"], ["4", "z"]]
    assert [row.problem for row in rows if row.problem] == ["bad_quoting"]


def test_rows_of_another_width_are_marked_unless_only_blank_cells_are_too_many() -> None:
    rows = rows_of(b"a,b\n1\n1,2,3\n1,2, ,\n", Layout())
    assert [(row.cells, row.problem) for row in rows] == [
        (["1"], "column_count"),
        (["1", "2", "3"], "column_count"),
        (["1", "2"], None),
    ]


def test_without_a_header_the_first_good_row_is_data_and_tells_the_width() -> None:
    rows = rows_of(b'"x"y,\n1,2\n3,4\n', Layout(with_header=False, delimiter=","))
    assert [(row.cells, row.problem) for row in rows] == [([], "bad_quoting"), (["1", "2"], None), (["3", "4"], None)]


def test_a_line_without_end_is_one_bad_row_and_reading_goes_on() -> None:
    rows = rows_of(b"a,b\n" + b"x" * (2 * MAX_LINE + 10) + b"\n1,2\n", Layout())
    assert [(row.line, row.problem) for row in rows] == [(2, "too_long"), (3, None)]
    assert len(rows[0].raw) == 1000


def test_a_truncated_gzip_file_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "scans.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + bytes(range(48, 58)) * 5000)[:-20])
    with pytest.raises(ConfigurationError, match="breaks off"), open_lines(path, "utf-8") as (lines, _):
        list(lines)


def test_progress_counts_bytes_on_the_disk_up_to_the_size(tmp_path: Path) -> None:
    path = tmp_path / "scans.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n" * 10_000))
    with open_table(path, Layout()) as (table, progress):
        assert len(list(table)) == 19_999
        assert progress.done == progress.total == path.stat().st_size


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "empty"), (b"\n\n", "empty"), (b'a,"b\n1,2\n', "header"), (b"abc\ndef\n", "--delimiter")],
)
def test_a_file_that_is_no_table_is_a_clear_error(data: bytes, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        rows_of(data, Layout())


@pytest.mark.parametrize("encoding", ["klingon", "base64", "rot13"])
def test_an_unknown_encoding_is_a_clear_error(encoding: str) -> None:
    with pytest.raises(ConfigurationError, match="encoding"):
        rows_of(b"a,b\n", Layout(encoding=encoding))


@pytest.mark.parametrize(
    ("name", "found"), [("comma", ","), ("Semicolon", ";"), ("tab", "\t"), ("\\t", "\t"), ("#", "#")]
)
def test_delimiters_go_by_name_or_as_themselves(name: str, found: str) -> None:
    assert delimiter_of(name) == found


@pytest.mark.parametrize("name", ["", "ab", '"', "\n"])
def test_what_is_no_delimiter_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError):
        delimiter_of(name)


def test_the_delimiter_is_the_one_that_gives_even_rows() -> None:
    assert sniff_delimiter(["name;address\n", "Cafe;1, High Street, Town\n", "Bar;2, Low Street\n"]) == ";"


@pytest.mark.parametrize(
    ("data", "layout", "reason"),
    [
        (b"a,b\n , \n", Layout(), "blank_row"),
        (b"a,b\n,\n", Layout(), "blank_row"),
        (b"a,b\n<<<<<<< HEAD\n", Layout(), "merge_marker"),
        (b"a,b\n=======\n", Layout(), "merge_marker"),
        (b"a,b\n>>>>>>> d57175e\n", Layout(), "merge_marker"),
        (b"a,b\n1,\xa0\n", Layout(), "not_utf8"),
        (b"a,b\n1,\x81\x20\n", Layout(encoding="gbk"), "not_gbk"),
        ("a,b\n1,Caf\ufffd\n".encode(), Layout(), "replacement_character"),
        (b"a,b\n1\n", Layout(), "column_count"),
        (b'a,b\n1,"x"y\n', Layout(), "bad_quoting"),
    ],
)
def test_damaged_rows_have_their_reason(data: bytes, layout: Layout, reason: str) -> None:
    (row,) = rows_of(data, layout)
    with pytest.raises(RowRejected) as rejected:
        check_damage(row, layout.label)
    assert rejected.value.reason == reason


def test_bytes_that_are_no_text_spoil_their_own_row_only() -> None:
    rows = rows_of(b"a,b\n1,\xff\n2,ok\n", Layout())
    assert [row.cells[1] for row in rows] == ["\udcff", "ok"]


@pytest.mark.parametrize("text", ["East T?maki", "?kareka", "Palsun ?? Korean", "11am ? 1pm", "?", "Taup? 3330", "a??"])
def test_question_marks_in_place_of_letters_are_found(text: str) -> None:
    assert is_lossy(text)


@pytest.mark.parametrize("text", ["Who's there?", "Why not? ", "Plain", ""])
def test_a_question_is_not_taken_for_lost_letters(text: str) -> None:
    assert not is_lossy(text)


GEOJSON = b"""{
"type": "FeatureCollection",
"name": "x",
"features": [
{ "type": "Feature", "properties": { "id": "A", "n": 1, "x": null }, "geometry": { "coordinates": [ 174.5, -36.5 ] } },
<<<<<<< HEAD
{ "type": "Feature", "properties": { "id": "B", "later": "x" }, "geometry": null }
]
}
"""


def test_geojson_features_are_rows_and_its_frame_is_not() -> None:
    rows = rows_of(GEOJSON, Layout(geojson=True, more=("later",)))
    assert [row.cells for row in rows] == [
        ["A", "1", "", "", "174.5", "-36.5"],
        [],
        ["B", "", "", "x", "", ""],
    ]
    assert [(row.line, row.problem) for row in rows] == [(5, None), (6, "not_a_feature"), (7, None)]
    with pytest.raises(RowRejected, match="merge_marker"):
        check_damage(rows[1], "utf8")


def test_geojson_without_features_is_a_clear_error() -> None:
    with pytest.raises(ConfigurationError, match="GeoJSON"):
        rows_of(b'{"a": 1}\n', Layout(geojson=True))


def test_a_row_shows_no_reason_when_it_is_whole() -> None:
    check_damage(Row(2, "1,2", ["1", "2"]), "utf8")
