"""The numbers that other databases of the benchmark know cells by are the product's cells."""

from __future__ import annotations

import numpy as np

from infra.bench.contacts.cells import cell_numbers
from tests.support.copresence_oracle import cell


def test_two_positions_have_one_number_exactly_where_they_are_in_one_cell() -> None:
    rng = np.random.default_rng(7)
    near = rng.integers(0, 40, (2, 4_000)) * 0.004  # a few hundred metres from one to the next
    for base in (-33.9, -0.05, 34.2, 65.0):
        lat, lon = base + near[0], near[1] - 0.08
        names = [cell(*position) for position in zip(lat.tolist(), lon.tolist(), strict=True)]
        numbers = cell_numbers(lat, lon).tolist()
        assert len(set(zip(names, numbers, strict=True))) == len(set(names)) == len(set(numbers)) > 100
