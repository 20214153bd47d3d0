"""The small tables beside Toggl's rows: whose account, cursors, quota, sync runs, set-aside rows, checked months."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import datetime
from functools import cache
from itertools import takewhile
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection, Table, Update, and_, bindparam, delete, func, insert, select, update

from toggl_pulse.mirror import tables
from toggl_pulse.mirror.records import Account, MonthCheck, Outcome, RunFigures, RunToTell, SetAsideRow, SyncRun
from toggl_pulse.mirror.values import digest, from_micros, micros, storable_values
from toggl_pulse.model import JSON, QuotaBucket, SetAside, epoch

__all__ = [
    "add_set_aside",
    "finish_run",
    "read_account",
    "read_buckets",
    "read_last_run",
    "read_months",
    "read_runs",
    "read_runs_to_tell",
    "read_set_aside",
    "read_states",
    "read_tracked_seconds",
    "start_run",
    "write_account",
    "write_bucket",
    "write_figures",
    "write_month",
    "write_state",
]

Record = TypeVar("Record", SyncRun, MonthCheck, QuotaBucket)
Row = dict[str, Any]

# Statements of every poll are made once: making one costs more than asking it.
# Not LIKE: a cursor's key may hold an underscore, which LIKE reads as "any character".
READ_STATE = select(tables.states.c.value).where(tables.states.c.key == bindparam("key"))
READ_STATES = (
    select(tables.states.c.key, tables.states.c.value)
    .where(func.substr(tables.states.c.key, 1, bindparam("length")) == bindparam("prefix"))
    .order_by(tables.states.c.key)
)
READ_RUNS = select(tables.sync_runs).order_by(tables.sync_runs.c.id.desc()).limit(bindparam("count"))
READ_LAST_RUN = (
    select(tables.sync_runs)
    .where(tables.sync_runs.c.outcome == bindparam("outcome"))
    .order_by(tables.sync_runs.c.id.desc())
    .limit(1)
)


def read_account(connection: Connection) -> Account | None:
    row = connection.execute(
        select(tables.account.c.origin, tables.account.c.user_id, tables.profile.c.email).join_from(
            tables.account, tables.profile, tables.profile.c.id == tables.account.c.user_id, isouter=True
        )
    ).one_or_none()
    return None if row is None else Account(row.origin, row.user_id, row.email)


def write_account(connection: Connection, origin: str, user_id: int) -> None:
    connection.execute(insert(tables.account).values(id=1, origin=origin, user_id=user_id))


def read_states(connection: Connection, prefix: str) -> dict[str, JSON]:
    rows = connection.execute(READ_STATES, {"prefix": prefix, "length": len(prefix)})
    return {key: orjson.loads(value) for key, value in rows}


def read_state(connection: Connection, key: str) -> JSON | None:
    value = connection.scalar(READ_STATE, {"key": key})
    return None if value is None else orjson.loads(value)


def write_state(connection: Connection, key: str, value: JSON | None) -> None:
    if value is None:
        connection.execute(delete(tables.states).where(tables.states.c.key == key))
    else:
        _put(connection, tables.states, {"key": key}, {"value": orjson.dumps(value).decode()})


def read_buckets(connection: Connection) -> list[QuotaBucket]:
    rows = connection.execute(select(tables.quota).order_by(tables.quota.c.name)).mappings()
    return [_record(QuotaBucket, dict(row)) for row in rows]


def write_bucket(connection: Connection, bucket: QuotaBucket) -> None:
    values = _values(bucket)
    _put(connection, tables.quota, {"name": values.pop("name")}, values)


def start_run(connection: Connection, *, reason: str, started_at: datetime) -> int:
    values = _values(SyncRun(0, reason, started_at))
    del values["id"]
    result = connection.execute(insert(tables.sync_runs).values(values).returning(tables.sync_runs.c.id))
    return int(result.scalar_one())


def finish_run(connection: Connection, run: SyncRun) -> None:
    values = _values(run)
    changed = _update(tables.sync_runs, ("id",), tuple(name for name in values if name != "id"))
    connection.execute(changed, {"key_id": values.pop("id"), **values})


def read_runs(connection: Connection, limit: int) -> list[SyncRun]:
    """The newest runs, newest first."""
    rows = connection.execute(READ_RUNS, {"count": limit}).mappings()
    return [_record(SyncRun, dict(row)) for row in rows]


def read_last_run(connection: Connection, outcome: Outcome) -> SyncRun | None:
    """The newest run that ended so."""
    row = connection.execute(READ_LAST_RUN, {"outcome": outcome}).mappings().one_or_none()
    return None if row is None else _record(SyncRun, dict(row))


def write_figures(connection: Connection, run_id: int, figures: RunFigures) -> None:
    _put(connection, tables.run_figures, {"run_id": run_id}, {"body": orjson.dumps(asdict(figures)).decode()})


def read_runs_to_tell(connection: Connection, after: int, limit: int) -> list[RunToTell]:
    """Finished runs with their figures, oldest first, up to the first that goes on."""
    runs, figures = tables.sync_runs, tables.run_figures.c
    rows = (
        connection.execute(
            select(runs, figures.body)
            .join_from(runs, tables.run_figures, figures.run_id == runs.c.id, isouter=True)
            .where(runs.c.id > after)
            .order_by(runs.c.id)
            .limit(limit)
        )
        .mappings()
        .all()
    )
    found = []
    for row in takewhile(lambda row: row["outcome"] != "running", rows):
        values = dict(row)
        body = values.pop("body")
        found.append(RunToTell(_record(SyncRun, values), None if body is None else _figures(orjson.loads(body))))
    return found


def _figures(value: JSON) -> RunFigures:
    quota = {name: (left, reserve) for name, (left, reserve) in value.pop("quota").items()}
    return RunFigures(**value, quota=quota)


def add_set_aside(connection: Connection, rows: Iterable[SetAside], run_id: int | None, now: datetime) -> None:
    table = tables.set_aside
    for row in rows:
        values = {field.name: getattr(row, field.name) for field in fields(row)}
        values |= storable_values(values)
        key = digest(*values.values())
        seen = {"times": table.c.times + 1, "last_seen_us": micros(now)}
        again = connection.execute(update(table).where(table.c.digest == key).values(seen))
        if not again.rowcount:
            connection.execute(
                insert(table).values(digest=key, run_id=run_id, times=1, last_seen_us=micros(now), **values)
            )


def read_set_aside(connection: Connection, limit: int) -> list[SetAsideRow]:
    """Rows that could not be read, the last seen first."""
    table = tables.set_aside
    rows = connection.execute(
        select(table).order_by(table.c.last_seen_us.desc(), table.c.digest).limit(limit)
    ).mappings()
    return [
        SetAsideRow(
            kind=row["kind"],
            row_id=row["row_id"],
            reason=row["reason"],
            raw=row["raw"],
            run_id=row["run_id"],
            times=row["times"],
            last_seen=from_micros(row["last_seen_us"]),
        )
        for row in rows
    ]


def read_months(connection: Connection) -> list[MonthCheck]:
    table = tables.months
    rows = connection.execute(select(table).order_by(table.c.workspace_id, table.c.month)).mappings()
    return [_record(MonthCheck, dict(row)) for row in rows]


def write_month(connection: Connection, month: MonthCheck) -> None:
    values = _values(month)
    key = {"workspace_id": values.pop("workspace_id"), "month": values.pop("month")}
    _put(connection, tables.months, key, values)


def read_tracked_seconds(
    connection: Connection, workspace_id: int, start: datetime, end: datetime, *, user_id: int
) -> int:
    """The sum of Toggl's own durations over living, finished entries with start <= … < end."""
    column = tables.entries.c
    total = connection.scalar(
        select(func.sum(column.duration)).where(
            column.workspace_id == workspace_id,
            column.start >= epoch(start),
            column.start < epoch(end),
            column.user_id == user_id,
            column.stop.is_not(None),
            column.deleted_at_us.is_(None),
        )
    )
    return int(total or 0)


def _put(connection: Connection, table: Table, key: Row, values: Row) -> None:
    """Update the row with this key, or insert it; the revision's lock keeps a second writer out in between."""
    changed = _update(table, tuple(key), tuple(values))
    given = {f"key_{name}": value for name, value in key.items()} | values
    if not connection.execute(changed, given).rowcount:
        connection.execute(insert(table).values({**key, **values}))


@cache
def _update(table: Table, key: tuple[str, ...], names: tuple[str, ...]) -> Update:
    """The statement that changes these columns of the row with this key; made once."""
    where = and_(*(table.c[name] == bindparam(f"key_{name}") for name in key))
    return update(table).where(where).values({name: bindparam(name) for name in names})


def _values(record: SyncRun | MonthCheck | QuotaBucket) -> Row:
    """A record as a row: a time becomes microseconds in a column that says so."""
    values: Row = {}
    for field in fields(record):
        value = getattr(record, field.name)
        if field.name.endswith("_at"):
            values[f"{field.name}_us"] = micros(value)
        else:
            values[field.name] = value
    return values | storable_values(values)


def _record(kind: type[Record], row: Row) -> Record:
    values: Row = {
        name.removesuffix("_us"): from_micros(value) if name.endswith("_us") else value for name, value in row.items()
    }
    return kind(**values)
