"""Entries cut at the borders of steps: the pieces of each, as a cell and a number of seconds.

An entry's first piece lies in the step in which it begins; most entries have no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.metrics.grid import Cells, Grid, cells_of, stretches
from toggl_pulse.metrics.selection import Range, Selection, row_at, running_rows

__all__ = ["Cutter", "Pieces", "Whole", "pieces"]

Ints = NDArray[np.int64]

_FOLLOWED = 6
"""Borders over which entries are followed one by one; the steps that longer ones fill are counted instead."""


class Pieces(NamedTuple):
    """Pieces that lie in the range: their cells (counted from the origin of step `first`) and their seconds.

    They reach `steps` far.
    """

    first: int
    steps: int
    cells: Cells
    seconds: Ints


class Whole(NamedTuple):
    """How many entries fill each step from border to border: steps (from `first` on) × codes."""

    first: int
    entries: Ints


def pieces(selection: Selection, range_: Range, grid: Grid) -> Iterator[Pieces | Whole]:
    """All pieces of the entries that count, in whole seconds that the range touches."""
    low, high = range_.touched
    clipped = np.clip(grid.borders, low, high)
    for rows in selection.rows:
        part = rows.part
        for stretch in stretches(rows, part.first_reaching(low), row_at(part, high), grid.borders):
            start, stop = stretch.of(part.start), stretch.of(part.stop)
            if part.start[stretch.begin] < low:
                # those that are over before the range get a length of nothing
                start, stop = np.maximum(start, low), np.maximum(stop, low)
            if part.latest_stop(stretch.end) > high:
                stop = np.minimum(stop, high)
            cutter = Cutter(grid, clipped[stretch.first :], stretch.first, selection.codes)
            step = stretch.spread(np.arange(len(stretch.counts), dtype=np.int32))
            end = stretch.spread(cutter.borders[1:])
            yield from cutter.cut(start, stop, step, end, cells_of(selection, stretch, grid))
        row = running_rows(rows, range_, "split")
        step = np.maximum(grid.borders.searchsorted(part.start[row], side="right") - 1, 0).astype(np.int32)
        cells = grid.places_of(0, len(clipped) - 1)[step] * np.int32(selection.codes) + selection.code_of(part, row)
        start, stop = np.maximum(part.start[row], low), np.minimum(rows.stops(row), high)
        yield from Cutter(grid, clipped, 0, selection.codes).cut(start, stop, step, clipped[step + 1], cells)


class Cutter(NamedTuple):
    """Steps and borders count from step `first`, cells from its origin."""

    grid: Grid
    borders: Ints
    first: int
    codes: int

    def cut(self, start: Ints, stop: Ints, step: Cells, end: Ints, cells: Cells) -> Iterator[Pieces | Whole]:
        """The pieces of some entries, each of which begins in its step, before that ends."""
        if not len(start):
            return
        seconds = np.minimum(stop, end)
        seconds -= start
        yield Pieces(self.first, int(step[-1]) + 1, cells, seconds)
        places = self.grid.places_of(self.first, len(self.borders) - 1)
        steps = len(places)
        over = np.flatnonzero(stop > end)
        for _ in range(_FOLLOWED):
            if not len(over):
                return
            step, stop, cells = step.take(over), stop.take(over), cells.take(over)
            cells = self._moved(cells, step, step + np.int32(1), places)
            step += np.int32(1)
            end = self.borders.take(step + np.int32(1))
            yield Pieces(self.first, steps, cells, np.minimum(stop, end) - self.borders.take(step))
            over = np.flatnonzero(stop > end)
        if len(over):
            yield from self._far(stop.take(over), step.take(over), cells.take(over), places)

    def _far(self, stop: Ints, step: Cells, cells: Cells, places: Cells) -> Iterator[Pieces | Whole]:
        """What lies behind its step, for entries that go beyond it."""
        last = self.borders.searchsorted(stop, side="left").astype(np.int32) - np.int32(1)
        yield Pieces(self.first, len(places), self._moved(cells, step, last, places), stop - self.borders.take(last))
        between = last - step - np.int32(1)
        low, high = int(step.min()) + 1, int(last.max()) + 1
        if between.sum() <= (high - low) * self.codes:
            of = np.repeat(np.arange(len(step)), between)
            begun = step.take(of)
            filled = begun + (np.arange(1, len(of) + 1) - np.repeat(np.cumsum(between) - between, between)).astype(
                np.int32
            )
            length = self.borders.take(filled + np.int32(1)) - self.borders.take(filled)
            yield Pieces(self.first, len(places), self._moved(cells.take(of), begun, filled, places), length)
            return
        # one more from the next step on, one less from the last one on
        code = cells - places.take(step) * np.int32(self.codes)
        change = np.bincount((step + 1 - low) * self.codes + code, minlength=(high - low) * self.codes)
        change -= np.bincount((last - low) * self.codes + code, minlength=(high - low) * self.codes)
        yield Whole(self.first + low, change.reshape(-1, self.codes).cumsum(axis=0))

    def _moved(self, cells: Cells, old: Cells, new: Cells, places: Cells) -> Cells:
        """The cells of the same codes in other steps."""
        further = new - old if self.grid.place is None else places.take(new) - places.take(old)
        moved: Cells = cells + further * np.int32(self.codes)
        return moved
