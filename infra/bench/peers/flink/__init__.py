"""Flink SQL with a Java function."""
