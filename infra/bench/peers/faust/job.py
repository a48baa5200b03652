"""An agent, one event at a time, with raw bytes and orjson in the agent: the quickest that an unchanged Faust does."""

from __future__ import annotations

from typing import Any

import faust
import orjson

from infra.bench.peers.contract import DECISIONS, UNKNOWN, Task, read_colours


def main() -> None:
    task = Task.from_arguments()
    colours = read_colours(task.colours)
    app = faust.App(
        task.group,
        broker=f"kafka://{task.bootstrap}",
        store="memory://",
        web_enabled=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        stream_wait_empty=False,
        broker_commit_interval=1.0,
        producer_linger=0.005,
        producer_acks=-1,
        producer_compression_type="lz4",
        producer_max_batch_size=256 * 1024,
    )
    scans = app.topic(task.scans, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    output = app.topic(task.output, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")

    @app.agent(scans)
    async def enrich(stream: Any) -> None:
        async for event in stream.events():
            scan = orjson.loads(event.value)
            colour = colours.get(scan["person_token"], UNKNOWN)
            scan["colour"] = colour
            scan["decision"] = DECISIONS[colour]
            await output.send(key=event.key, value=orjson.dumps(scan))

    app.finalize()
    faust.Worker(app, loglevel="WARN", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main()
