"""`venuecode bench all`: the product's own benchmarks, one after the other."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import typer

from infra.cli.bench.options import AsJson, Runs, WriteDocs, measured, show
from infra.cli.common import print_json
from schemas.errors import FatalError

_ORDER = ("stream", "sink", "statuses", "chain", "surge", "storm")
"""The peers are another matter: they need installations of their own."""


@measured
def everything(runs: Runs = 3, as_json: AsJson = False, write_docs: WriteDocs = False) -> None:
    """The product's own parts with their usual sizes, one after the other; with --json one object, keyed by part."""
    from infra.bench.rounds import tell
    from infra.cli.bench import modules

    found: dict[str, Any] = {}
    for part in _ORDER:
        if part in modules():
            tell(f"bench {part}")
            found[part] = _run(part, ["--runs", str(runs), *(["--write-docs"] if write_docs else [])])
            if not as_json:
                show(found[part])
    if as_json:
        print_json(found)


def _run(part: str, options: list[str]) -> dict[str, Any]:
    """In a process of its own: what one benchmark leaves in memory is none of the next one's business."""
    argv = [sys.executable, "-m", "infra.cli.main", "bench", part, "--json", *options]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as child:
        try:
            printed, _ = child.communicate()
        except BaseException:
            child.terminate()
            raise
    if child.returncode != 0:
        raise FatalError(f"bench {part} ended with exit code {child.returncode}; its message is above")
    document: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return document


def register(bench: typer.Typer) -> None:
    bench.command("all")(everything)
