"""Dead letters are put back once, whatever is killed in between, and never over something newer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka import Producer

from infra.embedded.kafka import EmbeddedKafka
from infra.topics import apply_topics
from schemas.dead_letter import DeadLetter
from schemas.kafka import ClientConfig, producer_config
from schemas.topics import Topics, topic_plan
from sinks.dead_letters.letters import Letters, StoredLetter
from sinks.dead_letters.marks import Marks
from sinks.dead_letters.reading import read_to_end

pytestmark = pytest.mark.broker

BAD = b'{"person_token":"' + b"ab" * 16 + b'"}'


class Platform:
    """Topics of its own on the session's broker, and the verb over them."""

    def __init__(self, servers: str) -> None:
        self.topics = Topics(f"dlq-{uuid.uuid4().hex[:8]}.")
        self.cluster: ClientConfig = {"bootstrap.servers": servers}
        apply_topics(self.cluster, topic_plan(self.topics, partitions=2, replication_factor=1, retention_days=14))
        self.environment = {
            **os.environ,
            "VENUECODE_KAFKA__BOOTSTRAP_SERVERS": servers,
            "VENUECODE_KAFKA__TOPIC_PREFIX": self.topics.prefix,
        }

    def send(self, topic: str, records: list[tuple[bytes | None, bytes, Any]]) -> None:
        producer = Producer(producer_config(self.cluster))
        for key, value, headers in records:
            producer.produce(topic, value, key, headers=headers)
        assert producer.flush(30) == 0

    def dead_letters(self, count: int, topic: str, first_offset: int = 0, keys: bool = True) -> None:
        self.send(
            self.topics.dead_letters,
            [
                (
                    letter.key,
                    letter.value or b"",
                    letter.headers(),
                )
                for number in range(first_offset, first_offset + count)
                for letter in [
                    DeadLetter(
                        f"k{number}".encode() if keys else None, BAD, topic, 0, number, "missing_field", NOW.isoformat()
                    )
                ]
            ],
        )

    def verb(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "infra.cli.main", "dlq", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done.stdout if code == 0 else done.stderr

    def replay(self, *arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.verb("replay", "--json", *arguments))
        return found

    def values(self, topic: str) -> list[tuple[bytes | None, bytes | None]]:
        return [(message.key(), message.value()) for message in read_to_end(self.cluster, topic)]


NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture
def platform(kafka: EmbeddedKafka) -> Platform:
    return Platform(kafka.bootstrap_servers)


def test_records_are_put_back_byte_for_byte_and_a_second_replay_sends_nothing(platform: Platform) -> None:
    scans = platform.topics.scans
    platform.dead_letters(5, scans)
    would = platform.replay()
    assert would == {"done": False, "put_back": {scans: 5}, "left": {}}
    assert platform.values(scans) == []
    assert platform.replay("--yes")["put_back"] == {scans: 5}
    assert sorted(platform.values(scans)) == [(f"k{number}".encode(), BAD) for number in range(5)]
    assert platform.replay("--yes") == {"done": True, "put_back": {}, "left": {"put back before": 5}}
    assert len(platform.values(scans)) == 5
    assert platform.replay("--yes", "--again", "--letter", "0:2")["put_back"] == {scans: 1}
    assert len(platform.values(scans)) == 6


def test_a_replayed_record_says_where_it_comes_from(platform: Platform) -> None:
    platform.dead_letters(1, platform.topics.scans)
    platform.replay("--yes")
    (message,) = read_to_end(platform.cluster, platform.topics.scans)
    assert message.headers() == [
        ("replayed_from", f"{platform.topics.dead_letters}/0/0".encode()),
        ("replays", b"1"),
    ]


def test_a_newer_status_is_not_overwritten(platform: Platform) -> None:
    statuses = platform.topics.statuses
    platform.send(statuses, [(b"k0", BAD, []), (b"k0", b"newer", [])])
    (partition,) = {message.partition() for message in read_to_end(platform.cluster, statuses)}
    letter = DeadLetter(b"k0", BAD, statuses, partition or 0, 0, "missing_field", NOW.isoformat())
    platform.send(platform.topics.dead_letters, [(letter.key, BAD, letter.headers())])
    found = platform.replay("--yes")
    assert found["put_back"] == {}
    assert found["left"] == {"a newer record of the same key is on its topic": 1}
    assert platform.values(statuses)[-1] == (b"k0", b"newer")


def test_a_replay_that_is_killed_half_way_is_finished_by_the_next_one_without_repeating(platform: Platform) -> None:
    platform.dead_letters(40, platform.topics.scans)
    program = """
import os, signal, sys
from datetime import UTC, datetime
from schemas.topics import Topics
from sinks.dead_letters.letters import Letters
from sinks.dead_letters.plan import plan_replay
from sinks.dead_letters.replay import Replayer
topics, cluster = Topics(sys.argv[1]), {"bootstrap.servers": sys.argv[2]}
class Dies(Replayer):
    def _flush(self, refused):
        super()._flush(refused)
        Dies.flushes += 1
        if Dies.flushes == int(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGKILL)
Dies.flushes = 0
replayer = Dies(cluster, topics.dead_letters, topics.replays, lambda: datetime.now(UTC), batch=10)
replayer.put_back(plan_replay(Letters(cluster, topics.dead_letters), replayer.marks(), compacted=()).candidates)
"""
    # The 3rd flush: records of the second transaction; the 6th of what is left: records and marks, before the commit.
    for flush in ("3", "6"):
        died = subprocess.run(
            [
                sys.executable,
                "-c",
                program,
                platform.topics.prefix,
                str(platform.cluster["bootstrap.servers"]),
                flush,
            ],
            env=platform.environment,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert died.returncode == -signal.SIGKILL, died.stderr
    platform.replay("--yes")
    assert sorted(key or b"" for key, _ in platform.values(platform.topics.scans)) == sorted(
        f"k{number}".encode() for number in range(40)
    )
    assert len(Marks.read(platform.cluster, platform.topics.replays).by_origin) == 40


def test_what_is_listed_and_shown_hides_the_person(platform: Platform) -> None:
    platform.dead_letters(3, platform.topics.scans)
    platform.dead_letters(1, platform.topics.statuses)
    platform.send(platform.topics.dead_letters, [(None, b"no dead letter", [])])
    listed = json.loads(platform.verb("list", "--json", "--topic", platform.topics.scans, "--limit", "2"))
    assert [(row["letter"], row["reason"], row["replays"]) for row in listed] == [
        ("0:0", "missing_field", 0),
        ("0:1", "missing_field", 0),
    ]
    assert "ab" * 16 not in platform.verb("show", "0:0")
    assert "ab" * 16 in platform.verb("show", "0:0", "--reveal")
    counted = json.loads(platform.verb("list", "--json", "--summary"))
    assert {(row["source_topic"], row["letters"]) for row in counted} == {
        (platform.topics.scans, 3),
        (platform.topics.statuses, 1),
    }
    assert "there is no dead letter 0:99" in platform.verb("show", "0:99", code=1)
    assert "not_a_reason is none of" in platform.verb("list", "--reason", "not_a_reason", code=2).replace("\n", " ")


def test_letters_know_their_own_place_and_pass_over_what_is_none(platform: Platform) -> None:
    platform.send(platform.topics.dead_letters, [(None, b"?", [("reason", b"not_json")])])
    platform.dead_letters(1, platform.topics.scans)
    letters = Letters(platform.cluster, platform.topics.dead_letters)
    found: list[StoredLetter] = list(letters)
    assert [each.place for each in found] == ["0:1"]
    assert letters.unreadable == 1
