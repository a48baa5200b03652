"""What a batch of scans leads to: scans decided by the column, and what is bad or told in another way one by one."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import pairwise
from operator import itemgetter
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from schemas.base import format_timestamp
from schemas.brake import DeadLetterBrake
from schemas.dead_letter import DeadLetter, Reason
from schemas.fast import encode, encode_batch
from schemas.topics import Topics
from schemas.utc_times import Mask
from schemas.visit import Visit
from streams.alert_lines import AlertWriter, Raised
from streams.alert_memory import AlertMemory
from streams.alert_messages import new_alerts
from streams.batch_producer import Records
from streams.batching.batch import Batch, Place
from streams.decide import Policy, StatusView, decide
from streams.intake import Limits, take_in
from streams.messages import Messages, dead_letters
from streams.metrics import WorkerMetrics
from streams.plain_scans import read_plain
from streams.scan_columns import ScanColumns
from streams.status_store import StatusStore
from streams.statuses.partition import InForce
from streams.venue_directory import VenueDirectory
from streams.visit_lines import VisitLines, write_visits


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

    def process(self, batch: Batch, now: datetime) -> tuple[list[Messages], Records]:
        """What a batch puts out: alerts, the most urgent first, and dead letters, both with headers; and the visits.

        Whether a scan is believed, and whether it is late, goes by Kafka's timestamp of its record: neither this
        machine's clock nor the time a backlog waited changes a verdict.

        Args:
            batch: records as they lay on the topic.
            now: written into what is put out as the time of processing; nothing is decided by it.

        Raises:
            FatalError: too many of the latest scans are bad.
        """
        lines = VisitLines(len(batch))
        careful, raised = self._decide_plain(batch, now, lines)
        letters: list[DeadLetter] = []
        # The key of a scan that became a visit is its person token.
        keys = cast("list[bytes]", batch.keys)
        counts = {stretch.place.partition: stretch.end - stretch.begin for stretch in batch.stretches}
        if careful:
            more, rejected = self._decide_carefully(batch, careful, now, lines)
            raised += more
            letters = self._set_aside(batch, rejected, now)
            keys = list(keys)
            for (at, _), letter in zip(reversed(rejected), reversed(letters), strict=True):
                lines.drop(at)
                del keys[at]
                counts[letter.source_partition] -= 1
        self.brake.add(len(batch), len(letters))
        raised.sort(key=itemgetter(0))
        messages = new_alerts(batch, raised, self.topics, self.memory, self.metrics)
        if letters:
            messages.append(dead_letters(self.topics.dead_letters, letters))
        return messages, Records(counts, keys, lines.text())

    def _decide_plain(self, batch: Batch, now: datetime, lines: VisitLines) -> tuple[Sequence[int], list[Raised]]:
        """Write visits by the column; returns the positions, ascending, of what needs care, and alerts of the rest."""
        raised: list[Raised] = []
        left = np.ones(len(batch), np.bool_)
        for scans in read_plain(batch.keys, batch.values):
            believed = self._decide_columns(batch, scans, now, lines, raised)
            if len(scans) == len(batch):
                left = ~believed
            else:
                left[np.array(scans.positions)[believed]] = False
        return left.nonzero()[0].tolist(), raised

    def _decide_columns(
        self, batch: Batch, scans: ScanColumns, now: datetime, lines: VisitLines, raised: list[Raised]
    ) -> Mask:
        """Write the visits of some scans, and add the alerts they raise; returns which have times that are believed.

        The visits of the others mean nothing.
        """
        appended_ms = np.array(batch.timestamps_ms, np.int64)
        age_ms = (appended_ms if len(scans) == len(batch) else appended_ms[scans.positions]) - scans.at_ms
        believed: Mask = scans.read & self.limits.believe(age_ms)
        bounds = _bounds(batch, scans.positions)
        statuses = self._statuses(batch, bounds, scans.tokens, scans.at_ms)
        kinds, rules = self.statuses.kinds, self.policy.rules
        venues = self.venues.look_up(scans.venue_ids)
        write_visits(lines, scans, venues, statuses, kinds, rules, age_ms > self.policy.late_ms, batch, bounds, now)
        alerting = believed & scans.enters
        for number in set(statuses.kind.tolist()):
            notice = rules.rules[kinds[number][0]].notice
            if notice is not None:
                which = (alerting & (statuses.kind == number)).nonzero()[0].tolist()
                raised += AlertWriter(notice, self.policy, now).raised(scans, which, venues)
        self._count(statuses.kind[believed])
        return believed

    def _statuses(self, batch: Batch, bounds: Sequence[int], tokens: bytes, at_ms: NDArray[np.int64]) -> InForce:
        """The statuses of persons, 16 bytes each, those of the n-th stretch between the n-th bound and the next."""
        found = [
            self.statuses.look_up_columns(stretch.place.partition, tokens[16 * begin : 16 * end], at_ms[begin:end])
            for stretch, (begin, end) in zip(batch.stretches, pairwise(bounds), strict=True)
        ]
        return found[0] if len(found) == 1 else InForce(*map(np.concatenate, zip(*found, strict=True)))

    def _count(self, kinds: NDArray[Any]) -> None:
        """Count the decisions of scans whose statuses are of these kinds."""
        rules, found = self.policy.rules.rules, Counter[str]()
        counts = np.bincount(kinds)
        for number in np.flatnonzero(counts).tolist():
            found[rules[self.statuses.kinds[number][0]].decision] += int(counts[number])
        self.metrics.decided(found)

    def _decide_carefully(
        self, batch: Batch, positions: Sequence[int], now: datetime, lines: VisitLines
    ) -> tuple[list[Raised], list[tuple[int, Reason]]]:
        """Decide some records of a batch one by one; returns alerts, and position and reason of what is bad."""
        intake = take_in(
            [batch.keys[at] for at in positions],
            [batch.values[at] for at in positions],
            [batch.timestamps_ms[at] for at in positions],
            self.limits,
        )
        rejected = [(positions[within], reason) for within, reason in intake.rejected]
        if not intake.scans:
            return [], rejected
        bounds = _bounds(batch, [positions[within] for within in intake.positions])
        statuses: list[StatusView] = []
        places: list[Place] = []
        for stretch, (begin, end) in zip(batch.stretches, pairwise(bounds), strict=True):
            people = [scan.person_token for scan in intake.scans[begin:end]]
            statuses += self.statuses.look_up(stretch.place.partition, people, intake.scanned_ms[begin:end])
            places += [stretch.place] * len(people)
        venues = self.venues.look_up([scan.venue_id for scan in intake.scans])
        decided: list[Visit] = []
        raised: list[Raised] = []
        for within, scan, scanned_ms, venue, status, place in zip(
            intake.positions, intake.scans, intake.scanned_ms, venues, statuses, places, strict=True
        ):
            at = positions[within]
            origin = (*place, batch.offsets[at])
            visit, alert = decide(scan, scanned_ms, venue, status, origin, now, batch.timestamps_ms[at], self.policy)
            decided.append(visit)
            if alert is not None:
                raised.append((at, alert.alert_id, alert.level, alert.area_code, partial(encode, alert)))
        self.metrics.decided(Counter(visit.decision for visit in decided))
        for within, value in zip(intake.positions, encode_batch(decided), strict=True):
            lines.put(positions[within], value)
        return raised, rejected

    def _set_aside(self, batch: Batch, rejected: Sequence[tuple[int, Reason]], now: datetime) -> list[DeadLetter]:
        """The dead letters of what is bad, ascending positions."""
        failed_at, ends = format_timestamp(now), [stretch.end for stretch in batch.stretches]
        for reason, count in Counter(reason for _, reason in rejected).items():
            self.metrics.dead_letters.labels(batch.topic, reason).inc(count)
        partitions = [batch.stretches[bisect_right(ends, at)].place.partition for at, _ in rejected]
        return [
            DeadLetter(batch.keys[at], batch.values[at], batch.topic, partition, batch.offsets[at], reason, failed_at)
            for (at, reason), partition in zip(rejected, partitions, strict=True)
        ]


def _bounds(batch: Batch, positions: Sequence[int]) -> list[int]:
    """Where, among ascending positions, each stretch of a batch begins, and the last one ends."""
    if len(positions) == len(batch):
        return [*(stretch.begin for stretch in batch.stretches), len(batch)]
    return [*(bisect_left(positions, stretch.begin) for stretch in batch.stretches), len(positions)]
