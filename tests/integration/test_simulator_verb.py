"""`venuecode simulate` as a process: into files and to a real broker."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from infra.embedded.kafka import EmbeddedKafka
from infra.topics import apply_topics
from producers.partitions import partition_of
from schemas.errors import RejectError
from schemas.fast import FastDecoder
from schemas.kafka import consumer_config
from schemas.scan import Scan
from schemas.topics import Topics, topic_plan
from tests.support.waiting import wait_until

PARTITIONS = 4
DECODER = FastDecoder(Scan)


@contextmanager
def simulate(*arguments: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """The verb as a child process, ended with the block."""
    command = [sys.executable, "-m", "infra.cli.main", "simulate", *arguments]
    with subprocess.Popen(
        command, env={**os.environ, **variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def finish(*arguments: str, **variables: str) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, the events on standard output, and standard error."""
    with simulate(*arguments, **variables) as process:
        output, errors = process.communicate(timeout=60)
        return process.returncode, [json.loads(line) for line in output.splitlines()], errors.decode()


def test_the_same_seed_start_and_options_make_the_same_bytes_in_another_process(tmp_path: Path) -> None:
    digests = []
    for number in ("1", "2"):
        folder = tmp_path / number
        options = ["--residents", "3000", "--seed", "5", "--bad-share", "0.01", "--late-share", "0.05", "--cases", "2"]
        code, _, errors = finish(
            *("--to", str(folder), "--start", "2026-11-22T06:30:00", "--duration", "1h", "--json", *options),
            PYTHONHASHSEED=number,
        )
        assert code == 0, errors
        digests.append({file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()})
    assert digests[0] == digests[1]
    assert set(digests[0]) == {f"{name}.ndjson" for name in ("venues", "statuses", "scans", "truth", "decoys", "bad")}
    assert len(set(digests[0].values())) == 6


def test_a_start_that_cannot_be_sent_is_told_in_words_with_exit_code_1() -> None:
    code, events, errors = finish("--start", "2999-01-01T00:00:00Z")
    assert (code, events) == (1, [])
    assert "2999-01-01" in errors
    assert "Traceback" not in errors


@pytest.fixture
def platform(kafka: EmbeddedKafka) -> tuple[EmbeddedKafka, Topics, dict[str, str]]:
    """The broker with topics of this test's own, and the variables that point the verb at them."""
    prefix = f"t{uuid.uuid4().hex[:12]}."
    topics = Topics(prefix)
    plan = topic_plan(topics, partitions=PARTITIONS, replication_factor=1, retention_days=14)
    apply_topics({"bootstrap.servers": kafka.bootstrap_servers}, plan)
    variables = {
        "VENUECODE_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "VENUECODE_KAFKA__TOPIC_PREFIX": prefix,
    }
    return kafka, topics, variables


def read_all(kafka: EmbeddedKafka, topic: str, partitions: int = PARTITIONS) -> list[Any]:
    """Every record of a topic, partition by partition, in order."""
    cluster = {"bootstrap.servers": kafka.bootstrap_servers}
    with closing(Consumer(consumer_config(cluster, f"test-{uuid.uuid4().hex}"))) as consumer:
        parts = [TopicPartition(topic, number, 0) for number in range(partitions)]
        expected = sum(consumer.get_watermark_offsets(part, timeout=10)[1] for part in parts)
        consumer.assign(parts)
        found: list[Any] = []

        def all_there() -> bool:
            found.extend(consumer.consume(500, 0.2))
            return len(found) >= expected

        wait_until(all_there, 30, "all records")
        return sorted(found, key=lambda message: (message.partition(), message.offset()))


@pytest.mark.broker
def test_a_run_to_kafka_delivers_what_it_counts_and_tells_its_cases(
    platform: tuple[EmbeddedKafka, Topics, dict[str, str]],
) -> None:
    kafka, topics, variables = platform
    options = ["--residents", "5000", "--seed", "7", "--start", "-20h", "--bad-share", "0.02"]
    code, events, errors = finish("--events", "--seconds", "10", "--speed", "120", *options, **variables)
    assert code == 0, errors
    by_kind = {event["event"]: event for event in events}
    kinds = [event["event"] for event in events if event["event"] != "progress"]
    assert kinds == ["venues", "statuses", "case_planted", "case_red", "case_scan", "done"]
    done = by_kind["done"]
    assert done["sent"] == done["delivered"] > 0
    assert done["bad"] > 0

    messages = read_all(kafka, topics.scans)
    good: dict[str, list[int]] = {}
    index, after_red = by_kind["case_red"]["index"], 0
    for message in messages:
        try:
            scan = DECODER.decode(message.value())
        except RejectError:
            continue
        if message.key() != scan.person_token.encode() or scan.scanned_at.year > 2900:
            continue
        assert message.partition() == partition_of(message.key(), PARTITIONS)
        good.setdefault(scan.person_token, []).append(int(scan.scanned_at.timestamp() * 1000))
        after_red += scan.person_token == index and scan.venue_id not in {
            meeting["venue_id"] for meeting in by_kind["case_planted"]["expected"]
        }
    assert sum(map(len, good.values())) == done["sent"]
    assert len(messages) == done["sent"] + done["bad"]
    assert after_red == 1
    assert all(times == sorted(times) for times in good.values())
    assert len(read_all(kafka, topics.venues, 1)) == by_kind["venues"]["count"]
    assert len(read_all(kafka, topics.statuses)) >= by_kind["statuses"]["count"] + 1


@pytest.mark.broker
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_endless_run_with_everything_delivered_and_exit_code_0(
    platform: tuple[EmbeddedKafka, Topics, dict[str, str]], number: signal.Signals, tmp_path: Path
) -> None:
    kafka, topics, variables = platform
    go = tmp_path / "go"
    options = ["--residents", "3000", "--start", "-20h", "--go-file", str(go)]
    with simulate("--events", *options, **variables) as process:
        assert process.stdout is not None
        events = map(json.loads, process.stdout)
        seen = Counter(next(events)["event"] for _ in range(2))
        assert seen == {"venues": 1, "statuses": 1}
        assert read_all(kafka, topics.scans) == []  # nothing before the go
        go.touch()
        assert any(event["event"] == "progress" and event["sent"] > 0 for event in events)
        process.send_signal(number)
        last = list(events)[-1]
        assert process.wait(timeout=30) == 0
    assert last["event"] == "done"
    assert last["sent"] == last["delivered"] == len(read_all(kafka, topics.scans))


@pytest.mark.broker
def test_as_fast_as_it_goes_ends_after_so_many_scans(platform: tuple[EmbeddedKafka, Topics, dict[str, str]]) -> None:
    kafka, topics, variables = platform
    options = ["--residents", "20000", "--start", "-20h", "--rate", "max", "--scans", "30000", "--cases", "0"]
    code, events, errors = finish("--events", *options, **variables)
    assert code == 0, errors
    assert events[-1] == {"event": "done", "sent": 30_000, "delivered": 30_000, "bad": 0}
    assert len(read_all(kafka, topics.scans)) == 30_000
