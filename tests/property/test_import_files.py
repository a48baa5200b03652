"""Whatever a table holds, it comes out of the file as it went in; whatever a file holds, every row is counted."""

from __future__ import annotations

import csv
import gzip
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from producers.importers.source import Layout
from schemas.errors import ConfigurationError
from tests.support.import_files import read, rows_of

ENCODINGS = ("utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16")


def _writable(encoding: str) -> str:
    """Characters of the first plane that an encoding can write."""
    ideographs = "".join(map(chr, range(0x4E00, 0x9FA6))).encode(encoding, "ignore").decode(encoding)
    return bytes(range(128)).decode() + ideographs


GBK = st.text(st.sampled_from(_writable("gbk")), max_size=12)
ANY = st.text(max_size=12)


def cells(encoding: str) -> st.SearchStrategy[str]:
    """Any text that the encoding can write; half of it ASCII, where the dangerous characters are."""
    return st.one_of(st.text("\r\n\"',;|\t \0x", max_size=8), GBK if encoding == "gbk" else ANY)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[str]], str]:
    """Rows of equal width, at least two columns, and an encoding."""
    encoding = draw(st.sampled_from(ENCODINGS))
    width = draw(st.integers(2, 5))
    row = st.lists(cells(encoding), min_size=width, max_size=width)
    return draw(st.lists(row, min_size=1, max_size=8)), encoding


def written(rows: list[list[str]], delimiter: str, line_end: str, quoting: int) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue()


@given(
    tables(),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\r\n", "\n"]),
    st.booleans(),
)
@settings(max_examples=250)
def test_any_text_survives_any_delimiter_encoding_line_end_and_compression(
    table: tuple[list[list[str]], str], delimiter: str, line_end: str, packed: bool
) -> None:
    rows, encoding = table
    header = [f"c{number}" for number in range(len(rows[0]))]
    # All quoted: a writer leaves a lone carriage return bare when lines end in a line feed, and no reader can know.
    data = written([header, *rows], delimiter, line_end, csv.QUOTE_ALL).encode(encoding)
    found = rows_of(gzip.compress(data) if packed else data, Layout(encoding=encoding, delimiter=delimiter))
    assert [row.cells for row in found] == rows
    assert all(row.problem is None for row in found)


@given(st.lists(st.lists(st.text("ab 1.-", min_size=1, max_size=6), min_size=3, max_size=3), min_size=1, max_size=20))
def test_the_delimiter_of_an_unambiguous_file_is_found_out(rows: list[list[str]]) -> None:
    for delimiter in ",;\t":
        data = written([["x", "y", "z"], *rows], delimiter, "\r\n", csv.QUOTE_MINIMAL).encode()
        assert [row.cells for row in rows_of(data, Layout())] == rows


@given(st.binary(max_size=400), st.sampled_from(["utf-8", "gbk", "latin-1"]))
@settings(max_examples=300)
def test_any_bytes_give_rows_and_rejects_and_never_an_unexpected_error(data: bytes, encoding: str) -> None:
    text = b"person,venue,at\n" + data
    layout = Layout(encoding=encoding, delimiter=",")
    rows = rows_of(text, layout)
    scans, rejects = read("scans", text, layout=layout)
    assert len(scans) + rejects.total() == len(rows)


@given(st.binary(max_size=300))
def test_any_bytes_as_geojson_are_rows_or_a_clear_error(data: bytes) -> None:
    try:
        rows = rows_of(data, Layout(geojson=True, more=("id",)))
    except ConfigurationError:
        return
    assert all(row.problem in (None, "not_a_feature") for row in rows)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("UV"), st.integers(0, 3)), max_size=30),
    st.randoms(use_true_random=False),
)
def test_scan_ids_are_unique_and_the_same_set_in_any_order_of_rows(
    rows: list[tuple[str, str, int]], random: st.DataObject
) -> None:
    def ids(order: list[tuple[str, str, int]]) -> list[str]:
        body = "".join(f"{person},{venue},2024-04-30T08:00:0{second}Z\n" for person, venue, second in order)
        return [scan.scan_id for scan in read("scans", "person,venue,at\n" + body)[0]]

    found = ids(rows)
    assert len(set(found)) == len(rows)
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert set(ids(shuffled)) == set(found)
