"""Entries straight from the database into arrays: no object is kept for a row.

A copy that was kept as arrays (`kept.py`) is brought up to date, as far as it agrees with the rows. Else the rows are
taken from the driver's own cursor, whose plain tuples are three times as fast as rows with names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from itertools import islice
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Select, case, func, select

from toggl_pulse.mirror import tables
from toggl_pulse.mirror.kept import read_kept
from toggl_pulse.model import NO_ID, RUNNING, EntryColumns

__all__ = ["read_changes", "read_columns", "read_rows"]

log = structlog.get_logger()

NO_TAGS = 0
"""Stands for "no tag set" in the raw numbers; real sets are numbered from 1."""

entry = tables.entries.c
alive = entry.deleted_at_us.is_(None)
COLUMNS: tuple[ColumnElement[Any], ...] = (
    entry.description,
    entry.id,
    entry.start,
    func.coalesce(entry.stop, RUNNING),
    entry.duration,
    entry.workspace_id,
    func.coalesce(entry.project_id, NO_ID),
    func.coalesce(entry.task_id, NO_ID),
    entry.user_id,
    func.coalesce(entry.tag_set, NO_TAGS),
    entry.billable,
    case((alive, 0), else_=1),
)
BLOCK = 8192
"""Rows turned into numbers at once: enough to be quick, few enough to stay in the processor's cache."""


class Codes(dict[Any, int]):
    """Numbers values from 0 in the order of their first appearance."""

    def __missing__(self, value: Any) -> int:
        code = self[value] = len(self)
        return code


SUMMED = 2**30 - 1
"""The bits of an id that a sum is made of, so that ten million of them do not outgrow an integer."""


def read_columns(connection: Connection) -> EntryColumns:
    """All living entries."""
    kept = read_kept(connection)
    if kept is not None:
        columns = _joined(kept[1], read_changes(connection, kept[0]))
        if _agrees(connection, columns):
            return columns
        log.warning("mirror.kept_columns_differ", revision=kept[0])
    return read_rows(connection)


def read_rows(connection: Connection) -> EntryColumns:
    """All living entries, each from its row."""
    count = connection.execute(select(func.count()).select_from(tables.entries).where(alive)).scalar_one()
    return _read(connection, select(*COLUMNS).where(alive), count)


def read_changes(connection: Connection, since: int) -> EntryColumns:
    """Entries with a revision above `since`, tombstones included."""
    newer = entry.revision > since
    count = connection.execute(select(func.count()).select_from(tables.entries).where(newer)).scalar_one()
    return _read(connection, select(*COLUMNS).where(newer), count)


def _agrees(connection: Connection, columns: EntryColumns) -> bool:
    """Whether number, ids, starts and lengths of the rows are those of the arrays."""
    finished = case((entry.stop.is_(None), 0), else_=entry.duration)
    sums = (entry.id.bitwise_and(SUMMED), entry.start, finished)
    row = connection.execute(select(func.count(), *(func.coalesce(func.sum(each), 0) for each in sums)).where(alive))
    told = (columns.entry_id & SUMMED, columns.start, columns.duration)
    return [int(value) for value in row.one()] == [len(columns), *(int(each.sum()) for each in told)]


def _joined(old: EntryColumns, news: EntryColumns) -> EntryColumns:
    """Living entries after some changes."""
    if not len(news):
        return old
    stay = ~np.isin(old.entry_id, news.entry_id)
    living = ~news.deleted
    sets, texts = (
        Codes(zip(old.tag_sets, range(len(old.tag_sets)), strict=True)),
        Codes(zip(old.descriptions, range(len(old.descriptions)), strict=True)),
    )
    news_codes = {
        "tag_set": np.array([sets[each] for each in news.tag_sets], np.int32)[news.tag_set],
        "description": np.array([texts[each] for each in news.descriptions], np.int32)[news.description],
    }
    arrays = [each.name for each in fields(EntryColumns) if each.name not in {"tag_sets", "descriptions"}]
    return EntryColumns(
        **{
            name: np.concatenate((getattr(old, name)[stay], news_codes.get(name, getattr(news, name))[living]))
            for name in arrays
        },
        tag_sets=tuple(sets),
        descriptions=tuple(texts),
    )


def _read(connection: Connection, statement: Select[Any], count: int) -> EntryColumns:
    """Run a statement that gives `count` rows of `COLUMNS`, a block at a time into arrays of their final size."""
    columns = [np.empty(count, dtype=np.int64) for _ in COLUMNS]
    codes = Codes()
    # PostgreSQL's driver would fetch all rows before the first is looked at; SQLite's never does
    streamed = connection.dialect.name == "postgresql" and count > BLOCK
    options = {"yield_per": BLOCK} if streamed else {}
    with connection.execute(statement, execution_options=options) as result:
        cursor: Any = iter(result) if streamed else result.cursor
        for first in range(0, count, BLOCK):
            rows = min(BLOCK, count - first)
            numbers = np.fromiter(_flat(islice(cursor, rows), codes), dtype=np.int64, count=rows * len(COLUMNS))
            for column, values in zip(columns, numbers.reshape(rows, len(COLUMNS)).T, strict=True):
                column[first : first + rows] = values
    description, entry_id, start, stop, duration, workspace, project, task, user, tag_set, billable, deleted = columns
    duration[stop == RUNNING] = 0
    tag_sets, tag_codes = _tag_sets(connection, tag_set)
    return EntryColumns(
        entry_id=entry_id,
        start=start,
        stop=stop,
        duration=duration,
        workspace_id=workspace,
        project_id=project,
        task_id=task,
        user_id=user,
        billable=billable.astype(np.bool_),
        deleted=deleted.astype(np.bool_),
        tag_set=tag_codes,
        description=description.astype(np.int32),
        tag_sets=tag_sets,
        descriptions=tuple(codes),
    )


def _flat(rows: Iterable[tuple[Any, ...]], codes: Codes) -> Iterator[int]:
    for description, *numbers in rows:
        yield codes[description]
        yield from numbers


def _tag_sets(
    connection: Connection, numbers: NDArray[np.int64]
) -> tuple[tuple[tuple[int, ...], ...], NDArray[np.int32]]:
    """The sets in use, the empty one first, and each entry's place among them."""
    used = np.zeros(int(numbers.max(initial=NO_TAGS)) + 1, dtype=np.bool_)
    used[numbers] = True
    used[NO_TAGS] = True
    places = np.cumsum(used, dtype=np.int32) - 1
    members: dict[int, list[int]] = {int(number): [] for number in np.flatnonzero(used)}
    column = tables.tag_set_members.c
    statement = select(column.tag_set, column.tag_id).order_by(column.tag_set, column.tag_id)
    for number, tag_id in connection.execute(statement):
        if number in members:
            members[number].append(tag_id)
    return tuple(tuple(ids) for ids in members.values()), places[numbers].astype(np.int32)
