"""The statements of both Flink jobs: two tables on Kafka, and an INSERT that calls `colour_of` and `decision_of`."""

from __future__ import annotations

from infra.bench.peers.contract import Task

SETTINGS = {
    "parallelism.default": "2",
    "execution.checkpointing.interval": "1 s",
    "pipeline.object-reuse": "true",
    "table.exec.mini-batch.enabled": "false",
    "taskmanager.memory.network.min": "64 mb",
    "taskmanager.memory.network.max": "64 mb",
    "restart-strategy.type": "none",
}
"""The sink waits at a checkpoint until everything is acknowledged; then the offsets are committed."""

_COLUMNS = (
    "scan_id STRING, person_token STRING, venue_id STRING, point_id STRING, scanned_at STRING, direction STRING, "
    "channel STRING, trip STRING, gateway STRING"
)


def statements(task: Task) -> list[str]:
    """DDL and the INSERT of a run."""
    kafka = f"'connector' = 'kafka', 'properties.bootstrap.servers' = '{task.bootstrap}'"
    return [
        f"CREATE TABLE scans ({_COLUMNS}) WITH ({kafka}, 'topic' = '{task.scans}', 'format' = 'json', "
        f"'properties.group.id' = '{task.group}', 'scan.startup.mode' = 'earliest-offset')",
        f"CREATE TABLE visits ({_COLUMNS}, colour STRING, decision STRING) WITH ({kafka}, 'topic' = '{task.output}', "
        "'key.format' = 'raw', 'key.fields' = 'person_token', 'value.format' = 'json', "
        "'sink.delivery-guarantee' = 'at-least-once', 'properties.acks' = 'all', 'properties.linger.ms' = '5', "
        "'properties.compression.type' = 'lz4', 'properties.batch.size' = '262144')",
        # A CASE over the colour would call its function once for each WHEN: the planner copies it there.
        "INSERT INTO visits SELECT *, colour_of(person_token), decision_of(person_token) FROM scans",
    ]


def script(task: Task) -> str:
    """Settings and statements, as one file."""
    settings = [f"SET '{name}' = '{value}'" for name, value in SETTINGS.items()]
    return ";\n".join([*settings, *statements(task)]) + "\n"
