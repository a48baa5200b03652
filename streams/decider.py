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
from streams.visit_lines import visit_lines

APPENDED_AT: Final = "scan_appended_at"
"""Header of an alert: Kafka's timestamp of the scan that raised it, epoch milliseconds in decimal digits."""

Values = list[bytes | None]
"""A visit for every record of a batch, as JSON; null where it became none."""


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
        visits: Values = [None] * len(batch)
        careful = self._decide_plain(batch, now, visits)
        messages: list[Message] = []
        if careful:
            messages = self._decide_carefully(batch, careful, now, visits)
        else:
            self.brake.add(len(batch), 0)
        return messages, _records(batch, visits)

    def _decide_plain(self, batch: Batch, now: datetime, visits: Values) -> Sequence[int]:
        """Write the visits of plain scans; returns the positions, ascending, of all that need care."""
        scans = read_plain(batch.keys, batch.values)
        if not len(scans):
            return range(len(batch))
        now_ms = _epoch_ms(now)
        believed = ~scans.no_such_day & (scans.at_ms <= now_ms + self.limits.max_future_ms)
        if self.limits.retention_ms is not None:
            believed &= scans.at_ms >= now_ms - self.limits.retention_ms
        partition = batch.place.partition
        statuses = self.statuses.look_up_columns(partition, bytes.fromhex("".join(scans.tokens)), scans.at_ms)
        kinds, rules = self.statuses.kinds, self.policy.rules
        alerting = [
            number for number in set(statuses.kind.tolist()) if rules.rules[kinds[number][0]].notice is not None
        ]
        positions = scans.positions
        offsets = batch.offsets if len(scans) == len(batch) else [batch.offsets[at] for at in positions]
        lines = visit_lines(
            scans,
            self.venues.look_up(scans.venue_ids),
            statuses,
            kinds,
            rules,
            scans.at_ms < now_ms - self.policy.late_ms,
            batch.place,
            offsets,
            now,
        )
        if len(scans) == len(batch):
            visits[:] = lines
            careful = set()
        else:
            for at, line in zip(positions, lines, strict=True):
                visits[at] = line
            careful = set(range(len(batch))) - set(positions)
        raising = (
            at for at in np.flatnonzero(np.isin(statuses.kind, alerting)).tolist() if scans.directions[at] == "enter"
        )
        again = {*raising, *np.flatnonzero(~believed).tolist()}
        careful.update(positions[at] for at in again)
        self._count(np.delete(statuses.kind, list(again)) if again else statuses.kind)
        return sorted(careful)

    def _count(self, kinds: NDArray[Any]) -> None:
        """Count the decisions of scans whose statuses are of these kinds."""
        rules, found = self.policy.rules.rules, Counter[str]()
        counts = np.bincount(kinds)
        for number in np.flatnonzero(counts).tolist():
            found[rules[self.statuses.kinds[number][0]].decision] += int(counts[number])
        self.metrics.decided(found)

    def _decide_carefully(self, batch: Batch, positions: Sequence[int], now: datetime, visits: Values) -> list[Message]:
        """Decide some records of a batch from their decoded scans; returns alerts, then dead letters."""
        now_ms = _epoch_ms(now)
        intake = take_in(
            [batch.keys[at] for at in positions], [batch.values[at] for at in positions], now_ms, self.limits
        )
        self.brake.add(len(batch), len(intake.rejected))
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
            visits[positions[within]] = value
        messages = self._alerts(raised)
        failed_at = format_timestamp(now)
        for within, reason in intake.rejected:
            at = positions[within]
            visits[at] = None
            self.metrics.dead_letters.labels(topic, reason).inc()
            letter = DeadLetter(
                batch.keys[at], batch.values[at], topic, partition, batch.offsets[at], reason, failed_at
            )
            messages.append(dead_letter_message(self.topics.dead_letters, letter))
        return messages

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


def _records(batch: Batch, visits: Values) -> Records:
    """The visits that there are, under the keys of their scans."""
    # The key of a scan that became a visit is its person token.
    keys, values = cast("Sequence[bytes]", batch.keys), cast("Sequence[bytes]", visits)
    if None in visits:
        there = [at for at, visit in enumerate(visits) if visit is not None]
        keys, values = [keys[at] for at in there], [values[at] for at in there]
    return Records(batch.place.partition, keys, values)
