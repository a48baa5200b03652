"""The benchmarks' generator, over a real broker: what it says it sent is on the topic, probes among it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from infra.bench.people import PROBES, People
from infra.embedded.kafka import EmbeddedKafka
from schemas.scan import Scan
from tests.support.worker_platform import WorkerPlatform

pytestmark = pytest.mark.broker


def test_what_the_generator_says_it_sent_is_on_the_topic_and_its_probes_take_turns(kafka: EmbeddedKafka) -> None:
    platform = WorkerPlatform(kafka.bootstrap_servers)
    argv = [sys.executable, "-m", "infra.bench.generator", "--bootstrap-servers", kafka.bootstrap_servers]
    argv += ["--prefix", platform.topics.prefix, "--partitions", "4", "--people", "1000", "--probe-s", "0.1"]
    done = subprocess.run([*argv, "--plan", "0.5@400,0.5@1000"], capture_output=True, check=True, timeout=60)
    last = json.loads(done.stdout.splitlines()[-1])
    scans = [Scan.model_validate_json(message.value()) for message in platform.read(platform.topics.scans)]
    assert (last["event"], last["sent"], last["delivered"]) == ("done", 700, 700)
    assert len(scans) == 700
    people = People(1000)
    of_probes = [scan for scan in scans if scan.person_token in {people.token(n) for n in range(PROBES)}]
    assert len(of_probes) == last["probes"] >= 1
    assert len({scan.person_token for scan in of_probes}) == min(4, len(of_probes))
