"""The cells of an answer, steps × codes: in which of them each row begins, and how sums are added to them.

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

__all__ = ["Cells", "Stretch", "add", "cells_of", "stretches"]

Ints = NDArray[np.int64]
Cells = NDArray[np.int32]

_SPARSE = 2  # cells for each row, from which on adding one by one is quicker than a sum of every cell


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


def stretches(rows: Rows, low: int, high: int, borders: Ints) -> Iterator[Stretch]:
    """The rows from `low` to `high` that pass, by the steps between borders; those before the first step are in it."""
    inner = borders[1:-1]
    for begin, end, keep in rows.between(low, high):
        start = rows.part.start[begin:end]
        # looked up among the block's own starts, which stay in the cache, not among all
        first, last = inner.searchsorted((start[0], start[-1]), side="right").tolist()
        edges = start.searchsorted(inner[first:last])
        size = end - begin
        if keep is not None:
            edges, size = keep.searchsorted(edges), len(keep)
        yield Stretch(rows.part, begin, end, keep, first, np.diff(edges, prepend=0, append=size))


def cells_of(selection: Selection, stretch: Stretch) -> Cells:
    """The cell of each row that passes, counted from the first one of the stretch's first step."""
    # a stretch has a few thousand rows and an answer some million cells: 32 bits are enough, and half the way
    cells = stretch.spread(np.arange(len(stretch.counts), dtype=np.int32) * np.int32(selection.codes))
    if selection.coded:
        cells += selection.code(stretch.part, stretch.begin, stretch.end, stretch.keep)
    return cells


def add(total: NDArray[Any], cells: Cells, weights: NDArray[Any] | None) -> None:
    """Add weights (None = one each) to the flat cells of some steps."""
    if len(total) > _SPARSE * len(cells):
        weights = np.ones(len(cells), total.dtype) if weights is None else weights.astype(total.dtype, copy=False)
        np.add.at(total, cells, weights)
    else:
        sums = np.bincount(cells, weights)
        total[: len(sums)] += sums
