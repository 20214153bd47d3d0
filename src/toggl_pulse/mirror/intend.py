"""Changed entries become points: which are to be written, and which may stand in InfluxDB and must go.

Each point has a time of its own, assigned here. Called inside one writing transaction; knows no request.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    true,
    update,
)

from toggl_pulse.mirror import tables
from toggl_pulse.mirror.many import write_many
from toggl_pulse.mirror.tags import TagBook
from toggl_pulse.mirror.values import pieces
from toggl_pulse.model import ANY_LANE, NO_ID, Lane

__all__ = ["ASIDE", "PENDING", "STANDING", "intend_entries", "within"]

STANDING, PENDING, ASIDE = 0, 1, 2
"""What is known of a point: InfluxDB has it; it is to be written; InfluxDB does not take it."""

MILLISECOND_NS, SECOND_NS = 1_000_000, 1_000_000_000
EARLIEST, LATEST = -(2**63) // SECOND_NS + 2, 2**63 // SECOND_NS - 2
"""The starts that InfluxDB can hold, 1677 to 2262; an entry beyond them is set aside with a time that it can."""

Row = dict[str, Any]
entry, point = tables.entries.c, tables.points.c
ENTRIES = (
    entry.id,
    entry.start,
    entry.stop,
    entry.workspace_id,
    func.coalesce(entry.project_id, NO_ID).label("project_id"),
    entry.user_id,
    entry.billable,
    entry.tag_set,
    entry.deleted_at_us,
    entry.revision,
)
LANE = ("workspace_id", "project_id", "user_id", "billable")
CHANGE = (
    update(tables.points)
    .where(point.time_ns == bindparam("key"))
    .values({name: bindparam(name) for name in (*LANE, "tags", "status")})
)


def within(lane: Lane) -> ColumnElement[bool]:
    """Which points a delete that names this lane touches: one without a project names none, and touches them all."""
    if lane == ANY_LANE:
        return true()
    same = [point.workspace_id == lane.workspace_id, point.user_id == lane.user_id, point.billable == lane.billable]
    return and_(*same, *([point.project_id == lane.project_id] if lane.project_id != NO_ID else []))


def intend_entries(connection: Connection, since: int, until: int, most: int) -> tuple[int, bool]:
    """Lay down what the entries with since < revision <= until ask for, `most` of them, in the order of revisions.

    Returns the revision up to which that is done, and whether it changed any point.
    """
    rows = (
        connection.execute(
            select(*ENTRIES).where(entry.revision > since, entry.revision <= until).order_by(entry.revision).limit(most)
        )
        .mappings()
        .all()
    )
    reached = until if len(rows) < most else int(rows[-1]["revision"])
    return reached, _lay_down(connection, rows)


def _lay_down(connection: Connection, rows: Sequence[RowMapping]) -> bool:
    standing = _points(connection, (row["id"] for row in rows))
    names = TagBook(connection).carried(row["tag_set"] for row in rows)
    digests = {number: _digest(texts) for number, (_, texts) in names.items()}
    stale: list[Row] = []
    gone: list[int] = []
    placed: list[Row] = []
    wanted: dict[int, Row] = {}
    for row in rows:
        old = standing.get(row["id"])
        lives = row["deleted_at_us"] is None and row["stop"] is not None
        new = {name: row[name] for name in LANE} | {"tags": digests[row["tag_set"]]}
        stays = lives and old is not None and old["time_ns"] // SECOND_NS == row["start"]
        if old is not None and not (stays and all(old[name] == value for name, value in new.items())):
            stale.append({"time_ns": old["time_ns"], **{name: old[name] for name in LANE}})
        if old is not None and stays:
            placed.append({"key": old["time_ns"], **new, "status": PENDING})
            continue
        if old is not None:
            gone.append(old["time_ns"])
        if lives:
            start = min(max(row["start"], EARLIEST), LATEST)
            status = PENDING if start == row["start"] else ASIDE
            wanted[row["id"]] = new | {"entry_id": row["id"], "start": start, "status": status}
    for piece in pieces(gone):
        connection.execute(delete(tables.points).where(point.time_ns.in_(piece)))
    if stale:
        write_many(connection, insert(tables.stale_points), stale)
    if placed:
        write_many(connection, CHANGE, placed)
    if wanted:
        write_many(connection, insert(tables.points), _with_times(connection, wanted.values()))
    return bool(stale or gone or placed or wanted)


def _points(connection: Connection, ids: Iterable[int]) -> dict[int, RowMapping]:
    found: dict[int, RowMapping] = {}
    for piece in pieces(ids):
        rows = connection.execute(select(tables.points).where(point.entry_id.in_(piece))).mappings()
        found.update((row["entry_id"], row) for row in rows)
    return found


def _with_times(connection: Connection, rows: Iterable[Row]) -> list[Row]:
    """The rows with a time each that no other point has, in rising order."""
    first: dict[int, Row] = {}
    crowded: list[Row] = []
    for row in rows:
        time = row["start"] * SECOND_NS + row["entry_id"] % MILLISECOND_NS
        if time in first:
            crowded.append(row)
        else:
            first[time] = row
    taken = set(_taken(connection, first))
    crowded += [first.pop(time) for time in sorted(taken)]
    for row in crowded:
        time = _free(connection, row, first)
        first[time] = row
    return [
        {"time_ns": time, **{name: value for name, value in row.items() if name != "start"}}
        for time, row in sorted(first.items())
    ]


def _taken(connection: Connection, times: Iterable[int]) -> Iterable[int]:
    for piece in pieces(times):
        yield from connection.scalars(select(point.time_ns).where(point.time_ns.in_(piece)))


def _free(connection: Connection, row: Row, others: dict[int, Row]) -> int:
    """The next nanosecond of that millisecond that nobody has."""
    start: int = row["start"] * SECOND_NS
    held = set(
        connection.scalars(select(point.time_ns).where(point.time_ns >= start, point.time_ns < start + MILLISECOND_NS))
    )
    tried = (start + (int(row["entry_id"]) + step) % MILLISECOND_NS for step in range(MILLISECOND_NS))
    return next(time for time in tried if time not in held and time not in others)


def _digest(names: Iterable[str]) -> int:
    """Of a set of names, whatever their order; 0 for none."""
    ordered = sorted(names)
    raw = blake2b("\x1f".join(ordered).encode(), digest_size=8).digest()
    return int.from_bytes(raw, "big", signed=True) if ordered else 0
