"""Active days: local days with at least a minute of wall-clock time, overlaps counted once for each person.

One long piece of an entry makes a day active, and too little time in all makes it none; only where short pieces
alone may add up to a minute are they laid over each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.metrics import calendar
from toggl_pulse.metrics.fold import Folding
from toggl_pulse.metrics.grid import Grid, add, stretches
from toggl_pulse.metrics.pieces import Whole, pieces
from toggl_pulse.metrics.selection import Range, Rows, Selection, row_at, running_rows

__all__ = ["active_days", "days_off"]

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

A_MINUTE = 60
A_MINUTE_MS = 60_000
LONG = A_MINUTE + 2  # the range may begin and end within a second
SURE = 2.0**40  # more seconds than short pieces ever add up to
CELLS_AT_ONCE = 4_000_000


def active_days(selection: Selection, folding: Folding, range_: Range, borders: Ints, zone: ZoneInfo) -> Ints:
    """Groups × steps: how many days that are active have their first moment of the range in the step."""
    groups, steps = len(folding.groups), len(borders) - 1
    out = np.zeros(groups * steps, np.int64)
    days = calendar.steps(range_.start_ms, range_.end_ms, "day", zone).borders
    step = np.searchsorted(borders * 1000, np.maximum(days * 1000, range_.start_ms), side="right") - 1
    at_once = max(1, CELLS_AT_ONCE // max(1, selection.codes, groups))
    for begin in range(0, len(days) - 1, at_once):
        some = days[begin : begin + at_once + 1]
        inside = Range(max(range_.start_ms, int(some[0]) * 1000), min(range_.end_ms, int(some[-1]) * 1000))
        group, day = np.nonzero(_active(selection, folding, inside, some))
        out += np.bincount(group * steps + step[begin + day], minlength=len(out))
    return out.reshape(groups, steps)


def days_off(selection: Selection, folding: Folding, range_: Range, borders: Ints, zone: ZoneInfo) -> Ints:
    """Groups × steps: how many days that are over and not active have their first moment of the range in the step."""
    horizon = selection.horizon * 1000
    today = int(calendar.steps(horizon, horizon, "day", zone).borders[0]) * 1000
    past = Range(range_.start_ms, max(range_.start_ms, min(range_.end_ms, today)))
    if past.start_ms == past.end_ms:
        return np.zeros((len(folding.groups), len(borders) - 1), np.int64)
    days = np.maximum(calendar.steps(past.start_ms, past.end_ms, "day", zone).borders[:-1] * 1000, past.start_ms)
    over = np.bincount(np.searchsorted(borders * 1000, days, side="right") - 1, minlength=len(borders) - 1)
    off: Ints = over - active_days(selection, folding, past, borders, zone)
    return off


def _active(selection: Selection, folding: Folding, range_: Range, days: Ints) -> Flags:
    """Groups × days."""
    seconds = folding.sum(_seconds(selection, range_, days))
    active = seconds >= SURE
    doubtful = (seconds >= A_MINUTE) & ~active
    if doubtful.any():
        active |= doubtful & _laid_over(selection, folding, range_, days, doubtful)
    return active


def _seconds(selection: Selection, range_: Range, days: Ints) -> Floats:
    """Days × codes: the length of all short pieces together, `SURE` or more where there is a long one."""
    total = np.zeros((len(days) - 1, selection.codes))
    grid = Grid.of(days)
    for each in pieces(selection, range_, grid):
        if isinstance(each, Whole):
            total[each.first : each.first + len(each.entries)] += each.entries * SURE
        else:
            weights = np.where(each.seconds >= LONG, SURE, each.seconds)
            add(grid.cells(total, each.first, each.steps), each.cells, weights)
    return total


def _laid_over(selection: Selection, folding: Folding, range_: Range, days: Ints, doubtful: Flags) -> Flags:
    """Groups × days: where the wall-clock time is a minute or more; right for the doubtful ones."""
    start, stop, group = _wall_clock(selection, folding, range_, days, doubtful)
    days = days * 1000
    first = np.searchsorted(days, start, side="right") - 1
    count = np.searchsorted(days, stop, side="left") - first
    piece = np.repeat(np.arange(len(start)), count)
    day = first[piece] + np.arange(len(piece)) - np.repeat(np.cumsum(count) - count, count)
    length = np.minimum(stop[piece], days[day + 1]) - np.maximum(start[piece], days[day])
    cells, cell = np.unique(group[piece] * len(days) + day, return_inverse=True)
    found = np.zeros(doubtful.shape, np.bool_)
    found[np.divmod(cells[np.bincount(cell, length, minlength=len(cells)) >= A_MINUTE_MS], len(days))] = True
    return found


def _with_short_pieces(rows: Rows, range_: Range, days: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Rows, and their stops, of at least those entries that have a piece which is not long."""
    part = rows.part
    low, high = range_.touched
    clipped = np.clip(days, low, high)
    for stretch in stretches(rows, part.first_reaching(low), row_at(part, high), days):
        start, stop = stretch.of(part.start), stretch.of(part.stop)
        cut = (stop > stretch.spread(clipped[stretch.first + 1 :])) | (start < low)
        some = np.flatnonzero(cut | (stop - start < LONG))
        row = some if stretch.keep is None else stretch.keep.take(some)
        yield stretch.begin + row, stop.take(some)
    row = running_rows(rows, range_, "split")
    yield row, rows.stops(row)


def _wall_clock(
    selection: Selection, folding: Folding, range_: Range, days: Ints, doubtful: Flags
) -> tuple[Ints, Ints, Ints]:
    """Start, stop (milliseconds) and group of the stretches that are covered by a group and person.

    Only of entries with a piece in a doubtful group and day; such a piece is the entry's first or last one.
    """
    of_code = np.zeros((selection.codes, len(days) - 1), np.bool_)
    for each in np.flatnonzero(doubtful.any(axis=1)):
        of_code[folding.code[folding.group == each]] |= doubtful[each]
    low, high = range_.touched
    found = []
    for rows in selection.rows:
        part = rows.part
        for row, stop in _with_short_pieces(rows, range_, days):
            start, code = part.start[row], selection.code_of(part, row)
            begins = np.searchsorted(days, np.maximum(start, low), side="right") - 1
            ends = np.searchsorted(days, np.minimum(stop, high), side="left") - 1
            needed = np.flatnonzero(of_code[code, begins] | of_code[code, np.maximum(begins, ends)])
            which, group = folding.expand(code[needed])
            which = needed[which]
            found.append(np.stack((start[which], stop[which], group, part.user[row[which]])))
    start, stop, group, user = np.concatenate(found, axis=1)
    start = np.maximum(start * 1000, range_.start_ms)
    stop = np.minimum(stop * 1000, range_.end_ms)
    who = group * (int(user.max(initial=0)) + 1) + user
    order = np.lexsort((start, who))
    start, stop, group, who = start[order], stop[order], group[order], who[order]
    # the latest stop so far of the same group and person: each has a stretch of numbers of its own
    number = np.cumsum(np.diff(who, prepend=who[:1]) != 0)
    first = start.min(initial=range_.end_ms)
    apart = number * (stop.max(initial=first) - first + 1) - first
    latest = np.maximum.accumulate(apart + stop)
    before = np.concatenate((apart[:1], latest[:-1])) - apart
    start = np.maximum(start, before)
    covered = stop > start
    return start[covered], stop[covered], group[covered]
