"""The platform on this machine: Kafka and ClickHouse together, in the foreground or kept in the background."""

from infra.platform.servers import Platform

__all__ = ["Platform"]
