"""Settings: named in errors, hidden when secret, turned into what the clients want."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pydantic
import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from infra.cli.main import build_app
from infra.settings import KafkaSettings, Settings

SECRETS = {
    "VENUECODE_KAFKA__SASL_PASSWORD": "kafka-secret",
    "VENUECODE_CLICKHOUSE__PASSWORD": "clickhouse-secret",
    "VENUECODE_WORKER__ALERT_ID_KEY": "alert-secret",
}


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("VENUECODE_KAFKA__PARTITIONS", "many", "valid integer"),
        ("VENUECODE_KAFKA__PARTITIONS", "0", "greater than or equal to 1"),
        ("VENUECODE_KAFKA__SECURITY_PROTOCOL", "TLS", "SASL_SSL"),
        ("VENUECODE_CLICKHOUSE__DATABASE", "a;b", "pattern"),
        ("VENUECODE_RETENTION__DAYS", "31", "less than or equal to 30"),
        ("VENUECODE_TIMEZONE", "Mars/Olympus", "Asia/Shanghai"),
        ("VENUECODE_LOG_LEVEL", "loud", "debug"),
        ("VENUECODE_KAFKA__PARTITION", "3", "not permitted"),
    ],
)
def test_a_wrong_setting_ends_with_its_name_and_what_is_wrong(
    name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    result = CliRunner().invoke(build_app(("config",)), ["config", "show"], env={"COLUMNS": "300"})
    assert result.exit_code == 2
    assert f"Setting {name}:" in result.stderr
    assert message in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("arguments", [["config", "show"], ["config", "show", "--json"]])
def test_every_setting_is_shown_with_its_variable_and_no_secret_is(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)
    monkeypatch.setenv("VENUECODE_KAFKA__BOOTSTRAP_SERVERS", "broker:9092")
    result = CliRunner().invoke(build_app(("config",)), arguments, env={"COLUMNS": "400"})
    assert result.exit_code == 0
    assert "broker:9092" in result.stdout
    for name, secret in SECRETS.items():
        assert name in result.stdout
        assert secret not in result.output
    assert "secret" not in repr(Settings())
    if "--json" in arguments:
        shown = json.loads(result.stdout)
        assert shown["VENUECODE_KAFKA__PARTITIONS"] == 8
        assert shown["VENUECODE_KAFKA__SASL_PASSWORD"] == "********"


def test_a_secret_that_is_not_set_is_not_shown_as_if_it_were() -> None:
    shown = json.loads(CliRunner().invoke(build_app(("config",)), ["config", "show", "--json"]).stdout)
    assert shown["VENUECODE_KAFKA__SASL_PASSWORD"] is None


def leaves(model: type[BaseModel]) -> Iterator[tuple[str, str | None]]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from leaves(field.annotation)
        else:
            yield f"{model.__name__}.{name}", field.description


def test_every_setting_has_a_description() -> None:
    assert not [name for name, description in leaves(Settings) if not description]


def test_settings_cannot_be_changed_and_one_of_a_section_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENUECODE_KAFKA__PARTITIONS", "3")
    settings = Settings()
    assert (settings.kafka.partitions, settings.kafka.bootstrap_servers) == (3, "127.0.0.1:9092")
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        settings.kafka.partitions = 4  # type: ignore[misc]


def test_a_secured_cluster_is_passed_to_librdkafka_whole(tmp_path: Path) -> None:
    settings = KafkaSettings(
        bootstrap_servers="b:9093",
        security_protocol="SASL_SSL",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username="venuecode",
        sasl_password=pydantic.SecretStr("kafka-secret"),
        ssl_ca_location=tmp_path / "ca.pem",
    )
    assert settings.librdkafka() == {
        "bootstrap.servers": "b:9093",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "venuecode",
        "sasl.password": "kafka-secret",
        "ssl.ca.location": str(tmp_path / "ca.pem"),
    }
    assert set(KafkaSettings().librdkafka()) == {"bootstrap.servers", "security.protocol"}
