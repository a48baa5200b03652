"""The benchmark's document as tables of text, for the terminal and for the docs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from infra.bench.report import Document

ANSWER_COLUMNS: Final = ("question", "asked", "database", "p50 ms", "p95 ms", "rows", "calls")
ENGINE_COLUMNS: Final = ("database", "visits", "bytes a visit", "load s")


def answer_rows(found: Document) -> Iterator[tuple[str, ...]]:
    """Rows of `ANSWER_COLUMNS`, questions together."""
    order = {entry["question"]: number for number, entry in reversed(list(enumerate(found["answers"])))}
    for each in sorted(found["answers"], key=lambda entry: order[entry["question"]]):
        times = (f"{each[name]:,.1f}" for name in ("p50_ms", "p95_ms"))
        yield each["question"], each["how"], each["engine"], *times, f"{each['rows']:,}", str(each["asked"])


def engine_rows(found: Document) -> Iterator[tuple[str, ...]]:
    """Rows of `ENGINE_COLUMNS`."""
    for each in found["engines"]:
        yield each["engine"], f"{each['visits']:,}", f"{each['bytes_per_visit']:,.1f}", f"{each['load_s']:,.1f}"


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
            *_table(ANSWER_COLUMNS, answer_rows(found)),
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
