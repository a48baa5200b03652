"""Which alerts were raised already: a bounded memory, so that repeats inside a window are not sent again."""

from __future__ import annotations

from collections import OrderedDict


class AlertMemory:
    """The most recent alert ids, at most `capacity`, of about 230 bytes each.

    Forgetting one (by a restart, a moved partition, or the bound) only makes a repeat with the same id, which every
    reader takes for the same alert.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._seen: OrderedDict[str, None] = OrderedDict()

    def is_new(self, alert_id: str) -> bool:
        """Whether this id was not raised lately; it counts as raised from now on."""
        if alert_id in self._seen:
            self._seen.move_to_end(alert_id)
            return False
        self._seen[alert_id] = None
        if len(self._seen) > self._capacity:
            self._seen.popitem(last=False)
        return True
