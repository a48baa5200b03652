"""Records of one form, lines of one text, read side by side: column by column, without an object each.

What is read is held to the form byte by byte, as `schemas.fast.encode` writes it in ASCII with nothing escaped; what
has another spelling is no error, only left to whoever reads records one by one. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeVar, cast, get_args

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from schemas.fast import encode_value
from schemas.fixed_width import FixedWidth, positions_of
from schemas.utc_times import FORM, MILLISECOND, WHOLE_SECOND, Characters, Ints, Mask, all_of_each, read_times

T = TypeVar("T")

Floats = npt.NDArray[np.float64]
TextList = TypeAdapter[tuple[str, ...]]

_QUOTE, _BACKSLASH, _SPACE, _NO_ASCII, _MINUS, _POINT, _ZERO, _NINE = b'"\\ \x80-.0\x09'
_LONGEST_ID: Final = 64
_MOST_SHORT: Final = 24
"""Most identifiers are shorter."""
_POINT_AS_DIGIT: Final = (_POINT - _ZERO) % 256
_INTEGER_DIGITS: Final = 18
_DECIMAL_DIGITS: Final = 17
"""No float is written with more."""
_EXACT_DIGITS: Final = 15
"""A number of so many digits, and the power of ten that it is divided by, are exact as a float: so is the rounding."""
_POWERS: Final = 10 ** np.arange(_INTEGER_DIGITS + 1)
_NEVER_NULL: Final = 2
"""So many of the parts of a trip are never null, the first."""
_WORD: Final = 8
_ODD: Final = 8
"""With more than one in so many of another width texts are cut out one by one."""
_Z: Final = ord("Z")
_IN_MICROSECONDS: Final = np.frombuffer(b"0000-00-00T00:00:00.000000Z", np.uint8)
_BETWEEN: Final = b" "
_MARGIN: Final = 4096 * _BETWEEN
"""Nothing is read farther behind the last line, whatever is asked for in turn."""


def fixed(annotated: Any) -> tuple[FixedWidth, int]:
    """The check of a text type whose matches have one width, and that width.

    Raises:
        TypeError: they differ in width.
    """
    positions = positions_of(get_args(annotated)[1].pattern)
    if positions is None:
        raise TypeError("texts of this type differ in width")
    return FixedWidth(positions), len(positions)


class Span(NamedTuple):
    """Where in the text each line has something, the end exclusive."""

    begin: Ints
    end: Ints


class Time(NamedTuple):
    """Where in the text a time is, and what is to be written for it: up to `cut`, three zeros if `short`, and a Z.

    Attributes:
        end: of the time, exclusive.
        cut: where its fraction ends; where it would begin, if there is none to be written.
        short: whether its fraction has three digits.
        at_ms: epoch milliseconds.
        characters: the time with microseconds, a row of characters each.
    """

    end: Ints
    cut: Ints
    short: Mask
    at_ms: Ints
    characters: Characters


class Trip(NamedTuple):
    """Vehicle, run, carriage and seat, where the whole is not null.

    Attributes:
        rows: the numbers of the lines that have one.
        parts: each of the four, of these lines.
        absent: where each is null.
    """

    rows: Ints
    parts: list[Span]
    absent: list[Mask]


class Lines:
    """All lines, read side by side: each method goes over the next part of every one, and notes which have it.

    Args:
        values: the lines; null is an empty one.
        ascii_only: whether a line with another character is not good; else its texts are measured by their bytes, and
            such lines are good where all of them together are UTF-8.

    Attributes:
        begins, ends: of the lines within the text, the end exclusive.
        at: up to where each was read; means nothing where it is not good.
        good: which lines had all that was asked for.
    """

    def __init__(self, values: Sequence[bytes | None], *, ascii_only: bool = True) -> None:
        given = cast("Sequence[bytes]", values)
        try:
            self._bytes = _BETWEEN.join([*given, _MARGIN])
        except TypeError:  # to look for a null costs more than to run into one
            given = [value or b"" for value in values]
            self._bytes = _BETWEEN.join([*given, _MARGIN])
        lengths = np.fromiter(map(len, given), np.int64, len(given))
        self.ends: Ints = np.cumsum(lengths + 1) - 1
        self.begins: Ints = self.ends - lengths
        self.at = self.begins
        self.good = self._plain(ascii_only)

    def literal(self, text: str) -> None:
        """What must stand here."""
        # Mostly all lines have it: one look at all of them is several times faster than one at each.
        if self._cut(f"V{len(text)}", self.at).tobytes() != text.encode() * len(self.at):
            self.good &= self._stands(self.at, text)
        self.at = self.at + len(text)

    def fixed(self, check: tuple[FixedWidth, int]) -> Characters:
        """A text of one width; returns its characters."""
        allowed, width = check
        characters = self.characters(self.at, width)
        self.good &= all_of_each(allowed.hold(characters))
        self.at = self.at + width
        return characters

    def identifier(self) -> Span:
        """A text of 1 to 64 characters up to a quote."""
        begins = self.at
        widths = _first_of_each(self.characters(begins, _MOST_SHORT) == _QUOTE)
        if not widths.all():
            widths = _first_of_each(self.characters(begins, _LONGEST_ID + 1) == _QUOTE)
            self.good &= widths > 0
        self.at = begins + widths
        return Span(begins, self.at)

    def free_text(self, most: int) -> None:
        """A text of up to so many bytes up to a quote."""
        begins = self.at
        widths = _first_of_each(self.characters(begins, _MOST_SHORT) == _QUOTE)
        if not widths.all():
            ends = [
                self._bytes.find(b'"', begin, begin + most + 1)
                for begin in begins.tolist()  # few topics have long texts
            ]
            widths = np.array(ends, np.int64) - begins
            self.good &= widths >= 0
        self.at = begins + widths

    def time(self) -> Time:
        """A time in UTC whose seconds have no fraction, or one of three or six digits."""
        begin, characters = self.at, self.characters(self.at, len(FORM))
        whole = characters[:, WHOLE_SECOND - 1] == _Z
        short = characters[:, MILLISECOND - 1] == _Z
        width: Ints | int = len(FORM)
        if whole.any() or short.any():
            short &= ~whole
            characters[short, MILLISECOND - 1 :] = _IN_MICROSECONDS[MILLISECOND - 1 :]
            characters[whole, WHOLE_SECOND - 1 :] = _IN_MICROSECONDS[WHOLE_SECOND - 1 :]
            width = np.where(whole, WHOLE_SECOND, np.where(short, MILLISECOND, len(FORM)))
        at_ms, microseconds, read = read_times(characters)
        self.good &= read
        self.at = end = begin + width
        no_fraction = microseconds == 0
        cut = end - 1
        cut[no_fraction] = begin[no_fraction] + WHOLE_SECOND - 1
        return Time(end, cut, short & ~no_fraction, at_ms, characters)

    def one_of(self, texts: Sequence[str]) -> Ints:
        """One of some texts and a quote; returns its number."""
        number = np.full(len(self.at), -1)
        begins = self._cut(f"V{_WORD}", self.at).view(f"<u{_WORD}")
        for candidate, text in enumerate(texts):
            ended = f'{text}"'.encode()
            word = int.from_bytes(ended[:_WORD], "little")
            found = begins & np.uint64(256 ** min(len(ended), _WORD) - 1) == np.uint64(word)
            number[found if len(ended) <= _WORD else found & self._stands(self.at, f'{text}"')] = candidate
            if (number >= 0).all():
                break
        self.good &= number >= 0
        self.at = self.at + np.array([len(text) + 1 for text in (*texts, "")])[number]
        return number

    def integer(self, *, signed: bool = False) -> Ints:
        """An integer of at most 18 digits, with a minus before it only where it is `signed`."""
        negative = self._minus() if signed else None
        digits = self.characters(self.at, _INTEGER_DIGITS + 1) - np.uint8(_ZERO)
        widths = _first_of_each(digits > _NINE)
        self.good &= (widths > 0) & ((digits[:, 0] > 0) | (widths == 1))
        self.at = self.at + widths
        number = _number(digits, widths)
        return number if negative is None else np.where(negative, -number, number)

    def decimal(self) -> Floats:
        """A number of at most 17 digits with a point among them: the float that is nearest to it."""
        negative = self._minus()
        digits = self.characters(self.at, _DECIMAL_DIGITS + 2) - np.uint8(_ZERO)
        no_digit = digits > _NINE
        whole = _first_of_each(no_digit)
        rows = np.arange(len(digits))
        is_point = digits[rows, whole] == _POINT_AS_DIGIT
        no_digit[rows, whole] = False
        widths = _first_of_each(no_digit)
        self.good &= is_point & (whole > 0) & (widths > whole + 1) & ((digits[:, 0] > 0) | (whole == 1))
        begins, self.at = self.at, self.at + widths
        digits[rows, whole] = 0
        number = _decimal(digits, widths, whole)
        inexact = (self.good & (widths > _EXACT_DIGITS + 1)).nonzero()[0]
        if len(inexact):
            spans = zip(begins[inexact].tolist(), self.at[inexact].tolist(), strict=True)
            number[inexact] = [float(self._bytes[begin:end]) for begin, end in spans]
        signed: Floats = np.where(negative, -number, number)
        return signed

    def or_null(self, read: Callable[[], T]) -> tuple[T, Mask]:
        """What `read` reads, or null: then what it returns means nothing. Also where it is null."""
        here, good = self.at, self.good
        null = self._stands(here, "null")
        if not null.any():
            return read(), null
        self.good = good.copy()
        # Where it is null another line's is read: they all look alike then, which is faster.
        self.at = np.where(null, here[null.argmin()], here)
        found = read()
        self.good = good & (null | self.good)
        self.at = np.where(null, here + len("null"), self.at)
        return found, null

    def quoted(self, read: Callable[[], T]) -> T:
        """What `read` reads, between quotes."""
        self.literal('"')
        found = read()
        self.literal('"')
        return found

    def unless(self, usual: str) -> tuple[Ints, Lines]:
        """Where what mostly stands here does not; it is passed over.

        Returns:
            The numbers of the good lines with something else, and these lines, to be read on: see `rejoin`.
        """
        passed = self._stands(self.at, usual)
        rows = (self.good & ~passed).nonzero()[0]
        others = copy(self)
        others.begins, others.ends, others.at = self.begins[rows], self.ends[rows], self.at[rows]
        others.good = self.good[rows]
        self.at = self.at + len(usual)
        return rows, others

    def rejoin(self, rows: Ints, others: Lines) -> None:
        """Go on where lines that `unless` gave were read up to."""
        self.at[rows] = others.at
        self.good[rows] = others.good

    def up_to(self, stop: str) -> list[bytes]:
        """Everything up to the first character of `stop`, with it; nothing where `stop` does not come."""
        begins, ends = self.at.tolist(), self.ends.tolist()
        found = [self._bytes.find(stop.encode(), begin, end) + 1 for begin, end in zip(begins, ends, strict=True)]
        self.at = np.array(found, np.int64)
        return [self._bytes[begin:end] for begin, end in zip(begins, found, strict=True)]

    def lists(self, adapter: TextList, stop: str) -> tuple[list[int], list[tuple[str, ...]]]:
        """Lists of texts that mostly are empty, each up to `stop`, a bracket first: the others' numbers, and these."""
        rows, others = self.unless("[]")
        found = [_read_list(adapter, given) for given in others.up_to(stop)]
        others.good &= np.array([values is not None for values in found], np.bool_)
        self.rejoin(rows, others)
        return rows.tolist(), [values or () for values in found]

    def trip(self) -> Trip:
        """A trip, or null."""
        rows, others = self.unless("null")
        parts: list[Span] = []
        absent: list[Mask] = []
        for part, before in enumerate(('{"vehicle":', ',"run":', ',"carriage":', ',"seat":')):
            others.literal(before)
            span, null = others.or_null(lambda: others.quoted(others.identifier))
            if part < _NEVER_NULL:
                others.good &= ~null
            parts.append(span)
            absent.append(null)
        others.literal("}")
        self.rejoin(rows, others)
        return Trip(rows, parts, absent)

    def texts(self, begins: Ints, ends: Ints, then: str = "") -> list[str]:
        """What stands between places of the text, most of them equally far apart, each with `then` behind it.

        A character that is not ASCII is as wide as its bytes.
        """
        widths = ends - begins
        usual = int(np.bincount(widths).argmax()) if len(widths) else 0
        odd = (widths != usual).nonzero()[0].tolist()
        if not usual or len(odd) > len(widths) // _ODD:
            text = self._bytes.decode("latin-1")
            return [f"{text[begin:end]}{then}" for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)]
        rows = np.empty((len(widths), usual + len(then)), np.uint32)
        rows[:, :usual] = self.characters(begins, usual)
        rows[:, usual:] = np.frombuffer(then.encode(), np.uint8)
        found = texts_of(rows)
        for at in odd:
            found[at] = f"{self._bytes[begins[at] : ends[at]].decode('latin-1')}{then}"
        return found

    def ended(self) -> Mask:
        """Which lines have nothing more."""
        return np.equal(self.at, self.ends)

    def characters(self, at: Ints, width: int) -> Characters:
        """So many characters of each line from a place on, a row each: a copy."""
        characters: Characters = self._cut(f"V{width}", at).view(np.uint8).reshape(-1, width)
        return characters

    def _plain(self, ascii_only: bool) -> Mask:
        """Which lines have no character that is or needs an escape."""
        good = np.ones(len(self.ends), np.bool_)
        raw = np.frombuffer(self._bytes, np.uint8)
        if not ascii_only and not self._bytes.isascii():
            try:
                self._bytes.decode()
            except UnicodeDecodeError:
                ascii_only = True
            else:
                raw = np.where(raw < _NO_ASCII, raw, np.uint8(_NO_ASCII - 1))
        if (ascii_only and not self._bytes.isascii()) or b"\\" in self._bytes or raw.min() < _SPACE:
            odd = (raw < _SPACE) | (raw >= _NO_ASCII) | (raw == _BACKSLASH)
            good[np.searchsorted(self.ends, odd.nonzero()[0])] = False
        return good

    def _minus(self) -> Mask:
        """Where there is a minus; it is passed over."""
        negative: Mask = self.characters(self.at, 1)[:, 0] == _MINUS
        self.at = self.at + negative
        return negative

    def _stands(self, at: Ints, text: str) -> Mask:
        """Where a text stands."""
        found: Mask = self._cut(f"S{len(text)}", at) == text.encode()
        return found

    def _cut(self, kind: str, at: Ints) -> Any:
        """What begins at each place, a copy: numpy copies an item of one width as one."""
        width = np.dtype(kind).itemsize
        return np.ndarray((len(self._bytes) - width + 1,), kind, self._bytes, 0, (1,))[at]


def texts_of(characters: npt.NDArray[np.uint8 | np.uint32]) -> list[str]:
    """Rows of characters, none of them null, as texts: half of what it takes to cut each out of a text."""
    codes = np.ascontiguousarray(characters, np.uint32)
    found: list[str] = codes.view(f"U{characters.shape[1]}").ravel().tolist()
    return found


@lru_cache(maxsize=1024)
def _read_list(adapter: TextList, given: bytes) -> tuple[str, ...] | None:
    """The texts of a list that `encode` wrote; null for anything else. Few lists differ."""
    try:
        values = adapter.validate_json(given, strict=True)
    except ValidationError:
        return None
    return values if encode_value(values).encode() == given else None


def _first_of_each(table: Mask) -> Ints:
    """In which column each row is true for the first time; 0 where in none."""
    first = int(table[0].argmax()) if len(table) else 0
    # Mostly it is the same one for all.
    if first and table[:, first].all() and not table[:, :first].any():
        return np.full(len(table), first)
    columns: Ints = table.argmax(axis=1)
    return columns


def _number(digits: Characters, widths: Ints) -> Ints:
    """The first digits of each row as a number."""
    most = int(widths.max(initial=1))
    exact = most <= _EXACT_DIGITS  # as a float, which is faster
    left = digits[:, :most].astype(np.float64 if exact else np.int64)
    if int(widths.min(initial=most)) == most:
        return cast("Ints", (left @ _POWERS[most - 1 :: -1].astype(left.dtype)).astype(np.int64))
    left *= np.arange(most) < widths[:, None]
    shifted = (left @ _POWERS[most - 1 :: -1].astype(left.dtype)).astype(np.int64)
    number: Ints = shifted // _POWERS[most - widths]
    return number


def _decimal(digits: Characters, widths: Ints, whole: Ints) -> Floats:
    """Rows of digits with a zero where the point is: exact up to so many digits as a float holds.

    Args:
        digits: of each row.
        widths: how many characters of each row count.
        whole: how many of them are before the point.
    """
    most = min(int(widths.max(initial=2)), _EXACT_DIGITS + 1)
    left = digits[:, :most].astype(np.float64)
    if int(widths.min(initial=most)) < most:
        left *= np.arange(most) < widths[:, None]
    number = np.zeros(len(digits))
    least, longest = int(whole.min(initial=most)), min(int(whole.max(initial=0)), most - 1)
    for before in range(least, longest + 1):
        rows = slice(None) if least == longest else whole == before
        behind = most - 1 - before
        powers = _POWERS[most - 1 :: -1].astype(np.float64)
        powers[:before] /= 10  # the zero in the point's place
        number[rows] = left[rows] @ powers / float(_POWERS[behind])
    return number
