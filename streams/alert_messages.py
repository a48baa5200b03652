"""From what the scans of a batch raise to the alerts that are sent: repeats dropped, the most urgent level first."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final, get_args

from schemas.alert import AlertLevel
from schemas.topics import Topics
from streams.alert_lines import Raised
from streams.alert_memory import AlertMemory
from streams.batching.batch import Batch
from streams.messages import Messages
from streams.metrics import WorkerMetrics

APPENDED_AT: Final = "scan_appended_at"
"""Header of an alert: Kafka's timestamp of the scan that raised it, epoch milliseconds in decimal digits."""

_LEVELS: Final[tuple[AlertLevel, ...]] = get_args(AlertLevel)
"""The most urgent first."""


def new_alerts(
    batch: Batch, raised: Sequence[Raised], topics: Topics, memory: AlertMemory, metrics: WorkerMetrics
) -> list[Messages]:
    """Alerts whose id was not raised before, those of a level together; they are counted, repeats too.

    Args:
        batch: that they are of.
        raised: in the order of the scans.
        topics: where they go.
        memory: of ids; takes note of these.
        metrics: where they are counted.
    """
    new: defaultdict[AlertLevel, list[Raised]] = defaultdict(list)
    repeated = Counter[str]()
    for alert in raised:
        _, alert_id, level, _, _ = alert
        if memory.is_new(alert_id):
            new[level].append(alert)
        else:
            repeated[level] += 1
    for repeated_level, count in repeated.items():
        metrics.alerts_repeated.labels(repeated_level).inc(count)
    return [_messages(batch, level, new[level], topics, metrics) for level in _LEVELS if new[level]]


def _messages(
    batch: Batch, level: AlertLevel, alerts: Sequence[Raised], topics: Topics, metrics: WorkerMetrics
) -> Messages:
    metrics.alerts.labels(level).inc(len(alerts))
    appended_ms = [batch.timestamps_ms[at] for at, *_ in alerts]
    return Messages(
        topics.alerts(level),
        [area.encode() for _, _, _, area, _ in alerts],
        [write() for *_, write in alerts],
        {APPENDED_AT: [b"%d" % at_ms for at_ms in appended_ms]},
        appended_ms,
        urgent=level == "red",
    )
