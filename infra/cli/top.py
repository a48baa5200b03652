"""`venuecode top`: workers and sinks, live."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.cli.common import JsonFlag, err, fail, friendly_errors, load_settings, out, print_json

if TYPE_CHECKING:
    from infra.settings import Settings
    from infra.top.watch import Watch

Ports = Annotated[
    list[int] | None,
    typer.Option("--port", min=1, max=65535, help="Ask this metrics port too; again for more of them."),
]
Interval = Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")]
Once = Annotated[bool, typer.Option("--once", help="Look for one interval, print it, and end.")]

_NOBODY = (
    "no worker and no sink answers: start `venuecode demo`, or `venuecode worker` and `venuecode sink`, or name a port "
    "with --port (looked for: ready files in {data_dir}, and the ports of the settings)"
)
_ANSWER_S = 3.0


@friendly_errors
def top(ports: Ports = None, interval: Interval = 1.0, once: Once = False, as_json: JsonFlag = False) -> None:
    """Rates, lag, latencies, parts and memory of every worker and sink on this machine, live until Ctrl-C.

    With --once or --json it looks for one interval and ends; quantiles then count from each process's start, else over
    the last minute.
    """
    settings = load_settings(level="error")
    from infra.top.endpoints import endpoints
    from infra.top.watch import Watch

    watch = Watch(lambda: endpoints(settings, ports or ()))
    found = watch.look()
    if not found["workers"] and not found["sinks"]:
        fail(_NOBODY.format(data_dir=settings.data_dir))
    if once or as_json:
        _once(watch, settings, interval, as_json=as_json)
    else:
        with suppress(KeyboardInterrupt):
            _live(watch, interval)


def _once(watch: Watch, settings: Settings, interval: float, *, as_json: bool) -> None:
    from infra.top.screen import screen

    time.sleep(interval)
    found: dict[str, Any] = {**watch.look(since_start=True), "brokers": _broker_lag(settings)}
    if as_json:
        print_json(found)
    else:
        out.print(screen(found, datetime.now().astimezone()))


def _live(watch: Watch, interval: float) -> None:
    from rich.live import Live

    from infra.top.screen import screen

    with Live(console=out, auto_refresh=False, screen=out.is_terminal, vertical_overflow="crop") as live:
        while True:
            found = watch.look()
            live.update(screen(found, datetime.now().astimezone()), refresh=True)
            time.sleep(interval)


def _broker_lag(settings: Settings) -> dict[str, int] | None:
    """What the brokers of the settings say; null when they do not answer soon."""
    from infra.lag import GroupLag
    from schemas.errors import RetryableError

    topics, cluster = settings.kafka.topics(), settings.kafka.librdkafka()
    found = {}
    try:
        for name, group, topic in (
            ("scans_uncommitted", settings.worker.group, topics.scans),
            ("visits_uncommitted", settings.sink.group, topics.visits),
        ):
            with GroupLag(cluster, group) as lag:
                found[name] = lag.records([topic], timeout=_ANSWER_S)[topic]
    except RetryableError as error:
        err.print(f"[dim]{error}[/]", highlight=False)
        return None
    return found


def register(app: typer.Typer) -> None:
    app.command("top")(top)
