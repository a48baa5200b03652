"""Offsets with holes: transactions with their markers and their aborts, and compaction, on the topic of the scans."""

from __future__ import annotations

import time
from pathlib import Path

from tests.faults.ledger import Ledger, Place, Sender
from tests.faults.platform import Platform, platform
from tests.faults.report import Round
from tests.faults.verdict import read
from tests.support.topic_settings import COMPACT_SOON, change_topic

_IN_A_TRANSACTION = 100
_COMPACT_S = 120.0


def transactional_round(
    bootstrap_servers: str, clickhouse: tuple[str, int], directory: Path, *, seed: int, transactions: int
) -> Round:
    """Scans in transactions, every third of them aborted, with plain records in between.

    Aborted records must not be read: whatever comes of one is an extra row in the verdict.
    """
    result = Round("transactions, a third of them aborted", seed)
    with platform(result, bootstrap_servers, clickhouse, directory) as own:
        for kind in ("worker", "sink"):
            own.service(kind, kind).start()
        scans, cluster = own.settings.kafka.topics().scans, own.settings.kafka.librdkafka()
        name = own.settings.worker.group
        times = {"message_timeout_ms": 30_000, "transaction_timeout_ms": 60_000}
        kept = Sender(cluster, scans, own.ledger, transactional_id=f"{name}-kept", **times)
        lost = Sender(cluster, scans, Ledger(), transactional_id=f"{name}-lost", **times)
        for sender in (kept, lost):
            sender.producer.init_transactions(30)
        for number, part in enumerate(own.load.slices(transactions * _IN_A_TRANSACTION, _IN_A_TRANSACTION)):
            aborts = number % 3 == 2
            sender = lost if aborts else kept
            sender.producer.begin_transaction()
            sender.send(part)
            sender.flush()
            if aborts:
                sender.producer.abort_transaction(30)
            else:
                sender.producer.commit_transaction(30)
            result.count("transactions aborted" if aborts else "transactions committed")
            own.send(_IN_A_TRANSACTION // 4)
        own.send(1_000)  # so that each partition ends in a record, not in a marker
        own.settle()
        return own.judge()


def compacted_round(
    bootstrap_servers: str, clickhouse: tuple[str, int], directory: Path, *, seed: int, events: int
) -> Round:
    """The topic of the scans is compacted before anybody reads it; what is left must come through.

    Raises:
        TimeoutError: the broker did not compact within two minutes.
    """
    result = Round("a compacted topic of scans", seed)
    with platform(result, bootstrap_servers, clickhouse, directory) as own:
        cluster, topic = own.settings.kafka.librdkafka(), own.settings.kafka.topics().scans
        change_topic(cluster, topic, COMPACT_SOON)
        own.send(events)
        sent = _there(own)
        deadline = time.monotonic() + _COMPACT_S
        while len(_there(own)) > 0.8 * len(sent):
            own.send(100)  # a segment is closed by the record after it
            if time.monotonic() > deadline:
                raise TimeoutError("the broker does not compact")
        change_topic(cluster, topic, {"cleanup.policy": "delete", "segment.ms": "604800000"})
        own.send(1_000)
        left = _there(own)
        while (again := _there(own)) != left:
            left = again
        result.faults["records compacted away"] = len(own.ledger) - len(left)
        own.ledger.keep(left)
        for kind in ("worker", "sink"):
            own.service(kind, kind).start()
        own.settle()
        return own.judge()


def _there(own: Platform) -> set[Place]:
    topic = own.settings.kafka.topics().scans
    return {(message.partition(), message.offset()) for message in read(own.settings.kafka.librdkafka(), topic)}
