"""`venuecode dlq list|show|replay`: the records nobody could process, why, and putting them back after a fix."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.markup import escape
from rich.table import Table

from infra.cli.common import JsonFlag, err, fail, friendly_errors, load_settings, out, print_json
from schemas.dead_letter import REASONS, Reason

if TYPE_CHECKING:
    from infra.settings import Settings
    from sinks.dead_letters.letters import Choice, StoredLetter
    from sinks.dead_letters.plan import Plan

Reasons = Annotated[
    list[str] | None, typer.Option("--reason", help="Only these reasons; may be given again. `--summary` counts them.")
]
FromTopics = Annotated[
    list[str] | None, typer.Option("--topic", help="Only records that lay on this topic; may be given again.")
]
Partition = Annotated[int | None, typer.Option(min=0, help="Only records that lay in this partition.")]
Since = Annotated[
    datetime | None,
    typer.Option(help="Set aside at this time or later (UTC): 2026-03-02T08:00:00.", show_default=False),
]
Until = Annotated[datetime | None, typer.Option(help="Set aside before this time (UTC).", show_default=False)]
Letter = Annotated[
    list[str] | None,
    typer.Option("--letter", help="Only this dead letter, `partition:offset` as `list` shows it; may be given again."),
]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many, the oldest first.")]
Reveal = Annotated[bool, typer.Option("--reveal", help="Show person tokens too. They are personal data.")]


def _place(text: str) -> tuple[int, int]:
    partition, _, offset = text.partition(":")
    if not (partition.isdigit() and offset.isdigit()):
        raise typer.BadParameter(f"{text!r} is no dead letter: give partition:offset, as `venuecode dlq list` shows it")
    return int(partition), int(offset)


def _choice(
    reasons: list[str] | None,
    topics: list[str] | None,
    partition: int | None,
    since: datetime | None,
    until: datetime | None,
    letters: list[str] | None = None,
) -> Choice:
    from sinks.dead_letters.letters import Choice

    unknown = sorted(set(reasons or ()) - set(REASONS))
    if unknown:
        raise typer.BadParameter(f"--reason: {', '.join(unknown)} is none of {', '.join(REASONS)}")
    return Choice(
        reasons=frozenset(cast("list[Reason]", reasons or [])),
        topics=frozenset(topics or ()),
        partition=partition,
        since=None if since is None else since.replace(tzinfo=since.tzinfo or UTC),
        until=None if until is None else until.replace(tzinfo=until.tzinfo or UTC),
        places=frozenset(_place(each) for each in letters or ()),
    )


@friendly_errors
def list_(
    reason: Reasons = None,
    topic: FromTopics = None,
    partition: Partition = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = None,
    summary: Annotated[bool, typer.Option("--summary", help="Count them by topic of origin and reason.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Dead letters: their place, where the record lay, why it was set aside, and whether it was put back."""
    choice = _choice(reason, topic, partition, since, until)
    settings = load_settings()
    from sinks.dead_letters.letters import Letters
    from sinks.dead_letters.marks import Marks

    topics, cluster = settings.kafka.topics(), settings.kafka.librdkafka()
    letters = Letters(cluster, topics.dead_letters, choice)
    if summary:
        counts = Counter((each.letter.source_topic, each.letter.reason) for each in islice(letters, limit))
        rows = [
            {"source_topic": origin, "reason": why, "letters": count} for (origin, why), count in counts.most_common()
        ]
        print_json(rows) if as_json else _print_table(rows)
    else:
        marks = Marks.read(cluster, topics.replays)
        rows = [_row(each, marks.by_origin.get(each.origin)) for each in islice(letters, limit)]
        print_json(rows) if as_json else _print_table(rows)
    if letters.unreadable:
        err.print(f"{letters.unreadable} records of {topics.dead_letters} are no dead letters and were passed over.")


def _row(stored: StoredLetter, mark: Any) -> dict[str, Any]:
    letter = stored.letter
    return {
        "letter": stored.place,
        "failed_at": letter.failed_at,
        "reason": letter.reason,
        "origin": str(stored.origin),
        "bytes": len(letter.value or b""),
        "put_back": None if mark is None else mark.at.isoformat(timespec="seconds"),
        "replays": 0 if mark is None else mark.replays,
    }


def _print_table(rows: list[dict[str, Any]]) -> None:
    if not rows:
        out.print("no dead letters", highlight=False)
        return
    table = Table(*(name.replace("_", " ") for name in rows[0]), header_style="bold")
    for row in rows:
        table.add_row(*("" if value is None else escape(str(value)) for value in row.values()))
    out.print(table)


@friendly_errors
def show(
    letter: Annotated[str, typer.Argument(help="Its place, `partition:offset`, as `list` shows it.")],
    reveal: Reveal = False,
    as_json: JsonFlag = False,
) -> None:
    """One dead letter: why, from where, and the bytes as text that is safe on a terminal."""
    place = _place(letter)
    settings = load_settings()
    from sinks.dead_letters.letters import Choice, Letters
    from sinks.dead_letters.safe_text import safe_text

    topic = settings.kafka.topics().dead_letters
    stored = next(iter(Letters(settings.kafka.librdkafka(), topic, Choice(places=frozenset({place})))), None)
    if stored is None:
        fail(f"there is no dead letter {letter} on {topic} (any more): see `venuecode dlq list`")
    found = _row(stored, None)
    del found["put_back"], found["replays"]
    for name, data in (("key", stored.letter.key), ("value", stored.letter.value)):
        found[name] = None if data is None else safe_text(data, reveal=reveal)
    if as_json:
        print_json(found)
        return
    for name, value in found.items():
        out.print(f"[bold]{name:10}[/] {escape(str(value))}", highlight=False, soft_wrap=True)


@friendly_errors
def replay(
    reason: Reasons = None,
    topic: FromTopics = None,
    partition: Partition = None,
    since: Since = None,
    until: Until = None,
    letter: Letter = None,
    limit: Limit = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this, only say what would be done.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also records that were put back before.")] = False,
    most_replays: Annotated[
        int, typer.Option("--most-replays", min=1, help="Leave records that failed so often after being put back.")
    ] = 3,
    as_json: JsonFlag = False,
) -> None:
    """Put records back on the topic they came from, each once, after what was wrong has been put right."""
    choice = _choice(reason, topic, partition, since, until, letter)
    settings = load_settings()
    from rich.progress import MofNCompleteColumn, Progress

    from sinks.dead_letters.letters import Letters
    from sinks.dead_letters.marks import Marks
    from sinks.dead_letters.replay import Replayer

    topics, cluster = settings.kafka.topics(), settings.kafka.librdkafka()
    letters = list(islice(Letters(cluster, topics.dead_letters, choice), limit))
    replayer = Replayer(cluster, topics.dead_letters, topics.replays, lambda: datetime.now(UTC)) if yes else None
    marks = Marks.read(cluster, topics.replays) if replayer is None else replayer.marks()
    plan = _plan(settings, letters, marks, again, most_replays)
    if replayer is not None and plan.candidates:
        with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=err) as progress:
            task = progress.add_task("putting back", total=len(plan.candidates))
            replayer.put_back(plan.candidates, lambda done: progress.update(task, completed=done))
    _report(plan, done=yes, as_json=as_json)


def _plan(settings: Settings, letters: list[StoredLetter], marks: Any, again: bool, most_replays: int) -> Plan:
    from schemas.topics import topic_plan
    from sinks.dead_letters.plan import plan_replay
    from sinks.dead_letters.replay import overtaken

    laid_out = topic_plan(settings.kafka.topics(), partitions=1, replication_factor=1, retention_days=1)
    compacted = frozenset(spec.name for spec in laid_out if spec.compacted)
    return plan_replay(
        letters,
        marks,
        compacted=compacted,
        overtaken=overtaken(settings.kafka.librdkafka(), letters, compacted),
        again=again,
        most_replays=most_replays,
    )


def _report(plan: Plan, *, done: bool, as_json: bool) -> None:
    to = Counter(each.stored.origin.topic for each in plan.candidates)
    if as_json:
        print_json({"done": done, "put_back": dict(to), "left": dict(plan.skipped)})
        return
    for topic, count in to.most_common():
        out.print(f"{count:,} {'put back' if done else 'would be put back'} on {topic}", highlight=False)
    for why, count in plan.skipped.most_common():
        out.print(f"{count:,} left where they are: {why}", highlight=False)
    if not to and not plan.skipped:
        out.print("no dead letters", highlight=False)
    elif to and not done:
        out.print("Nothing was changed; with --yes it is done.", style="dim")


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Dead letters: records that could not be processed.", no_args_is_help=True)
    group.callback()(lambda: None)
    group.command("list")(list_)
    group.command("show")(show)
    group.command("replay")(replay)
    app.add_typer(group, name="dlq")
