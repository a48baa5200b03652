"""The settings: one frozen tree, read once from `VENUECODE_*`, passed down.

Nested names are joined by two underscores: `VENUECODE_KAFKA__BOOTSTRAP_SERVERS=broker:9092`. Kafka and ClickHouse
addresses, security included, point at real clusters without a change of code.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import platformdirs
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.kafka import ClientConfig
from schemas.topics import Topics


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"unknown time zone {name!r}; use an IANA name such as Asia/Shanghai") from None
    return name


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KafkaSettings(_Section):
    """The Kafka cluster."""

    bootstrap_servers: str = Field("127.0.0.1:9092", description="host:port, comma-separated")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="how clients speak to the brokers"
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        None, description="with a SASL protocol"
    )
    sasl_username: str | None = Field(None, description="with a SASL protocol")
    sasl_password: SecretStr | None = Field(None, description="with a SASL protocol")
    ssl_ca_location: Path | None = Field(
        None, description="PEM file of the authorities to trust; default: the system's"
    )
    topic_prefix: str = Field(
        "", max_length=32, description="before every topic name: several platforms on one cluster"
    )
    partitions: int = Field(
        8, ge=1, le=1024, description="of scans, statuses and visits (co-partitioned); alerts have a quarter"
    )
    replication_factor: int = Field(1, ge=1, le=9, description="of every topic; 3 in production")

    def topics(self) -> Topics:
        """The names of the topics."""
        return Topics(self.topic_prefix)

    def librdkafka(self) -> ClientConfig:
        """The cluster as librdkafka's settings."""
        config: dict[str, str | int | float | bool] = {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": self.security_protocol,
        }
        if self.sasl_mechanism is not None:
            config["sasl.mechanism"] = self.sasl_mechanism
        if self.sasl_username is not None:
            config["sasl.username"] = self.sasl_username
        if self.sasl_password is not None:
            config["sasl.password"] = self.sasl_password.get_secret_value()
        if self.ssl_ca_location is not None:
            config["ssl.ca.location"] = str(self.ssl_ca_location)
        return config


class ClickHouseSettings(_Section):
    """The ClickHouse server, over its HTTP interface."""

    host: str = Field("127.0.0.1", description="name or address")
    port: int = Field(8123, ge=1, le=65535, description="of the HTTP interface")
    user: str = Field("default", description="as whom")
    password: SecretStr = Field(SecretStr(""), description="of the user")
    secure: bool = Field(False, description="HTTPS")
    database: str = Field("venuecode", pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$", description="where the tables are")


class QuestionSettings(_Section):
    """What one question of a verb may take of ClickHouse; 0 lifts a limit."""

    seconds: float = Field(60, ge=0, description="longest time")
    memory_mb: int = Field(4096, ge=0, description="most memory of the server, MiB")
    rows_read: int = Field(2_000_000_000, ge=0, description="most rows read, in all tables together")
    answer_rows: int = Field(1_000_000, ge=0, description="most rows of an answer")


class WorkerSettings(_Section):
    """The stream worker."""

    group: str = Field("venuecode-worker", description="its consumer group")
    metrics_port: int = Field(
        6066, ge=0, le=65535, description="/metrics, /ping and /ready on loopback; 0: any free port"
    )
    batch_rows: int = Field(8000, ge=1, le=100_000, description="most scans in one batch")
    dedupe_minutes: int = Field(120, ge=1, description="repeats of one person at one venue share one alert within it")
    stall_s: float = Field(
        60, gt=0, description="it gives up when its committed offset stands still so long though there is work"
    )
    alerts_remembered: int = Field(
        200_000, ge=1, description="most ids of alerts kept in memory, so that repeats of them are not sent"
    )
    clock_tolerance_s: float = Field(
        60, gt=0, description="/ready warns of a larger difference between its clock and the brokers'"
    )
    review_minutes: int = Field(10, ge=1, description="at most one review alert a venue within it")
    alert_id_key: SecretStr = Field(SecretStr("venuecode-development-key"), description="keys the hash in alert ids")
    status_wait_s: float = Field(
        900, gt=0, description="a partition whose statuses are not read by then ends the worker, nothing decided"
    )
    snapshot_dir: Path | None = Field(
        None, description="of snapshots of the status store, for quick restarts; they hold person tokens; null: none"
    )
    snapshot_every_s: float = Field(600, gt=0, description="a changed partition is saved again after so long")


class SinkSettings(_Section):
    """The ClickHouse sink."""

    group: str = Field("venuecode-sink", description="its consumer group")
    metrics_port: int = Field(
        6067, ge=0, le=65535, description="/metrics, /ping and /ready on loopback; 0: any free port"
    )
    stall_s: float = Field(
        180, gt=0, description="it gives up when nothing is committed for so long though there is work"
    )
    batch_rows: int = Field(400_000, ge=1, description="rows that make a batch full: 0.8 KB of memory each, twice")
    batch_seconds: float = Field(
        0.5, gt=0, description="age at which a batch is written though not full; up to eight times that under much load"
    )


class RetentionSettings(_Section):
    """How long movements are kept."""

    days: int = Field(14, ge=1, le=30, description="scans, visits and alerts; 30 at most")
    analysis: bool = Field(
        False, description="lift the retention on a platform for historical files; said plainly in `status`"
    )


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix="VENUECODE_",
        env_nested_delimiter="__",
        frozen=True,
        extra="ignore",
        nested_model_default_partial_update=True,
    )

    kafka: KafkaSettings = KafkaSettings()
    clickhouse: ClickHouseSettings = ClickHouseSettings()
    questions: QuestionSettings = QuestionSettings()
    worker: WorkerSettings = WorkerSettings()
    sink: SinkSettings = SinkSettings()
    retention: RetentionSettings = RetentionSettings()
    data_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("venuecode"), description="of the embedded platform"
    )
    timezone: Annotated[str, AfterValidator(_known_zone)] = Field(
        "Asia/Shanghai", description="the city's: calendar days, crowding by hour"
    )
    log_format: Literal["text", "json"] = Field("text", description="of the log on standard error")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="lowest level logged")
