"""librdkafka settings that are part of the contract of a topic: whoever produces or consumes uses these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ClientConfig = Mapping[str, str | int | float | bool]
"""Where the cluster is and how to talk to it (bootstrap servers, security): librdkafka's own names."""


_FAULTS: Final[ClientConfig] = {
    # A broker that falls silent without closing its connections (paused, or its cable pulled) is found out only by a
    # request that times out; by default that takes 60 s, and looking for new leaders without an error 5 minutes.
    "socket.timeout.ms": 10_000,
    "topic.metadata.refresh.interval.ms": 5_000,
    # A broker that comes back is used within a second instead of within ten.
    "reconnect.backoff.max.ms": 1_000,
}


def producer_config(
    cluster: ClientConfig, **overrides: str | int | float | bool
) -> dict[str, str | int | float | bool]:
    """A producer that loses nothing quietly.

    `partitioner`: librdkafka's default is CRC32, Java's and aiokafka's is murmur2; scans and statuses of one person
    must fall into the same partition number whoever writes them. `message.timeout.ms`: after it a message is dropped
    and only its delivery report says so; every caller checks its delivery reports.
    Overrides are librdkafka names with `_` for `.`.
    """
    config: dict[str, str | int | float | bool] = {
        **_FAULTS,
        **cluster,
        "enable.idempotence": True,
        "acks": "all",
        "partitioner": "murmur2_random",
        "compression.type": "lz4",
        "linger.ms": 5,
        "message.max.bytes": 4 * 1024 * 1024,
    }
    config.update({name.replace("_", "."): value for name, value in overrides.items()})
    return config


def consumer_config(
    cluster: ClientConfig, group: str, **overrides: str | int | float | bool
) -> dict[str, str | int | float | bool]:
    """A consumer that starts at the beginning, commits only when told to, and does not stall when it is fast.

    `fetch.queue.backoff.ms`: its default of 1000 makes a fast consumer wait (measured 2.5 to 3 times slower).
    """
    config: dict[str, str | int | float | bool] = {
        **_FAULTS,
        **cluster,
        "group.id": group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "earliest",
        "fetch.queue.backoff.ms": 10,
        "enable.partition.eof": False,
    }
    config.update({name.replace("_", "."): value for name, value in overrides.items()})
    return config
