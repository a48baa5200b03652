"""The real ClickHouse engine (chDB) behind ClickHouse's own HTTP interface, as a process of its own.

`EmbeddedClickHouse` starts it as a child; `python -m infra.embedded.clickhouse` runs it. What it supports is in
docs/embedded-clickhouse.md.
"""

from infra.embedded.clickhouse.child import EmbeddedClickHouse

__all__ = ["EmbeddedClickHouse"]
