"""The cells of an answer, places × codes: in which of them each row begins, and how sums are added to them.

Rows are sorted by start, so that the rows of a step are neighbours: they are counted, not looked up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.metrics.columns import Part
from toggl_pulse.metrics.selection import Rows, Selection

__all__ = ["Cells", "Grid", "Stretch", "add", "cells_of", "stretches"]

Ints = NDArray[np.int64]
Cells = NDArray[np.int32]

_SPARSE = 2  # cells for each row, from which on adding one by one is quicker than a sum of every cell


@dataclass(frozen=True, slots=True)
class Grid:
    """Steps between borders, and the places that their sums go to.

    Each step has its own, or with `place` one of `places` that steps share, as the hours of a week do.
    """

    borders: Ints
    places: int
    place: Cells | None = None

    @staticmethod
    def of(borders: Ints) -> Grid:
        return Grid(borders, len(borders) - 1)

    def origin(self, step: int) -> int:
        """The place from which cells count that begin with a step."""
        return step if self.place is None else 0

    def places_of(self, step: int, steps: int) -> Cells:
        """The places of some steps, from the origin of the first one on."""
        if self.place is None:
            return np.arange(steps, dtype=np.int32)
        return self.place[step : step + steps]

    def cells(self, total: NDArray[Any], step: int, steps: int) -> NDArray[Any]:
        """Of an array of places × codes the flat cells that some steps reach."""
        if self.place is None:
            return total[step : step + steps].reshape(-1)
        return total.reshape(-1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows `begin` to `end` of a part, of which `keep` pass (None = all).

    `counts` says how many of those each step has, from step `first` on; it begins and ends with a step that has a row.
    """

    part: Part
    begin: int
    end: int
    keep: Ints | None
    first: int
    counts: Ints

    def of(self, column: NDArray[Any]) -> NDArray[Any]:
        """What the rows that pass have in a column."""
        values = column[self.begin : self.end]
        return values if self.keep is None else values.take(self.keep)

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """For each row that passes the value of its step; `values` begin with that of step `first`."""
        return values[: len(self.counts)].repeat(self.counts)

    def sums(self, values: NDArray[Any]) -> Ints:
        """The sum of each step of what the rows that pass have: they lie side by side."""
        filled = np.flatnonzero(self.counts)
        begins = np.cumsum(self.counts)[filled] - self.counts[filled]
        found = np.zeros(len(self.counts), np.int64)
        found[filled] = np.add.reduceat(values, begins, dtype=np.int64)
        return found


def stretches(rows: Rows, low: int, high: int, borders: Ints) -> Iterator[Stretch]:
    """The rows from `low` to `high` that pass, by the steps between borders; those before the first step are in it."""
    inner = borders[1:-1]
    for begin, end, keep in rows.between(low, high):
        start = rows.part.start[begin:end]
        # looked up among the block's own starts, which stay in the cache, not among all
        first, last = inner.searchsorted((start[0], start[-1]), side="right").tolist()
        edges = np.zeros(last - first + 2, np.int64)
        edges[1:-1] = start.searchsorted(inner[first:last])
        edges[-1] = end - begin
        if keep is not None:
            edges = keep.searchsorted(edges)
        yield Stretch(rows.part, begin, end, keep, first, edges[1:] - edges[:-1])


def cells_of(selection: Selection, stretch: Stretch, grid: Grid) -> Cells:
    """The cell of each row that passes, counted from the first one of the place that the stretch begins in."""
    # a stretch has a few thousand rows and an answer some million cells: 32 bits are enough, and half the way
    cells = stretch.spread(grid.places_of(stretch.first, len(stretch.counts)) * np.int32(selection.codes))
    if selection.coded:
        cells += selection.code(stretch.part, stretch.begin, stretch.end, stretch.keep)
    return cells


def add(total: NDArray[Any], cells: Cells, weights: NDArray[Any] | None) -> None:
    """Add weights (None = one each) to flat cells."""
    if weights is None and len(total) <= _SPARSE * len(cells):
        sums = np.bincount(cells)
        total[: len(sums)] += sums
        return
    weights = np.ones(len(cells), total.dtype) if weights is None else weights.astype(total.dtype, copy=False)
    # with indexes and weights of exactly these types NumPy adds in half the time of a bincount; else in thirty times
    np.add.at(total, cells.astype(np.intp), weights)
