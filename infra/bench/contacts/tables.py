"""The benchmark's document as tables of text, for the terminal and for the docs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from infra.bench.contacts.measure import CLIENTS
from infra.bench.report import Document

ENGINE_COLUMNS: Final = ("database", "visits", "bytes a visit", "load s")
WAYS: Final = ("cold", "warm", f"{CLIENTS} at once", "while writing", "once")
"""Ways of asking, in the order of their columns."""
WRITING: Final = "while writing / warm"
"""The ratio of their medians."""


def answer_columns(found: Document) -> tuple[str, ...]:
    """The header of `answer_rows`: ways of asking that were measured, p50 / p95 in milliseconds."""
    measured = {entry["how"] for entry in found["answers"]}
    ways = tuple(way for way in WAYS if way in measured)
    return ("question", "database", "rows", *ways, *((WRITING,) if {"while writing", "warm"} <= measured else ()))


def answer_rows(found: Document) -> Iterator[tuple[str, ...]]:
    """Rows of `answer_columns`, one a question and database, questions together."""
    columns = answer_columns(found)
    by_question: dict[str, dict[str, dict[str, Any]]] = {}
    for entry in found["answers"]:
        by_question.setdefault(entry["question"], {}).setdefault(entry["engine"], {})[entry["how"]] = entry
    for question, databases in by_question.items():
        for database, ways in databases.items():
            rows = (ways.get("warm") or next(iter(ways.values())))["rows"]
            cells = [_times(ways.get(way)) for way in columns[3:] if way != WRITING]
            cells += [_ratio(ways)] if WRITING in columns else []
            yield question, database, f"{rows:,}", *cells


def engine_rows(found: Document) -> Iterator[tuple[str, ...]]:
    """Rows of `ENGINE_COLUMNS`."""
    for each in found["engines"]:
        yield each["engine"], f"{each['visits']:,}", f"{each['bytes_per_visit']:,.1f}", f"{each['load_s']:,.1f}"


def _times(entry: Mapping[str, Any] | None) -> str:
    return "" if entry is None else f"{_number(entry['p50_ms'])} / {_number(entry['p95_ms'])}"


def _number(ms: float) -> str:
    return f"{ms:,.1f}" if ms < 100 else f"{ms:,.0f}"


def _ratio(ways: Mapping[str, Mapping[str, Any]]) -> str:
    if not {"while writing", "warm"} <= ways.keys():
        return ""
    return f"{ways['while writing']['p50_ms'] / ways['warm']['p50_ms']:.2f}"


def notes(found: Document) -> list[str]:
    """What the tables do not say: what was left out, what differed, and how many visits came in while asking."""
    lines = [f"broken off: {found['broken_off']}"] if found["broken_off"] else []
    lines += [f"not run: {name}: {reason}" for name, reason in found["not_run"].items()]
    lines += [f"failed: {name}: {reason}" for name, reason in found["failed"].items()]
    lines += [f"{name}: {text}" for name, texts in found["left_out"].items() for text in texts]
    lines += [f"different answers: {text}" for text in found["disagreements"]]
    lines += [
        f"while writing: {each['written_per_s']:,} visits/s came in"
        for each in found["engines"]
        if "written_per_s" in each
    ]
    if len({each["engine"] for each in found["answers"]}) > 1 and not found["disagreements"]:
        lines.append("all databases gave the same answers")
    return lines


def page(found: Document) -> str:
    """Everything in Markdown."""
    host = found["machine"]
    parts = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    return "\n".join(
        [
            "Milliseconds, p50 / p95.",
            "",
            *_table(answer_columns(found), answer_rows(found)),
            "",
            *_table(ENGINE_COLUMNS, engine_rows(found)),
            "",
            *(f"- {line}" for line in notes(found)),
            "",
            f"{host['cores']} cores ({host['cpu']}), {host['memory_gib']:g} GiB, {host['system']}; {parts}; "
            f"{found['measured_at'][:10]}.",
        ]
    )


def _table(header: Sequence[str], rows: Iterator[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (tuple(header), ("---",) * len(header), *rows)]
