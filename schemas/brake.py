"""The dead-letter brake: when most of a topic is bad, something is wrong with the topic or with us, not the records.

Draining it into dead letters would look like success. Whoever reads it stops, loudly, and the records stay where they
are. Worker and sink share this rule.
"""

from __future__ import annotations

from collections import deque

from schemas.errors import FatalError


class DeadLetterBrake:
    """Watches the share of bad records in the latest `window` of them.

    Args:
        topic: for the message.
        window: how many records are looked at; fewer are never judged.
        max_share: the largest share of bad ones that is still normal, 0 to 1.
    """

    def __init__(self, topic: str, window: int, max_share: float) -> None:
        self._topic = topic
        self._window = window
        self._max_share = max_share
        self._batches: deque[tuple[int, int]] = deque()
        self._records = 0
        self._bad = 0

    def add(self, records: int, bad: int) -> None:
        """Take note of a batch.

        Raises:
            FatalError: too many of the latest records are bad.
        """
        self._batches.append((records, bad))
        self._records += records
        self._bad += bad
        while self._records - self._batches[0][0] >= self._window:
            oldest, oldest_bad = self._batches.popleft()
            self._records -= oldest
            self._bad -= oldest_bad
        if self._records >= self._window and self._bad > self._max_share * self._records:
            raise FatalError(
                f"{self._bad} of the latest {self._records} records of {self._topic} are bad, more than "
                f"{self._max_share:.0%}: stopping instead of draining the topic into dead letters. Look at the latest "
                "dead letters for the reason; the records were not committed and will be read again after a restart"
            )
