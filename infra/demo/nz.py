"""New Zealand's windows, asked of ClickHouse and held against the truth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from rich.table import Table

from producers.nz.city import NzCity
from producers.nz.published import TIME_ZONE
from producers.publisher import Publisher
from schemas.kafka import ClientConfig
from schemas.topics import Topics

HONEST = (
    "The venues, the windows and the broken rows are real (New Zealand Ministry of Health, nz-covid-data, © Crown,"
    " CC BY-SA 4.0, modified); the people and their scans are made up. The times are those of 2021 and 2022: 167 days,"
    " more than a platform keeps, so this one is for analysis, with the retention lifted."
)
"""What whoever sees the demo must be told."""

_LOCAL: Final = ZoneInfo(TIME_ZONE)


@dataclass(frozen=True, slots=True)
class Sent:
    """Records published, acknowledged by Kafka."""

    venues: int
    statuses: int
    windows: int
    scans: int


@dataclass(frozen=True, slots=True)
class WindowAnswer:
    """One window: how many people were there, and how ClickHouse's answer differs."""

    window_id: str
    venue_id: str
    title: str
    starts_at: datetime
    ends_at: datetime
    expected: int
    found: int
    missing: int
    extra: int


@dataclass(frozen=True, slots=True)
class WindowReport:
    """All windows: people expected and found, summed over windows, and each window's figures."""

    windows: int
    expected: int
    found: int
    missing: int
    extra: int
    answers: tuple[WindowAnswer, ...]

    def summary(self) -> dict[str, int]:
        """The sums, for JSON: `windows`, `windows_expected`, `windows_found`, `windows_missing`, `windows_extra`."""
        names = ("expected", "found", "missing", "extra")
        return {"windows": self.windows, **{f"windows_{name}": getattr(self, name) for name in names}}


def publish_city(
    city: NzCity, cluster: ClientConfig, topics: Topics, on_scans: Callable[[int], None] = lambda _: None
) -> Sent:
    """Put a city on the topics: what scans are judged by first, then the scans, in order of time.

    Args:
        city: to publish.
        cluster: the brokers.
        topics: their names.
        on_scans: is told how many scans are on their way.

    Raises:
        RetryableError, FatalError: the brokers do not answer, or refuse records.
    """
    scans = 0
    with Publisher(cluster) as publisher:
        before = {
            topics.venues: city.venues(),
            topics.statuses: city.statuses(),
            topics.exposure_windows: city.windows(),
        }
        for topic, (keys, values) in before.items():
            publisher.publish_batch(topic, keys, values)
        publisher.flush()
        for keys, values in city.scans():
            publisher.publish_batch(topics.scans, keys, values)
            scans += len(keys)
            on_scans(scans)
    venues, statuses, windows = (len(keys) for keys, _ in before.values())
    return Sent(venues, statuses, windows, scans)


def ask_windows(client: Any) -> dict[str, set[str]]:
    """Per window, who was there, as ClickHouse answers (view `exposed_in_windows`).

    Args:
        client: a clickhouse-connect client of the database with the views.
    """
    found: dict[str, set[str]] = defaultdict(set)
    with client.query_row_block_stream("SELECT window_id, person_token FROM exposed_in_windows") as blocks:
        for block in blocks:
            for window_id, token in block:
                found[window_id].add(token)
    return found


def compare(windows: Iterable[Any], truth: Mapping[str, frozenset[str]], found: Mapping[str, set[str]]) -> WindowReport:
    """Hold the answers against the truth.

    Args:
        windows: records of the windows.
        truth: per window, who was there.
        found: per window, who ClickHouse says was there; a window that nobody published is all extra.
    """
    nobody: frozenset[str] = frozenset()
    answers = []
    for window in windows:
        there, said = truth.get(window.window_id, nobody), found.get(window.window_id, nobody)
        answers.append(
            WindowAnswer(
                window.window_id,
                window.venue_id,
                window.title,
                window.starts_at,
                window.ends_at,
                len(there),
                len(said),
                len(there - said),
                len(said - there),
            )
        )
    known = {answer.window_id for answer in answers}
    strangers = sum(len(people) for window_id, people in found.items() if window_id not in known)
    return WindowReport(
        len(answers),
        sum(answer.expected for answer in answers),
        sum(answer.found for answer in answers) + strangers,
        sum(answer.missing for answer in answers),
        sum(answer.extra for answer in answers) + strangers,
        tuple(answers),
    )


def report_table(report: WindowReport, rows: int = 8) -> Table:
    """A few windows, those that differ from the truth first, then the fullest; the last row has the sums of all.

    Of the versions in which one window was published, one is shown. Times are New Zealand's.
    """
    table = Table(
        title="Who was there, by ClickHouse and in truth",
        header_style="bold",
        box=None,
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("window", no_wrap=True, max_width=24)
    table.add_column("from", no_wrap=True, min_width=14)
    for name in ("hours", "expected", "found", "missing", "extra"):
        table.add_column(name, justify="right", no_wrap=True, min_width=max(6, len(name)))
    order = sorted(report.answers, key=lambda answer: (-answer.missing - answer.extra, -answer.expected))
    shown: dict[tuple[str, datetime], WindowAnswer] = {}
    for answer in order:
        shown.setdefault((answer.venue_id, answer.starts_at), answer)
        if len(shown) == rows:
            break
    for answer in shown.values():
        hours = (answer.ends_at - answer.starts_at).total_seconds() / 3600
        figures = (answer.expected, answer.found, answer.missing, answer.extra)
        table.add_row(
            answer.title,
            f"{answer.starts_at.astimezone(_LOCAL):%y-%m-%d %H:%M}",
            f"{hours:.1f}",
            *(f"{value:,}" for value in figures),
        )
    table.add_section()
    sums = (report.expected, report.found, report.missing, report.extra)
    table.add_row(f"all {report.windows:,} windows", "", "", *(f"{value:,}" for value in sums))
    return table
