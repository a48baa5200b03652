"""One benchmark's document: medians, runs, ratios, machine and versions; as JSON, and as a table in the docs."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.bench.figures import FIGURES, Run, compared_by, medians, spread, text
from infra.bench.surroundings import CHECKOUT, machine, versions
from schemas.errors import ConfigurationError

Document = dict[str, Any]
DOCS = CHECKOUT / "docs"


def document(
    bench: str, variants: Mapping[str, Sequence[Run]], parameters: Mapping[str, Any], *, compare: bool = True
) -> Document:
    """What a benchmark prints and writes.

    Args:
        bench: its name, as on the command line.
        variants: the runs of each, by round; the first is the one the benchmark is about.
        parameters: sizes and rates that it was run with.
        compare: whether the variants are the same job, so that ratios mean something.

    Returns:
        The medians of the first variant at the top; `parameters`; `variants`, each with `medians`, `spread` (least and
        most) and `runs`; `ratios`, of the first variant's rate to each other's, median over the rounds; `machine`;
        `versions`; `measured_at`.
    """
    names = list(variants)
    main = variants[names[0]]
    return {
        "bench": bench,
        **medians(main),
        "parameters": dict(parameters),
        "variants": {
            name: {"medians": medians(runs), "spread": spread(runs), "runs": list(runs)}
            for name, runs in variants.items()
        },
        "ratios": {name: _ratio(main, variants[name]) for name in names[1:]} if compare else {},
        "machine": machine(),
        "versions": versions(),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def markdown(found: Document) -> str:
    """The document as a table, with what it depends on under it.

    A document may have `remarks` (a text by variant) and `not_run` (why a variant has no figures) as well.
    """
    columns = [name for name in FIGURES if any(name in each["medians"] for each in found["variants"].values())]
    ratios = found["ratios"]
    remarks = found.get("remarks", {})
    header = ["", *(FIGURES[name] for name in columns)]
    header += [*(["ratio"] if ratios else []), *(["remark"] if remarks else [])]
    lines = [_row(header), _row(["---"] * len(header))]
    for name, each in found["variants"].items():
        cells = [name, *(_cell(each, column) for column in columns)]
        cells += [_ratio_text(ratios.get(name))] if ratios else []
        lines.append(_row([*cells, *([remarks.get(name, "")] if remarks else [])]))
    failed = [f"- **not run**: {name}: {reason.splitlines()[0]}" for name, reason in found.get("not_run", {}).items()]
    return "\n".join([*lines, *(["", *failed] if failed else []), "", _footnote(found)])


def write_docs(found: Document, docs: Path = DOCS, shown: str | None = None) -> None:
    """Put the table between its markers in `benchmarks.md`, and the document into `benchmarks/<bench>.json`.

    Args:
        found: the document.
        docs: the folder of the page.
        shown: what the page shows of it; `markdown` of it unless given.

    Raises:
        ConfigurationError: the file or its markers are not there: this is no checkout.
    """
    page = docs / "benchmarks.md"
    begin, end = (f"<!-- {mark} {found['bench']} -->" for mark in ("begin", "end"))
    try:
        before, _, rest = page.read_text().partition(begin)
    except FileNotFoundError:
        raise ConfigurationError(f"{page} is not there; --write-docs works in a checkout only") from None
    _, found_end, after = rest.partition(end)
    if not found_end:
        raise ConfigurationError(f"{page} has no lines {begin} and {end} to write between")
    page.write_text(f"{before}{begin}\n{shown or markdown(found)}\n{end}{after}")
    target = docs / "benchmarks" / f"{found['bench']}.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


def _ratio(main: Sequence[Run], other: Sequence[Run]) -> float | None:
    rate = compared_by(main)
    if rate is None or rate != compared_by(other):
        return None
    of_rounds = [float(ours[rate]) / theirs[rate] for ours, theirs in zip(main, other, strict=True)]
    return float(round(statistics.median(of_rounds), 2))


def _cell(variant: Mapping[str, Any], column: str) -> str:
    if column not in variant["medians"]:
        return ""
    least, most = variant["spread"][column]
    middle = text(variant["medians"][column])
    return middle if least == most or isinstance(least, Mapping) else f"{middle} ({text(least)} to {text(most)})"


def _ratio_text(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:g}"


def _footnote(found: Document) -> str:
    runs = len(next(iter(found["variants"].values()))["runs"])
    host, parts = found["machine"], ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    chosen = ", ".join(f"{name} {_parameter(value)}" for name, value in found["parameters"].items())
    return (
        f"Median of {runs} alternating run{'s' if runs > 1 else ''} (least to most); {chosen}. {host['cores']} cores "
        f"({host['cpu']}), {host['memory_gib']:g} GiB, {host['system']}; {parts}; {found['measured_at'][:10]}."
    )


def _parameter(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
