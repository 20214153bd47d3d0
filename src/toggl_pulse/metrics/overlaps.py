"""Pairs of entries of one person that lie over each other, the newest first.

There may be as many pairs as entries times entries: they are counted, and only those that are shown are made.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.metrics.calendar import MAX_POINTS
from toggl_pulse.metrics.catalogue import HOUR_MS
from toggl_pulse.metrics.cells import Question
from toggl_pulse.metrics.coverage import Swept, swept
from toggl_pulse.metrics.fold import Folding
from toggl_pulse.metrics.rows import EntryRow, Table, Told, named

__all__ = ["USUAL_PAIRS", "overlap_table"]

Ints = NDArray[np.int64]

USUAL_PAIRS = 1_000
"""Pairs that are shown where no limit says otherwise."""


def overlap_table(question: Question) -> Told:
    """A row a pair, by falling start of the later entry."""
    most = min(question.query.limit or USUAL_PAIRS, MAX_POINTS)
    found = _overlapping(question)
    number, first, second = _newest_pairs(question, found, most)
    start, stop = found.start[second], np.minimum(found.stop[first], found.stop[second])
    entries = [
        list(named(question.snapshot, question.selection.rows, found.part[each], found.row[each]))
        for each in (first, second)
    ]
    # what began before the range was all cut to its beginning
    pairs = [sorted(pair, key=lambda row: (row.start, row.id)) for pair in zip(*entries, strict=True)]
    rows = tuple(
        (begin, end, (end - begin) / HOUR_MS, one.user, *_cells(one), *_cells(other))
        for begin, end, (one, other) in zip(start.tolist(), stop.tolist(), pairs, strict=True)
    )
    notes = (f"{number:,} pairs of entries overlap; the newest {most:,} are shown.",) if number > most else ()
    return Told(Table(question.metric.columns, rows), question.has_running(), notes)


def _cells(row: EntryRow) -> tuple[int | str | None, ...]:
    return (
        int(row.start.timestamp()) * 1000,
        None if row.stop is None else int(row.stop.timestamp()) * 1000,
        row.description,
        row.project,
        str(row.id),
    )


class _Found(NamedTuple):
    """The entries that lie over another one of their person, and a few more: by person and start, then by id."""

    start: Ints
    stop: Ints
    user: Ints
    part: Ints
    row: Ints
    entry_id: Ints

    def of(self, order: Ints) -> _Found:
        return _Found(*(column[order] for column in self))


def _overlapping(question: Question) -> _Found:
    nothing = _Found(*np.zeros((6, 0), np.int64))
    some = [_with_company(question, each) for each in swept(question.selection, Folding.whole(""), question.range)]
    found = _Found(*(np.concatenate(columns) for columns in zip(nothing, *some, strict=True)))
    if np.any(np.diff(found.user)):
        found = found.of(np.argsort(found.user, kind="stable"))
    # they come by start; of the few that begin at once, by id
    same = np.flatnonzero((np.diff(found.start) == 0) & (np.diff(found.user) == 0))
    here = np.union1d(same, same + 1)
    order = np.arange(len(found.start))
    order[here] = here[np.lexsort((found.entry_id[here], found.start[here], found.user[here]))]
    return found.of(order) if len(here) else found


def _with_company(question: Question, some: Swept) -> _Found:
    """Of a block what overlaps one before or the next one of the same person, and what may overlap a later one."""
    several = np.any(np.diff(some.user))
    order = np.argsort(some.user, kind="stable") if several else np.arange(len(some.user))
    # what stops before anybody's next start of this block lies over nothing of a later one
    follows = np.append(some.start[order][1:], 0)
    keep = some.before > some.start
    keep[order] |= some.stop[order] > follows
    part, row = some.part[keep], some.row[keep]
    ids = np.zeros(len(row), np.int64)
    for number, rows in enumerate(question.selection.rows):
        here = part == number
        ids[here] = rows.part.entry_id[row[here]]
    return _Found(some.start[keep], some.stop[keep], some.user[keep], part, row, ids)


def _newest_pairs(question: Question, found: _Found, most: int) -> tuple[int, Ints, Ints]:
    """How many pairs there are, and the newest ones as (earlier, later) entry."""
    range_, size = question.range, len(found.start)
    index = np.arange(size)
    # each person has a stretch of numbers of its own; what an entry lies over are its neighbours up to its stop
    apart = found.user * (range_.end_ms - range_.start_ms + 1) - range_.start_ms
    until = (found.start + apart).searchsorted(found.stop + apart, side="left")
    number = int((until - index - 1).sum())
    # of the later entries the newest ones that have enough pairs together
    earlier = index - np.bincount(until, minlength=size + 1).cumsum()[:size]
    newest = index[::-1] if not np.any(np.diff(found.user)) else np.lexsort((found.entry_id, found.start))[::-1]
    enough = int(earlier[newest].cumsum().searchsorted(most)) + 1
    first_of_user = np.full(int(found.user.max(initial=0)) + 1, size)
    np.minimum.at(first_of_user, found.user[newest[:enough]], newest[:enough])
    begin = np.maximum(index + 1, first_of_user[found.user])
    count = np.maximum(until - begin, 0)
    first = np.repeat(index, count)
    second = begin[first] + np.arange(len(first)) - np.repeat(count.cumsum() - count, count)
    place = np.empty_like(index)
    place[newest] = index
    order = np.lexsort((place[first], place[second]))[:most]
    return number, first[order], second[order]
