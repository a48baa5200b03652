"""What a batch of scans leads to: plain scans decided as columns; what is bad or raises an alert, one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from schemas.alert import Alert
from schemas.base import format_timestamp
from schemas.dead_letter import DeadLetter
from schemas.fast import encode, encode_batch
from schemas.topics import Topics
from streams.alert_memory import AlertMemory
from streams.batch_producer import Records
from streams.batching.batch import Batch
from streams.brake import DeadLetterBrake
from streams.decide import Policy, decide
from streams.intake import Limits, take_in
from streams.metrics import WorkerMetrics
from streams.output import Message, dead_letter_message
from streams.plain_scans import read_plain
from streams.status_store import StatusStore
from streams.venue_directory import VenueDirectory
from streams.visit_lines import VisitLines, write_visits

APPENDED_AT: Final = "scan_appended_at"
"""Header of an alert: Kafka's timestamp of the scan that raised it, epoch milliseconds in decimal digits."""


@dataclass(frozen=True, slots=True)
class Decider:
    """All that deciding a batch depends on."""

    topics: Topics
    limits: Limits
    policy: Policy
    venues: VenueDirectory
    statuses: StatusStore
    memory: AlertMemory
    brake: DeadLetterBrake
    metrics: WorkerMetrics

    def process(self, batch: Batch, now: datetime) -> tuple[list[Message], Records]:
        """What a batch puts out: alerts, then dead letters, each with headers; and the visits.

        Raises:
            FatalError: too many of the latest scans are bad.
        """
        lines = VisitLines(len(batch))
        careful = self._decide_plain(batch, now, lines)
        messages, rejected = self._decide_carefully(batch, careful, now, lines) if careful else ([], 0)
        self.brake.add(len(batch), rejected)
        # The key of a scan that became a visit is its person token.
        keys = cast("Sequence[bytes]", batch.keys)
        if rejected:
            keys = [keys[at] for at in lines.positions()]
        return messages, Records(batch.place.partition, keys, lines.text())

    def _decide_plain(self, batch: Batch, now: datetime, lines: VisitLines) -> Sequence[int]:
        """Write visits by the column; returns the positions, ascending, of all records that need care."""
        scans = read_plain(batch.keys, batch.values)
        if not len(scans):
            return range(len(batch))
        now_ms = _epoch_ms(now)
        believed = scans.read & (scans.at_ms <= now_ms + self.limits.max_future_ms)
        if self.limits.retention_ms is not None:
            believed &= scans.at_ms >= now_ms - self.limits.retention_ms
        tokens = bytes.fromhex("".join(scans.tokens))
        statuses = self.statuses.look_up_columns(batch.place.partition, tokens, scans.at_ms)
        kinds, rules = self.statuses.kinds, self.policy.rules
        write_visits(
            lines,
            scans,
            self.venues.look_up(scans.venue_ids),
            statuses,
            kinds,
            rules,
            scans.at_ms < now_ms - self.policy.late_ms,
            batch.place,
            batch.offsets,
            now,
        )
        alerting = [n for n in set(statuses.kind.tolist()) if rules.rules[kinds[n][0]].notice is not None]
        raising = np.isin(statuses.kind, alerting).nonzero()[0].tolist()
        again = {at for at in raising if scans.directions[at] == "enter"}
        again.update((~believed).nonzero()[0].tolist())
        self._count(np.delete(statuses.kind, list(again)))
        careful = {scans.positions[at] for at in again}
        if len(scans) < len(batch):
            careful.update(set(range(len(batch))).difference(scans.positions))
        return sorted(careful)

    def _count(self, kinds: NDArray[Any]) -> None:
        """Count the decisions of scans whose statuses are of these kinds."""
        rules, found = self.policy.rules.rules, Counter[str]()
        counts = np.bincount(kinds)
        for number in np.flatnonzero(counts).tolist():
            found[rules[self.statuses.kinds[number][0]].decision] += int(counts[number])
        self.metrics.decided(found)

    def _decide_carefully(
        self, batch: Batch, positions: Sequence[int], now: datetime, lines: VisitLines
    ) -> tuple[list[Message], int]:
        """Decide some records of a batch one by one; returns alerts, then dead letters, and how many of the latter."""
        now_ms = _epoch_ms(now)
        intake = take_in(
            [batch.keys[at] for at in positions], [batch.values[at] for at in positions], now_ms, self.limits
        )
        topic, partition = batch.place
        statuses = self.statuses.look_up(partition, [scan.person_token for scan in intake.scans], intake.scanned_ms)
        venues = self.venues.look_up([scan.venue_id for scan in intake.scans])
        decided, raised = [], []
        for within, scan, scanned_ms, venue, status in zip(
            intake.positions, intake.scans, intake.scanned_ms, venues, statuses, strict=True
        ):
            at = positions[within]
            origin = (topic, partition, batch.offsets[at])
            visit, alert = decide(scan, scanned_ms, venue, status, origin, now, now_ms, self.policy)
            decided.append(visit)
            if alert is not None:
                raised.append((alert, batch.timestamps_ms[at]))
        self.metrics.decided(Counter(visit.decision for visit in decided))
        for within, value in zip(intake.positions, encode_batch(decided), strict=True):
            lines.put(positions[within], value)
        messages = self._alerts(raised)
        failed_at = format_timestamp(now)
        for within, reason in intake.rejected:
            at = positions[within]
            lines.drop(at)
            self.metrics.dead_letters.labels(topic, reason).inc()
            letter = DeadLetter(
                batch.keys[at], batch.values[at], topic, partition, batch.offsets[at], reason, failed_at
            )
            messages.append(dead_letter_message(self.topics.dead_letters, letter))
        return messages, len(intake.rejected)

    def _alerts(self, raised: list[tuple[Alert, int]]) -> list[Message]:
        """Alerts whose id was not raised before."""
        messages = []
        for alert, appended_ms in raised:
            if not self.memory.is_new(alert.alert_id):
                self.metrics.alerts_repeated.labels(alert.level).inc()
                continue
            self.metrics.alerts.labels(alert.level).inc()
            headers = [(APPENDED_AT, str(appended_ms).encode())]
            topic, key = self.topics.alerts(alert.level), alert.area_code.encode()
            messages.append(Message(topic, key, encode(alert), headers, appended_ms))
        return messages


def _epoch_ms(now: datetime) -> int:
    return int(now.timestamp() * 1000)
