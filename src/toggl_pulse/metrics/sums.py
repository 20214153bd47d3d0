"""Sums of entries by place and code.

Whole seconds and counts inside, so that every sum is exact (floats hold whole numbers up to 2^53). Knows rows, codes
and steps; nothing of names, zones or queries.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.metrics.grid import Grid, add, cells_of, stretches
from toggl_pulse.metrics.hours import are_whole_hours, split_at_hours
from toggl_pulse.metrics.pieces import Whole, pieces
from toggl_pulse.metrics.selection import Range, Rows, Selection, row_at, running_rows

__all__ = ["sum_by_step"]

Ints = NDArray[np.int64]
Sums = dict[str, NDArray[Any]]


def sum_by_step(selection: Selection, range_: Range, grid: Grid, measures: tuple[str, ...], attribution: str) -> Sums:
    """Each measure as an array of the grid's places × codes.

    `ms` and `billable_ms` are floats of whole milliseconds; `count` and `longest` (seconds) are by start always.
    """
    if "billable_ms" in measures:
        # both from one look at the rows, each code apart by billable or not
        apart = _milliseconds(selection.in_two(), range_, grid, attribution).reshape(grid.places, -1, 2)
        sums: Sums = {"billable_ms": apart[:, :, 1], "ms": apart[:, :, 0] + apart[:, :, 1]}
    else:
        sums = {}
    left = {measure for measure in measures if measure not in sums and measure in {"ms", "count", "longest"}}
    if attribution == "split" and "ms" in left:
        sums["ms"] = _milliseconds(selection, range_, grid, attribution)
        left -= {"ms"}
    if left:
        sums |= _by_start(selection, range_, grid, left)
    return sums


def _milliseconds(selection: Selection, range_: Range, grid: Grid, attribution: str) -> NDArray[np.float64]:
    if attribution != "split":
        by_start: NDArray[np.float64] = _by_start(selection, range_, grid, {"ms"})["ms"]
        return by_start
    total = np.zeros((grid.places, selection.codes))
    lengths = np.diff(grid.borders)
    places = grid.places_of(0, len(lengths))
    if not selection.coded and are_whole_hours(grid.borders):
        np.add.at(total, places, split_at_hours(selection, range_, grid)[:, None].astype(np.float64))
    else:
        for each in pieces(selection, range_, grid):
            if isinstance(each, Whole):
                steps = slice(each.first, each.first + len(each.entries))
                np.add.at(total, places[steps], (each.entries * lengths[steps, None]).astype(np.float64))
            else:
                add(grid.cells(total, each.first, each.steps), each.cells, each.seconds)
    total *= 1000
    _trim(total, selection, range_, grid)
    return total


def _by_start(selection: Selection, range_: Range, grid: Grid, measures: set[str]) -> Sums:
    """Entries as they are, in the step in which they begin."""
    shape = grid.places, selection.codes
    sums: Sums = {measure: np.zeros(shape, np.float64 if measure == "ms" else np.int64) for measure in measures}
    for rows in selection.rows:
        part = rows.part
        low, high = (row_at(part, moment) for moment in range_.starts)
        for stretch in stretches(rows, low, high, grid.borders):
            cells = cells_of(selection, stretch, grid) if selection.coded or "longest" in measures else None
            for measure, total in sums.items():
                into = grid.cells(total, stretch.first, len(stretch.counts))
                if cells is None:
                    places = grid.places_of(stretch.first, len(stretch.counts))
                    number = stretch.counts if measure == "count" else stretch.sums(stretch.of(part.seconds))
                    np.add.at(into, places, number.astype(into.dtype))
                elif measure == "longest":
                    np.maximum.at(into, cells.astype(np.intp), stretch.of(part.seconds).astype(np.int64, copy=False))
                else:
                    add(into, cells, stretch.of(part.seconds) if measure == "ms" else None)
        _add_running(sums, selection, rows, range_, grid)
    if "ms" in sums:
        sums["ms"] *= 1000
    return sums


def _add_running(sums: Sums, selection: Selection, rows: Rows, range_: Range, grid: Grid) -> None:
    row = running_rows(rows, range_, "start")
    step = grid.borders.searchsorted(rows.part.start[row], side="right") - 1
    cell = grid.places_of(0, len(grid.borders) - 1)[step], selection.code_of(rows.part, row)
    length = rows.stops(row) - rows.part.start[row]
    for measure, total in sums.items():
        if measure == "ms":
            np.add.at(total, cell, length)
        elif measure == "longest":
            np.maximum.at(total, cell, length)
        elif rows.only == "running":  # the blocks have counted them otherwise
            np.add.at(total, cell, 1)


def _trim(total: NDArray[np.float64], selection: Selection, range_: Range, grid: Grid) -> None:
    """Take off what lies in the range's first and last second but not in the range."""
    before, after = range_.start_ms % 1000, -range_.end_ms % 1000
    first, last = grid.places_of(0, len(grid.borders) - 1)[[0, -1]]
    for rows in selection.rows:
        if before:
            total[first] -= _covering(selection, rows, range_.touched[0]) * before
        if after:
            total[last] -= _covering(selection, rows, range_.touched[1] - 1) * after


def _covering(selection: Selection, rows: Rows, second: int) -> Ints:
    """How many entries of each code cover a second, which they do wholly or not at all."""
    part = rows.part
    row = rows.of(part.running)
    found = [row[(part.start[row] <= second) & (rows.stops(row) > second)]]
    for begin, end, keep in rows.between(part.first_reaching(second), row_at(part, second + 1)):
        number = np.arange(begin, end) if keep is None else begin + keep
        found.append(number[part.stop[number] > second])
    return np.bincount(selection.code_of(part, np.concatenate(found)), minlength=selection.codes)
