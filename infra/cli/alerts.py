"""`venuecode alerts tail`: what a responder on duty sees."""

from __future__ import annotations

import os
import sys
from itertools import islice
from typing import Annotated, get_args

import typer
from rich.text import Text

from infra.cli.clickhouse import local_time
from infra.cli.common import JsonFlag, err, friendly_errors, load_settings, out
from infra.settings import Settings
from schemas.alert import Alert, AlertLevel
from schemas.fast import encode

_STYLES = {"red": ("RED 红", "bold red"), "yellow": ("YELLOW 黄", "bold yellow"), "review": ("CHECK 查验", "bold cyan")}

Levels = Annotated[
    str, typer.Option("--level", help="Which alerts, separated by commas: red, yellow, review. Default: all.")
]
Area = Annotated[
    str | None, typer.Option("--area", help="Only codes that begin so: 1401 is Taiyuan, 140105 one district.")
]
FromBeginning = Annotated[bool, typer.Option("--from-beginning", help="Start with the oldest alert that is kept.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="End after this many alerts.")]


def _levels(text: str) -> list[AlertLevel]:
    chosen = [level for level in get_args(AlertLevel) if level in text.split(",")]
    unknown = set(text.split(",")) - set(chosen)
    if unknown:
        raise typer.BadParameter(f"--level: {', '.join(sorted(unknown))} is none of red, yellow, review")
    return chosen


@friendly_errors
def tail(
    level: Levels = "red,yellow,review",
    area: Area = None,
    from_beginning: FromBeginning = False,
    limit: Limit = None,
    as_json: JsonFlag = False,
) -> None:
    """Follow the alerts as they are raised, until Ctrl-C."""
    chosen = _levels(level)
    settings = load_settings()
    from sinks.alerts.tail import AlertTail, in_area

    topics = settings.kafka.topics()
    followed = AlertTail(
        settings.kafka.librdkafka(), [topics.alerts(name) for name in chosen], from_beginning=from_beginning
    )
    try:
        matching = (alert for alert in followed.alerts() if in_area(alert, area))
        for alert in islice(matching, limit):
            _show(alert, settings, as_json)
    except KeyboardInterrupt:
        pass  # The way this verb ends.
    except BrokenPipeError:
        # Whoever read our output has left; nothing may be flushed to it at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    finally:
        followed.close()
    if followed.unreadable:
        err.print(f"{followed.unreadable} records were no alerts and were passed over.")


def _show(alert: Alert, settings: Settings, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(encode(alert).decode() + "\n")
        sys.stdout.flush()
        return
    word, style = _STYLES[alert.level]
    when = local_time(alert.scanned_at, settings)
    head = Text.assemble((f"● {word}", style), f"  {when}  ", (alert.venue_name, "bold"))
    head.append(f"  {alert.point_id}  {alert.area_code}", "dim")
    out.print(head, soft_wrap=True)
    out.print(Text(f"    {alert.action.zh}"), soft_wrap=True)
    out.print(Text(f"    {alert.action.en}"), soft_wrap=True)


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Alerts for responders.", no_args_is_help=True)
    group.callback()(lambda: None)
    group.command("tail")(tail)
    app.add_typer(group, name="alerts")
