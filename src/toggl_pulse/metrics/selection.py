"""Which rows count: those of a range that a query's filters let pass, in blocks that stay in the processor's cache.

Knows columns, codes and moments; nothing of steps, names, zones or queries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.metrics.columns import BLOCK, Part, Snapshot

__all__ = [
    "Block",
    "Range",
    "Rows",
    "Selection",
    "codes_without_time",
    "matching_rows",
    "row_at",
    "running_rows",
]

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_FEW_HIDDEN = 8

Block = tuple[int, int, Ints | None]
"""From, to, and which of these rows pass (None = all), as numbers from the first."""


@dataclass(frozen=True, slots=True)
class Range:
    """`[start_ms, end_ms)` in milliseconds; entries begin and end on whole seconds."""

    start_ms: int
    end_ms: int

    @property
    def starts(self) -> tuple[int, int]:
        """The whole seconds at which an entry may begin to be in the range: first, and first one no more."""
        return -(-self.start_ms // 1000), -(-self.end_ms // 1000)

    @property
    def touched(self) -> tuple[int, int]:
        """The whole seconds that the range touches, half ones at its ends included."""
        return self.start_ms // 1000, -(-self.end_ms // 1000)

    def reached_into(self, attribution: str) -> bool:
        """Whether entries that begin before the range may count in it; none overlaps an empty one."""
        return attribution == "split" and self.start_ms < self.end_ms


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one part that a query lets pass; running entries apart, with the stop that they have by now."""

    part: Part
    hidden: Ints
    allowed: Mapping[str, Flags]
    only: str
    horizon: int
    check: Callable[[], None]

    def between(self, low: int, high: int, *, newest_first: bool = False) -> Iterator[Block]:
        """Blocks of the rows from `low` to `high` in which any passes."""
        if self.only == "running":
            return
        begins = range(low, high, BLOCK)
        for begin in reversed(begins) if newest_first else begins:
            self.check()
            for first, end in self._around_hidden(begin, min(begin + BLOCK, high), newest_first=newest_first):
                passed = self._passed(first, end)
                if passed is None or passed.all():
                    yield first, end, None
                elif passed.any():
                    yield first, end, np.flatnonzero(passed)

    def _around_hidden(self, begin: int, end: int, *, newest_first: bool) -> list[tuple[int, int]]:
        """A block cut at its hidden rows where they are few: what lies between them needs no list of rows."""
        off = _within(self.hidden, begin, end).tolist()
        if not 0 < len(off) <= _FEW_HIDDEN:
            return [(begin, end)]
        found = zip((begin, *(row + 1 for row in off)), (*off, end), strict=True)
        return sorted(((first, last) for first, last in found if first < last), reverse=newest_first)

    def _passed(self, begin: int, end: int) -> Flags | None:
        part, passed = self.part, None
        if self.only == "billable":
            passed = part.billable[begin:end].copy()
        for column, codes in self.allowed.items():
            fits = codes.take(_numbers(part, column)[begin:end])
            passed = fits if passed is None else passed & fits
        off = _within(self.hidden, begin, end)
        if self.only == "finished":
            off = np.concatenate((off, _within(part.running, begin, end)))
        if len(off):
            passed = np.ones(end - begin, np.bool_) if passed is None else passed
            passed[off - begin] = False
        return passed

    def of(self, rows: Ints) -> Ints:
        """Those of some rows (rising) that pass."""
        part = self.part
        if not len(rows):
            return rows
        rows = np.setdiff1d(rows, self.hidden, assume_unique=True)
        if self.only == "finished":
            rows = np.setdiff1d(rows, part.running, assume_unique=True)
        elif self.only == "running":
            rows = np.intersect1d(rows, part.running, assume_unique=True)
        elif self.only == "billable":
            rows = rows[part.billable[rows]]
        for column, codes in self.allowed.items():
            rows = rows[codes[_numbers(part, column)[rows]]]
        return rows

    def stops(self, rows: Ints) -> Ints:
        """Until when running entries count: not before they begin."""
        return np.maximum(self.part.start[rows], self.horizon)

    def ends(self, rows: Ints) -> tuple[Ints, Ints]:
        """Stops and seconds of any rows (rising), of running ones as they are by now."""
        part = self.part
        stop, seconds = part.stop[rows], part.seconds[rows].astype(np.int64)
        place = rows.searchsorted(part.running)
        here = place < len(rows)
        here[here] = rows[place[here]] == part.running[here]
        place, running = place[here], part.running[here]
        stop[place] = self.stops(running)
        seconds[place] = stop[place] - part.start[running]
        return stop, seconds


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows of a snapshot that a query lets pass, by the codes of one column (or all as code 0).

    With `by_billable` each code is two: twice itself, and one more for billable entries.
    """

    rows: tuple[Rows, ...]
    column: str | None
    codes: int
    recode: NDArray[np.int32] | None = None
    by_billable: bool = False

    @staticmethod
    def of(
        snapshot: Snapshot,
        *,
        allowed: Mapping[str, Flags],
        only: str,
        horizon: int,
        column: str | None,
        codes: int,
        check: Callable[[], None],
    ) -> Selection:
        rows = tuple(Rows(part, hidden, allowed, only, horizon, check) for part, hidden in snapshot.parts)
        return Selection(rows, column, codes)

    def recoded(self, recode: NDArray[np.int32], codes: int) -> Selection:
        return replace(self, codes=codes, recode=recode)

    def in_two(self) -> Selection:
        """Each code apart by billable or not."""
        return replace(self, codes=2 * self.codes, by_billable=True)

    @property
    def horizon(self) -> int:
        """Until when running entries count."""
        return self.rows[0].horizon

    @property
    def coded(self) -> bool:
        """Whether rows have codes at all, or are all of them code 0."""
        return self.column is not None or self.by_billable

    def code(self, part: Part, begin: int, end: int, keep: Ints | None) -> NDArray[Any]:
        """The codes of a block's rows."""
        return self._code(part, slice(begin, end), keep)

    def code_of(self, part: Part, rows: Ints) -> NDArray[Any]:
        return self._code(part, rows, None)

    def _code(self, part: Part, rows: slice | Ints, keep: Ints | None) -> NDArray[Any]:
        codes: NDArray[Any]
        if self.column is None:
            codes = np.zeros(len(part.billable[rows]), np.int32)
        else:
            codes = _numbers(part, self.column)[rows]
        codes = codes if keep is None else codes.take(keep)
        codes = codes if self.recode is None else self.recode.take(codes)
        if self.by_billable:
            billable = part.billable[rows].view(np.uint8)
            codes = codes * np.int32(2) + (billable if keep is None else billable.take(keep))
        return codes


def matching_rows(rows: Rows, range_: Range, attribution: str, *, newest_first: bool = False) -> Iterator[Ints]:
    """The rows that count in a range, be they of no length, in blocks; nearly by start, rising within a block."""
    part = rows.part
    first, last = range_.starts
    touched = range_.touched[0]
    inside = row_at(part, first)
    begin = min(part.first_reaching(touched), inside) if range_.reached_into(attribution) else inside
    for low, high, keep in rows.between(begin, row_at(part, last), newest_first=newest_first):
        row = np.arange(low, high) if keep is None else low + keep
        if low < inside:  # what began before the range counts if it reaches into it
            row = row[(row >= inside) | (part.stop[row] > touched)]
        yield row
    running = running_rows(rows, range_, attribution)
    # the blocks have had those that begin in the range
    yield running if rows.only == "running" else running[part.start[running] < first]


def running_rows(rows: Rows, range_: Range, attribution: str) -> Ints:
    """The rows of running entries that count in a range."""
    first, last = range_.starts
    row = rows.of(rows.part.running)
    start = rows.part.start[row]
    counts = (start >= first) & (start < last)
    if range_.reached_into(attribution):
        counts |= (start < first) & (rows.stops(row) > range_.touched[0])
    return row[counts]


def codes_without_time(selection: Selection, range_: Range, attribution: str) -> Flags:
    """Codes of the entries that count in a range but may add no time to it: those of no length, and running ones."""
    found = np.zeros(selection.codes, np.int64)
    for rows in selection.rows:
        part = rows.part
        low, high = (row_at(part, moment) for moment in range_.starts)
        row = np.concatenate((rows.of(_within(part.empty, low, high)), running_rows(rows, range_, attribution)))
        found += np.bincount(selection.code_of(part, row), minlength=selection.codes)
    return found > 0


def row_at(part: Part, moment: int) -> int:
    """The first row that begins at a moment or later."""
    return int(part.start.searchsorted(moment))


def _within(rows: Ints, begin: int, end: int) -> Ints:
    low, high = rows.searchsorted((begin, end)) if len(rows) else (0, 0)
    return rows[low:high]


def _numbers(part: Part, column: str) -> NDArray[Any]:
    codes: NDArray[Any] = getattr(part, column)
    return codes.view(np.uint8) if codes.dtype == np.bool_ else codes
