"""Alerts put together from ready-made parts, as visits are, instead of encoded from objects.

Byte for byte what `streams.decide.alert_of` and `schemas.fast.encode` make of the same scans (property-tested). Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from itertools import repeat
from typing import Final

from schemas.alert import AlertLevel
from schemas.fast import encode_value
from schemas.ids import AlertIds
from streams.decide import Policy, VenueView, narrow
from streams.rules import Notice
from streams.scan_columns import ScanColumns

Raised = tuple[int, str, AlertLevel, str, Callable[[], bytes]]
"""Position of a scan within its batch; of the alert it raised the id, the level, the area, and what writes it."""

_SCAN_ID: Final = slice(len('{"scan_id":"'), len('{"scan_id":"') + 36)
_PERSON_AT: Final = _SCAN_ID.stop + len('",')
_PERSON: Final = slice(_PERSON_AT + len('"person_token":"'), _PERSON_AT + len('"person_token":"') + 32)
_BEFORE_TIME: Final = '","scanned_at":'
"""Ends what a scan and its alert have in common; no text within a scan holds it, since a quote in one is escaped."""


class AlertWriter:
    """Writes alerts of one notice.

    Args:
        notice: what they say.
        policy: what the operator set.
        now: time of processing.
    """

    def __init__(self, notice: Notice, policy: Policy, now: datetime) -> None:
        self._level, self._of_person = notice.level, notice.level != "review"
        window_ms = policy.dedupe_ms if self._of_person else policy.review_ms
        self._ids = AlertIds(policy.alert_id_key, notice.kind, window_ms)
        self._begin = f'","level":"{notice.level}","kind":"{notice.kind}",'
        self._end = narrow(
            f',"detected_at":{encode_value(now)},"reason":{encode_value(notice.reason)}'
            f',"action":{encode_value(notice.action)},"rule_version":{policy.rules.version}}}'
        )

    def raised(self, scans: ScanColumns, which: Sequence[int], venues: Sequence[VenueView]) -> list[Raised]:
        """What some of the scans raise; ids now, the rest when it is asked for: most repeats are not.

        Args:
            scans: with their times read.
            which: of them.
            venues: of all of them.
        """
        heads = [scans.heads[at] + scans.tails[at] for at in which]
        persons: Iterable[str] = [head[_PERSON] for head in heads] if self._of_person else repeat("")
        ids = self._ids.of(persons, [scans.venue_ids[at] for at in which], scans.at_ms[which].tolist())
        positions, level, write = scans.positions, self._level, self._write
        return [
            (positions[at], alert_id, level, venue.area_code, partial(write, alert_id, head, venue))
            for at, alert_id, head, venue in zip(which, ids, heads, map(venues.__getitem__, which), strict=True)
        ]

    def _write(self, alert_id: str, head: str, venue: VenueView) -> bytes:
        scanned, _, rest = head.partition(_BEFORE_TIME)
        whose = scanned[_PERSON_AT:]
        time = rest[: rest.index('"', 1) + 1]
        return (
            f'{{"alert_id":"{alert_id}{self._begin}{whose if whose.isascii() else narrow(whose)}",'
            f'{venue.alert_json},"scan_id":"{scanned[_SCAN_ID]}","scanned_at":{time}{self._end}'
        ).encode("latin-1")
