"""Shows a running demo: live on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time

from rich.console import Console
from rich.live import Live

from infra.demo.display import draw
from infra.demo.place import command_prefix
from infra.demo.state import DemoState
from infra.settings import Settings

_LINE_EVERY_S = 5.0


class Screen:
    """A context manager; `update` shows the state.

    Args:
        console: where to; live when it is a terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, refresh_per_second=4) if console.is_terminal else None
        self._line_at = 0.0
        self._step = ""
        self._told = False

    def __enter__(self) -> Screen:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def update(self, state: DemoState) -> None:
        """Show the state."""
        if self._live is not None:
            self._live.update(draw(state))
        elif state.step != self._step or time.monotonic() - self._line_at >= _LINE_EVERY_S:
            self._line_at, self._step = time.monotonic(), state.step
            counts = state.alert_counts
            self._console.print(
                f"{state.elapsed_s:5.0f} s  {state.step}: {state.scans_sent:,} sent, {state.visits_stored:,} stored, "
                f"alerts red {counts['red']:,} yellow {counts['yellow']:,} review {counts['review']:,}",
                highlight=False,
                soft_wrap=True,
            )

    def tell_what_to_try(self, state: DemoState, settings: Settings) -> None:
        """Once, as soon as a case's contacts are found: three commands that work while the demo runs."""
        if self._told or not state.cases or state.cases[-1].found is None:
            return
        self._told = True
        self._console.print("\n[bold]Try next, in another terminal, while this runs:[/]")
        for meaning, command in what_to_try(state, settings):
            self._console.print(f"  [dim]# {meaning}[/]", highlight=False)
            self._console.print(f"  {command}", highlight=False, soft_wrap=True)
        self._console.print()


def what_to_try(state: DemoState, settings: Settings) -> list[tuple[str, str]]:
    """What each command shows, and the command as it works against the running demo."""
    prefix = command_prefix(settings)
    case = state.cases[-1]
    met = case.expected[0].contact if case.expected else case.index
    return [
        ("who met the case, from ClickHouse", f"{prefix} contacts {case.index}"),
        ("where one of the contacts was", f"{prefix} trajectory {met}"),
        ("what a responder sees", f"{prefix} alerts tail --level red,yellow --from-beginning --limit 10"),
    ]
