"""`venuecode`, with a worker whose commits take half a second longer: one is nearly always under way."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from faust.types import TP

from infra.cli.main import main
from streams.batching.transport import BatchConsumer, BatchTransport

_LONGER_S = 0.5


class _SlowCommits(BatchConsumer):
    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        await asyncio.sleep(_LONGER_S)
        return await super()._commit(offsets)


if __name__ == "__main__":
    BatchTransport.Consumer = _SlowCommits
    main()
