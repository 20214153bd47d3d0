"""When days begin and end: the first and the last time of the local clock at which anything was tracked.

Days are cut where the clock changes, so that within each piece a later moment is a later time. Knows no names.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.errors import BadRequest
from toggl_pulse.metrics import calendar
from toggl_pulse.metrics.calendar import DAY, Offsets, offsets_of
from toggl_pulse.metrics.fold import Folding
from toggl_pulse.metrics.grid import Grid, cells_of, stretches
from toggl_pulse.metrics.selection import Range, Selection, row_at, running_rows

__all__ = ["first_start", "last_stop"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

CELLS_AT_ONCE = 4_000_000
MOST_DAYS = 5_000_000
"""Days of all groups together of which a median may be made."""

_NONE = -(1 << 60)
_A_DAY_MS = 1 << 27  # more than any day has


def first_start(selection: Selection, folding: Folding, range_: Range, borders: Ints, zone: ZoneInfo) -> Floats:
    """Groups × steps: milliseconds after midnight, the median of the days whose first moment is in the step."""
    return _medians(selection, folding, range_, borders, zone, starts=True)


def last_stop(selection: Selection, folding: Folding, range_: Range, borders: Ints, zone: ZoneInfo) -> Floats:
    """As `first_start`; 24 hours where a day was left while something ran."""
    return _medians(selection, folding, range_, borders, zone, starts=False)


def _medians(
    selection: Selection, folding: Folding, range_: Range, borders: Ints, zone: ZoneInfo, *, starts: bool
) -> Floats:
    groups, steps = len(folding.groups), len(borders) - 1
    out = np.full(groups * steps, np.nan)
    if range_.start_ms >= range_.end_ms:
        return out.reshape(groups, steps)
    days = calendar.steps(range_.start_ms, range_.end_ms, "day", zone).borders
    clock = offsets_of(zone, int(days[0]), int(days[-1]))
    step = np.searchsorted(borders * 1000, np.maximum(days * 1000, range_.start_ms), side="right") - 1
    cells, times, number = [], [], 0
    at_once = max(1, CELLS_AT_ONCE // max(1, selection.codes, groups))
    for begin in range(0, len(days) - 1, at_once):
        some = days[begin : begin + at_once + 1]
        inside = Range(max(range_.start_ms, int(some[0]) * 1000), min(range_.end_ms, int(some[-1]) * 1000))
        by_day = _by_day(selection, folding, inside, some, clock, starts=starts)
        group, day = np.nonzero(by_day != _NONE)
        cells.append(group * steps + step[begin + day])
        times.append(by_day[group, day])
        number += len(group)
        if number > MOST_DAYS:
            raise BadRequest(
                f"The median of more than {MOST_DAYS:,} days is too much: set a filter, or ask for a shorter range.",
                code="too_many_points",
            )
    cell, time = np.concatenate(cells), np.concatenate(times)
    if np.all(step[1:-1] > step[:-2]):  # a day at most in each step
        out[cell] = time
    else:
        # one number for both sorts several times as fast as two
        cell, time = np.divmod(np.sort(cell * _A_DAY_MS + time), _A_DAY_MS)
        known, first, count = np.unique(cell, return_index=True, return_counts=True)
        out[known] = (time[first + (count - 1) // 2] + time[first + count // 2]) / 2
    return out.reshape(groups, steps)


def _by_day(selection: Selection, folding: Folding, range_: Range, days: Ints, clock: Offsets, *, starts: bool) -> Ints:
    """Groups × days: milliseconds after midnight, `_NONE` where nothing was tracked."""
    low = range_.touched[0]  # before it nothing counts: what began there begins in the first step
    borders = np.union1d(days, clock.since[(clock.since > low) & (clock.since < days[-1])])
    day = np.searchsorted(days, borders[:-1], side="right") - 1
    begun = np.maximum(borders[:-1], low)
    # a day may begin later than its midnight, where the clock skips that
    midnight = clock.local(days[:-1]) // DAY * DAY
    shift = (clock.local(begun) - begun - midnight[day])[:, None] * 1000
    found = _edges(selection, range_, Grid.of(borders), starts=starts)
    none = found == _NONE
    if starts:
        found = -np.maximum(np.maximum(-found * 1000, range_.start_ms) + shift, 0)
    else:
        found = np.maximum(np.minimum(found * 1000, range_.end_ms) + shift, 0)
    by_piece = folding.largest(np.where(none, _NONE, found))
    by_day: Ints = np.maximum.reduceat(by_piece, np.searchsorted(day, np.arange(len(days) - 1)), axis=1)
    return np.where(by_day == _NONE, _NONE, np.abs(by_day))


def _edges(selection: Selection, range_: Range, grid: Grid, *, starts: bool) -> Ints:
    """Steps × codes: the latest stop in seconds, or the earliest start as a negative number; `_NONE` for none."""
    borders, codes = grid.borders, selection.codes
    steps = len(borders) - 1
    total = np.full((steps, codes), _NONE)
    filled = np.zeros((steps + 1) * codes, np.int64)
    low, high = range_.touched

    def put(start: Ints, stop: Ints, step: Ints, code: Ints) -> None:
        """Some entries, each of which begins in its step; those of no length in the range do nothing."""
        start, stop = np.maximum(start, low), np.minimum(stop, high)
        here = np.flatnonzero(stop > start)
        start, stop, step, code = start[here], stop[here], step[here], code[here]
        over = np.flatnonzero(stop > borders[step + 1])
        cell = step * codes + code
        # steps that entries begin in, or end in, are theirs alone; those that they go on from are full to the border
        last = borders.searchsorted(stop[over], side="left") - 1
        end_cell = cell.copy()
        end_cell[over] = last * codes + code[over]
        np.maximum.at(total.reshape(-1), cell if starts else end_cell, -start if starts else stop)
        np.add.at(filled, cell[over] + (codes if starts else 0), 1)
        np.add.at(filled, end_cell[over] + (codes if starts else 0), -1)

    for rows in selection.rows:
        part = rows.part
        for stretch in stretches(rows, part.first_reaching(low), row_at(part, high), borders):
            cells = cells_of(selection, stretch, grid).astype(np.int64)
            step = stretch.spread(np.arange(stretch.first, stretch.first + len(stretch.counts)))
            put(stretch.of(part.start), stretch.of(part.stop), step, cells - (step - stretch.first) * codes)
        row = running_rows(rows, range_, "split")
        step = np.maximum(borders.searchsorted(part.start[row], side="right") - 1, 0)
        put(part.start[row], rows.stops(row), step, selection.code_of(part, row).astype(np.int64))
    full = filled.reshape(-1, codes)[:-1].cumsum(axis=0) > 0
    border = (-borders[:-1] if starts else borders[1:])[:, None]
    return np.where(full, np.maximum(total, border), total)
