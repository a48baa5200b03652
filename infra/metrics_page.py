"""`docs/metrics.md`, made from the closed list: `python -m infra.metrics_page` writes it again."""

from __future__ import annotations

from pathlib import Path

from schemas.metrics import PROCESS, SINK, WORKER, Metric

PAGE = Path(__file__).resolve().parents[1] / "docs" / "metrics.md"
_HEAD = "\n".join(
    (
        "# Metrics",
        "Every metric that `venuecode worker` and `venuecode sink` export on `/metrics` (Prometheus text, loopback). "
        "The list is closed: `schemas/metrics.py` is the one source, this page is made from it "
        "(`python -m infra.metrics_page`), and tests hold both processes and this page against it. No label ever has a "
        "person's token, a venue or an area as its value. Everything is counted by the batch.",
        "",
        "`venuecode top` shows them live.",
    )
)


def page() -> str:
    """The page's text."""
    sections = (
        ("venuecode worker", WORKER),
        ("venuecode sink", SINK),
        ("Both: the process itself (Linux)", PROCESS),
    )
    return "\n\n".join([_HEAD, *(_section(title, metrics) for title, metrics in sections)]) + "\n"


def _section(title: str, metrics: tuple[Metric, ...]) -> str:
    lines = [f"## {title}", "| metric | kind | unit | meaning | labels |", "|---|---|---|---|---|"]
    for metric in metrics:
        labels = "; ".join(f"`{name}`: {_values(values)}" for name, values in metric.labels.items())
        lines.append(f"| `{metric.exported_name}` | {metric.kind} | {metric.unit} | {metric.meaning} | {labels} |")
    return "\n".join(lines)


def _values(values: tuple[str, ...] | str) -> str:
    return values if isinstance(values, str) else ", ".join(values)


if __name__ == "__main__":
    PAGE.write_text(page())
