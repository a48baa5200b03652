"""`venuecode bench all`: the product's own benchmarks, one after the other."""

from __future__ import annotations

from typing import Any

import typer

from infra.cli.bench.options import AsJson, Runs, WriteDocs, measured, show
from infra.cli.common import print_json

_ORDER = ("stream", "sink", "statuses", "chain", "surge", "storm")
"""The peers are another matter: they need installations of their own."""


@measured
def everything(runs: Runs = 3, as_json: AsJson = False, write_docs: WriteDocs = False) -> None:
    """The product's own parts with their usual sizes, one after the other; with --json one object, keyed by part."""
    from infra.bench.apart import run_apart
    from infra.bench.rounds import tell
    from infra.cli.bench import modules

    found: dict[str, Any] = {}
    for part in _ORDER:
        if part in modules():
            tell(f"bench {part}")
            options = ["--json", "--runs", str(runs), *(["--write-docs"] if write_docs else [])]
            found[part] = run_apart("infra.cli.main", ["bench", part, *options], f"bench {part}")
            if not as_json:
                show(found[part])
    if as_json:
        print_json(found)


def register(bench: typer.Typer) -> None:
    bench.command("all")(everything)
