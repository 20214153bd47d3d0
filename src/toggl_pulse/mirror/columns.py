"""Entries straight from the database into arrays: no object is kept for a row.

A copy that was kept as arrays (`kept.py`) is brought up to date, as far as it agrees with the rows. Else the rows are
taken from the driver's own cursor, whose plain tuples are three times as fast as rows with names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from itertools import islice
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import BigInteger, ColumnElement, Connection, Select, bindparam, case, func, literal, select

from toggl_pulse.mirror import tables
from toggl_pulse.mirror.kept import read_kept
from toggl_pulse.model import NO_ID, RUNNING, EntryColumns

__all__ = ["agrees", "alive", "read_changes", "read_columns", "read_entries_as_columns", "read_rows"]

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
TAG_SET = 9
"""The place of the tag set among them."""

BLOCK = 8192
"""Rows turned into numbers at once: enough to be quick, few enough to stay in the processor's cache."""

member = tables.tag_set_members.c
MEMBERS = select(member.tag_set, member.tag_id).order_by(member.tag_set, member.tag_id)
# The changes are asked for after every edit, while somebody waits: statements made once, and no count before.
CHANGED = entry.revision > bindparam("since")
FIRST_CHANGES = select(*COLUMNS).where(CHANGED).limit(BLOCK)
MEMBERS_OF_CHANGES = MEMBERS.where(member.tag_set.in_(select(entry.tag_set).where(CHANGED)))


class Codes(dict[Any, int]):
    """Numbers values from 0 in the order of their first appearance."""

    def __missing__(self, value: Any) -> int:
        code = self[value] = len(self)
        return code


CHECKED: dict[str, ColumnElement[Any]] = {
    "entry_id": entry.id,
    "start": entry.start,
    "stop": func.coalesce(entry.stop, RUNNING),
    "duration": case((entry.stop.is_(None), 0), else_=entry.duration),
    "workspace_id": entry.workspace_id,
    "project_id": func.coalesce(entry.project_id, NO_ID),
    "task_id": func.coalesce(entry.task_id, NO_ID),
    "user_id": entry.user_id,
    "billable": case((entry.billable, 1), else_=0),
    "tag_set": func.coalesce(entry.tag_set, NO_TAGS),
    "description": func.length(entry.description),
}
"""The number in a row that each array is compared with."""

PRIME = 2**31 - 1
"""Numbers are multiplied as remainders of it: no product of two outgrows 64 bits, nor does a sum of four billion."""

SMALL = {"start", "stop", "billable", "tag_set", "description"}
"""What can be multiplied by a factor as it is; a remainder costs a database as much as reading the number."""

FACTORS = {name: pow(48_271, place, 1_048_573) for place, name in enumerate(CHECKED, 1)}
"""Differences in several arrays of one row do not make up for each other."""

WEIGHT = 2**30 - 1
"""The bits of an id that its row is multiplied by, so that two rows cannot exchange values unnoticed."""

CHECKED_AT_ONCE = 65_536


def read_columns(connection: Connection) -> EntryColumns:
    """All living entries."""
    kept = read_kept(connection)
    if kept is not None:
        columns = _joined(kept[1], read_changes(connection, kept[0]))
        if agrees(connection, columns):
            return columns
        log.warning("mirror.kept_columns_differ", revision=kept[0])
    return read_rows(connection)


def read_rows(connection: Connection) -> EntryColumns:
    """All living entries, each from its row."""
    return read_entries_as_columns(connection, alive)


def read_changes(connection: Connection, since: int) -> EntryColumns:
    """Entries with a revision above `since`, tombstones included."""
    with connection.execute(FIRST_CHANGES, {"since": since}) as result:
        rows: Any = result.cursor
        few = rows.fetchall()
    if len(few) == BLOCK:
        return read_entries_as_columns(connection, entry.revision > since)
    codes = Codes()
    numbers = _numbers(few, len(few), codes)
    tagged = bool(numbers[:, TAG_SET].any())
    members = _members(connection, MEMBERS_OF_CHANGES, {"since": since}) if tagged else {}
    return _as_columns(list(numbers.T.copy()), codes, members)


def read_entries_as_columns(connection: Connection, which: ColumnElement[bool]) -> EntryColumns:
    """Those entries of which a condition is true."""
    count = connection.execute(select(func.count()).select_from(tables.entries).where(which)).scalar_one()
    return _read(connection, select(*COLUMNS).where(which), count)


def agrees(connection: Connection, columns: EntryColumns, which: ColumnElement[bool] = alive) -> bool:
    """Whether the rows' number and the sum of all that is in them are the arrays'; of texts, how long they are."""
    if not (_within(columns.tag_set, columns.tag_sets) and _within(columns.description, columns.descriptions)):
        return False
    row = sum(
        (_rest_of(name, value) * _constant(FACTORS[name]) for name, value in CHECKED.items()),
        start=_constant(0),
    )
    weighed = row % _constant(PRIME) * (entry.id.bitwise_and(_constant(WEIGHT)) + _constant(1)) % _constant(PRIME)
    count, total = connection.execute(select(func.count(), func.coalesce(func.sum(weighed), 0)).where(which)).one()
    return (int(count), int(total)) == (len(columns), _weighed(connection, columns))


def _within(codes: NDArray[np.int32], values: tuple[Any, ...]) -> bool:
    return bool(codes.min(initial=0) >= 0 and codes.max(initial=-1) < len(values))


def _rest_of(name: str, value: ColumnElement[Any]) -> ColumnElement[Any]:
    return value if name in SMALL else value % _constant(PRIME)


def _constant(number: int) -> ColumnElement[int]:
    """Written out in the statement, for SQLite computes with a parameter more slowly."""
    return literal(number, BigInteger, literal_execute=True)


def _weighed(connection: Connection, columns: EntryColumns) -> int:
    """The same sum over arrays."""
    numbers = {ids: number for number, ids in _members(connection, MEMBERS).items()} | {(): NO_TAGS}
    told = {
        "tag_set": np.array([numbers.get(ids, -1) for ids in columns.tag_sets], np.int64),
        "description": np.array([len(text) for text in columns.descriptions], np.int64),
    }
    total = 0
    for first in range(0, len(columns), CHECKED_AT_ONCE):
        some = slice(first, first + CHECKED_AT_ONCE)
        row = np.zeros(len(columns.entry_id[some]), np.int64)
        for name, factor in FACTORS.items():
            values = getattr(columns, name)[some]
            values = told[name][values] if name in told else values.astype(np.int64, copy=False)
            row += (values if name in SMALL else _rest(values)) * factor
        total += int(_rest(_rest(row) * ((columns.entry_id[some] & WEIGHT) + 1)).sum())
    return total


def _rest(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Remainders as databases make them: with the sign of the value. Most values are small, and their own."""
    small = values.min(initial=0) > -PRIME and values.max(initial=0) < PRIME
    return values if small else np.fmod(values, PRIME)


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
            numbers = _numbers(islice(cursor, rows), rows, codes)
            for column, values in zip(columns, numbers.T, strict=True):
                column[first : first + rows] = values
    return _as_columns(columns, codes, _members(connection, MEMBERS))


def _numbers(rows: Iterable[tuple[Any, ...]], count: int, codes: Codes) -> NDArray[np.int64]:
    """So many rows as numbers, a row each; descriptions by their code."""
    return np.fromiter(_flat(rows, codes), np.int64, count * len(COLUMNS)).reshape(count, len(COLUMNS))


def _as_columns(columns: list[NDArray[np.int64]], codes: Codes, members: Mapping[int, tuple[int, ...]]) -> EntryColumns:
    """Columns of raw numbers as those of a source; `members` are the tags of at least the sets that occur."""
    description, entry_id, start, stop, duration, workspace, project, task, user, tag_set, billable, deleted = columns
    duration[stop == RUNNING] = 0
    tag_sets, tag_codes = _tag_sets(tag_set, members)
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
    numbers: NDArray[np.int64], members: Mapping[int, tuple[int, ...]]
) -> tuple[tuple[tuple[int, ...], ...], NDArray[np.int32]]:
    """The sets in use, the empty one first, and each entry's place among them."""
    used = np.zeros(int(numbers.max(initial=NO_TAGS)) + 1, dtype=np.bool_)
    used[numbers] = True
    used[NO_TAGS] = True
    places = np.cumsum(used, dtype=np.int32) - 1
    return tuple(members.get(int(number), ()) for number in np.flatnonzero(used)), places[numbers].astype(np.int32)


def _members(
    connection: Connection, statement: Select[Any], asked: dict[str, int] | None = None
) -> dict[int, tuple[int, ...]]:
    """The sorted tag ids of sets by their number."""
    found: dict[int, list[int]] = {}
    for number, tag_id in connection.execute(statement, asked):
        found.setdefault(number, []).append(tag_id)
    return {number: tuple(ids) for number, ids in found.items()}
