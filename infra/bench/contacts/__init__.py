"""Measures the co-presence questions over a generated city, on ClickHouse, DuckDB and PostgreSQL side by side."""
