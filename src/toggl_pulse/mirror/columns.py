"""Entries straight from the database's cursor into arrays: no object is kept for a row.

The statement is compiled once by SQLAlchemy and run on the driver's own cursor, whose plain tuples are three times
as fast as rows with names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, func, select

from toggl_pulse.mirror import tables
from toggl_pulse.model import NO_ID, RUNNING, EntryColumns

__all__ = ["read_changes", "read_columns"]

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
    entry.deleted_at_us,
)
ALL = select(*COLUMNS[:-1]).where(alive)
"""Without the last column: none of them is deleted."""
CHANGED = select(*COLUMNS)


class Codes(dict[str, int]):
    """Numbers texts from 0 in the order of their first appearance."""

    def __missing__(self, text: str) -> int:
        code = self[text] = len(self)
        return code


def read_columns(connection: Connection) -> EntryColumns:
    """All living entries."""
    codes = Codes()
    cursor = _cursor(connection, ALL)
    numbers = np.fromiter(_flat(cursor, codes), dtype=np.int64).reshape(-1, len(COLUMNS) - 1)
    return _columns(connection, numbers, codes, deleted=np.zeros(len(numbers), dtype=np.bool_))


def read_changes(connection: Connection, since: int) -> EntryColumns:
    """Entries with a revision above `since`, tombstones included."""
    codes = Codes()
    cursor = _cursor(connection, CHANGED.where(entry.revision > since))
    rows = ((*row[:-1], row[-1] is not None) for row in cursor)
    numbers = np.fromiter(_flat(rows, codes), dtype=np.int64).reshape(-1, len(COLUMNS))
    return _columns(connection, numbers, codes, deleted=numbers[:, -1].astype(np.bool_))


def _cursor(connection: Connection, statement: Any) -> Iterable[tuple[Any, ...]]:
    compiled = statement.compile(dialect=connection.dialect)
    parameters = tuple(compiled.params[name] for name in compiled.positiontup or ())
    cursor: Any = connection.exec_driver_sql(str(compiled), parameters).cursor
    rows: Iterable[tuple[Any, ...]] = cursor
    return rows


def _flat(rows: Iterable[tuple[Any, ...]], codes: Codes) -> Iterator[int]:
    for description, *numbers in rows:
        yield codes[description]
        yield from numbers


def _columns(
    connection: Connection, numbers: NDArray[np.int64], codes: Codes, *, deleted: NDArray[np.bool_]
) -> EntryColumns:
    description, entry_id, start, stop, duration, workspace, project, task, user, tag_set, billable = (
        np.ascontiguousarray(numbers[:, place]) for place in range(len(COLUMNS) - 1)
    )
    tag_sets, tag_codes = _tag_sets(connection, tag_set)
    return EntryColumns(
        entry_id=entry_id,
        start=start,
        stop=stop,
        duration=np.where(stop == RUNNING, 0, duration),
        workspace_id=workspace,
        project_id=project,
        task_id=task,
        user_id=user,
        billable=billable.astype(np.bool_),
        deleted=deleted,
        tag_set=tag_codes,
        description=description.astype(np.int32),
        tag_sets=tag_sets,
        descriptions=tuple(codes),
    )


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
