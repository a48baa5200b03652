"""Numbers for what many statuses share: a colour with a set of labels. There are few, so a row holds a number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from schemas.errors import FatalError
from schemas.health import EffectiveColour

Kind = tuple[EffectiveColour, tuple[str, ...]]

MAX_KINDS: Final = 1 << 23
"""As many as a row has room for."""


class Kinds:
    """Grows, never shrinks: a number once given keeps its meaning. One thread adds; others read `known`.

    Attributes:
        known: the kind of every number; number 0 is no status at all.
    """

    def __init__(self) -> None:
        self.known: list[Kind] = [("unknown", ())]
        self._numbers: dict[Kind, int] = {}

    def numbers(self, kinds: Iterable[Kind]) -> list[int]:
        """The number of each, 1 or more.

        Raises:
            FatalError: there are more different sets of labels than a row has room for.
        """
        kinds = list(kinds)
        try:
            return list(map(self._numbers.__getitem__, kinds))
        except KeyError:
            return [self._number(kind) for kind in kinds]

    def _number(self, kind: Kind) -> int:
        found = self._numbers.get(kind)
        if found is None:
            if len(self.known) == MAX_KINDS:
                raise FatalError(f"the statuses carry more than {MAX_KINDS - 1} different sets of labels")
            self.known.append(kind)
            found = self._numbers[kind] = len(self.known) - 1
        return found
