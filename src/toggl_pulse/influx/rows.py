"""The CSV that InfluxDB answers with, taken apart by NumPy: no object is kept for a row, nor made for a number.

Python's own parser takes ten times as long for numbers and times, which is most of what is read. Knows no point.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.influx.troubles import broken_off, failed_inside

__all__ = ["Codes", "MisfitError", "Rows", "read_rows", "unquoted"]

Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]

QUOTE, COMMA, LINE_END, MINUS, ZERO = b'",\n-0'
AT_ONCE = 1 << 18
"""Bytes taken apart at a time: enough to be quick, few enough to stay in the processor's cache."""

TIME_LENGTH, SHORTEST_TIME = len("2026-01-02T03:04:05.123456789Z"), len("2026-01-02T03:04:05Z")
MOST_DIGITS, NINE = 19, 9
SECOND_NS = 10**9
MARCH = 3


class Codes(dict[bytes, int]):
    """Numbers texts from 0 in the order of their first appearance."""

    def __missing__(self, text: bytes) -> int:
        code = self[text] = len(self)
        return code


class MisfitError(Exception):
    """What InfluxDB holds is nothing that was put there by us."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of one table; `first` and `end` have a row for each row and a column for each of `names`."""

    raw: bytes
    names: Mapping[str, int]
    first: Ints
    end: Ints

    def __len__(self) -> int:
        return len(self.first)

    def tables(self) -> Iterator[Rows]:
        """The rows of each table by itself."""
        table = self.ints("table")
        borders = (0, *(np.flatnonzero(table[1:] != table[:-1]) + 1).tolist(), len(self))
        for low, high in pairwise(borders):
            yield Rows(self.raw, self.names, self.first[low:high], self.end[low:high])

    def text(self, name: str) -> str:
        """What the first row has there."""
        column = self._column(name)
        return unquoted(self.raw[self.first[0, column] : self.end[0, column]])

    def times(self, name: str) -> Ints:
        """Nanoseconds since 1970."""
        column = self._column(name)
        first = self.first[:, column]
        letters = self._letters()
        length = self.end[:, column] - first
        if length.min(initial=SHORTEST_TIME) < SHORTEST_TIME or length.max(initial=0) > TIME_LENGTH:
            raise MisfitError

        def number(place: int) -> Ints:
            tens, ones = letters[first + place], letters[first + place + 1]
            return tens.astype(np.int64) * 10 + ones - ZERO * 11

        days = _days(number(0) * 100 + number(2), number(5), number(8))
        seconds = days * 86_400 + number(11) * 3_600 + number(14) * 60 + number(17)
        rest = np.zeros(len(first), np.int64)
        for place in range(SHORTEST_TIME, TIME_LENGTH - 1):  # zeros at the end are left out
            there = place < length - 1
            digits = letters[np.where(there, first + place, first)].astype(np.int64) - ZERO
            rest = rest * 10 + np.where(there, digits, 0)
        return seconds * SECOND_NS + rest

    def ints(self, name: str, missing: int | None = None) -> Ints:
        """Whole numbers; where nothing stands, `missing`. Raises `MisfitError` for anything else."""
        column = self.names.get(name)
        if column is None:
            if missing is None:
                raise MisfitError
            return np.full(len(self), missing, np.int64)
        first, letters = self.first[:, column], self._letters()
        nothing = self.end[:, column] == first
        negative = ~nothing & (letters[first] == MINUS)
        first = first + negative
        length = self.end[:, column] - first
        longest = int(length.max(initial=0))
        if longest > MOST_DIGITS or ((length == 0) > (nothing & (missing is not None))).any():
            raise MisfitError
        found = np.zeros(len(self), np.int64)
        for place in range(longest):
            there = place < length
            digits = np.where(there, letters[np.where(there, first + place, 0)] - ZERO, 0)
            if digits.max() > NINE:
                raise MisfitError
            found = np.where(there, found * 10 + digits, found)
        if (found < 0).any():  # more than 64 bits hold
            raise MisfitError
        if missing:
            found[nothing] = missing
        return np.where(negative, -found, found) if negative.any() else found

    def flags(self, name: str) -> NDArray[np.bool_]:
        """`true` or `false`; raises `MisfitError` for anything else."""
        true, false = (self._are(self._column(name), word) for word in (b"true", b"false"))
        if not (true | false).all():
            raise MisfitError
        return true

    def coded(self, name: str, codes: Codes) -> NDArray[np.int32]:
        """Texts as their numbers in `codes`; its keys are as they stand in the CSV (`unquoted`)."""
        column = self._column(name)
        places = zip(self.first[:, column].tolist(), self.end[:, column].tolist(), strict=True)
        raw = self.raw
        return np.fromiter(map(codes.__getitem__, [raw[first:end] for first, end in places]), np.int32, len(self))

    def _are(self, column: int, word: bytes) -> NDArray[np.bool_]:
        first, letters = self.first[:, column], self._letters()
        same: NDArray[np.bool_] = self.end[:, column] - first == len(word)
        for place, letter in enumerate(word):
            same &= letters[np.where(same, first + place, 0)] == letter
        return same

    def _column(self, name: str) -> int:
        column = self.names.get(name)
        if column is None:
            raise MisfitError
        return column

    def _letters(self) -> Bytes:
        return np.frombuffer(self.raw, np.uint8)


def unquoted(value: bytes) -> str:
    """A text as it was before it was put between quotes, if it was; its line ends are still those of the CSV."""
    if value.startswith(b'"'):
        value = value[1:-1].replace(b'""', b'"')
    return _text(value)


def read_rows(pieces: Iterable[bytes]) -> Iterator[Rows]:
    """Every row of every table, some at a time.

    Raises `Unavailable` where the answer breaks off, or InfluxDB says in its midst that it gave up: what was yielded
    until then is worth nothing. A complete answer ends with an empty line.
    """
    names: dict[str, int] | None = None
    ended = False
    for raw, commas, ends in _blocks(pieces):
        starts = np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1))
        passed = np.concatenate((np.zeros(1, np.int64), np.searchsorted(commas, ends)))
        empty = np.flatnonzero(ends - starts == 1).tolist()
        line = 0
        for border in (*empty, len(ends)):
            if line < border and names is None:
                names = _header(raw[starts[line] : ends[line] - 1])
                line += 1
            if line < border and names is not None:
                if (np.diff(passed[line : border + 1]) != len(names) - 1).any():
                    raise broken_off()
                inner = commas[passed[line] : passed[border]].reshape(border - line, len(names) - 1)
                first = np.column_stack((starts[line:border], inner + 1))
                yield Rows(raw, names, first, np.column_stack((inner, ends[line:border] - 1)))
            if border < len(ends):
                names = None
            line = border + 1
        ended = bool(empty) and empty[-1] == len(ends) - 1
    if not ended:
        raise broken_off()


def _blocks(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, Ints, Ints]]:
    """The answer cut at ends of lines, and where commas and line ends stand in it, those in texts left out."""
    waiting: list[bytes] = []
    size = 0
    for piece in chain(pieces, (b"",)):
        waiting.append(piece)
        size += len(piece)
        if piece and size < AT_ONCE:
            continue
        raw = b"".join(waiting)
        commas, ends = _separators(raw)
        cut = int(ends[-1]) + 1 if len(ends) else 0
        if cut:
            yield raw[:cut], commas[: np.searchsorted(commas, cut)], ends
        waiting, size = [raw[cut:]], len(raw) - cut
    if size:
        raise broken_off()


def _separators(raw: bytes) -> tuple[Ints, Ints]:
    """Where commas and line ends stand that are no part of a text; a quote within a text is written twice."""
    letters = np.frombuffer(raw, np.uint8)
    commas, ends = letters == COMMA, letters == LINE_END
    if b'"' in raw:
        outside = np.cumsum(letters == QUOTE, dtype=np.int32) % 2 == 0
        commas &= outside
        ends &= outside
    return np.flatnonzero(commas), np.flatnonzero(ends)


def _header(line: bytes) -> dict[str, int]:
    names = {_text(name): place for place, name in enumerate(line.split(b","))}
    if "error" in names:
        raise failed_inside()
    return names


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise MisfitError from None


def _days(year: Ints, month: Ints, day: Ints) -> Ints:
    """Days from 1970-01-01 to a date; the year is taken to begin in March, so that a leap day is its last."""
    year = year - (month < MARCH)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return year * 365 + year // 4 - year // 100 + year // 400 + of_year - 719_468
