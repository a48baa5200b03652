"""What the demo knows at one moment: plain data, filled by the runner, drawn by the display."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal

from infra.supervision import Restarted
from schemas.alert import Alert, AlertLevel

Phase = Literal["starting", "running", "settling", "done"]


def percentile(sorted_values: list[float], share: float) -> float | None:
    """The nearest-rank percentile: the smallest value that at least `share` of the values do not exceed."""
    if not sorted_values:
        return None
    rank = max(1, -(-int(share * 1_000_000) * len(sorted_values) // 1_000_000))
    return sorted_values[min(rank, len(sorted_values)) - 1]


@dataclass(frozen=True, slots=True)
class PlannedMeeting:
    """One planted meeting: who met the case, where, and for how many seconds."""

    contact: str
    venue_id: str
    overlap_s: int


@dataclass(slots=True)
class Case:
    """A planted case: the truth from the simulator beside what ClickHouse answered."""

    index: str
    since: str
    until: str
    expected: tuple[PlannedMeeting, ...]
    red_at: datetime | None = None
    found: dict[str, int] | None = None
    """Overlap in seconds by contact; None until somebody asked."""
    query_ms: float = 0.0

    @property
    def expected_contacts(self) -> dict[str, int]:
        """Planted overlap in seconds by contact."""
        total: Counter[str] = Counter()
        for meeting in self.expected:
            total[meeting.contact] += meeting.overlap_s
        return dict(total)

    @property
    def missing(self) -> frozenset[str]:
        return frozenset(self.expected_contacts) - frozenset(self.found or {})

    @property
    def extra(self) -> frozenset[str]:
        return frozenset(self.found or {}) - frozenset(self.expected_contacts)


@dataclass(slots=True)
class DemoState:
    """Counters and the latest events of a running demo."""

    phase: Phase = "starting"
    step: str = "starting"
    city: str = "Taiyuan 太原"
    zone: tzinfo = UTC
    seed: int = 0
    elapsed_s: float = 0.0
    event_time: datetime | None = None
    scans_sent: int = 0
    bad_sent: int = 0
    scans_per_s: float = 0.0
    visits_stored: int = 0
    dead_letters: int = 0
    worker_lag: int = 0
    sink_lag: int = 0
    restarts: Mapping[str, Restarted] = field(default_factory=dict)
    alert_counts: Counter[str] = field(default_factory=Counter)
    latest_alerts: dict[AlertLevel, deque[Alert]] = field(
        default_factory=lambda: {"red": deque(maxlen=3), "yellow": deque(maxlen=4), "review": deque(maxlen=1)}
    )
    """Newest last; a red alert is not pushed off the screen by the many of less weight."""
    latencies_ms: list[float] = field(default_factory=list)
    first_alert_s: float | None = None
    cases: list[Case] = field(default_factory=list)

    def latency(self) -> dict[str, float | None]:
        """Scan to alert in milliseconds: p50 and p99, null when there was no alert."""
        values = sorted(self.latencies_ms)
        quantiles = {"p50": percentile(values, 0.50), "p99": percentile(values, 0.99)}
        return {name: None if value is None else round(value, 1) for name, value in quantiles.items()}

    def summary(self) -> dict[str, Any]:
        """The demo's result: the last line of `venuecode demo --json`."""
        return {
            "scans_sent": self.scans_sent,
            "visits_stored": self.visits_stored,
            "alerts_red": self.alert_counts["red"],
            "alerts_yellow": self.alert_counts["yellow"],
            "alerts_review": self.alert_counts["review"],
            "dead_letters": self.dead_letters,
            "bad_sent": self.bad_sent,
            "restarts": {name: each.count for name, each in self.restarts.items()},
            "scan_to_alert_ms": self.latency(),
            "first_alert_s": self.first_alert_s,
            "contacts_expected": sum(len(case.expected_contacts) for case in self.cases),
            "contacts_found": sum(len(case.found or {}) for case in self.cases),
            "contacts_missing": sum(len(case.missing) for case in self.cases),
            "contacts_extra": sum(len(case.extra) for case in self.cases),
        }

    def bad_are_set_aside(self) -> bool:
        """Whether every bad record is a dead letter: once, or more often where a process was killed meanwhile."""
        return self.dead_letters == self.bad_sent or (bool(self.restarts) and self.dead_letters > self.bad_sent)

    def problems(self) -> list[str]:
        """What is not as it must be at the end, in words; empty when all is well."""
        found = []
        if self.visits_stored != self.scans_sent:
            found.append(f"{self.scans_sent} scans were sent and {self.visits_stored} visits are stored")
        if not self.bad_are_set_aside():
            found.append(f"{self.bad_sent} bad records were sent and {self.dead_letters} are in the dead letters")
        if not self.cases:
            found.append("no planted case was finished: the run was too short")
        for case in self.cases:
            if case.missing:
                found.append(f"{len(case.missing)} planted contacts of a case were not found")
            if case.extra:
                found.append(f"{len(case.extra)} people were found who never met the case")
            wrong = sum(
                case.found is not None and case.found.get(who) != s for who, s in case.expected_contacts.items()
            )
            if wrong and not case.missing:
                found.append(f"{wrong} contacts were found with another length of overlap than planted")
        return found
