"""What came out of a round: a row in a table, and JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(slots=True)
class Count:
    """One kind of output compared with the ledger.

    Attributes:
        expected: what the ledger says there must be.
        missing: expected, and not there.
        extra: there, and not expected; or there with another content than expected.
        repeated: there once more; allowed on topics, never in what the views show.
    """

    expected: int = 0
    missing: int = 0
    extra: int = 0
    repeated: int = 0

    def is_right(self, *, may_repeat: bool) -> bool:
        """Whether the promise was kept."""
        return not self.missing and not self.extra and (may_repeat or not self.repeated)


@dataclass(slots=True)
class Round:
    """One round: which faults, over how much, and what was found at the end.

    Attributes:
        name: of the round.
        events: records sent and acknowledged, bad ones included.
        faults: how many of each were done.
        found: by kind of output: `topic ...` in Kafka, `table ...` through ClickHouse's views.
        standstill_s: seconds without progress around each fault, where it was measured.
        notes: what else is worth telling.
    """

    name: str
    seed: int
    events: int = 0
    seconds: float = 0.0
    faults: dict[str, int] = field(default_factory=dict)
    found: dict[str, Count] = field(default_factory=dict)
    standstill_s: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def count(self, fault: str) -> None:
        """One more of a fault."""
        self.faults[fault] = self.faults.get(fault, 0) + 1

    @property
    def wrong(self) -> list[str]:
        """What is not as it must be, in words; empty when all promises were kept."""
        return [
            f"{what}: {count}"
            for what, count in self.found.items()
            if not count.is_right(may_repeat=what.startswith("topic"))
        ]

    @property
    def is_kept(self) -> bool:
        """Whether something was compared, and all of it was right."""
        return bool(self.found) and not self.wrong

    def standstill(self, share: float) -> float:
        """Seconds without progress that `share` of the faults did not exceed."""
        ordered = sorted(self.standstill_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def as_json(self) -> dict[str, object]:
        """For machines."""
        document = {**asdict(self), "kept": self.is_kept}
        if self.standstill_s:
            document["standstill_p50_s"] = round(self.standstill(0.5), 2)
            document["standstill_p99_s"] = round(self.standstill(0.99), 2)
        return document


def table_of(rounds: Sequence[Round]) -> Table:
    """All rounds, a row each."""
    table = Table(title="faults", show_lines=True)
    for heading in ("round", "events", "s", "faults", "missing", "extra", "twice in the views", "repeated on topics"):
        table.add_column(heading, justify="left" if heading in ("round", "faults") else "right")
    table.add_column("kept")
    for one in rounds:
        shown = [count for what, count in one.found.items() if what.startswith("table")]
        on_topics = [count for what, count in one.found.items() if what.startswith("topic")]
        everything = shown + on_topics
        faults = [f"{number} {fault}" for fault, number in one.faults.items()]
        if one.standstill_s:
            each = ", ".join(f"{seconds:.1f}" for seconds in one.standstill_s)
            shares = f"p50 {one.standstill(0.5):.1f}, p99 {one.standstill(0.99):.1f}"
            faults.append(f"seconds without progress: {each if len(one.standstill_s) < 10 else shares}")
        table.add_row(
            one.name,
            f"{one.events:,}",
            f"{one.seconds:.0f}",
            "\n".join([*faults, *one.notes]),
            str(sum(count.missing for count in everything)),
            str(sum(count.extra for count in everything)),
            str(sum(count.repeated for count in shown)),
            f"{sum(count.repeated for count in on_topics):,}",
            "[green]yes[/]" if one.is_kept else "[bold red]NO[/] " + "; ".join(one.wrong),
        )
    return table


def show(rounds: Sequence[Round], path: Path | None) -> None:
    """The table on standard error, and the JSON into a file."""
    Console(stderr=True, width=None if sys.stderr.isatty() else 150).print(table_of(rounds))
    if path is not None:
        write(rounds, path)


def write(rounds: Sequence[Round], path: Path) -> None:
    """The JSON into a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([one.as_json() for one in rounds], indent=1) + "\n")
