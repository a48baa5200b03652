"""Fixtures that all tests share; the servers they start are in `tests/support`."""

pytest_plugins = ["tests.support.kafka_fixtures", "tests.support.clickhouse_fixtures"]
