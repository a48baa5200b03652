"""Makes the README's picture: runs the real demo, and exports its screen as SVG once a case's contacts are found.

python -m infra.demo.picture docs/demo.svg
"""

from __future__ import annotations

import copy
import io
import sys
from pathlib import Path

from rich.console import Console

from infra.demo.command import run_demo
from infra.demo.display import draw
from infra.demo.runner import DemoOptions
from infra.demo.state import DemoState
from schemas.errors import FatalError


class _Photographer:
    """Keeps the state of the last moment at which the city was busy and a case was answered."""

    def __init__(self) -> None:
        self.best: DemoState | None = None

    def __call__(self, state: DemoState) -> None:
        if state.phase == "running" and state.cases and state.cases[-1].found is not None and state.scans_per_s:
            self.best = copy.deepcopy(state)


def make_picture(path: Path) -> None:
    """Write the picture.

    Raises:
        FatalError: the demo did not end well, so there is nothing to show.
    """
    photographer = _Photographer()
    options = DemoOptions(seconds=45, seed=7, residents=100_000, speed=60, bad_share=0.0005)
    if run_demo(options, as_json=False, watcher=photographer) != 0 or photographer.best is None:
        raise FatalError("the demo did not end well; no picture was made")
    console = Console(record=True, width=118, file=io.StringIO(), force_terminal=True)
    console.print(draw(photographer.best))
    path.write_text(console.export_svg(title="make demo", unique_id="venuecode"), encoding="utf-8")


if __name__ == "__main__":
    make_picture(Path(sys.argv[1]))
