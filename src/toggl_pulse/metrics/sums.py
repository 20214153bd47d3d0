"""Sums of entries by step and code, in blocks that stay in the processor's cache.

Whole seconds and counts inside, so that every sum is exact (floats hold whole numbers up to 2^53). Knows columns,
codes and borders; nothing of names, zones or queries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.metrics.columns import BLOCK, Part, Snapshot

__all__ = ["Range", "Rows", "Selection", "matching_rows", "present_codes", "running_rows", "sum_by_step"]

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


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

    def between(self, low: int, high: int) -> Iterator[tuple[int, int, Ints | None]]:
        """Blocks of rows: from, to, and which of them pass (None = all), as numbers from the block's first."""
        if self.only == "running":
            return
        for begin in range(low, high, BLOCK):
            self.check()
            end = min(begin + BLOCK, high)
            passed = self._passed(begin, end)
            if passed is None or passed.all():
                yield begin, end, None
            elif passed.any():
                yield begin, end, np.flatnonzero(passed)

    def _passed(self, begin: int, end: int) -> Flags | None:
        part, passed = self.part, None
        if self.only == "billable":
            passed = part.billable[begin:end].copy()
        for column, codes in self.allowed.items():
            fits = codes[_numbers(part, column)[begin:end]]
            passed = fits if passed is None else passed & fits
        low, high = np.searchsorted(self.hidden, (begin, end))
        off = self.hidden[low:high]
        if self.only == "finished":
            low, high = np.searchsorted(part.running, (begin, end))
            off = np.concatenate((off, part.running[low:high]))
        if len(off):
            passed = np.ones(end - begin, np.bool_) if passed is None else passed
            passed[off - begin] = False
        return passed

    def running(self) -> Ints:
        """Rows of the running entries that pass."""
        part = self.part
        rows = np.setdiff1d(part.running, self.hidden)
        if self.only == "finished":
            return rows[:0]
        if self.only == "billable":
            rows = rows[part.billable[rows]]
        for column, codes in self.allowed.items():
            rows = rows[codes[_numbers(part, column)[rows]]]
        return rows

    def stops(self, rows: Ints) -> Ints:
        """Until when running entries count: not before they begin."""
        return np.maximum(self.part.start[rows], self.horizon)


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows of a snapshot that a query lets pass, by the codes of one column (or all as code 0)."""

    rows: tuple[Rows, ...]
    column: str | None
    codes: int
    recode: Ints | None = None

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

    def recoded(self, recode: Ints, codes: int) -> Selection:
        return Selection(self.rows, self.column, codes, recode)

    def code(self, part: Part, begin: int, end: int, keep: Ints | None) -> Any:
        """The codes of a block's rows; 0 stands for all of them."""
        if self.column is None:
            return 0
        codes = _numbers(part, self.column)[begin:end]
        if keep is not None:
            codes = codes[keep]
        return codes if self.recode is None else self.recode[codes]

    def code_of(self, part: Part, rows: Ints) -> Ints:
        if self.column is None:
            return np.zeros(len(rows), np.int64)
        codes = _numbers(part, self.column)[rows]
        return codes.astype(np.int64) if self.recode is None else self.recode[codes]


def sum_by_step(
    selection: Selection, range_: Range, borders: Ints, measures: tuple[str, ...], attribution: str
) -> dict[str, NDArray[Any]]:
    """Each measure as an array of steps × codes.

    `ms` and `billable_ms` are floats of whole milliseconds; `count` and `longest` (seconds) are by start always.
    """
    grid = _Grid(selection, range_, borders)
    out: dict[str, NDArray[Any]] = {}
    if "ms" in measures:
        out["ms"] = grid.milliseconds(attribution, billable=False)
    if "billable_ms" in measures:
        out["billable_ms"] = grid.milliseconds(attribution, billable=True)
    if "count" in measures:
        out["count"] = grid.count()
    if "longest" in measures:
        out["longest"] = grid.longest()
    return out


def matching_rows(rows: Rows, range_: Range, attribution: str) -> Iterator[Ints]:
    """The rows that count in a range, be they of no length, in blocks; nearly by start."""
    part = rows.part
    first, last = range_.starts
    touched = range_.touched[0]
    inside = _at(part, first)
    begin = min(part.first_reaching(touched), inside) if range_.reached_into(attribution) else inside
    for low, high, keep in rows.between(begin, _at(part, last)):
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
    row = rows.running()
    start = rows.part.start[row]
    counts = (start >= first) & (start < last)
    if range_.reached_into(attribution):
        counts |= (start < first) & (rows.stops(row) > range_.touched[0])
    return row[counts]


def present_codes(selection: Selection, range_: Range, attribution: str) -> Flags:
    """Which codes have an entry in the range, be it of no length."""
    found = np.zeros(selection.codes, np.int64)
    for rows in selection.rows:
        for row in matching_rows(rows, range_, attribution):
            found += np.bincount(selection.code_of(rows.part, row), minlength=selection.codes)
    return found > 0


@dataclass(frozen=True, slots=True)
class _Grid:
    """The cells of one answer: steps × codes."""

    selection: Selection
    range: Range
    borders: Ints

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.borders) - 1, self.selection.codes

    def milliseconds(self, attribution: str, *, billable: bool) -> NDArray[np.float64]:
        total = self._split(billable=billable) if attribution == "split" else self._by_start(billable=billable)
        total *= 1000
        return self._trim(total, billable=billable) if attribution == "split" else total

    def _by_start(self, *, billable: bool) -> NDArray[np.float64]:
        total = np.zeros(self.shape)
        for rows in self.selection.rows:
            part = rows.part
            for first, cells, begin, end, keep in self._starting(rows):
                seconds = part.seconds[begin:end]
                if billable:
                    seconds = seconds * part.billable[begin:end]
                self._add(total, first, np.bincount(cells, seconds if keep is None else seconds[keep]))
            step, code, row = self._running(rows)
            length = (rows.stops(row) - part.start[row]) * (part.billable[row] if billable else 1)
            np.add.at(total, (step, code), length)
        return total

    def count(self) -> Ints:
        total = np.zeros(self.shape, np.int64)
        for rows in self.selection.rows:
            for first, cells, *_ in self._starting(rows):
                self._add(total, first, np.bincount(cells))
            if rows.only == "running":
                step, code, _ = self._running(rows)
                np.add.at(total, (step, code), 1)
        return total

    def longest(self) -> Ints:
        total = np.zeros(self.shape, np.int64)
        flat = total.reshape(-1)
        for rows in self.selection.rows:
            for first, cells, begin, end, keep in self._starting(rows):
                seconds = rows.part.seconds[begin:end]
                np.maximum.at(flat, cells + first * self.shape[1], seconds if keep is None else seconds[keep])
            step, code, row = self._running(rows)
            np.maximum.at(total, (step, code), rows.stops(row) - rows.part.start[row])
        return total

    def _add(self, total: NDArray[Any], first: int, cells: NDArray[Any]) -> None:
        flat = total.reshape(-1)
        begin = first * self.shape[1]
        flat[begin : begin + len(cells)] += cells

    def _starting(self, rows: Rows) -> Iterator[tuple[int, Ints, int, int, Ints | None]]:
        """Blocks of the rows that begin in the range: first step, cell of each row from there, from, to, which."""
        low, high = (_at(rows.part, moment) for moment in self.range.starts)
        for begin, end, keep, first, counts in self._stepped(rows, low, high):
            yield first, self._cells(rows.part, begin, end, keep, counts), begin, end, keep

    def _stepped(self, rows: Rows, low: int, high: int) -> Iterator[tuple[int, int, Ints | None, int, Ints]]:
        """Blocks with their first step and how many rows each step has from there, be they to pass or not.

        Rows before the first step are in it.
        """
        edges = np.searchsorted(rows.part.start, self.borders[1:-1])
        edges = np.concatenate(([low], np.clip(edges, low, high), [high]))
        for begin, end, keep in rows.between(low, high):
            first = int(np.searchsorted(edges, begin, side="right")) - 1
            last = int(np.searchsorted(edges, end, side="left"))
            of_block = np.clip(edges[first : last + 1], begin, end)
            yield begin, end, keep, first, of_block[1:] - of_block[:-1]

    def _cells(self, part: Part, begin: int, end: int, keep: Ints | None, counts: Ints) -> Ints:
        """The cell of each row that passes, counted from the block's first step."""
        cells = _spread(np.arange(len(counts)) * self.shape[1], counts, keep)
        cells += self.selection.code(part, begin, end, keep)
        return cells

    def _running(self, rows: Rows) -> tuple[Ints, Ints, Ints]:
        """Step, code and row of the running entries that begin in the range."""
        row = running_rows(rows, self.range, "start")
        step = np.searchsorted(self.borders, rows.part.start[row], side="right") - 1
        return step, self.selection.code_of(rows.part, row), row

    def _split(self, *, billable: bool) -> NDArray[np.float64]:
        """Each entry cut at the borders."""
        total = np.zeros(self.shape)
        low, high = self.range.touched
        borders = np.clip(self.borders, low, high)
        for rows in self.selection.rows:
            part = rows.part
            for begin, end, keep, first, counts in self._stepped(rows, part.first_reaching(low), _at(part, high)):
                start, stop = part.start[begin:end], part.stop[begin:end]
                weight = part.billable[begin:end] if billable else None
                if keep is not None:
                    start, stop = start[keep], stop[keep]
                    weight = None if weight is None else weight[keep]
                if part.start[begin] < low:
                    # those that are over before the range get a length of nothing
                    start, stop = np.maximum(start, low), np.maximum(stop, low)
                if part.latest_stop(end) > high:
                    stop = np.minimum(stop, high)
                step_end = _spread(borders[first + 1 : first + 1 + len(counts)], counts, keep)
                cells = self._cells(part, begin, end, keep, counts)
                self._cut(total, borders, first, start, stop, step_end, cells, weight)
            row = running_rows(rows, self.range, "split")
            if billable:
                row = row[part.billable[row]]
            step = np.maximum(np.searchsorted(self.borders, part.start[row], side="right") - 1, 0)
            cells = step * self.shape[1] + self.selection.code_of(part, row)
            start, stop = np.maximum(part.start[row], low), np.minimum(rows.stops(row), high)
            self._cut(total, borders, 0, start, stop, borders[step + 1], cells, None)
        return total

    def _cut(
        self,
        total: NDArray[np.float64],
        borders: Ints,
        first: int,
        start: Ints,
        stop: Ints,
        step_end: Ints,
        cells: Ints,
        weight: Flags | None,
    ) -> None:
        """Add intervals that lie in the range; `cells` (from step `first`) is where each begins."""
        if not len(start):
            return
        size = self.shape[1]
        inside = np.minimum(stop, step_end)
        inside -= start
        if weight is not None:
            inside *= weight
        self._add(total, first, np.bincount(cells, inside))
        over = np.flatnonzero(stop > step_end)
        if weight is not None:
            over = over[weight[over]]
        if not len(over):
            return
        step, code = np.divmod(cells[over], size)
        stop = stop[over]
        last = np.searchsorted(borders, stop, side="left") - 1 - first
        self._add(total, first, np.bincount(last * size + code, stop - borders[first + last]))
        begun = step + 1
        far = np.flatnonzero(last > begun)
        if not len(far):
            return
        # whole steps in between: one more from here, one less from there, times the step's length
        code = code[far]
        until = (int(last.max()) + 1) * size
        change = np.bincount(begun[far] * size + code, minlength=until)
        change -= np.bincount(last[far] * size + code, minlength=until)
        change = change.reshape(-1, size).cumsum(axis=0)
        change *= np.diff(borders[first : first + len(change) + 1])[:, None]
        self._add(total, first, change.reshape(-1))

    def _trim(self, total: NDArray[np.float64], *, billable: bool) -> NDArray[np.float64]:
        """Take off what lies in the range's first and last second but not in the range."""
        before, after = self.range.start_ms % 1000, -self.range.end_ms % 1000
        for rows in self.selection.rows:
            if before:
                total[0] -= self._covering(rows, self.range.touched[0], billable=billable) * before
            if after:
                total[-1] -= self._covering(rows, self.range.touched[1] - 1, billable=billable) * after
        return total

    def _covering(self, rows: Rows, second: int, *, billable: bool) -> Ints:
        """How many entries of each code cover a second, which they do wholly or not at all."""
        part = rows.part
        found = np.zeros(self.shape[1], np.int64)
        row = rows.running()
        row = row[(part.start[row] <= second) & (rows.stops(row) > second)]
        for begin, end, keep in rows.between(part.first_reaching(second), _at(part, second + 1)):
            number = np.arange(begin, end) if keep is None else begin + keep
            row = np.concatenate((row, number[part.stop[number] > second]))
        if billable:
            row = row[part.billable[row]]
        found += np.bincount(self.selection.code_of(part, row), minlength=self.shape[1])
        return found


def _spread(values: Ints, counts: Ints, keep: Ints | None) -> Ints:
    """Each value as often as its count says, of which those rows that pass."""
    spread = np.repeat(values, counts)
    return spread if keep is None else spread[keep]


def _at(part: Part, moment: int) -> int:
    return int(np.searchsorted(part.start, moment))


def _numbers(part: Part, column: str) -> NDArray[Any]:
    codes: NDArray[Any] = getattr(part, column)
    return codes.view(np.uint8) if codes.dtype == np.bool_ else codes
