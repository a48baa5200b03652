"""An import against a real broker: each row once, whatever is killed, and however often it is asked for."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from typer.testing import CliRunner, Result

from infra.cli.main import build_app
from infra.embedded.kafka import EmbeddedKafka
from producers.importers.readback import TopicReader
from producers.importers.token_key import create_token_key
from producers.publisher import Publisher
from schemas.fast import FastDecoder
from schemas.scan import Scan
from schemas.topics import Topics
from tests.support.import_files import read_topic
from tests.support.waiting import wait_until

pytestmark = pytest.mark.broker

ROWS = 120_000
START_MS = 1_600_000_000_000


@dataclass(frozen=True)
class Place:
    """Topics, a data directory and a key of this test's own."""

    bootstrap: str
    topics: Topics
    directory: Path

    @property
    def cluster(self) -> dict[str, str]:
        return {"bootstrap.servers": self.bootstrap}

    def command(self, kind: str, path: Path, *options: str) -> tuple[list[str], dict[str, str]]:
        key = ["--token-key-file", str(self.directory / "token.key")] if kind in ("scans", "statuses") else []
        variables = {
            "VENUECODE_KAFKA__BOOTSTRAP_SERVERS": self.bootstrap,
            "VENUECODE_KAFKA__TOPIC_PREFIX": self.topics.prefix,
            "VENUECODE_DATA_DIR": str(self.directory / "data"),
            "VENUECODE_RETENTION__ANALYSIS": "true",
        }
        command = [sys.executable, "-m", "infra.cli.main", "import", kind, str(path), "--json", *key, *options]
        return command, {**os.environ, **variables}

    def invoke(self, kind: str, path: Path, *options: str) -> Result:
        """The verb in this process: a start of its own takes longer than a small import."""
        command, environment = self.command(kind, path, *options)
        return CliRunner().invoke(build_app(("import_",)), command[command.index("import") :], env=environment)

    def run(self, kind: str, path: Path, *options: str) -> dict[str, Any]:
        done = self.invoke(kind, path, *options)
        assert done.exit_code == 0, done.stderr
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    def arrived(self) -> int:
        return sum(TopicReader(self.cluster, self.topics.scans).ends().values())

    def kill_when(self, path: Path, more: int) -> None:
        """Start an import, and kill it with -9 once so many more rows arrived."""
        goal = self.arrived() + more
        command, environment = self.command("scans", path)
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            wait_until(lambda: self.arrived() >= goal or process.poll() is not None, 60, "rows to arrive")
            assert process.poll() is None, "the import ended before it could be killed"
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(10)


@pytest.fixture
def place(kafka: EmbeddedKafka, tmp_path: Path) -> Iterator[Place]:
    topics = Topics(prefix=f"import-{uuid.uuid4().hex[:8]}.")
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    wanted = [topics.scans, topics.venues, topics.exposure_windows, topics.statuses]
    for future in admin.create_topics([NewTopic(name, 3, 1) for name in wanted]).values():
        future.result(30)

    def led() -> bool:
        found = admin.list_topics(timeout=10).topics
        return all(
            name in found
            and len(found[name].partitions) == 3
            and all(p.leader >= 0 for p in found[name].partitions.values())
            for name in wanted
        )

    wait_until(led, 30, "the topics to have leaders")
    create_token_key(tmp_path / "token.key")
    yield Place(kafka.bootstrap_servers, topics, tmp_path)
    for future in admin.delete_topics(wanted).values():
        future.result(30)


@pytest.fixture(scope="module")
def big_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of which every tenth is there twice, and some are bad."""
    path = tmp_path_factory.mktemp("files") / "scans.csv"
    with path.open("w") as file:
        file.write("person,venue,at\n")
        for row in range(ROWS):
            number = row - row % 2 if row % 20 < 2 else row
            venue = "" if row % 1000 == 999 else f"V{number % 300}"
            file.write(f"p{number % 5000},{venue},{START_MS + number * 1000}\n")
    return path


def test_an_import_killed_with_9_goes_on_and_every_row_is_there_exactly_once(place: Place, big_file: Path) -> None:
    bad = ROWS // 1000
    for more in (3_000, 20_000, 30_000):
        place.kill_when(big_file, more)
    assert place.arrived() < ROWS - bad
    result = place.run("scans", big_file)
    assert result["rows"] == ROWS
    assert result["rejected"] == {"missing_value": bad}
    assert result["resumed_from"] is not None
    assert result["sent"] + result["already_there"] == ROWS - bad
    assert result["already_there"] >= 53_000

    values = read_topic(place.cluster, place.topics.scans)
    scans = FastDecoder(Scan).decode_batch(values)
    assert scans is not None
    assert len(scans) == len({scan.scan_id for scan in scans}) == ROWS - bad
    expected = Counter(
        (f"V{number % 300}", START_MS + number * 1000)
        for row in range(ROWS)
        if row % 1000 != 999
        for number in [row - row % 2 if row % 20 < 2 else row]
    )
    found = Counter((scan.venue_id, round(scan.scanned_at.timestamp() * 1000)) for scan in scans)
    assert found == expected

    again = place.run("scans", big_file)
    assert again["already_imported"]
    assert again["rows"] == ROWS
    assert place.arrived() == ROWS - bad


def small(place: Place, name: str, text: str) -> Path:
    path = place.directory / name
    path.write_text(text)
    return path


SCANS = "person,venue,at\na,V1,1600000000\nb,V1,1600000060\nb,V1,1600000060\n"


def test_a_finished_file_is_sent_once_more_only_when_told(place: Place) -> None:
    path = small(place, "scans.csv", SCANS)
    assert place.run("scans", path)["sent"] == 3
    assert place.run("scans", small(place, "copy.csv", SCANS))["already_imported"]
    assert place.arrived() == 3
    assert place.run("scans", path, "--again")["sent"] == 3
    ids = Counter(json.loads(value)["scan_id"] for value in read_topic(place.cluster, place.topics.scans))
    assert sorted(ids.values()) == [2, 2, 2]


def test_other_options_or_another_file_are_another_import(place: Place) -> None:
    path = small(place, "scans.csv", SCANS)
    first = place.run("scans", path)
    second = place.run("scans", path, "--shift-by", "1")
    third = place.run("scans", small(place, "longer.csv", SCANS + "c,V1,1600000060\n"))
    assert len({first["import_id"], second["import_id"], third["import_id"]}) == 3
    assert (second["sent"], third["sent"]) == (3, 4)


def test_a_wrong_mapping_stops_with_an_explanation_before_anything_is_sent(place: Place) -> None:
    path = small(place, "scans.csv", "person,venue,at\n" + "a,V1,30/04/2024\n" * 3000)
    done = place.invoke("scans", path)
    assert done.exit_code == 1
    assert "3,000 unparsable_time" in done.stderr
    assert place.arrived() == 0
    assert len(Path(f"{path}.rejects.csv").read_text().splitlines()) == 3001


def test_person_ids_reach_neither_the_topic_nor_the_messages(place: Place) -> None:
    path = small(place, "scans.csv", "person,venue,at\n" + "zhangsan,V1,1600000000\n" * 30 + "zhangsan,,1600000000\n")
    done = place.invoke("scans", path)
    assert done.exit_code == 0
    assert "zhangsan" not in done.stdout + done.stderr
    assert not any(b"zhangsan" in value for value in read_topic(place.cluster, place.topics.scans))


def test_the_other_kinds_reach_their_topics(place: Place) -> None:
    venues = small(place, "venues.csv", "venue_id,name,category\nV1,Cafe,cafe\n")
    windows = small(place, "windows.csv", "id,venue,start,end\nW1,V1,2021-08-12T01:00:00Z,2021-08-12T02:00:00Z\n")
    statuses = small(place, "statuses.csv", "person,colour,valid_from\na,red,2021-08-12T01:00:00Z\n")
    assert place.run("venues", venues)["sent"] == 1
    assert place.run("windows", windows)["sent"] == 1
    assert place.run("statuses", statuses, "--valid-days", "1")["sent"] == 1
    names = {
        place.topics.venues: ("venue_id", "V1"),
        place.topics.exposure_windows: ("window_id", "W1"),
        place.topics.statuses: ("colour", "red"),
    }
    for topic, (field, value) in names.items():
        (record,) = read_topic(place.cluster, topic)
        assert json.loads(record)[field] == value


def test_records_of_others_and_rubbish_do_not_disturb_the_read_back(place: Place) -> None:
    reader = TopicReader(place.cluster, place.topics.scans)
    begin = reader.ends()
    ours = b'{"scan_id":"A","gateway":"import-x"}'
    values = [ours, ours, b'{"scan_id":"B","gateway":"import-y"}', b'"gateway":"import-x"', b'{"gateway":"import-x"}']
    with Publisher(place.cluster) as publisher:
        publisher.publish_batch(place.topics.scans, [b"k"] * 5, values)
        publisher.publish(place.topics.scans, b"k", None)
    assert reader.scan_ids(begin, "import-x") == {"A": 2}
    assert reader.scan_ids(reader.ends(), "import-x") == {}


def test_without_topics_or_brokers_the_message_says_what_to_do(place: Place) -> None:
    path = small(place, "scans.csv", SCANS)
    nowhere = Place(place.bootstrap, Topics(prefix="nobody-made-these."), place.directory)
    done = nowhere.invoke("scans", path)
    assert done.exit_code == 1
    assert "venuecode topics apply" in done.stderr
