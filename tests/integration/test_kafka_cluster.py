"""The embedded Kafka on its own: real brokers, killed, restarted, and refused for the right reason."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from infra.embedded.identity import identify
from infra.embedded.kafka import EmbeddedKafka, MetadataProbe, ensure_jars
from infra.embedded.kafka.jars import CACHE_VARIABLE
from schemas.errors import ConfigurationError, FatalError
from tests.support.waiting import wait_until

pytestmark = pytest.mark.broker
ROOT = Path(__file__).parents[2]

START_AND_STAY = """
import signal, sys
from pathlib import Path
from infra.embedded.kafka import EmbeddedKafka
cluster = EmbeddedKafka(Path(sys.argv[1]), port=0).start()
print(cluster.bootstrap_servers, *cluster.pids, flush=True)
signal.pause()
"""
START_AND_STOP = """
import os, sys
from pathlib import Path
from confluent_kafka.admin import AdminClient, NewTopic
from infra.embedded.kafka import EmbeddedKafka
from schemas.errors import RetryableError
for name, proxy in (("first", None), ("second, without a network", "http://127.0.0.1:1")):
    if proxy:
        os.environ["HTTPS_PROXY"] = os.environ["https_proxy"] = proxy
    try:
        with EmbeddedKafka(Path(sys.argv[1]) / "data", port=0) as cluster:
            admin = AdminClient({"bootstrap.servers": cluster.bootstrap_servers})
            if not proxy:
                admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result()
            print(name, sorted(admin.list_topics(timeout=10).topics), flush=True)
    except RetryableError as error:
        sys.exit(f"NO NETWORK {error}")
"""


def create(bootstrap_servers: str, topic: str, replicas: int = 1) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})
    admin.create_topics([NewTopic(topic, 1, replicas)])[topic].result()


def produce(bootstrap_servers: str, topic: str, *values: bytes) -> None:
    """Returns when every value is acknowledged by all replicas in sync."""
    producer = Producer({"bootstrap.servers": bootstrap_servers, "enable.idempotence": True, "log_level": 0})
    failures: list[object] = []
    for value in values:
        producer.produce(topic, value, on_delivery=lambda error, _: failures.append(error) if error else None)
    assert producer.flush(30) == 0
    assert not failures


def read(bootstrap_servers: str, topic: str, count: int) -> list[bytes]:
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "test", "log_level": 0})
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        values: list[bytes] = []
        while len(values) < count and (message := consumer.poll(20)) is not None:
            if message.error():
                raise KafkaException(message.error())
            values.append(message.value() or b"")
        return values
    finally:
        consumer.close()


def in_sync(cluster: EmbeddedKafka, topic: str) -> set[int]:
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap_servers, "log_level": 0})
    return set(admin.list_topics(topic, timeout=10).topics[topic].partitions[0].isrs)


def test_a_killed_parent_takes_its_broker_along_and_acknowledged_records_are_there_at_the_next_start(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "数据 of [Kafka]"
    arguments = [sys.executable, "-c", START_AND_STAY, str(data_dir)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, cwd=ROOT) as parent:
        assert parent.stdout is not None
        bootstrap_servers, pid = parent.stdout.readline().split()
        broker = identify(int(pid))
        assert broker is not None
        try:
            create(bootstrap_servers, "kept")
            produce(bootstrap_servers, "kept", b"one", b"two")
        finally:
            parent.kill()
    wait_until(lambda: not broker.is_alive(), 10, "the broker to be gone")

    with EmbeddedKafka(data_dir, port=0) as cluster:
        assert read(cluster.bootstrap_servers, "kept", 2) == [b"one", b"two"]
        second = identify(cluster.pids[0])
    assert cluster.pids == []
    assert second is not None
    assert not second.is_alive()


def test_a_second_start_on_the_same_data_is_refused_and_the_first_goes_on(kafka: EmbeddedKafka) -> None:
    with pytest.raises(ConfigurationError, match=f"already runs on {kafka.data_dir}"):
        EmbeddedKafka(kafka.data_dir, port=0).start()
    assert MetadataProbe(kafka.bootstrap_servers).brokers() == {1}


def test_a_taken_port_is_refused_and_named(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    port = int(kafka.bootstrap_servers.rpartition(":")[2])
    with pytest.raises(ConfigurationError, match=rf"port {port} .* --kafka-port"):
        EmbeddedKafka(tmp_path, port=port).start()


def test_a_java_machine_that_dies_at_start_shows_its_log_and_the_data_of_another_cluster_is_refused(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    with pytest.raises(FatalError, match="ended with exit code 1 at its start") as caught:
        EmbeddedKafka(tmp_path, port=0, heap_mb=1).start()
    assert str(tmp_path / "broker-1" / "java.log") in str(caught.value)
    assert "Too small maximum heap" in str(caught.value)
    with EmbeddedKafka(tmp_path, port=0) as cluster:
        assert len(cluster.pids) == 1
    # The same directory, a broker's data exchanged:
    foreign = kafka.data_dir / "broker-1" / "data" / "meta.properties"
    shutil.copy(foreign, tmp_path / "broker-1" / "data" / "meta.properties")
    with pytest.raises(ConfigurationError, match="belongs to another cluster"):
        EmbeddedKafka(tmp_path, port=0).start()


def test_a_changed_jar_is_not_run(tmp_path: Path) -> None:
    jars = tmp_path / "jars"
    jars.mkdir()
    for jar in ensure_jars():
        shutil.copy(jar, jars)
    changed = jars / "kafka-clients-4.3.1.jar"
    content = changed.read_bytes()
    changed.unlink()
    changed.write_bytes(content[:-1] + b"!")
    with pytest.raises(ConfigurationError, match=r"kafka-clients-4\.3\.1\.jar was changed"):
        EmbeddedKafka(tmp_path / "data", port=0, jars_dir=jars).start()
    assert not (tmp_path / "data").exists()


def test_it_runs_with_an_empty_home_and_neither_java_nor_maven_and_later_without_a_network(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    kept = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment |= {"HOME": str(home), "PATH": str(tmp_path / "empty")}
    assert shutil.which("java", path=environment["PATH"]) is None
    assert CACHE_VARIABLE not in environment
    result = subprocess.run(
        [sys.executable, "-c", START_AND_STOP, str(tmp_path)],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    if result.stderr.startswith("NO NETWORK") or "\nNO NETWORK" in result.stderr:
        pytest.skip("Maven Central cannot be reached: the first download cannot be tried")
    assert result.stdout.splitlines() == ["first ['kept']", "second, without a network ['kept']"], result.stderr
    # The second start prepared the later ones.
    assert result.stderr.count("Preparing Kafka's start") == 1
    (cache,) = home.rglob("kafka-*.aot")
    assert cache.stat().st_size > 0
    assert not (home / ".m2").exists()
    assert not (home / ".jgo").exists()


def test_three_brokers_take_acknowledged_writes_while_one_of_them_is_dead(tmp_path: Path) -> None:
    with EmbeddedKafka(tmp_path, brokers=3, port=0) as cluster:
        create(cluster.bootstrap_servers, "replicated", replicas=3)
        produce(cluster.bootstrap_servers, "replicated", b"before")
        admin = AdminClient({"bootstrap.servers": cluster.bootstrap_servers, "log_level": 0})
        leader = admin.list_topics("replicated", timeout=10).topics["replicated"].partitions[0].leader
        cluster.check()
        cluster.kill_broker(leader - 1)
        with pytest.raises(FatalError, match="was ended by SIGKILL"):
            cluster.check()
        produce(cluster.bootstrap_servers, "replicated", b"during")
        assert len(cluster.pids) == 2
        cluster.start_broker(leader - 1)
        wait_until(lambda: in_sync(cluster, "replicated") == {1, 2, 3}, 60, "all replicas to be in sync")
        assert read(cluster.bootstrap_servers, "replicated", 2) == [b"before", b"during"]
        for number in range(3):
            cluster.kill_broker(number)  # quicker than stopping the last of them without a quorum
