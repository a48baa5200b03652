"""`venuecode topics plan|apply`: the topics of the platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Column, Table

from infra.cli.common import JsonFlag, friendly_errors, load_settings, out, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.topic_drift import Action
    from schemas.topics import TopicSpec

TimeoutOption = Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds to wait for the brokers.")]


def _show(specs: Sequence[TopicSpec], actions: Sequence[Action] | None, done: bool) -> None:
    table = Table(
        Column("topic", no_wrap=True), "partitions", "replication", "kept", "state", box=None, header_style="bold"
    )
    for spec in specs:
        mine = [action for action in actions or () if action.topic == spec.name]
        kept = "latest of each key" if spec.compacted else _duration(spec.config.get("retention.ms"))
        state = "; ".join(f"{_word(action.kind, done)}: {action.detail}" for action in mine)
        unknown = "not looked at" if actions is None else "as planned"
        table.add_row(spec.name, str(spec.partitions), str(spec.replication_factor), kept, escape(state) or unknown)
    out.print(table)


def _word(kind: str, done: bool) -> str:
    done_words = {"create": "created", "configure": "configured"}
    return done_words.get(kind, kind) if done else f"to {kind}" if kind != "drift" else kind


def _duration(milliseconds: str | None) -> str:
    if milliseconds is None:
        return "the cluster's default"
    return "without end" if milliseconds == "-1" else f"{int(milliseconds) / 86_400_000:g} days"


def _as_json(specs: Sequence[TopicSpec], actions: Sequence[Action] | None) -> dict[str, object]:
    topics = [
        {
            "name": spec.name,
            "partitions": spec.partitions,
            "replication_factor": spec.replication_factor,
            "config": dict(spec.config),
        }
        for spec in specs
    ]
    differing = [{"topic": action.topic, "kind": action.kind, "detail": action.detail} for action in actions or ()]
    return {"topics": topics, "actions": None if actions is None else differing}


@friendly_errors
def plan_command(
    offline: Annotated[bool, typer.Option("--offline", help="Print the plan without asking the brokers.")] = False,
    timeout: TimeoutOption = 10,
    as_json: JsonFlag = False,
) -> None:
    """Print the topics as planned, and what `apply` would do."""
    from infra.topics import pending, plan

    settings = load_settings()
    specs = plan(settings)
    actions = None if offline else pending(settings.kafka.librdkafka(), specs, timeout)
    if as_json:
        print_json(_as_json(specs, actions))
    else:
        _show(specs, actions, done=False)


@friendly_errors
def apply_command(
    timeout: TimeoutOption = 30,
    shorten_retention: Annotated[
        bool, typer.Option("--shorten-retention", help="Also shorten retention, which deletes older records.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Create missing topics and configure the others; exit code 1 when one differs in a way only you can mend."""
    from infra.topics import apply_topics, plan

    settings = load_settings()
    specs = plan(settings)
    actions = apply_topics(settings.kafka.librdkafka(), specs, timeout, shorten_retention=shorten_retention)
    if as_json:
        print_json(_as_json(specs, actions))
    else:
        _show(specs, actions, done=True)
    if any(action.kind == "drift" for action in actions):
        raise SystemExit(1)


def register(app: typer.Typer) -> None:
    topics = typer.Typer(help="The topics of the platform.", no_args_is_help=True)
    topics.command("plan")(plan_command)
    topics.command("apply")(apply_command)
    app.add_typer(topics, name="topics")
