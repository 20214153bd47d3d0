"""A mirror into another, empty place, of either kind: row by row, compared after reading both back, all or nothing.

The source is read as of one moment while it goes on being written; the target is filled, compared and committed in
one transaction, so that a kill leaves it empty. Memory does not grow with the number of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, LargeBinary, Select, Table, Text, func, select

from toggl_pulse.errors import BadRequest, NeedsUser
from toggl_pulse.mirror.backup import flushed, named_when_done
from toggl_pulse.mirror.schema import is_empty, make_tables
from toggl_pulse.mirror.sqlite import SqliteStore
from toggl_pulse.mirror.store import BUSY_SECONDS, Store
from toggl_pulse.mirror.tables import metadata

__all__ = ["Copied", "CopyProgress", "copy_mirror", "copy_to_file"]

ROWS = 1000
"""Rows in memory at once."""

CopyProgress = Callable[[str, int, int], None]
"""Called with what is being done, how many rows of it are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied and found equal: rows by table."""

    rows: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def copy_mirror(source: Store, target: Store, *, progress: CopyProgress = lambda *_: None) -> Copied:
    """Copy every row of every table into a place that must hold none; numbers given by a database go on from there."""
    with source.reading() as old, target.preparing() as new:
        if not is_empty(new):
            raise BadRequest(
                f"{target.name} is not empty, and a backup never overwrites; give it {target.own_place}.",
                code="not_empty",
            )
        make_tables(new)
        counts = {table: old.execute(select(func.count()).select_from(table)).scalar_one() for table in _tables()}
        total, done = sum(counts.values()), 0
        for table in counts:
            for rows in _partitions(old, select(table), table):
                target.fill(new, table, rows)
                done += len(rows)
                progress("copying", done, total)
        target.go_on_numbering(new, counts)
        done = 0
        for table, count in counts.items():
            if _compare(old, source, new, target, table, lambda row: progress("comparing", row, total), done) != count:
                raise _differs(target, table, "has another number of rows")
            done += count
    return Copied({table.name: count for table, count in counts.items()})


def copy_to_file(source: Store, target: Path, *, progress: CopyProgress) -> Copied:
    """The same into a SQLite file that does not exist yet."""

    def write(beside: Path) -> Copied:
        made = SqliteStore(beside, busy_seconds=BUSY_SECONDS)
        made.name = str(target)
        try:
            copied = copy_mirror(source, made, progress=progress)
        finally:
            made.close()
        flushed(beside)
        return copied

    return named_when_done(target, write)


def _tables() -> list[Table]:
    """Every table, those that others refer to first."""
    return list(metadata.sorted_tables)


def _compare(
    old: Connection, source: Store, new: Connection, target: Store, table: Table, tell: Callable[[int], None], done: int
) -> int:
    """Read both back in one order and compare all columns; returns how many rows there are."""
    count = 0
    # Closed by hand: a cursor on the server that is left open when rows differ would outlive its transaction.
    with closing(_ordered(old, source, table)) as left, closing(_ordered(new, target, table)) as right:
        for count, (theirs, ours) in enumerate(zip_longest(left, right), start=1):
            if theirs != ours:
                key = min(row[: len(table.primary_key)] for row in (theirs, ours) if row is not None)
                raise _differs(target, table, f"differs at {', '.join(map(str, key))}")
            if count % ROWS == 0:
                tell(done + count)
    tell(done + count)
    return count


def _ordered(connection: Connection, store: Store, table: Table) -> Generator[Any]:
    """The rows by key, the key's columns first, in an order that every database agrees about."""
    keys = list(table.primary_key)
    others = [column for column in table.columns if not column.primary_key]
    statement = select(*keys, *others).order_by(*(_plainly(column, store) for column in keys))
    with closing(_partitions(connection, statement, table)) as parts:
        for rows in parts:
            yield from rows


def _plainly(column: Column[Any], store: Store) -> ColumnElement[Any]:
    """Text by its bytes: SQLite does so anyway, PostgreSQL sorts by its language's rules."""
    return column.collate("C") if isinstance(column.type, Text) and store.kind == "postgresql" else column


def _partitions(connection: Connection, statement: Select[Any], table: Table) -> Generator[list[tuple[Any, ...]]]:
    large = any(isinstance(column.type, LargeBinary) for column in table.columns)
    size = 1 if large else ROWS
    with connection.execute(statement, execution_options={"yield_per": size}) as result:
        for rows in result.partitions():
            yield [tuple(row) for row in rows]


def _differs(target: Store, table: Table, how: str) -> NeedsUser:
    return NeedsUser(
        f"The copy in {target.name} does not read back as it was written: the table {table.name} {how}; "
        "nothing was kept.",
        code="backup_damaged",
    )
