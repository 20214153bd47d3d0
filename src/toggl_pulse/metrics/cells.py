"""From a question to its cells: groups × steps of values, or groups × slots of the week.

With few codes everything is summed at once. With many (texts, sets of tags) a first look finds the groups that
matter, and the sums are then made for those, some steps at a time, so that memory stays small.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.errors import BadRequest
from toggl_pulse.metrics.catalogue import Metric
from toggl_pulse.metrics.columns import Snapshot
from toggl_pulse.metrics.coverage import overlapped
from toggl_pulse.metrics.day_edges import first_start, last_stop
from toggl_pulse.metrics.days import active_days, days_off
from toggl_pulse.metrics.fold import Folding, Shown
from toggl_pulse.metrics.grid import Grid
from toggl_pulse.metrics.groups import Dimension
from toggl_pulse.metrics.query import Query
from toggl_pulse.metrics.selection import Range, Selection, codes_without_time, running_rows
from toggl_pulse.metrics.sums import sum_by_step
from toggl_pulse.metrics.windows import windowed

__all__ = ["SLOTS", "Cells", "Question"]

Ints = NDArray[np.int64]
Sums = dict[str, NDArray[Any]]

SLOTS = 168
"""Hours of a week."""

MOST_CELLS = 5_000_000
"""Points of all series together; an answer with more helps nobody and costs everybody."""

CELLS_AT_ONCE = 4_000_000
CODES_AT_ONCE = 1_024

CELLS_IN_CACHE = 400_000
"""Cells of the second look at a time."""


@dataclass(frozen=True, slots=True)
class Cells:
    groups: tuple[Shown, ...]
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Question:
    """A query with everything that it is about; `now` in whole UTC seconds."""

    query: Query
    metric: Metric
    attribution: str
    snapshot: Snapshot
    dimension: Dimension | None
    selection: Selection
    range: Range
    now: int

    def over(self, start_ms: int, end_ms: int) -> Question:
        """The same question about another range."""
        return replace(self, range=Range(start_ms, end_ms))

    def sums(self, *measures: str) -> dict[str, NDArray[Any]]:
        """Of the whole range, by code."""
        low, high = self.range.touched
        borders = np.array([low, max(high, low + 1)])
        return {
            measure: cells[0] for measure, cells in self._sums(self.selection, self.range, borders, measures).items()
        }

    def has_running(self) -> bool:
        """Whether an entry that still runs is among those that count."""
        return any(len(running_rows(rows, self.range, self.attribution)) for rows in self.selection.rows)

    def fold(self, weight: NDArray[Any], present: NDArray[np.bool_]) -> Folding:
        """The groups to show, by the weight and presence of each code."""
        if self.dimension is None:
            return Folding.whole(self.metric.slug)
        return Folding.choose(self.dimension, weight, present, self.query.limit)

    def cells(self, borders: Ints, slots: Ints | None = None) -> Cells:
        """Values by group and step; with `slots` (one for each step) by group and slot.

        Raises `BadRequest` (`too_many_points`).
        """
        codes, places = self.selection.codes, len(borders) - 1 if slots is None else SLOTS
        if codes > CODES_AT_ONCE or places * codes > CELLS_AT_ONCE:
            return self._in_two_looks(borders, slots, places)
        sums = self._sums(self.selection, self.range, borders, self.metric.measures, slots)
        folding = self._fold(sums[self.metric.measures[0]].sum(axis=0))
        folded = self._folded(folding, sums)
        self._add_of_groups(folded, folding, self.selection, borders)
        return Cells(folding.groups, self._values(folded))

    def _in_two_looks(self, borders: Ints, slots: Ints | None, places: int) -> Cells:
        first, measures = self.metric.measures[0], self.metric.measures
        recode, folding = self._fold(self.sums(first)[first]).compact(self.selection.codes)
        if len(folding.groups) * places > MOST_CELLS:
            raise BadRequest(
                f"{len(folding.groups):,} groups in {places:,} steps are too many points: "
                "set a limit, a longer interval or a shorter range.",
                code="too_many_points",
            )
        selection = self.selection.recoded(recode, max(1, int(folding.code.max(initial=0)) + 1))
        if slots is not None:
            sums = self._sums(selection, self.range, borders, measures, slots)
            return Cells(folding.groups, self._values(self._folded(folding, sums)))
        at_once = max(1, CELLS_IN_CACHE // selection.codes)
        out: Sums = {}
        for begin in range(0, places, at_once):
            some = borders[begin : begin + at_once + 1]
            range_ = Range(max(self.range.start_ms, int(some[0]) * 1000), min(self.range.end_ms, int(some[-1]) * 1000))
            folded = self._folded(folding, self._sums(selection, range_, some, measures))
            for measure, cells in folded.items():
                into = out.setdefault(measure, np.zeros((len(folding.groups), places), cells.dtype))
                into[:, begin : begin + cells.shape[1]] = cells
        self._add_of_groups(out, folding, selection, borders)
        return Cells(folding.groups, self._values(out))

    def _sums(
        self,
        selection: Selection,
        range_: Range,
        borders: Ints,
        measures: tuple[str, ...],
        slots: Ints | None = None,
    ) -> Sums:
        """Places × codes of each measure: steps, or slots where they have any."""
        window = self.metric.window
        if window is not None:
            grid = windowed(borders, range_, window, self.query.zone)
            found = sum_by_step(selection, range_, grid, measures, self.attribution)
            return {measure: cells[:-1] for measure, cells in found.items()}
        grid = Grid.of(borders) if slots is None else Grid(borders, SLOTS, slots.astype(np.int32))
        return sum_by_step(selection, range_, grid, measures, self.attribution)

    def _fold(self, weight: NDArray[Any]) -> Folding:
        present = weight > 0
        if self.dimension is not None and self.metric.window is None and not present.all():
            # what has no time may still be there: entries of no length, running ones that lie ahead
            present |= codes_without_time(self.selection, self.range, self.attribution)
        return self.fold(weight, present)

    @staticmethod
    def _folded(folding: Folding, sums: Sums) -> Sums:
        return {
            measure: folding.largest(cells) if measure == "longest" else folding.sum(cells)
            for measure, cells in sums.items()
        }

    def _add_of_groups(self, folded: Sums, folding: Folding, selection: Selection, borders: Ints) -> None:
        """What is no sum: a day on which two groups are active is one day of both together."""
        for measure in self.metric.measures:
            if measure in _OF_GROUPS:
                folded[measure] = _OF_GROUPS[measure](selection, folding, self.range, borders, self.query.zone)

    def _values(self, folded: Sums) -> NDArray[np.float64]:
        make = self.metric.value
        values: NDArray[np.float64] = folded[self.metric.measures[0]] if make is None else make(folded)
        return values


_OF_GROUPS: Mapping[str, Callable[[Selection, Folding, Range, Ints, ZoneInfo], NDArray[Any]]] = {
    "active_days": active_days,
    "days_off": days_off,
    "first_start": first_start,
    "last_stop": last_stop,
    "overlap_ms": overlapped,
}
"""Measures of which those of codes do not add up, by group and step."""
