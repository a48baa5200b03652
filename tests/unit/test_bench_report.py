"""Benchmark documents: medians of alternating runs, ratios round by round, a table between the page's markers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.bench.figures import medians, spread
from infra.bench.report import DOCS, Document, document, markdown, write_docs
from infra.bench.rounds import alternate
from infra.cli.bench import modules
from schemas.errors import ConfigurationError


def runs(*rates: float) -> list[dict[str, object]]:
    return [{"events_per_s": rate, "scan_to_alert_ms": {"p50": rate / 10, "p99": rate}, "note": "x"} for rate in rates]


def a_document() -> Document:
    return document("stream", {"ours": runs(300, 100, 200), "theirs": runs(100, 50, 40)}, {"events": 1000})


def test_every_figure_gets_its_median_quantile_by_quantile() -> None:
    assert medians(runs(3, 1, 2)) == {"events_per_s": 2, "scan_to_alert_ms": {"p50": 0.2, "p99": 2}}
    assert spread(runs(3, 1, 2))["events_per_s"] == [1, 3]


def test_a_figure_that_one_run_lacks_has_no_median() -> None:
    assert medians([{"events_per_s": 1.0, "lag_s": 2.0}, {"events_per_s": 3.0, "lag_s": None}]) == {"events_per_s": 2}


def test_variants_alternate_so_that_a_slow_spell_hits_all() -> None:
    order: list[str] = []

    def measure(name: str, number: int) -> dict[str, object]:
        order.append(f"{name}{number}")
        return {"events_per_s": 1.0}

    found = alternate({"a": lambda n: measure("a", n), "b": lambda n: measure("b", n)}, 2)
    assert order == ["a0", "b0", "a1", "b1"]
    assert [len(each) for each in found.values()] == [2, 2]


def test_ratios_compare_runs_of_the_same_round() -> None:
    assert a_document()["ratios"] == {"theirs": 3}  # of 3, 2 and 5; the ratio of the medians would be 4


def test_a_document_has_the_figures_on_top_and_says_where_it_was_measured() -> None:
    found = a_document()
    assert found["events_per_s"] == 200
    assert found["machine"]["cores"] >= 1
    assert {"python", "kafka", "clickhouse", "faust-streaming", "confluent-kafka", "commit"} <= set(found["versions"])
    assert len(found["variants"]["theirs"]["runs"]) == 3


def test_the_table_replaces_what_was_between_its_markers_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    rest = "foot\n<!-- begin sink -->\n<!-- end sink -->\n"
    page.write_text(f"head\n<!-- begin stream -->\nold\n<!-- end stream -->\n{rest}")
    write_docs(a_document(), tmp_path)
    write_docs(a_document(), tmp_path)
    text = page.read_text()
    assert "old" not in text
    assert text.startswith("head\n<!-- begin stream -->\n| ")
    assert text.endswith(f"<!-- end stream -->\n{rest}")
    assert text.count(markdown(a_document()).splitlines()[0]) == 1
    assert json.loads((tmp_path / "benchmarks" / "stream.json").read_text())["bench"] == "stream"


def test_writing_without_the_page_or_its_markers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="checkout"):
        write_docs(a_document(), tmp_path)
    (tmp_path / "benchmarks.md").write_text("nothing here\n")
    with pytest.raises(ConfigurationError, match="begin stream"):
        write_docs(a_document(), tmp_path)


def test_the_page_has_a_place_for_every_benchmark() -> None:
    text = (DOCS / "benchmarks.md").read_text()
    for name in set(modules()) - {"all"}:
        assert f"<!-- begin {name} -->" in text
        assert f"<!-- end {name} -->" in text
