"""Fixtures that start ClickHouse."""
