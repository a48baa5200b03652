"""`venuecode status load|show` against a real broker."""

from __future__ import annotations

import json
import stat
import uuid
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.cli.main import build_app
from infra.settings import KafkaSettings, Settings
from infra.topics import apply_topics, plan

pytestmark = pytest.mark.broker

RED, EXPIRED, NOBODY = (f"{number:032x}" for number in (1, 2, 3))


def line(token: str, colour: str, until: str) -> str:
    record = {
        "person_token": token,
        "colour": colour,
        "reason": "test",
        "version": 1,
        "issuer": "authority",
        "valid_from": "2020-01-01T00:00:00Z",
        "valid_until": until,
        "issued_at": "2020-01-01T00:00:00Z",
    }
    return json.dumps(record)


@pytest.fixture
def runner(kafka: Any, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    settings = KafkaSettings(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=f"f{uuid.uuid4().hex[:12]}.")
    monkeypatch.setenv("VENUECODE_KAFKA__BOOTSTRAP_SERVERS", settings.bootstrap_servers)
    monkeypatch.setenv("VENUECODE_KAFKA__TOPIC_PREFIX", settings.topic_prefix)
    apply_topics(settings.librdkafka(), plan(Settings(kafka=settings)))
    return CliRunner()


def test_a_feed_is_loaded_its_bad_lines_are_kept_aside_and_a_person_can_be_looked_up(
    runner: CliRunner, tmp_path: Path
) -> None:
    app = build_app(("status",))
    feed = tmp_path / "feed.ndjson"
    lines = [line(RED, "red", "9999-12-31T00:00:00Z"), "{broken", line(EXPIRED, "green", "2020-01-02T00:00:00Z")]
    feed.write_text("\n".join(lines), "utf-8")

    loaded = runner.invoke(app, ["status", "load", str(feed), "--json"])
    rejects = tmp_path / "feed.ndjson.rejects.ndjson"
    assert json.loads(loaded.stdout) == {"published": 2, "rejected": 1, "rejects": str(rejects)}
    assert loaded.exit_code == 1
    assert json.loads(rejects.read_text("utf-8")) == {"line": 2, "reason": "not_json", "raw": "{broken"}
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600

    shown = json.loads(runner.invoke(app, ["status", "show", RED, "--json"]).stdout)
    assert (shown["colour_now"], shown["status"]["colour"]) == ("red", "red")
    text = runner.invoke(app, ["status", "show", EXPIRED])
    assert text.exit_code == 0
    assert text.stdout.startswith("unknown now")
    assert EXPIRED not in text.stdout
    assert runner.invoke(app, ["status", "show", NOBODY]).stdout.startswith("unknown")
    assert runner.invoke(app, ["status", "show", "not-a-token"]).exit_code == 2
    assert runner.invoke(app, ["status", "load", str(tmp_path / "none")]).exit_code == 2


def test_standard_input_is_a_feed_too(runner: CliRunner) -> None:
    result = runner.invoke(
        build_app(("status",)), ["status", "load", "-"], input=line(RED, "green", "2020-01-02T00:00:00Z") + "\n\n"
    )
    assert result.exit_code == 0
    assert "1 published, 0 rejected" in result.stdout
