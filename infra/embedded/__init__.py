"""Servers and child processes on this machine: real Apache Kafka and the real ClickHouse engine, nothing to install."""
