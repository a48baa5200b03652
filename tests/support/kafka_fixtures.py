"""Fixtures that start Kafka."""
