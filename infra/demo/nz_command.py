"""`venuecode demo --city nz`: real venues and exposure windows through the whole pipeline, held against the truth."""

from __future__ import annotations

import time

from rich.console import Console

from infra.cli.common import err, load_settings, out, print_json
from infra.demo import nz
from infra.demo.place import command_prefix, demo_stack
from infra.demo.stack import Stack
from infra.embedded.kafka import ensure_jars
from infra.settings import RetentionSettings
from infra.targets import clickhouse_target
from producers.nz.city import NzCity
from schemas.errors import FatalError
from sinks.clickhouse.queries import visits_stored

_READY_S = 60.0
_STORED_S = 120.0


def run_nz_demo(*, seed: int, as_json: bool, keep_running: bool) -> int:
    """Send the city, wait until it is stored, ask every window who was there.

    Args:
        seed: of the people; venues, windows and broken rows are the published ones.
        as_json: the result as one JSON object on the last line of standard output; all else goes to standard error.
        keep_running: afterwards keep the servers for questions until Ctrl-C.

    Returns:
        The exit code: 0, or 1 when a scan is not stored, or any window's answer differs from the truth.
    """
    began = time.monotonic()
    console = err if as_json else out
    base = load_settings(level="warning")
    base = base.model_copy(update={"retention": RetentionSettings(days=base.retention.days, analysis=True)})
    console.print(nz.HONEST)
    try:
        ensure_jars()
        with console.status("starting Kafka and ClickHouse") as step, demo_stack(base) as stack:
            city = NzCity.build(seed)
            stack.prepare()
            step.update("sending the city")
            stack.start_service("sink")
            sent = nz.publish_city(city, stack.settings.kafka.librdkafka(), stack.topics)
            console.print(
                f"Sent {sent.venues:,} real venues, {sent.windows:,} real exposure windows, "
                f"{sent.scans:,} scans of made-up people."
            )
            step.update("deciding and storing every scan")
            stack.start_service("worker")
            client = clickhouse_target(stack.settings).client()
            stack.wait(lambda: stack.is_up("worker"), "the worker", _READY_S)
            stack.wait(lambda: visits_stored(client) >= sent.scans and stack.lag() == (0, 0), "all visits", _STORED_S)
            stored = visits_stored(client)
            step.update("asking every window who was there")
            asked = time.perf_counter()
            found = nz.ask_windows(client)
            answer_ms = (time.perf_counter() - asked) * 1000
            report = nz.compare(city.window_records, city.truth(), found)
            rejects = city.rejects()
            console.print(nz.report_table(report))
            console.print(f"All windows answered in {answer_ms:,.0f} ms.")
            console.print(f"{rejects.total():,} broken rows of the publication rejected, each with its reason:")
            for reason, count in rejects.most_common():
                console.print(f"  {count:5,}  {reason}", highlight=False)
            good = stored == sent.scans and report.missing == report.extra == 0
            if as_json:
                summary = {"scans_sent": sent.scans, "visits_stored": stored, "venues": sent.venues}
                timing = {"answer_ms": round(answer_ms, 1), "seconds": round(time.monotonic() - began, 1)}
                print_json({**summary, **report.summary(), "rows_rejected": rejects.total(), **timing})
            if keep_running:
                step.stop()
                _stay(stack, console)
    except KeyboardInterrupt:
        err.print("\nStopped; nothing is left running.")
        return 130
    return 0 if good else 1


def _stay(stack: Stack, console: Console) -> None:
    prefix = command_prefix(stack.settings)
    console.print("\n[bold]Try next, in another terminal; Ctrl-C here ends it:[/]")
    for command in ("windows", "windows --json", "doctor"):
        console.print(f"  {prefix} {command}", highlight=False, soft_wrap=True)
    try:
        stack.wait(lambda: False, "Ctrl-C", float("inf"))
    except (KeyboardInterrupt, FatalError):
        err.print("\nStopped; nothing is left running.")
