"""Time entries in and out of their table; a version that a write replaces goes to the history.

What to write is decided elsewhere: here a row that says nothing new is no change, and takes no revision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from toggl_pulse.mirror import tables
from toggl_pulse.mirror.counter import Counter
from toggl_pulse.mirror.counts import note_written
from toggl_pulse.mirror.many import read_many, write_many
from toggl_pulse.mirror.records import EntryVersion, StoredEntry
from toggl_pulse.mirror.tags import TagBook, placeholder_id
from toggl_pulse.mirror.values import from_micros, micros, pieces
from toggl_pulse.model import Tag, TimeEntry, epoch, from_epoch

__all__ = ["EntryBook", "read_entries", "read_finished", "read_running", "read_versions"]

Row = dict[str, Any]
CONTENT = tuple(column.name for column in tables.entry_columns())
INSERT = insert(tables.entries)
INSERT_VERSION = insert(tables.entry_versions)
UPDATE = (
    update(tables.entries)
    .where(tables.entries.c.id == bindparam("key"))
    .values({name: bindparam(name) for name in (*CONTENT, "revision")})
)
UPDATE_REVISION = (
    update(tables.entries).where(tables.entries.c.id == bindparam("key")).values(revision=bindparam("revision"))
)


class EntryBook:
    """Entries as one writing transaction sees and changes them."""

    def __init__(self, connection: Connection, tags: TagBook, counter: Counter, now: datetime) -> None:
        self._connection = connection
        self._tags = tags
        self._counter = counter
        self._now = now
        self._seen: dict[int, Row | None] = {}
        """Rows as this transaction has read them, None where there is none; forgotten when it writes any."""

    def stored(self, ids: Iterable[int]) -> dict[int, StoredEntry]:
        return _stored(self._rows(ids), self._tags)

    def nameless(self, entries: Iterable[TimeEntry]) -> list[Tag]:
        """Placeholders for the tags of these entries that are known by name only, once each."""
        found: dict[int, Tag] = {}
        for entry in entries:
            if entry.tag_ids or not entry.tags:
                continue
            for name in self._tags.ids_of(entry.workspace_id, entry.tags, entry.tag_ids)[1]:
                tag = Tag(placeholder_id(entry.workspace_id, name), entry.workspace_id, name)
                found[tag.id] = tag
        return list(found.values())

    def write(self, entries: Iterable[TimeEntry]) -> int:
        """Write these entries as they are (of two with one id the last); returns how many said something new."""
        newest = {entry.id: entry for entry in entries}
        carried = {
            entry.id: self._tags.ids_of(entry.workspace_id, entry.tags, entry.tag_ids)[0] for entry in newest.values()
        }
        sets = self._tags.numbers(carried.values())
        rows = [_row(entry, sets[carried[entry.id]]) for entry in newest.values()]
        return self._replace(self._rows(newest), rows)

    def infer_deleted(self, ids: Iterable[int], at: datetime) -> int:
        """Make tombstones of living entries because another read proved them gone; any later row revives them."""
        standing = self._rows(ids)
        gone = [
            {**row, "deleted_at_us": micros(at), "deletion": "inferred"}
            for row in standing.values()
            if row["deleted_at_us"] is None
        ]
        return self._replace(standing, gone)

    def retag(self, tag_id: int, other_id: int | None) -> int:
        """Put another tag in the place of one on every entry that carries it, or none."""
        old = self._tags.carriers(tag_id)
        members = self._tags.members(old)
        new_sets = {
            number: tuple(sorted({*members[number], *([] if other_id is None else [other_id])} - {tag_id}))
            for number in old
        }
        numbers = self._tags.numbers(new_sets.values())
        standing = self._carrying(old)
        rows = [{**row, "tag_set": numbers[new_sets[row["tag_set"]]]} for row in standing.values()]
        return self._replace(standing, rows)

    def touch(self, tag_id: int) -> int:
        """Give every entry that carries this tag a new revision, for its name is part of what others keep of it."""
        ids = sorted(self._carrying(self._tags.carriers(tag_id)))
        if ids:
            self._seen.clear()
            self._connection.execute(
                UPDATE_REVISION,
                [
                    {"key": entry_id, "revision": revision}
                    for entry_id, revision in zip(ids, self._counter.take(len(ids)), strict=True)
                ],
            )
        return len(ids)

    def _rows(self, ids: Iterable[int]) -> dict[int, Row]:
        ids = set(ids)
        if missing := ids - self._seen.keys():
            found = read_many(self._connection, tables.entries, sorted(missing))
            self._seen.update((entry_id, found.get(entry_id)) for entry_id in missing)
        return {entry_id: row for entry_id in sorted(ids) if (row := self._seen[entry_id]) is not None}

    def _carrying(self, sets: Sequence[int]) -> dict[int, Row]:
        found: dict[int, Row] = {}
        for piece in pieces(sets):
            rows = self._connection.execute(select(tables.entries).where(tables.entries.c.tag_set.in_(piece)))
            found.update((row["id"], dict(row)) for row in rows.mappings())
        return found

    def _replace(self, standing: Mapping[int, Row], rows: Sequence[Row]) -> int:
        different = [row for row in rows if not _same(standing.get(row["id"]), row)]
        if different:
            self._seen.clear()
        new, changed, replaced = [], [], []
        replaced_at = micros(self._now)
        for row, revision in zip(different, self._counter.take(len(different)), strict=True):
            before = standing.get(row["id"])
            if before is None:
                row["revision"] = revision
                new.append(row)
                continue
            changed.append({**row, "revision": revision, "key": row["id"]})
            version: Row = {name: before[name] for name in CONTENT}
            version |= {
                "entry_id": before["id"],
                "revision": before["revision"],
                "replaced_by": revision,
                "replaced_at_us": replaced_at,
            }
            replaced.append(version)
        if new:
            write_many(self._connection, INSERT, new)
        if changed:
            write_many(self._connection, INSERT_VERSION, replaced)
            write_many(self._connection, UPDATE, changed)
        if different:
            note_written(self._connection, standing, different)
        return len(different)


def read_entries(connection: Connection, tags: TagBook, ids: Iterable[int]) -> dict[int, StoredEntry]:
    """Entries by id, tombstones included; ids that the mirror does not hold are left out."""
    return _stored(read_many(connection, tables.entries, sorted(set(ids))), tags)


def _stored(rows: Mapping[int, Row], tags: TagBook) -> dict[int, StoredEntry]:
    carried = tags.carried(row["tag_set"] for row in rows.values())
    return {
        entry_id: StoredEntry(_entry(row, entry_id, carried[row["tag_set"]]), row["revision"], row["deletion"])
        for entry_id, row in rows.items()
    }


def read_running(connection: Connection, tags: TagBook) -> list[TimeEntry]:
    """Living entries without a stop; Toggl lets one run at a time, so more than one is worth asking about."""
    column = tables.entries.c
    running = connection.scalars(
        select(column.id).where(column.stop.is_(None), column.deleted_at_us.is_(None)).order_by(column.start)
    ).all()
    stored = read_entries(connection, tags, running)
    return [stored[entry_id].entry for entry_id in running]


def read_finished(
    connection: Connection, tags: TagBook, workspace_id: int, start: datetime, end: datetime, *, user_id: int
) -> list[TimeEntry]:
    """Living entries that have stopped, with start <= … < end: those whose durations a total sums."""
    column = tables.entries.c
    ids = connection.scalars(
        select(column.id).where(
            column.workspace_id == workspace_id,
            column.start >= epoch(start),
            column.start < epoch(end),
            column.user_id == user_id,
            column.stop.is_not(None),
            column.deleted_at_us.is_(None),
        )
    ).all()
    return [stored.entry for stored in read_entries(connection, tags, ids).values()]


def read_versions(connection: Connection, tags: TagBook, entry_id: int) -> list[EntryVersion]:
    """The replaced versions of an entry, oldest first."""
    table = tables.entry_versions
    rows = (
        connection.execute(select(table).where(table.c.entry_id == entry_id).order_by(table.c.revision))
        .mappings()
        .all()
    )
    carried = tags.carried(row["tag_set"] for row in rows)
    return [
        EntryVersion(
            _entry(row, entry_id, carried[row["tag_set"]]),
            row["revision"],
            row["replaced_by"],
            from_micros(row["replaced_at_us"]),
        )
        for row in rows
    ]


def _same(standing: Row | None, row: Row) -> bool:
    return standing is not None and all(standing[name] == row[name] for name in CONTENT)


def _row(entry: TimeEntry, tag_set: int | None) -> Row:
    return {
        "id": entry.id,
        "workspace_id": entry.workspace_id,
        "user_id": entry.user_id,
        "project_id": entry.project_id,
        "task_id": entry.task_id,
        "start": epoch(entry.start),
        "stop": None if entry.stop is None else epoch(entry.stop),
        "duration": entry.duration,
        "billable": entry.billable,
        "tag_set": tag_set,
        "at_us": micros(entry.at),
        "deleted_at_us": micros(entry.deleted_at),
        "deletion": None if entry.deleted_at is None else "feed",
        "description": entry.description,
    }


def _entry(row: Row | RowMapping, entry_id: int, carried: tuple[tuple[int, ...], tuple[str, ...]]) -> TimeEntry:
    tag_ids, names = carried
    return TimeEntry(
        id=entry_id,
        workspace_id=row["workspace_id"],
        user_id=row["user_id"],
        start=from_epoch(row["start"]),
        stop=None if row["stop"] is None else from_epoch(row["stop"]),
        duration=row["duration"],
        at=from_micros(row["at_us"]),
        description=row["description"],
        project_id=row["project_id"],
        task_id=row["task_id"],
        billable=row["billable"],
        tags=names,
        tag_ids=tag_ids,
        deleted_at=from_micros(row["deleted_at_us"]),
    )
