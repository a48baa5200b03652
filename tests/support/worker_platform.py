"""Topics of one test's own, and real worker processes on them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.base import Record
from schemas.kafka import consumer_config, producer_config
from schemas.topics import Topics, topic_plan
from tests.support.waiting import wait_until

VENUECODE = "infra.cli.main"
_START_S = 30.0
_STOP_S = 20.0


class WorkerPlatform:
    """The topics of one test: a prefix of their own on a shared cluster."""

    def __init__(self, bootstrap_servers: str, partitions: int = 4) -> None:
        self.cluster: dict[str, str | int | float | bool] = {"bootstrap.servers": bootstrap_servers}
        self.topics = Topics(f"w{uuid.uuid4().hex[:10]}.")
        self.group = f"{self.topics.prefix}worker"
        self.partitions = partitions
        specs = topic_plan(self.topics, partitions=partitions, replication_factor=1, retention_days=14)
        admin = AdminClient(self.cluster)
        futures = admin.create_topics(
            [NewTopic(spec.name, spec.partitions, spec.replication_factor, config=dict(spec.config)) for spec in specs]
        )
        for future in futures.values():
            future.result()
        self._producer: Any = Producer({**producer_config(self.cluster), "log_level": 2})

    def send(self, topic: str, records: Iterable[tuple[str | bytes | None, bytes | None]]) -> None:
        """Produce raw records and wait until they are acknowledged."""
        lost: list[object] = []

        def report(error: object, _: object) -> None:
            if error is not None:
                lost.append(error)

        for key, value in records:
            self._producer.produce(topic, key=key, value=value, on_delivery=report)
            self._producer.poll(0)
        self._producer.flush()
        assert not lost

    def send_records(self, topic: str, key: str, records: Iterable[Record]) -> None:
        """Produce records, keyed by one of their fields."""
        self.send(topic, [(getattr(record, key), record.to_json()) for record in records])

    def read(self, *names: str) -> list[Any]:
        """All messages of topics, from their beginning to their present end."""
        consumer: Any = Consumer(consumer_config(self.cluster, f"{self.group}-reader", enable_partition_eof=True))
        try:
            found = consumer.list_topics(timeout=10).topics
            places = [
                TopicPartition(name, number, OFFSET_BEGINNING) for name in names for number in found[name].partitions
            ]
            consumer.assign(places)
            messages: list[Any] = []
            open_places, deadline = len(places), time.monotonic() + 30
            while open_places:
                assert time.monotonic() < deadline, f"{names} could not be read to the end"
                for message in consumer.consume(500, 0.2):
                    if message.error() is None:
                        messages.append(message)
                    else:
                        open_places -= 1
            return messages
        finally:
            consumer.close()

    def documents(self, *names: str) -> list[dict[str, Any]]:
        """As `read`, the values parsed."""
        return [json.loads(message.value()) for message in self.read(*names)]

    def visits_stored(self) -> int:
        """Records on the topic of the visits, repeats included."""
        return sum(self.ends(self.topics.visits).values())

    def identities(self) -> list[tuple[int, int]]:
        """Source partition and offset of every visit, repeats included."""
        return [(visit["source_partition"], visit["source_offset"]) for visit in self.documents(self.topics.visits)]

    def committed(self) -> dict[int, int]:
        """The group's committed offsets of the scans; 0 where there is none."""
        client: Any = Consumer(consumer_config(self.cluster, self.group))
        try:
            asked = [TopicPartition(self.topics.scans, number) for number in range(self.partitions)]
            return {found.partition: max(found.offset, 0) for found in client.committed(asked, timeout=10)}
        finally:
            client.close()

    def ends(self, topic: str) -> dict[int, int]:
        """The end offset of every partition."""
        client: Any = Consumer(consumer_config(self.cluster, f"{self.group}-reader"))
        try:
            return {
                number: client.get_watermark_offsets(TopicPartition(topic, number), timeout=10)[1]
                for number in client.list_topics(topic, timeout=10).topics[topic].partitions
            }
        finally:
            client.close()


class WorkerProcess:
    """A real `venuecode worker` in a process of its own.

    Args:
        platform: whose scans it decides.
        directory: for its log and its ready file.
        arguments: further options of the verb.
        module: what is started instead of `venuecode`.
        **variables: settings of its environment.
    """

    def __init__(
        self,
        platform: WorkerPlatform,
        directory: Path,
        arguments: Sequence[str] = (),
        *,
        module: str = VENUECODE,
        **variables: str,
    ) -> None:
        self._name = f"worker-{uuid.uuid4().hex[:6]}"
        self._ready_file = directory / f"{self._name}.json"
        self.log_path = directory / f"{self._name}.log"
        environment = {
            **os.environ,
            "VENUECODE_KAFKA__BOOTSTRAP_SERVERS": str(platform.cluster["bootstrap.servers"]),
            "VENUECODE_KAFKA__TOPIC_PREFIX": platform.topics.prefix,
            "VENUECODE_WORKER__GROUP": platform.group,
            **variables,
        }
        argv = [sys.executable, "-m", module, "worker", "--metrics-port", "0", *arguments]
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [*argv, "--ready-file", str(self._ready_file)], env=environment, stdout=log, stderr=log
            )

    def partitions(self) -> int:
        """How many partitions of the scans it owns."""
        found = re.search(r"^venuecode_worker_partitions (\S+)", self.get("/metrics")[1], re.MULTILINE)
        return 0 if found is None else int(float(found[1]))

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of one of the worker's pages; 0 while it does not listen."""
        with suppress(FileNotFoundError, ValueError, URLError, ConnectionError, TimeoutError):
            port = json.loads(self._ready_file.read_text())["metrics_port"]
            try:
                with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                    return answer.status, answer.read().decode()
            except HTTPError as error:
                return error.code, error.read().decode()
        return 0, ""

    def is_ready(self) -> bool:
        """Whether statuses and venues are caught up."""
        assert self.process.poll() is None, self.log()
        return self.get("/ready")[0] == 200

    def wait_until_ready(self) -> None:
        """Wait until `/ready` says so."""
        wait_until(self.is_ready, _START_S, "the worker to be ready")

    def stop(self) -> int:
        """A clean stop: SIGTERM, and the exit code."""
        self.process.terminate()
        return self.process.wait(_STOP_S)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(_STOP_S)

    def log(self) -> str:
        """What it logged so far."""
        return self.log_path.read_text()


@contextmanager
def running_worker(
    platform: WorkerPlatform,
    directory: Path,
    arguments: Sequence[str] = (),
    *,
    module: str = VENUECODE,
    **variables: str,
) -> Iterator[WorkerProcess]:
    """A worker that is ready, and gone afterwards."""
    worker = WorkerProcess(platform, directory, arguments, module=module, **variables)
    try:
        worker.wait_until_ready()
        yield worker
    finally:
        worker.kill()


def every(platform: WorkerPlatform, topic: str) -> set[tuple[int, int]]:
    """Partition and offset of every record of a topic without holes."""
    return {(partition, offset) for partition, end in platform.ends(topic).items() for offset in range(end)}
