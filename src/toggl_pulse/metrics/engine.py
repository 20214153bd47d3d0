"""Answers to queries, from the newest revision of an entry source: the way in from outside.

Rows are chosen, summed by step and code, folded into groups and turned into values; each of these has its module.
Knows no database, no HTTP, and no clock of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.metrics import calendar
from toggl_pulse.metrics.catalogue import METRICS
from toggl_pulse.metrics.cells import Question
from toggl_pulse.metrics.change import period_change
from toggl_pulse.metrics.columns import Columns, Snapshot
from toggl_pulse.metrics.entry_lists import entry_rows, entry_table, running_table
from toggl_pulse.metrics.filters import allowed_codes
from toggl_pulse.metrics.groups import Key, dimension_of, values_of
from toggl_pulse.metrics.overlaps import overlap_table
from toggl_pulse.metrics.overview import dormant_projects, project_overview
from toggl_pulse.metrics.query import Query
from toggl_pulse.metrics.rows import EntryRow, Table, Told, points, weekday_hour_table
from toggl_pulse.metrics.selection import Range, Selection
from toggl_pulse.model import Catalogue, EntrySource, from_epoch

__all__ = ["Answer", "Answers", "Contact", "Moment", "Series"]

_MOST_HOURS = 1_000_000  # of the 95 years that can be asked for; a heat map folds them into 168


@dataclass(frozen=True, slots=True)
class Contact:
    """When Toggl was last heard of, and for how long after that a running entry is taken to run on."""

    last: datetime | None
    fresh_for: timedelta


class Series(NamedTuple):
    """One group's values; NaN where there is none. All series of steps share one `times_ms`."""

    key: Key
    label: str
    times_ms: NDArray[np.int64]
    values: NDArray[np.float64]
    other: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """Series or a table.

    `attribution` is the one that was used, `interval` what `auto` became, `revision` that of the data.
    `running_flagged`: a running entry counts here. `notes` are sentences for people.
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


class Moment:
    """What is known at one moment: all questions of one request are answered from the same rows, names and time.

    Nothing is asked of the source any more. `now` and `horizon`, until when running entries count, are whole UTC
    seconds, and `until` is the sentence that tells the horizon.
    """

    def __init__(self, snapshot: Snapshot, now: int, horizon: int, until: str) -> None:
        self._snapshot = snapshot
        self._now = now
        self._horizon = horizon
        self._until = until

    @property
    def catalogue(self) -> Catalogue:
        """The names and colours that answers are made with."""
        return self._snapshot.catalogue

    @property
    def counts_until(self) -> datetime:
        """Until when running entries count: now, or the last contact with Toggl where that is long ago."""
        return from_epoch(self._horizon)

    def answer(self, query: Query, *, check: Callable[[], None] = _never) -> Answer:
        """Answer a query.

        `check` is called between blocks of rows and may raise to stop the work. Raises `BadRequest`.
        """
        question = self._question(query, check)
        metric = question.metric
        interval, series, told = "entry", (), None  # type: str, tuple[Series, ...], Told | None
        if metric.shape == "points":
            folding, times, values = points(question.selection, question.range, question.fold)
            series = tuple(
                Series(group.key, group.label, time, value, group.other)
                for group, time, value in zip(folding.groups, times, values, strict=True)
            )
        elif metric.shape == "table":
            interval, tell = _TABLES[metric.slug]
            told = tell(question)
        else:
            steps = _steps(query)
            cells = question.cells(steps.borders)
            interval = steps.interval
            series = tuple(
                Series(group.key, group.label, steps.times_ms, row, group.other)
                for group, row in zip(cells.groups, cells.values, strict=True)
            )
        running = question.has_running() if told is None else told.running
        return Answer(
            metric=metric.slug,
            unit=metric.unit,
            attribution=question.attribution,
            interval=interval,
            revision=question.snapshot.revision,
            series=series,
            table=None if told is None else told.table,
            running_flagged=running,
            notes=((self._until,) if running else ())
            + ((_TAGS,) if question.dimension is not None and question.dimension.name == "tag" else ())
            + (() if told is None else told.notes),
        )

    def entries(self, query: Query, *, check: Callable[[], None] = _never) -> Iterator[EntryRow]:
        """The entries of a query's range and filters, oldest first, with ids and names."""
        question = self._question(replace(query, metric="entries", group_by="none"), check)
        return entry_rows(question)

    def _question(self, query: Query, check: Callable[[], None]) -> Question:
        snapshot = self._snapshot
        metric = METRICS[query.metric]
        by = metric.by or query.group_by
        dimension = None if by == "none" else dimension_of(snapshot, by)
        selection = Selection.of(
            snapshot,
            allowed=allowed_codes(snapshot, query.filters),
            only="running" if metric.slug == "entries" and query.only == "running" else metric.rows,
            horizon=self._horizon,
            column=None if dimension is None else dimension.column,
            codes=1 if dimension is None else dimension.codes,
            check=check,
        )
        range_ = Range(query.start_ms, query.end_ms)
        attribution = metric.attribution or query.attribution
        return Question(query, metric, attribution, snapshot, dimension, selection, range_, self._now)


class Answers:
    """Safe to call from any thread; calls block while the source is read."""

    def __init__(
        self,
        source: EntrySource,
        *,
        clock: Callable[[], datetime],
        contact: Callable[[], Contact],
        room: Callable[[], None] = lambda: None,
    ) -> None:
        """`room` is called before entries are read into memory, and raises when there are too many for it."""
        self._columns = Columns(source, room)
        self._clock = clock
        self._contact = contact

    def revision(self) -> int:
        """The revision that an answer would be made from now; what is newer at the source has been read by then."""
        return self._columns.newest().revision

    def catalogue(self) -> Catalogue:
        """Names, colours and the profile as of the last answer: from memory, the source is not asked again."""
        return self._columns.last().catalogue

    def moment(self) -> Moment:
        """The present: the newest revision, with what is newer at the source read by then."""
        snapshot, now = self._columns.newest(), self._clock()
        return Moment(snapshot, int(now.timestamp() // 1), *self._horizon(now))

    def answer(self, query: Query, *, check: Callable[[], None] = _never) -> Answer:
        """Answer a single query; as `Moment.answer`."""
        return self.moment().answer(query, check=check)

    def values(self, dimension: str) -> list[tuple[Key, str]]:
        """What a list to choose from shows, by label: every group with entries, and those that exist at Toggl."""
        snapshot = self._columns.newest()
        found = dimension_of(snapshot, dimension)
        return [(found.keys[group], found.labels[group]) for group in values_of(snapshot, dimension)]

    def entries(self, query: Query, *, check: Callable[[], None] = _never) -> Iterator[EntryRow]:
        """As `Moment.entries`."""
        return self.moment().entries(query, check=check)

    def _horizon(self, now: datetime) -> tuple[int, str]:
        """Until when running entries count (whole UTC seconds), and the sentence that says so."""
        contact = self._contact()
        if contact.last is None:
            return 0, "A running entry counts nothing yet: Toggl has not been reached so far."
        if now - contact.last <= contact.fresh_for:
            return int(now.timestamp() // 1), "A running entry counts up to now."
        until = int(contact.last.timestamp() // 1)
        moment = from_epoch(until).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
        return until, f"A running entry counts up to the last contact with Toggl, {moment}."


_TAGS = "An entry with several tags counts under each of them; such groups are marked (shared)."


def _heat_map(question: Question) -> Told:
    query = question.query
    steps = calendar.steps(query.start_ms, query.end_ms, "hour", query.zone, query.week_start, most=_MOST_HOURS)
    weekday, hour = calendar.day_of_week_and_hour(steps.borders[:-1], query.zone)
    cells = question.cells(steps.borders, weekday * 24 + hour)
    grouped = question.dimension is not None
    table = weekday_hour_table(cells.groups, cells.values, query.week_start, grouped=grouped, matrix=query.matrix)
    return Told(table, question.has_running())


_TABLES: Mapping[str, tuple[str, Callable[[Question], Told]]] = {
    "weekday_hour_hours": ("hour", _heat_map),
    "entries": ("entry", entry_table),
    "running_entries": ("entry", running_table),
    "period_change": ("period", period_change),
    "overlaps": ("entry", overlap_table),
    "project_overview": ("range", project_overview),
    "dormant_projects": ("range", dormant_projects),
}
"""Of each metric that is a table: what stands for its interval, and how it is made."""


def _steps(query: Query) -> calendar.Steps:
    if query.interval == "auto":
        return calendar.choose_interval(
            query.start_ms, query.end_ms, query.zone, query.week_start, query.interval_ms, query.max_points
        )
    return calendar.steps(query.start_ms, query.end_ms, query.interval, query.zone, query.week_start)
