"""The city's visits with only the columns the questions look at: what DuckDB and PostgreSQL hold.

A place is one whole number there (venue and run), a person a UUID, an instant milliseconds: less than the tables of the
product hold, and all of it in favour of the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa

from infra.bench.contacts.city import City, Visits
from infra.bench.contacts.rows import fixed_strings

RUNS: Final = 64
"""Places a venue has at most: one, or one for each run."""


def place_number(venue: Any, run: Any) -> Any:
    """The number of a place."""
    return venue.astype(np.int64) * RUNS + run


class NarrowRows:
    """Makes Arrow tables out of visits of one city.

    Columns: `number`, `person` (32 hex digits), `place`, `venue`, `at_ms` and `default_ms`, `max_ms` (milliseconds; the
    stays assumed at and allowed by the venue's category), `leave`.
    """

    def __init__(self, city: City, minutes: Mapping[str, tuple[int, int]]) -> None:
        self._city = city
        of_venue = np.array([minutes[name] for name in city.venues.category.tolist()], np.int64) * 60_000
        self._default_ms, self._max_ms = of_venue[:, 0].astype(np.int32), of_venue[:, 1].astype(np.int32)

    def table(self, visits: Visits) -> Any:
        """One table, in the order of the visits."""
        count = len(visits)
        text = self._city.tokens[visits.person].tobytes().hex().encode()
        return pa.table(
            {
                "number": visits.number,
                "person": fixed_strings(text, count, 32),
                "place": place_number(visits.venue, visits.run),
                "venue": visits.venue.astype(np.int32),
                "at_ms": visits.at_ms,
                "leave": visits.leave,
                "default_ms": self._default_ms[visits.venue],
                "max_ms": self._max_ms[visits.venue],
            }
        )
