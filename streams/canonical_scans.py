"""Scans written as our own encoder writes them, read out of their joined bytes without an object each.

A scan is canonical when it is, byte for byte, what `schemas.fast.encode` makes of it, in ASCII with nothing escaped,
its time in UTC from 1970 to 2099, and its key its person token; but a fraction of a second may also have three digits,
as most other encoders write it, or be zeros. The rest, good or bad, is left to `streams.plain_scans`: nothing is
rejected here, and a property test holds both to the same columns. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, cast, get_args

import numpy as np

from schemas.base import PersonToken, ScanId
from schemas.fast import FastDecoder, encode, encode_lines
from schemas.fixed_width import FixedWidth, positions_of
from schemas.scan import Channel, Direction, Scan, Trip
from streams.scan_columns import ScanColumns
from streams.utc_times import FORM, MILLISECOND, SECONDS_AT, WHOLE_SECOND, Characters, Ints, Mask, read_times

_SCAN: Final = FastDecoder(Scan)
_TRIP: Final = FastDecoder(Trip)
_DIRECTIONS: Final[tuple[str, ...]] = get_args(Direction)
_CHANNELS: Final[tuple[str, ...]] = get_args(Channel)
_ENTER: Final = _DIRECTIONS.index("enter")
_QUOTE, _BACKSLASH, _SPACE, _NO_ASCII = b'"\\ \x80'
_LONGEST_ID: Final = 64
_Z: Final = ord("Z")
_IN_MICROSECONDS: Final = np.frombuffer(b"0000-00-00T00:00:00.000000Z", np.uint8)
_TOKEN_LENGTH: Final = 32
_NO_KEY: Final = bytes(_TOKEN_LENGTH)
_MARGIN: Final = bytes(1024)
"""Nothing is read farther behind the last scan: a canonical one is shorter, but for its trip."""


def _fixed(annotated: Any) -> tuple[FixedWidth, int]:
    """The check of a text type whose matches have one width, and that width."""
    positions = positions_of(get_args(annotated)[1].pattern)
    if positions is None:
        raise TypeError("texts of this type differ in width")
    return FixedWidth(positions), len(positions)


_SCAN_ID: Final = _fixed(ScanId)
_TOKEN: Final = _fixed(PersonToken)


def read_canonical(keys: Sequence[bytes | None], values: Sequence[bytes | None]) -> ScanColumns:
    """The canonical scans of a batch, all with their times read."""
    lines = _Lines(values)
    lines.literal('{"scan_id":"')
    lines.fixed(_SCAN_ID)
    lines.literal('","person_token":"')
    tokens = lines.fixed(_TOKEN)
    lines.literal('","venue_id":"')
    venue_at, venue_end = lines.identifier()
    lines.literal('","point_id":"')
    lines.identifier()
    lines.literal('","scanned_at":"')
    time = lines.time()
    lines.literal('","direction":"')
    direction = lines.one_of(_DIRECTIONS)
    lines.literal(',"channel":"')
    lines.one_of(_CHANNELS)
    lines.literal(',"trip":')
    lines.trip()
    lines.literal(',"gateway":"')
    lines.identifier()
    lines.literal('"}')
    known = b"".join(key if key is not None and len(key) == _TOKEN_LENGTH else _NO_KEY for key in keys)
    are_keys = (tokens == np.frombuffer(known, np.uint8).reshape(-1, _TOKEN_LENGTH)).all(axis=1)
    good = (lines.good & are_keys & lines.ended()).nonzero()[0]
    text, positions = lines.text, good.tolist()
    if len(good) < len(values):
        tokens, direction = tokens[good], direction[good]
        time = _Time(*(column[good] for column in time))
    heads, seconds = _copied(text, lines.begins[good], lines.ends[good] - 1, time)
    return ScanColumns(
        positions,
        heads,
        bytes.fromhex(tokens.tobytes().decode()),
        _cut(text, venue_at[good], venue_end[good]),
        direction == _ENTER,
        seconds,
        time.at_ms,
        np.ones(len(good), np.bool_),
        lambda index: _SCAN.decode(values[positions[index]]),
    )


class _Time(NamedTuple):
    """Where in the text a time is, and what is to be written for it: up to `cut`, three zeros if `short`, and a Z.

    Attributes:
        begin, end: of the time, the end exclusive.
        cut: where its fraction ends; where it would begin, if there is none to be written.
        short: whether its fraction has three digits.
        at_ms: epoch milliseconds.
    """

    begin: Ints
    end: Ints
    cut: Ints
    short: Mask
    at_ms: Ints


def _copied(text: str, begins: Ints, ends: Ints, time: _Time) -> tuple[list[str], list[str]]:
    """Parts of the text with their times as the encoder writes them; and these times, from their seconds on."""
    seconds_at = time.begin + SECONDS_AT
    if np.array_equal(time.cut, time.end - 1) and not time.short.any():
        return _cut(text, begins, ends), _cut(text, seconds_at, time.end)
    fills = ["000Z" if short else "Z" for short in time.short.tolist()]
    cuts = time.cut.tolist()
    left, right = zip(begins.tolist(), cuts, fills, strict=True), _cut(text, time.end, ends)
    heads = [f"{text[begin:cut]}{fill}{rest}" for (begin, cut, fill), rest in zip(left, right, strict=True)]
    return heads, [
        f"{text[begin:cut]}{fill}" for begin, cut, fill in zip(seconds_at.tolist(), cuts, fills, strict=True)
    ]


def _cut(text: str, begins: Ints, ends: Ints) -> list[str]:
    return [text[begin:end] for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)]


class _Lines:
    """All lines, read side by side: each method goes over the next part of every one, and notes which have it.

    Attributes:
        begins, ends: of the lines within the text, the end exclusive.
        at: up to where each was read; means nothing where it is not good.
        good: which lines had all that was asked for.
    """

    def __init__(self, values: Sequence[bytes | None]) -> None:
        given = [value or b"" for value in values] if None in values else cast("Sequence[bytes]", values)
        self._bytes = b"\n".join(given)
        self._padded = self._bytes + _MARGIN
        lengths = np.fromiter(map(len, given), np.int64, len(given))
        self.ends: Ints = np.cumsum(lengths + 1) - 1
        self.begins: Ints = self.ends - lengths
        self.at = self.begins
        self.good = self._plain()

    @property
    def text(self) -> str:
        """The lines as they stand; a character that is not ASCII is as wide as its bytes."""
        return self._bytes.decode("latin-1")

    def literal(self, text: str) -> None:
        """What must stand here."""
        self.good &= self._stands(self.at, text)
        self.at = self.at + len(text)

    def fixed(self, check: tuple[FixedWidth, int]) -> Characters:
        """A text of one width; returns its characters."""
        allowed, width = check
        characters = self._characters(width)
        self.good &= allowed.hold(characters)
        self.at = self.at + width
        return characters

    def identifier(self) -> tuple[Ints, Ints]:
        """A text of 1 to 64 characters up to a quote; returns where it begins and ends."""
        begins, is_quote = self.at, self._characters(_LONGEST_ID + 1) == _QUOTE
        widths = is_quote.argmax(axis=1)  # 0 where there is no quote, as where nothing is before it
        self.good &= widths > 0
        self.at = begins + widths
        return begins, self.at

    def time(self) -> _Time:
        """A time in UTC whose seconds have no fraction, or one of three or six digits."""
        begin, characters = self.at, self._characters(len(FORM))
        whole = characters[:, WHOLE_SECOND - 1] == _Z
        short = characters[:, MILLISECOND - 1] == _Z
        characters[short, MILLISECOND - 1 :] = _IN_MICROSECONDS[MILLISECOND - 1 :]
        characters[whole, WHOLE_SECOND - 1 :] = _IN_MICROSECONDS[WHOLE_SECOND - 1 :]
        at_ms, microseconds, read = read_times(characters)
        self.good &= read
        self.at = end = begin + np.where(whole, WHOLE_SECOND, np.where(short, MILLISECOND, len(FORM)))
        no_fraction = microseconds == 0
        cut = np.where(no_fraction, begin + WHOLE_SECOND, end) - 1
        return _Time(begin, end, cut, short & ~whole & ~no_fraction, at_ms)

    def one_of(self, texts: Sequence[str]) -> Ints:
        """One of some texts and a quote; returns its number."""
        number = np.full(len(self.at), -1)
        for candidate, text in enumerate(texts):
            number[self._stands(self.at, f'{text}"')] = candidate
        self.good &= number >= 0
        self.at = self.at + np.array([len(text) + 1 for text in (*texts, "")])[number]
        return number

    def trip(self) -> None:
        """A trip, or null."""
        here = self.at
        null = self._stands(here, "null")
        self.at = here + len("null")
        others = (self.good & ~null).nonzero()[0]
        if not len(others):
            return
        found = [
            self._bytes.find(b'},"gateway":"', begin, end) + 1
            for begin, end in zip(here[others].tolist(), self.ends[others].tolist(), strict=True)
        ]
        trips = [self._bytes[begin:end] for begin, end in zip(here[others].tolist(), found, strict=True)]
        self.at[others] = found
        decoded = _TRIP.decode_batch(trips)
        if decoded is None or encode_lines(decoded)[:-1] != b"\n".join(trips):
            singly = zip(_TRIP.decode_good(trips), trips, strict=True)
            self.good[others] = [read is not None and encode(read) == trip for read, trip in singly]

    def ended(self) -> Mask:
        """Which lines have nothing more."""
        return np.equal(self.at, self.ends)

    def _plain(self) -> Mask:
        """Which lines are ASCII, without a character that is or needs an escape. Line breaks are only between them."""
        good = np.ones(len(self.ends), np.bool_)
        raw = np.frombuffer(self._bytes, np.uint8)
        control = raw < _SPACE
        plain = self._bytes.isascii() and b"\\" not in self._bytes
        if not plain or np.count_nonzero(control) >= len(good):
            odd = control | (raw >= _NO_ASCII) | (raw == _BACKSLASH)
            odd[self.ends[:-1]] = False
            good[np.searchsorted(self.ends, odd.nonzero()[0])] = False
        return good

    def _characters(self, width: int) -> Characters:
        """So many characters of each line, a row each."""
        characters: Characters = self._cut(f"V{width}", self.at).view(np.uint8).reshape(-1, width)
        return characters

    def _stands(self, at: Ints, text: str) -> Mask:
        """Where a text stands."""
        found: Mask = self._cut(f"S{len(text)}", at) == text.encode()
        return found

    def _cut(self, kind: str, at: Ints) -> Any:
        """What begins at each place, a copy: numpy copies an item of one width as one."""
        width = np.dtype(kind).itemsize
        return np.ndarray((len(self._padded) - width + 1,), kind, self._padded, 0, (1,))[at]
