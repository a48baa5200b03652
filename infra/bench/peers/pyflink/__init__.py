"""Flink SQL with a Python function."""
