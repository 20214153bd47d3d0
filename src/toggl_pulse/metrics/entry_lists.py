"""Lists of entries: newest or longest first, all or some kinds of them; what runs now; the export.

Kinds and order are decided by number over the columns; names are looked up only for the rows that are shown.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.errors import BadRequest
from toggl_pulse.metrics import calendar
from toggl_pulse.metrics.calendar import MAX_POINTS
from toggl_pulse.metrics.catalogue import HOUR_SECONDS
from toggl_pulse.metrics.cells import Question
from toggl_pulse.metrics.rows import EntryRow, Table, Told, named
from toggl_pulse.metrics.selection import Rows, matching_rows

__all__ = ["LONG", "SHORT", "entry_rows", "entry_table", "running_table"]

Ints = NDArray[np.int64]

LONG = 8 * HOUR_SECONDS
"""A long entry is longer than this."""

SHORT = 60
"""A short one is shorter."""


def entry_table(question: Question) -> Told:
    """Entries of the range, newest first or longest first; `limit` keeps the first ones."""
    query = question.query
    parts, rows = _longest(question) if query.sort == "duration" else _newest(question)
    if query.limit is None and len(rows) > MAX_POINTS:
        raise BadRequest(
            f"This range has more than {MAX_POINTS:,} entries: set a limit or ask for a shorter range.",
            code="too_many_points",
        )
    shown = named(question.snapshot, question.selection.rows, parts[: query.limit], rows[: query.limit])
    cells = (
        (
            int(row.start.timestamp()) * 1000,
            None if row.stop is None else int(row.stop.timestamp()) * 1000,
            row.seconds / HOUR_SECONDS,
            *_words(row),
            str(row.id),
        )
        for row in shown
    )
    return Told(Table(question.metric.columns, tuple(cells)), question.has_running())


def running_table(question: Question) -> Told:
    """What runs now, the newest first, whatever the range."""
    found = [_numbers(number, rows, rows.of(rows.part.running)) for number, rows in enumerate(question.selection.rows)]
    start, entry, part, row = np.concatenate(found, axis=1)
    order = np.lexsort((entry, start))[::-1][: question.query.limit]
    cells = tuple(
        (
            int(row.start.timestamp()) * 1000,
            row.seconds / HOUR_SECONDS,
            *_words(row),
            *(None if each is None else str(each) for each in (row.project_id, row.client_id)),
            str(row.id),
        )
        for row in named(question.snapshot, question.selection.rows, part[order], row[order])
    )
    return Told(Table(question.metric.columns, cells), bool(cells))


def _words(row: EntryRow) -> tuple[str, ...]:
    return (
        row.description,
        row.project,
        row.client,
        row.task,
        ", ".join(row.tags),
        "true" if row.billable else "false",
        row.user,
        row.workspace,
    )


def entry_rows(question: Question) -> Iterator[EntryRow]:
    """Entries of the range, all or some kind of them, oldest first, made one by one."""
    kind = _Kind(question)
    found = [
        _numbers(number, rows, kind.of(rows, row))
        for number, rows in enumerate(question.selection.rows)
        for row in matching_rows(rows, question.range, question.attribution)
    ]
    start, entry, part, row = np.concatenate(found, axis=1)
    order = np.lexsort((entry, start))
    return named(question.snapshot, question.selection.rows, part[order], row[order])


def _numbers(number: int, rows: Rows, row: Ints) -> Ints:
    return np.stack((rows.part.start[row], rows.part.entry_id[row], np.full(len(row), number), row))


def _newest(question: Question) -> tuple[Ints, Ints]:
    """Part and row of each entry, by falling start and id; at least of as many as the limit keeps."""
    kind, limit = _Kind(question), question.query.limit
    found = [
        _numbers(number, rows, row)
        for number, rows in enumerate(question.selection.rows)
        for row in _newest_of(question, kind, rows, limit)
    ]
    start, entry, part, row = np.concatenate(found, axis=1)
    order = np.lexsort((entry, start))[::-1]
    return part[order], row[order]


def _newest_of(question: Question, kind: _Kind, rows: Rows, limit: int | None) -> Iterator[Ints]:
    """The rows of a part among which its newest entries are."""
    found = 0
    start = rows.part.start
    earliest: int | None = None
    for row in matching_rows(rows, question.range, question.attribution, newest_first=True):
        # entries that begin together are ordered by id, wherever a block ends
        enough = limit is not None and found >= limit and earliest is not None
        if enough and (not len(row) or start[row[-1]] < earliest):
            return
        of_kind = kind.of(rows, row)
        yield of_kind
        found += len(of_kind)
        if len(row):
            earliest = int(start[row[0]])


def _longest(question: Question) -> tuple[Ints, Ints]:
    """Part and row of each entry, by falling length, then as the newest; at least of as many as the limit keeps."""
    kind, limit = _Kind(question), question.query.limit
    found, least = [], np.iinfo(np.int64).min
    for number, rows in enumerate(question.selection.rows):
        for block in matching_rows(rows, question.range, question.attribution):
            row = kind.of(rows, block)
            _, seconds = rows.ends(row)
            if limit is not None and len(row) > limit:
                least = max(least, int(np.partition(seconds, -limit)[-limit]))
            row, seconds = row[seconds >= least], seconds[seconds >= least]
            found.append(np.concatenate((_numbers(number, rows, row), seconds[None])))
    start, entry, part, row, seconds = np.concatenate(found, axis=1)
    order = np.lexsort((entry, start, seconds))[::-1]
    return part[order], row[order]


class _Kind:
    """The entries that `only` keeps; running ones count up to now."""

    def __init__(self, question: Question) -> None:
        self._only = question.query.only
        if self._only == "over_midnight":
            # what began before the first of these and reaches into the range has gone over that one
            low, high = question.range.touched
            self._midnights = calendar.steps(low * 1000, (high + 1) * 1000, "day", question.query.zone).borders

    def of(self, rows: Rows, row: Ints) -> Ints:
        """Those of some rows (rising)."""
        if self._only in {"all", "running"} or not len(row):
            return row
        stop, seconds = rows.ends(row)
        if self._only == "over_midnight":
            # rows that begin on one day are neighbours: midnights are looked up among them, not they among midnights
            start, midnights = rows.part.start[row], self._midnights
            first, last = midnights.searchsorted((start[0], start[-1]), side="right").tolist()
            edges = np.array([0, *start.searchsorted(midnights[first:last]), len(row)])
            return row[stop > midnights[first : last + 1].repeat(edges[1:] - edges[:-1])]
        return row[seconds > LONG if self._only == "long" else seconds < SHORT]
