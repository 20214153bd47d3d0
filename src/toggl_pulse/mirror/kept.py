"""All living entries as arrays in a table of their own, so that a program that starts need not read them row by row.

A copy as of one revision, written whole in one transaction and brought up to date from the rows when it is read. The
rows stay the truth: a copy that does not agree with them is not used.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import NoResultFound

from toggl_pulse.mirror import tables
from toggl_pulse.model import EntryColumns

__all__ = ["read_kept", "revision_kept", "write_kept"]

Numbers: TypeAlias = NDArray[Any]
FORMAT = 2
HEAD = "head"  # asked after every run, so that it stays small
TEXTS = "texts"
ARRAYS = tuple(each.name for each in fields(EntryColumns) if each.name not in {"deleted", "tag_sets", "descriptions"})
TYPES = {"billable": np.bool_, "tag_set": np.int32, "description": np.int32}
UNREADABLE = (ValueError, LookupError, TypeError, NoResultFound)
NARROW = tuple(np.dtype(name) for name in ("<u1", "<u2", "<u4"))


def revision_kept(connection: Connection) -> tuple[int, int]:
    """The revision that the copy stands at and how many entries it has; zeros without one."""
    head = _head(connection)
    return (head["revision"], head["count"]) if head else (0, 0)


def write_kept(connection: Connection, revision: int, columns: EntryColumns) -> None:
    """Put a copy of living entries in the place of the last one.

    Sorted by start, as answers want them, and without texts and sets that no entry has any more. One array after the
    other: a second copy of all of them would be most of the memory that a service needs.
    """
    order = np.argsort(columns.start, kind="stable")
    used_sets, sets = _used(columns.tag_set, len(columns.tag_sets))
    used_texts, texts = _used(columns.description, len(columns.descriptions))
    renumbered = {"tag_set": sets, "description": texts}
    connection.execute(delete(tables.kept_columns))
    arrays: dict[str, tuple[str, int]] = {}
    for name in ARRAYS:
        values = getattr(columns, name)[order]
        numbers, low = _narrowed(renumbered[name][values] if name in renumbered else values)
        arrays[name] = numbers.dtype.str, low
        connection.execute(insert(tables.kept_columns), {"name": name, "body": numbers.tobytes()})
    words = {
        "tag_sets": [columns.tag_sets[code] for code in used_sets],
        "descriptions": [columns.descriptions[code] for code in used_texts],
    }
    head = {"format": FORMAT, "revision": revision, "count": len(columns), "arrays": arrays}
    for name, body in ((TEXTS, words), (HEAD, head)):
        connection.execute(insert(tables.kept_columns), {"name": name, "body": orjson.dumps(body)})


def read_kept(connection: Connection) -> tuple[int, EntryColumns] | None:
    """The copy and its revision; None where there is none, or one of another program's, or one that is damaged."""
    try:
        return _read_kept(connection)
    except UNREADABLE:
        return None


def _read_kept(connection: Connection) -> tuple[int, EntryColumns] | None:
    head = _head(connection)
    if not head:
        return None
    arrays: dict[str, Any] = {}
    for name, (stored, low) in head["arrays"].items():
        body = _body(connection, name)
        if len(body) != head["count"] * np.dtype(stored).itemsize:
            return None
        arrays[name] = _widened(np.frombuffer(body, np.dtype(stored)), low, TYPES.get(name, np.int64))
    texts = orjson.loads(_body(connection, TEXTS))
    return head["revision"], EntryColumns(
        **arrays,
        deleted=np.zeros(head["count"], np.bool_),
        tag_sets=tuple(map(tuple, texts["tag_sets"])),
        descriptions=tuple(texts["descriptions"]),
    )


table = tables.kept_columns.c


def _head(connection: Connection) -> dict[str, Any] | None:
    body = connection.execute(select(table.body).where(table.name == HEAD)).scalar()
    try:
        head = None if body is None else orjson.loads(body)
        return head if head and head["format"] == FORMAT and sorted(head["arrays"]) == sorted(ARRAYS) else None
    except UNREADABLE:
        return None


def _body(connection: Connection, name: str) -> bytes:
    body: bytes = connection.execute(select(table.body).where(table.name == name)).scalar_one()
    return body


def _used(codes: Numbers, size: int) -> tuple[list[int], Numbers]:
    """Which codes occur, and the number of each code among them."""
    used = np.zeros(size, np.bool_)
    used[codes] = True
    return np.flatnonzero(used).tolist(), np.cumsum(used, dtype=np.int32) - 1


def _narrowed(numbers: Numbers) -> tuple[Numbers, int]:
    """Numbers less their smallest, in the fewest bytes that hold them."""
    if not len(numbers):
        return numbers.astype(NARROW[0]), 0
    low, high = int(numbers.min()), int(numbers.max())
    for kind in NARROW:
        if high - low <= np.iinfo(kind).max:
            return (numbers.astype(np.int64) - low).astype(kind), low
    return numbers.astype("<i8"), 0


def _widened(numbers: Numbers, low: int, kind: Any) -> Numbers:
    wide = numbers.astype(kind if low == 0 else np.int64)
    if low:
        wide += low
    return wide.astype(kind, copy=False)
