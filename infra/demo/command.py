"""The demo as a command: a directory and a platform of its own, a screen or lines, an exit code."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.live import Live

from infra.cli.common import err, load_settings, out, print_json
from infra.demo.display import draw
from infra.demo.runner import DemoOptions, DemoRun
from infra.demo.state import DemoState
from infra.platform import Platform
from infra.settings import Settings


def free_port(preferred: int) -> int:
    """The preferred loopback port when nobody has it, else 0: any."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", preferred))
        except OSError:
            return 0
    return preferred


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def demo_directory(data_dir: Path) -> Iterator[Path]:
    """A directory of this demo's own, gone at the end; what a killed demo left behind goes too."""
    parent = data_dir / "demo"
    parent.mkdir(parents=True, exist_ok=True)
    for old in parent.iterdir():
        if old.name.isdigit() and not _alive(int(old.name)):
            shutil.rmtree(old, ignore_errors=True)
    own = parent / str(os.getpid())
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir()
    try:
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)


def with_addresses(settings: Settings, bootstrap_servers: str, clickhouse_port: int) -> Settings:
    """The settings, pointing at the demo's own servers."""
    kafka = settings.kafka.model_copy(
        update={"bootstrap_servers": bootstrap_servers, "security_protocol": "PLAINTEXT", "sasl_mechanism": None}
    )
    clickhouse = settings.clickhouse.model_copy(update={"host": "127.0.0.1", "port": clickhouse_port})
    return settings.model_copy(update={"kafka": kafka, "clickhouse": clickhouse})


def command_prefix(settings: Settings) -> str:
    """How to call `venuecode` from this shell against the demo: variables where needed, and a name that is found."""
    defaults = Settings()
    variables = []
    if settings.kafka.bootstrap_servers != defaults.kafka.bootstrap_servers:
        variables.append(f"VENUECODE_KAFKA__BOOTSTRAP_SERVERS={settings.kafka.bootstrap_servers}")
    if settings.clickhouse.port != defaults.clickhouse.port:
        variables.append(f"VENUECODE_CLICKHOUSE__PORT={settings.clickhouse.port}")
    program = Path(sys.argv[0]).resolve()
    on_path = shutil.which("venuecode")
    if on_path is not None and Path(on_path).resolve() == program:
        name = "venuecode"
    else:
        name = os.path.relpath(program) if program.is_relative_to(Path.cwd()) else str(program)
    return " ".join([*variables, name])


def what_to_try(state: DemoState, settings: Settings) -> list[tuple[str, str]]:
    """Three commands for another terminal, as they work against the running demo, each with what it shows."""
    prefix = command_prefix(settings)
    case = state.cases[-1]
    met = case.expected[0].contact if case.expected else case.index
    return [
        ("who met the case, from ClickHouse", f"{prefix} contacts {case.index}"),
        ("where one of the contacts was", f"{prefix} trajectory {met}"),
        ("what a responder sees", f"{prefix} alerts tail --level red,yellow --limit 10"),
    ]


class _Screen:
    """Draws the state: live on a terminal, a line every five seconds elsewhere."""

    def __init__(self, settings: Settings, as_json: bool) -> None:
        self._console = err if as_json else out
        self.settings = settings
        self._live = Live(console=out, refresh_per_second=4) if out.is_terminal and not as_json else None
        self._line_at = 0.0
        self._step = ""
        self._told: str | None = None

    def __enter__(self) -> _Screen:
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
        elif state.step != self._step or time.monotonic() - self._line_at >= 5:
            self._line_at, self._step = time.monotonic(), state.step
            counts = state.alert_counts
            self._console.print(
                f"{state.elapsed_s:5.0f} s  {state.step}: {state.scans_sent:,} sent, {state.visits_stored:,} stored, "
                f"alerts red {counts['red']} yellow {counts['yellow']} review {counts['review']}",
                highlight=False,
            )
        self._tell(state)

    def _tell(self, state: DemoState) -> None:
        if not state.cases or state.cases[-1].found is None or self._told is not None:
            return
        self._told = state.cases[-1].index
        self._console.print("\n[bold]Try next, in another terminal, while this runs:[/]")
        for meaning, command in what_to_try(state, self.settings):
            self._console.print(f"  [dim]# {meaning}[/]", highlight=False)
            self._console.print(f"  {command}", highlight=False, soft_wrap=True)
        self._console.print()


def _interrupt(_signal: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def run_demo(options: DemoOptions, *, as_json: bool, watcher: Callable[[DemoState], None] = lambda state: None) -> int:
    """Run the demo to its end or until Ctrl-C.

    Args:
        options: what may be chosen.
        as_json: no screen; the result as one JSON object on the last line of standard output.
        watcher: also called with the state, about four times a second.

    Returns:
        The exit code: 0, or 1 when what was sent, stored, planted and found do not agree. An endless demo that is
        interrupted ends with 0.

    Raises:
        FatalError: a part did not come up, or ended by itself.
    """
    began = time.monotonic()
    base = load_settings(level="warning")
    signal.signal(signal.SIGTERM, _interrupt)
    with demo_directory(base.data_dir) as directory, _Screen(base, as_json) as screen:
        screen.update(DemoState(seed=options.seed, step="starting Kafka and ClickHouse"))
        try:
            with Platform(
                directory, kafka_port=free_port(9092), clickhouse_port=free_port(base.clickhouse.port)
            ) as platform:
                settings = with_addresses(base, platform.kafka.bootstrap_servers, platform.clickhouse_port)
                screen.settings = settings

                def show(state: DemoState) -> None:
                    screen.update(state)
                    watcher(state)

                run = DemoRun(settings, options, directory, show)
                try:
                    run.start(began)
                    run.run()
                finally:
                    run.stop()
        except KeyboardInterrupt:
            err.print("\nStopped; nothing is left running.")
            return 0 if options.seconds is None else 130
    problems = run.state.problems()
    for problem in problems:
        err.print(f"[bold red]Not as it must be:[/] {problem}", highlight=False)
    if as_json:
        print_json(run.state.summary())
    elif not problems:
        out.print("Every scan sent is stored once; every planted contact was found, and nobody else.")
    return 1 if problems else 0
