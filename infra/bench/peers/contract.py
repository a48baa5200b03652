"""The job that every peer does, and how it is told about it. Needs the standard library only: peers import it.

Decode a scan's JSON, look the person's colour up, decide, and produce the scan with `colour` and `decision` in it as
JSON: one record for every record. A peer runs until SIGTERM.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self

UNKNOWN: Final = "unknown"
DECISIONS: Final[Mapping[str, str]] = MappingProxyType(
    {"green": "admit", "yellow": "refuse", "red": "isolate", UNKNOWN: "check"}
)
"""What a colour decides: `streams.rules`, which a test compares it with."""

LIBRDKAFKA_CONSUMER: Final[Mapping[str, Any]] = MappingProxyType({"fetch.queue.backoff.ms": 10})
"""For every client on librdkafka: with its default of 1000 a fast consumer stalls (2.5 to 3 times slower)."""

LIBRDKAFKA_PRODUCER: Final[Mapping[str, Any]] = MappingProxyType(
    {"acks": "all", "compression.type": "lz4", "linger.ms": 5, "queue.buffering.max.messages": 1_000_000}
)
"""For every client on librdkafka; the others are set to the same acknowledgements, compression and linger."""


@dataclass(frozen=True, slots=True)
class Task:
    """What one run is given, as command-line arguments in this order."""

    bootstrap: str
    scans: str
    output: str
    colours: str
    group: str
    variant: str = ""

    @classmethod
    def from_arguments(cls) -> Self:
        """The task of this process."""
        return cls(*sys.argv[1:])

    def arguments(self) -> list[str]:
        """The task as arguments of a process."""
        return [self.bootstrap, self.scans, self.output, self.colours, self.group, self.variant]


def read_colours(path: str) -> dict[str, str]:
    """Colours by person token, from lines `token TAB colour`."""
    colours = {}
    with Path(path).open(encoding="ascii") as lines:
        for line in lines:
            token, _, colour = line.rstrip("\n").partition("\t")
            colours[token] = sys.intern(colour)
    return colours
