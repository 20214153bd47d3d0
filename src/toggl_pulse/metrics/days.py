"""Active days: local days with at least a minute of wall-clock time, overlaps counted once for each person."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.metrics import calendar
from toggl_pulse.metrics.fold import Folding
from toggl_pulse.metrics.selection import Range, Selection, matching_rows

__all__ = ["active_days"]

Ints = NDArray[np.int64]
A_MINUTE_MS = 60_000


def active_days(selection: Selection, folding: Folding, range_: Range, borders: Ints, zone: ZoneInfo) -> Ints:
    """Groups × steps: how many days that are active have their first moment of the range in the step."""
    out = np.zeros((len(folding.groups), len(borders) - 1), np.int64)
    start, stop, group = _wall_clock(selection, folding, range_)
    if not len(start):
        return out
    days = calendar.steps(range_.start_ms, range_.end_ms, "day", zone).borders * 1000
    first = np.searchsorted(days, start, side="right") - 1
    count = np.searchsorted(days, stop, side="left") - first
    piece = np.repeat(np.arange(len(start)), count)
    day = first[piece] + np.arange(len(piece)) - np.repeat(np.cumsum(count) - count, count)
    length = np.minimum(stop[piece], days[day + 1]) - np.maximum(start[piece], days[day])
    cells, cell = np.unique(group[piece] * len(days) + day, return_inverse=True)
    active = cells[np.bincount(cell, length) >= A_MINUTE_MS]
    group, day = np.divmod(active, len(days))
    moment = np.maximum(days[day], range_.start_ms)
    np.add.at(out, (group, np.searchsorted(borders * 1000, moment, side="right") - 1), 1)
    return out


def _wall_clock(selection: Selection, folding: Folding, range_: Range) -> tuple[Ints, Ints, Ints]:
    """Start, stop (milliseconds) and group of the stretches that are covered by a group and person."""
    found = []
    for rows in selection.rows:
        part = rows.part
        running = np.zeros(len(part), np.bool_)
        running[part.running] = True
        for row in matching_rows(rows, range_, "split"):
            stop = np.where(running[row], rows.stops(row), part.stop[row])
            which, group = folding.expand(selection.code_of(part, row))
            found.append(np.stack((part.start[row][which], stop[which], group, part.user[row][which])))
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
