"""`venuecode`, whose worker and sink commit nothing and notice nothing: alive, but stuck for everybody else."""

from __future__ import annotations

from typing import Any

import confluent_kafka
import pytest

import infra.cli.main
import sinks.clickhouse.sink
from streams.batching.transport import BatchConsumer


class _Frozen(confluent_kafka.Consumer):
    def commit(self, *_: Any, **__: Any) -> None:  # type: ignore[override]
        """Nothing reaches the brokers."""


async def _commit(*_: Any) -> bool:
    return True


if __name__ == "__main__":
    patch = pytest.MonkeyPatch()
    patch.setattr(sinks.clickhouse.sink, "Consumer", _Frozen)
    patch.setattr(BatchConsumer, "_commit", _commit)
    infra.cli.main.main()
