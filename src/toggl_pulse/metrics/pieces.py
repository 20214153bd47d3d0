"""Entries cut at the borders of steps: the pieces of each, as a cell and a number of seconds.

An entry's first piece lies in the step in which it begins; most entries have no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.metrics.grid import Cells, cells_of, stretches
from toggl_pulse.metrics.selection import Range, Selection, row_at, running_rows

__all__ = ["Pieces", "Whole", "pieces"]

Ints = NDArray[np.int64]

_FOLLOWED = 6
"""Borders over which entries are followed one by one; the steps that longer ones fill are counted instead."""


class Pieces(NamedTuple):
    """Pieces that lie in the range: the cell of each (counted from the first one of step `first`) and its seconds.

    They reach `steps` far.
    """

    first: int
    steps: int
    cells: Cells
    seconds: Ints


class Whole(NamedTuple):
    """How many entries fill each cell from border to border: steps (from `first` on) × codes."""

    first: int
    entries: Ints


def pieces(selection: Selection, range_: Range, borders: Ints) -> Iterator[Pieces | Whole]:
    """All pieces of the entries that count, in whole seconds that the range touches."""
    low, high = range_.touched
    clipped = np.clip(borders, low, high)
    for rows in selection.rows:
        part = rows.part
        for stretch in stretches(rows, part.first_reaching(low), row_at(part, high), borders):
            start, stop = stretch.of(part.start), stretch.of(part.stop)
            if part.start[stretch.begin] < low:
                # those that are over before the range get a length of nothing
                start, stop = np.maximum(start, low), np.maximum(stop, low)
            if part.latest_stop(stretch.end) > high:
                stop = np.minimum(stop, high)
            end = stretch.spread(clipped[stretch.first + 1 :])
            cells = cells_of(selection, stretch)
            yield from _cut(clipped[stretch.first :], stretch.first, selection.codes, start, stop, end, cells)
        row = running_rows(rows, range_, "split")
        step = np.maximum(borders.searchsorted(part.start[row], side="right") - 1, 0)
        cells = (step * selection.codes + selection.code_of(part, row)).astype(np.int32)
        start, stop = np.maximum(part.start[row], low), np.minimum(rows.stops(row), high)
        yield from _cut(clipped, 0, selection.codes, start, stop, clipped[step + 1], cells)


def _cut(
    borders: Ints, first: int, codes: int, start: Ints, stop: Ints, end: Ints, cells: Cells
) -> Iterator[Pieces | Whole]:
    """The pieces of some entries, each of which begins in the step of its cell; that ends at `end`.

    Borders and cells count from step `first`.
    """
    if not len(start):
        return
    seconds = np.minimum(stop, end)
    seconds -= start
    yield Pieces(first, int(cells[-1]) // codes + 1, cells, seconds)
    over = np.flatnonzero(stop > end)
    cells, stop = cells.take(over), stop.take(over)
    step = cells // np.int32(codes)
    steps = len(borders) - 1
    for _ in range(_FOLLOWED):
        if not len(cells):
            return
        cells, step = cells + np.int32(codes), step + np.int32(1)
        end = borders.take(step + np.int32(1))
        yield Pieces(first, steps, cells, np.minimum(stop, end) - borders.take(step))
        over = np.flatnonzero(stop > end)
        cells, step, stop = cells.take(over), step.take(over), stop.take(over)
    if len(cells):
        yield from _far(borders, first, codes, cells, step, stop)


def _far(borders: Ints, first: int, codes: int, cells: Cells, step: Cells, stop: Ints) -> Iterator[Pieces | Whole]:
    """What lies behind `step`, for entries that go beyond its end."""
    last = borders.searchsorted(stop, side="left") - 1
    code = cells - step * np.int32(codes)
    ends = last * codes + code
    yield Pieces(first, len(borders) - 1, ends.astype(np.int32), stop - borders.take(last))
    # one more from the next step on, one less from the last one on
    begins = cells + np.int32(codes)
    low, high = int(step.min()) + 1, int(last.max()) + 1
    change = np.bincount(begins - low * codes, minlength=(high - low) * codes)
    change -= np.bincount(ends - low * codes, minlength=(high - low) * codes)
    yield Whole(first + low, change.reshape(-1, codes).cumsum(axis=0))
