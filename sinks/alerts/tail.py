"""Follows the alert topics as a responder's console does: nothing is committed, any number may watch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.alert import Alert
from schemas.errors import ConfigurationError, RejectError, RetryableError
from schemas.fast import FastDecoder
from schemas.kafka import ClientConfig, consumer_config

_BEGINNING, _END = 0, 1
_TIMEOUT_S = 10.0
_POLL_S = 0.2
_PASSING = {KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT}


def in_area(alert: Alert, area: str | None) -> bool:
    """Whether an alert lies in an area: its code begins with the area's (`1401` is all of Taiyuan)."""
    return area is None or alert.area_code.startswith(area)


class AlertTail:
    """Reads all partitions of the alert topics, without a consumer group: any number of responders may follow.

    Args:
        cluster: the brokers.
        topics: alert topics.
        from_beginning: start with the oldest alert kept instead of the next one raised.

    Raises:
        ConfigurationError: a topic does not exist.
        RetryableError: the brokers do not answer.
    """

    def __init__(self, cluster: ClientConfig, topics: Sequence[str], *, from_beginning: bool) -> None:
        self._decoder = FastDecoder(Alert)
        self._consumer = Consumer(consumer_config(cluster, "venuecode-alerts-tail", fetch_wait_max_ms=50))
        self.unreadable = 0
        """Records that were no alerts, and were passed over."""
        try:
            self._consumer.assign(
                [position for topic in topics for position in self._positions(topic, from_beginning=from_beginning)]
            )
        except KafkaException as error:
            self._consumer.close()
            raise RetryableError(f"the brokers do not answer: {error.args[0].str()}") from error
        except ConfigurationError:
            self._consumer.close()
            raise

    def _positions(self, topic: str, *, from_beginning: bool) -> Iterator[TopicPartition]:
        found = self._consumer.list_topics(topic, timeout=_TIMEOUT_S).topics[topic]
        if found.error is not None:
            raise ConfigurationError(f"there is no topic {topic}: run `venuecode topics apply`")
        for number in found.partitions:
            # Fixed now: an alert that is raised while the consumer starts is not to be missed.
            bounds = self._consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=_TIMEOUT_S)
            yield TopicPartition(topic, number, bounds[_BEGINNING if from_beginning else _END])

    def alerts(self, stopped: Callable[[], bool] = lambda: False) -> Iterator[Alert]:
        """Alerts as they come, without an end unless `stopped` says so.

        Raises:
            RetryableError: the brokers refuse.
        """
        while not stopped():
            for message in self._consumer.consume(100, timeout=_POLL_S):
                alert = self._read(message)
                if alert is not None:
                    yield alert

    def _read(self, message: Message) -> Alert | None:
        error = message.error()
        if error is not None:
            if error.code() in _PASSING:
                return None
            raise RetryableError(f"the alerts cannot be read: {error.str()}")
        try:
            return self._decoder.decode(message.value())
        except RejectError:
            self.unreadable += 1
            return None

    def close(self) -> None:
        """Leave."""
        self._consumer.close()
