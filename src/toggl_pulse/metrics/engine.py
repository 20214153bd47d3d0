"""Answers to queries: rows are chosen, summed by step and code, folded into groups, and turned into values.

The only way in from outside. Reads an entry source; knows no database, no HTTP and no clock of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.errors import BadRequest
from toggl_pulse.metrics import calendar
from toggl_pulse.metrics.catalogue import METRICS, Metric
from toggl_pulse.metrics.columns import Columns, Snapshot
from toggl_pulse.metrics.days import active_days
from toggl_pulse.metrics.filters import allowed_codes
from toggl_pulse.metrics.fold import Folding, Shown
from toggl_pulse.metrics.groups import Dimension, Key, dimension_of, values_of
from toggl_pulse.metrics.query import Query
from toggl_pulse.metrics.rows import EntryRow, Table, entry_rows, entry_table, points, weekday_hour_table
from toggl_pulse.metrics.sums import Range, Selection, present_codes, running_rows, sum_by_step
from toggl_pulse.model import EntrySource, from_epoch

__all__ = ["Answer", "Answers", "Contact", "Series"]

MOST_CELLS = 5_000_000
"""Points of all series together; an answer with more helps nobody and costs everybody."""

_CELLS_AT_ONCE = 4_000_000
_CODES_AT_ONCE = 1_024


@dataclass(frozen=True, slots=True)
class Contact:
    """When Toggl was last heard of, and for how long after that a running entry is taken to run on."""

    last: datetime | None
    fresh_for: timedelta


@dataclass(frozen=True, slots=True)
class Series:
    """One group's values; `values` is NaN where there is none. `times_ms` is shared by all series of an answer."""

    key: Key
    label: str
    times_ms: NDArray[np.int64]
    values: NDArray[np.float64]
    other: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """Series or a table. `attribution` is the one that was used; `running_flagged`: a running entry counts here.

    `interval` is what `auto` became; `notes` are sentences for people.
    """

    metric: str
    unit: str
    attribution: str
    interval: str
    revision: int
    series: tuple[Series, ...] = ()
    table: Table | None = None
    running_flagged: bool = False
    notes: tuple[str, ...] = ()


def _never() -> None:
    """The checkpoint of a caller that waits as long as it takes."""


class Answers:
    """Answers from the newest revision of a source; safe to call from any thread."""

    def __init__(self, source: EntrySource, *, clock: Callable[[], datetime], contact: Callable[[], Contact]) -> None:
        self._columns = Columns(source)
        self._clock = clock
        self._contact = contact

    def revision(self) -> int:
        """The revision that an answer would be made from now."""
        return self._columns.newest().revision

    def answer(self, query: Query, *, check: Callable[[], None] = _never) -> Answer:
        """Answer a query.

        `check` is called between blocks of rows and may raise to stop the work. Raises `BadRequest`.
        """
        scene = self._scene(query, check)
        metric = scene.metric
        if metric.shape == "points":
            folding, times, values = points(scene.selection, scene.range, scene.fold_rows, check)
            series = tuple(
                Series(group.key, group.label, time, value, group.other)
                for group, time, value in zip(folding.groups, times, values, strict=True)
            )
            return self._answer(scene, "entry", series=series)
        if metric.slug == "entries":
            table = entry_table(scene.snapshot, scene.selection, scene.range, scene.attribution, query.limit)
            return self._answer(scene, "entry", table=table)
        if metric.slug == "weekday_hour_hours":
            steps = calendar.steps(query.start_ms, query.end_ms, "hour", query.zone, query.week_start, most=1_000_000)
            slots = calendar.day_of_week_and_hour(steps.borders[:-1], query.zone)
            groups, cells = self._cells(scene, steps.borders, slots[0] * 24 + slots[1])
            table = weekday_hour_table(groups, cells, query.week_start, grouped=query.group_by != "none")
            return self._answer(scene, "hour", table=table)
        steps = self._steps(query)
        groups, cells = self._cells(scene, steps.borders, None)
        return self._answer(
            scene,
            steps.interval,
            series=tuple(
                Series(group.key, group.label, steps.times_ms, values, group.other)
                for group, values in zip(groups, cells, strict=True)
            ),
        )

    def values(self, dimension: str) -> list[tuple[Key, str]]:
        """What a list to choose from shows: every group with entries, and those that exist at Toggl."""
        snapshot = self._columns.newest()
        found = dimension_of(snapshot, dimension)
        return [(found.keys[group], found.labels[group]) for group in values_of(snapshot, dimension)]

    def entries(self, query: Query, *, check: Callable[[], None] = _never) -> Iterator[EntryRow]:
        """The entries of a query's range and filters, oldest first, with ids and names."""
        scene = self._scene(replace(query, metric="entries"), check)
        return entry_rows(scene.snapshot, scene.selection, scene.range, scene.attribution)

    def _scene(self, query: Query, check: Callable[[], None]) -> _Scene:
        snapshot = self._columns.newest()
        metric = METRICS[query.metric]
        dimension = None if query.group_by == "none" else dimension_of(snapshot, query.group_by)
        horizon, note = self._horizon()
        selection = Selection.of(
            snapshot,
            allowed=allowed_codes(snapshot, query.filters),
            only=metric.rows,
            horizon=horizon,
            column=None if dimension is None else dimension.column,
            codes=1 if dimension is None else dimension.codes,
            check=check,
        )
        return _Scene(
            query,
            metric,
            metric.attribution or query.attribution,
            snapshot,
            dimension,
            selection,
            Range(query.start_ms, query.end_ms),
            note,
        )

    def _horizon(self) -> tuple[int, str]:
        """Until when running entries count, in whole seconds, and the sentence that says so."""
        now, contact = self._clock(), self._contact()
        if contact.last is None:
            return 0, "A running entry counts nothing yet: Toggl has not been heard of."
        if now - contact.last <= contact.fresh_for:
            return int(now.timestamp() // 1), "A running entry counts up to now."
        until = int(contact.last.timestamp() // 1)
        moment = from_epoch(until).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
        return until, f"A running entry counts up to the last contact with Toggl, {moment}."

    @staticmethod
    def _steps(query: Query) -> calendar.Steps:
        if query.interval == "auto":
            return calendar.choose_interval(
                query.start_ms, query.end_ms, query.zone, query.week_start, query.interval_ms, query.max_points
            )
        return calendar.steps(query.start_ms, query.end_ms, query.interval, query.zone, query.week_start)

    @staticmethod
    def _cells(
        scene: _Scene, borders: NDArray[np.int64], slots: NDArray[np.int64] | None
    ) -> tuple[tuple[Shown, ...], NDArray[np.float64]]:
        """The shown groups, and groups × steps of values (groups × 168 slots of the week, when there are slots)."""
        return scene.cells(borders, slots)

    @staticmethod
    def _answer(scene: _Scene, interval: str, *, series: tuple[Series, ...] = (), table: Table | None = None) -> Answer:
        running = scene.running_counts()
        notes = [scene.running_note] if running else []
        if scene.query.group_by == "tag":
            notes.append("An entry with several tags counts under each of them; their groups are marked (shared).")
        return Answer(
            scene.metric.slug,
            scene.metric.unit,
            scene.attribution,
            interval,
            scene.snapshot.revision,
            series,
            table,
            running,
            tuple(notes),
        )


@dataclass(frozen=True, slots=True)
class _Scene:
    """A query with everything it is about."""

    query: Query
    metric: Metric
    attribution: str
    snapshot: Snapshot
    dimension: Dimension | None
    selection: Selection
    range: Range
    running_note: str

    def cells(
        self, borders: NDArray[np.int64], slots: NDArray[np.int64] | None
    ) -> tuple[tuple[Shown, ...], NDArray[np.float64]]:
        steps = len(borders) - 1
        codes = self.selection.codes
        if codes <= _CODES_AT_ONCE and steps * codes <= _CELLS_AT_ONCE:
            sums = self._sums(self.selection, self.range, borders)
            folding = self._fold_sums(self.selection, sums[self.metric.measures[0]].sum(axis=0))
            folded = self._folded(folding, sums)
            self._add_days(folded, folding, self.selection, borders)
            return folding.groups, self._values(folded if slots is None else _by_slot(folded, slots))
        # many groups: see first which of them matter
        whole = np.array([self.range.touched[0], max(self.range.touched[1], self.range.touched[0] + 1)])
        weight = self._sums(self.selection, self.range, whole, only_first=True)[self.metric.measures[0]][0]
        recode, folding = self._fold_sums(self.selection, weight).compact(codes)
        width = steps if slots is None else 168
        if len(folding.groups) * width > MOST_CELLS:
            raise BadRequest(
                f"{len(folding.groups):,} groups in {width:,} steps are too many points: "
                "set a limit, a longer interval or a shorter range.",
                code="too_many_points",
            )
        selection = self.selection.recoded(recode, max(1, int(folding.code.max(initial=0)) + 1))
        at_once = max(1, _CELLS_AT_ONCE // selection.codes)
        out: dict[str, NDArray[Any]] = {}
        for first in range(0, steps, at_once):
            part = borders[first : first + at_once + 1]
            range_ = Range(
                max(self.range.start_ms, int(part[0]) * 1000), min(self.range.end_ms, int(part[-1]) * 1000)
            )
            folded = self._folded(folding, self._sums(selection, range_, part))
            if slots is not None:
                folded = _by_slot(folded, slots[first : first + at_once])
            for measure, cells in folded.items():
                if measure not in out:
                    out[measure] = np.zeros((len(folding.groups), width), cells.dtype)
                if slots is None:
                    out[measure][:, first : first + cells.shape[1]] = cells
                else:
                    out[measure] += cells
        self._add_days(out, folding, selection, borders)
        return folding.groups, self._values(out)

    def _sums(
        self, selection: Selection, range_: Range, borders: NDArray[np.int64], *, only_first: bool = False
    ) -> dict[str, NDArray[Any]]:
        measures = self.metric.measures[:1] if only_first else self.metric.measures
        return sum_by_step(selection, range_, borders, measures, self.attribution)

    def _fold_sums(self, selection: Selection, weight: NDArray[Any]) -> Folding:
        if self.dimension is None:
            return Folding.whole(self.metric.slug)
        present = weight > 0
        if not present.all():
            present |= present_codes(selection, self.range, self.attribution)
        return Folding.choose(self.dimension, weight, present, self.query.limit)

    def fold_rows(self, weight: NDArray[Any], present: NDArray[np.bool_]) -> Folding:
        if self.dimension is None:
            return Folding.whole(self.metric.slug)
        return Folding.choose(self.dimension, weight, present, self.query.limit)

    @staticmethod
    def _folded(folding: Folding, sums: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        return {
            measure: folding.largest(cells) if measure == "longest" else folding.sum(cells)
            for measure, cells in sums.items()
        }

    def _add_days(
        self, folded: dict[str, NDArray[Any]], folding: Folding, selection: Selection, borders: NDArray[np.int64]
    ) -> None:
        """Active days are no sum: a day with two groups is one day of both."""
        if "active_days" in self.metric.measures:
            folded["active_days"] = active_days(selection, folding, self.range, borders, self.query.zone)

    def _values(self, folded: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
        make = self.metric.value
        return folded[self.metric.measures[0]] if make is None else make(folded)

    def running_counts(self) -> bool:
        """Whether an entry that still runs is among those that count."""
        if self.metric.rows == "finished":
            return False
        return any(len(running_rows(rows, self.range, self.attribution)) for rows in self.selection.rows)


def _by_slot(folded: dict[str, NDArray[Any]], slots: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Steps added up by slot of the week."""
    return {
        measure: np.array([np.bincount(slots, row, minlength=168) for row in cells]).reshape(-1, 168)
        for measure, cells in folded.items()
    }
