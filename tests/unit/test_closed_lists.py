"""Columns with a closed list of values know every value that the models know, under the number the sink sends."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from schemas.health import EffectiveColour
from schemas.scan import Channel
from schemas.visit import Decision
from sinks.clickhouse import native
from sinks.clickhouse.sqlfiles import read_migrations


@pytest.mark.parametrize(
    ("column", "values"), [("channel", Channel), ("colour", EffectiveColour), ("decision", Decision)]
)
def test_a_new_value_of_a_closed_list_needs_a_migration(column: str, values: Any) -> None:
    (sql,) = (each.text for each in read_migrations() if each.name == "closed_lists")
    kind, _ = native.enumerated(get_args(values), np.array([], np.int64))
    lines = [line for line in sql.splitlines() if f"MODIFY COLUMN {column} " in line]
    assert len(lines) >= 2
    assert all(kind in line for line in lines), f"{column} is {kind} in the models, in the tables {lines}"
