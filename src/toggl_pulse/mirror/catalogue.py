"""Workspaces, clients, projects, tasks, tags, users and the profile: written when they differ, read as one whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, TypeAlias

import orjson
from sqlalchemy import Connection, Table, bindparam, func, insert, select, union_all, update

from toggl_pulse.mirror import tables
from toggl_pulse.mirror.counter import Counter
from toggl_pulse.mirror.values import from_micros, micros, pieces, storable_values
from toggl_pulse.model import Catalogue, Client, Profile, Project, Tag, Task, User, Workspace

__all__ = ["CatalogueRow", "Written", "names_revision", "read_catalogue", "write_rows"]

CatalogueRow: TypeAlias = Workspace | Client | Project | Task | Tag | User | Profile
Row = dict[str, Any]

TABLES: Mapping[type[CatalogueRow], Table] = {
    Workspace: tables.workspaces,
    Client: tables.clients,
    Project: tables.projects,
    Task: tables.tasks,
    Tag: tables.tags,
    User: tables.users,
    Profile: tables.profile,
}


@dataclass(frozen=True, slots=True)
class Written:
    """One row that was new or differed, with what stood there before."""

    now: CatalogueRow
    before: CatalogueRow | None


def write_rows(
    connection: Connection, counter: Counter, rows: Iterable[CatalogueRow], *, moment: datetime
) -> tuple[list[Written], int]:
    """Write the rows that say something new (of two with one id the last) and count the others."""
    by_kind: dict[type[CatalogueRow], dict[int, CatalogueRow]] = {}
    for row in rows:
        by_kind.setdefault(type(row), {})[row.id] = _storable(row)
    written: list[Written] = []
    unchanged = 0
    for kind, newest in by_kind.items():
        changes = _write_kind(connection, counter, kind, newest, moment)
        written += changes
        unchanged += len(newest) - len(changes)
    return written, unchanged


def _storable(row: CatalogueRow) -> CatalogueRow:
    made = storable_values({field.name: getattr(row, field.name) for field in fields(row)})
    return replace(row, **made) if made else row


def _write_kind(
    connection: Connection,
    counter: Counter,
    kind: type[CatalogueRow],
    newest: Mapping[int, CatalogueRow],
    moment: datetime,
) -> list[Written]:
    table = TABLES[kind]
    standing: dict[int, tuple[int, CatalogueRow]] = {}
    for piece in pieces(newest):
        for found in connection.execute(select(table).where(table.c.id.in_(piece))).mappings():
            standing[found["id"]] = (found["revision"], _from_row(kind, dict(found)))
    changes = [
        Written(row, standing[row.id][1] if row.id in standing else None)
        for row in newest.values()
        if row.id not in standing or standing[row.id][1] != row
    ]
    new, changed, replaced = [], [], []
    for change, revision in zip(changes, counter.take(len(changes)), strict=True):
        row = _to_row(change.now) | {"revision": revision}
        if change.before is None:
            new.append(row)
            continue
        changed.append(row | {"key": row.pop("id")})
        replaced.append(
            {
                "kind": table.name,
                "row_id": change.now.id,
                "revision": standing[change.now.id][0],
                "replaced_by": revision,
                "replaced_at_us": micros(moment),
                "body": orjson.dumps(_to_row(change.before)).decode(),
            }
        )
    if new:
        connection.execute(insert(table), new)
    if changed:
        names = [column.name for column in table.columns if column.name != "id"]
        statement = update(table).where(table.c.id == bindparam("key"))
        connection.execute(insert(tables.catalogue_versions), replaced)
        connection.execute(statement.values({name: bindparam(name) for name in names}), changed)
    return changes


NEWEST = union_all(*(select(func.coalesce(func.max(table.c.revision), 0)) for table in TABLES.values()))


def names_revision(connection: Connection) -> int:
    """The revision of the name that was written last."""
    return int(max(connection.scalars(NEWEST)))


def read_catalogue(connection: Connection) -> Catalogue:
    """Every row of every kind, deleted and archived ones too."""
    profiles = _read(connection, Profile)
    return Catalogue(
        profile=next(iter(profiles.values()), None),
        workspaces=_read(connection, Workspace),
        clients=_read(connection, Client),
        projects=_read(connection, Project),
        tasks=_read(connection, Task),
        # A placeholder that has found its tag stays in the table for the history's sake only.
        tags={tag_id: tag for tag_id, tag in _read(connection, Tag).items() if tag_id > 0 or not tag.deleted},
        users=_read(connection, User),
    )


def _read(connection: Connection, kind: type[Any]) -> dict[int, Any]:
    table = TABLES[kind]
    rows = connection.execute(select(table).order_by(table.c.id)).mappings()
    return {row["id"]: _from_row(kind, dict(row)) for row in rows}


def _to_row(row: CatalogueRow) -> Row:
    values = {field.name: getattr(row, field.name) for field in fields(row)}
    if isinstance(row, Profile):
        values["created_at_us"] = micros(values.pop("created_at"))
    return values


def _from_row(kind: type[Any], row: Mapping[str, Any]) -> Any:
    values = {name: value for name, value in row.items() if name not in {"revision", "created_at_us"}}
    if kind is Profile:
        values["created_at"] = from_micros(row["created_at_us"])
    return kind(**values)
