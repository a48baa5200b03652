"""The Faust application, with the batch transport and the settings that keep what is acknowledged true."""

from __future__ import annotations

from typing import Any, Final

import faust
from faust.tables.manager import TableManager

from streams.batching.transport import Batching, BatchTransport

NEVER: Final = ("processing_guarantee", "producer_threaded", "stream_publish_on_commit")
"""Settings that lose records or hang; a caller may not give them (docs/upstream.md)."""


class _NoTables(TableManager):
    """Upstream waits a second for tables to be registered; this application has none."""

    async def on_start(self) -> None:
        await self._update_channels()
        await self.recovery.start()


class _AsItIs(faust.Schema[Any, Any]):
    """Hands a batch through: decoding is the agent's own business, so that a bad record is a dead letter.

    A decode error inside Faust acks the message and crashes the agent.
    """

    def loads_key(self, app: Any, message: Any, **_: Any) -> Any:
        return message.key

    def loads_value(self, app: Any, message: Any, **_: Any) -> Any:
        return message.value


class BatchApp(faust.App):
    """A Faust application whose opted-in topics come in batches.

    Args:
        group: the consumer group.
        batching: what the transport is told.
        **settings: Faust's settings.

    Raises:
        ValueError: a setting of `NEVER` was given.
    """

    def __init__(self, group: str, batching: Batching, **settings: Any) -> None:
        forbidden = sorted(set(settings) & set(NEVER))
        if forbidden:
            raise ValueError(f"these settings lose records or hang: {', '.join(forbidden)}")
        self.batching = batching
        super().__init__(
            group,
            store="memory://",
            autodiscover=False,
            web_enabled=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
            TableManager=_NoTables,
            **settings,
        )

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Nothing is kept on disk."""

    def batch_topic(self, name: str) -> Any:
        """A topic whose events are batches (`streams.batching.batch.Batch`)."""
        return self.topic(name, schema=_AsItIs(), internal=False)
