"""What the checks look at: the settings, and connections that are made once and whose failure is remembered."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from infra.kafka_admin import connect
from infra.settings import Settings
from infra.targets import clickhouse_target
from infra.topic_drift import FoundTopic
from infra.topics import plan, read_topics
from schemas.errors import VenuecodeError
from schemas.topics import TopicSpec
from sinks.clickhouse.target import ClickHouseTarget

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient

T = TypeVar("T")


class _Outcome(Generic[T]):
    """The result of a call, or the error it ended with, each time it is asked for."""

    def __init__(self, call: Callable[[], T]) -> None:
        try:
            self._value: T | VenuecodeError = call()
        except VenuecodeError as error:
            self._value = error

    @property
    def failed(self) -> bool:
        return isinstance(self._value, VenuecodeError)

    def get(self) -> T:
        if isinstance(self._value, VenuecodeError):
            raise self._value
        return self._value


class Surroundings:
    """Everything a check may ask for.

    Args:
        settings: of the platform.
        timeout: seconds that one server may take to answer.
    """

    def __init__(self, settings: Settings, timeout: float = 5) -> None:
        self.settings = settings
        self.timeout = timeout

    @cached_property
    def specs(self) -> tuple[TopicSpec, ...]:
        """The topics as planned."""
        return plan(self.settings)

    @cached_property
    def kafka(self) -> _Outcome[AdminClient]:
        """A connected admin client."""
        return _Outcome(lambda: connect(self.settings.kafka.librdkafka(), self.timeout))

    @cached_property
    def topics(self) -> _Outcome[dict[str, FoundTopic]]:
        """The planned topics that exist."""
        return _Outcome(lambda: read_topics(self.kafka.get(), self.specs, self.timeout))

    @property
    def clickhouse(self) -> ClickHouseTarget:
        """Where ClickHouse is."""
        return clickhouse_target(self.settings)
