"""Time split into whole hours, where rows are not told apart: from begins and ends alone.

Most entries go over the border of an hour. Instead of cutting them it is enough to know for each hour how much of it
is left at each begin and at each end in it, and how many entries are open when it begins.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.metrics.grid import Grid, stretches
from toggl_pulse.metrics.selection import Range, Selection, row_at, running_rows

__all__ = ["are_whole_hours", "split_at_hours"]

Ints = NDArray[np.int64]
HOUR = 3_600


def are_whole_hours(borders: Ints) -> bool:
    """Not so where a clock changes by a part of an hour."""
    return bool((borders[1:] - borders[:-1] == HOUR).all())


def split_at_hours(selection: Selection, range_: Range, grid: Grid) -> Ints:
    """Seconds by step that the range touches."""
    low, high = range_.touched
    borders, steps = grid.borders, len(grid.borders) - 1
    # an end at the last border is in the hour behind it
    left, opened = np.zeros(steps + 1, np.int64), np.zeros(steps + 1, np.int64)

    def close(stops: Ints) -> None:
        first = (int(stops.min()) - int(borders[0])) // HOUR
        since = stops - borders[first]
        hour = since // HOUR
        since -= hour * HOUR
        number = np.bincount(hour)
        here = slice(first, first + len(number))
        opened[here] -= number
        left[here] -= number * HOUR - np.bincount(hour, since).astype(np.int64)

    for rows in selection.rows:
        part = rows.part
        for stretch in stretches(rows, part.first_reaching(low), row_at(part, high), borders):
            here = slice(stretch.first, stretch.first + len(stretch.counts))
            opened[here] += stretch.counts
            ends = borders[stretch.first + 1 :][: len(stretch.counts)]
            left[here] += stretch.counts * ends - stretch.sums(np.maximum(stretch.of(part.start), low))
            close(np.clip(stretch.of(part.stop), low, high))
        row = running_rows(rows, range_, "split")
        if len(row):
            start = np.maximum(part.start[row], low)
            hour = (start - borders[0]) // HOUR
            np.add.at(opened, hour, 1)
            np.add.at(left, hour, borders[hour + 1] - start)
            close(np.minimum(rows.stops(row), high))
    open_before = np.cumsum(opened) - opened
    seconds: Ints = (left + open_before * HOUR)[:steps]
    return seconds
