"""The demo as a command: a screen or lines, and an exit code."""

from __future__ import annotations

import time
from collections.abc import Callable

from infra.cli.common import err, load_settings, out, print_json
from infra.demo.place import demo_stack
from infra.demo.runner import DemoOptions, DemoRun
from infra.demo.screen import Screen
from infra.demo.state import DemoState
from infra.embedded.kafka import ensure_jars


def run_demo(options: DemoOptions, *, as_json: bool, watcher: Callable[[DemoState], None] = lambda state: None) -> int:
    """Run the demo to its end or until Ctrl-C.

    Args:
        options: what may be chosen.
        as_json: the result as one JSON object on the last line of standard output; all else goes to standard error.
        watcher: also called with the state, about four times a second.

    Returns:
        The exit code: 0, or 1 when what was sent, stored, planted and found do not agree; a demo that is interrupted
        before its time ends with 130, an endless one with 0.

    Raises:
        FatalError: a part did not come up, or ended by itself.
    """
    began = time.monotonic()
    base = load_settings(level="warning")
    try:
        ensure_jars()  # a download has a progress bar of its own, which two live displays would spoil
        with Screen(err if as_json else out) as screen:
            screen.update(DemoState(seed=options.seed, step="starting Kafka and ClickHouse"))
            with demo_stack(base) as stack:

                def show(state: DemoState) -> None:
                    screen.update(state)
                    screen.tell_what_to_try(state, stack.settings)
                    watcher(state)

                run = DemoRun(stack, options, began, show)
                try:
                    run.start()
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
