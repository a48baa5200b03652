"""A producer through librdkafka's C interface that is told of deliveries request by request, not record by record."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from schemas.errors import FatalError
from streams.librdkafka import DELIVERY, ERROR, library, new_producer


class ReportingProducer(ABC):
    """An idempotent producer; what it makes of a report is its own.

    One thread calls `poll` and, at the end, `close`.

    Args:
        config: librdkafka's settings.

    Raises:
        ConfigurationError: a setting is wrong.
    """

    def __init__(self, config: Mapping[str, str | int | float | bool]) -> None:
        self._lib = library()
        self._client = new_producer({**config, "enable.idempotence": True})
        self._queue = self._lib.queue_get_main(self._client)
        self._topics: dict[str, int] = {}

    def poll(self, timeout_ms: int) -> None:
        """Wait for a report, and take note of all that are there.

        Raises:
            FatalError: a record was lost, or the producer cannot go on.
        """
        event = self._lib.queue_poll(self._queue, timeout_ms)
        while event:
            try:
                self._note(event)
            finally:
                self._lib.event_destroy(event)
            event = self._lib.queue_poll(self._queue, 0)

    def close(self) -> None:
        """Let go of everything, acknowledged or not; harmless when called twice, and nothing else may be after it."""
        if not self._client:
            return
        self._lib.queue_destroy(self._queue)
        for topic in self._topics.values():
            self._lib.topic_destroy(topic)
        self._lib.destroy(self._client)
        self._client = 0

    @abstractmethod
    def _delivered(self, event: int, count: int) -> None:
        """Kafka has all `count` records of a report; they were for one partition."""

    def _topic(self, name: str) -> int:
        """The library's handle of a topic."""
        found = self._topics.get(name)
        if found is None:
            found = self._topics[name] = self._lib.topic_new(self._client, name.encode(), None)
        return found

    def _note(self, event: int) -> None:
        kind, error = self._lib.event_type(event), self._lib.event_error(event)
        if kind == DELIVERY:
            if error:
                # All of a report are for one topic.
                name = self._lib.topic_name(self._lib.event_message_next(event).contents.topic).decode()
                raise FatalError(f"a record for {name} was lost: {self._text(error)}")
            self._delivered(event, self._lib.event_message_count(event))
        elif kind == ERROR and self._lib.event_error_is_fatal(event):
            reason = self._lib.event_error_string(event).decode()
            raise FatalError(f"the producer for {', '.join(self._topics)} cannot go on: {reason}")

    def _text(self, error: int) -> str:
        text: bytes = self._lib.err2str(error)
        return text.decode()
