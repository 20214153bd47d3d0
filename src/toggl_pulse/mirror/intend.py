"""Changed entries become points: which are to be written, and which may stand in InfluxDB and must go.

Each point has a time of its own, assigned here. Called inside one writing transaction; knows no request.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from hashlib import blake2b
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Table,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    true,
    type_coerce,
    update,
)

from toggl_pulse.mirror import tables
from toggl_pulse.mirror.many import write_many
from toggl_pulse.mirror.tags import TagBook
from toggl_pulse.mirror.values import pieces
from toggl_pulse.model import ANY_LANE, NO_ID, Lane

__all__ = ["ASIDE", "EARLIEST", "LANE", "LATEST", "PENDING", "STANDING", "intend_entries", "within"]

STANDING, PENDING, ASIDE = 0, 1, 2
"""What is known of a point: InfluxDB has it; it is to be written; InfluxDB does not take it."""

MILLISECOND_NS, SECOND_NS = 1_000_000, 1_000_000_000
EARLIEST, LATEST = -(2**63) // SECOND_NS + 2, 2**63 // SECOND_NS - 2
"""The starts that InfluxDB can hold, 1677 to 2262; an entry beyond them is set aside with a time that it can."""

Row = tuple[Any, ...]
Fill = Callable[[Connection, Table, Sequence[Row]], None]
entry, point = tables.entries.c, tables.points.c
LANE = ("workspace_id", "project_id", "user_id", "billable")
# flags as they come: making a bool of each costs as much as reading it
ENTRIES = select(
    entry.revision,
    entry.id,
    entry.start,
    case((and_(entry.deleted_at_us.is_(None), entry.stop.is_not(None)), 1), else_=0),
    entry.tag_set,
    entry.workspace_id,
    func.coalesce(entry.project_id, NO_ID),
    entry.user_id,
    type_coerce(entry.billable, Integer),
    point.time_ns,
    point.workspace_id,
    point.project_id,
    point.user_id,
    type_coerce(point.billable, Integer),
    point.tags,
).join_from(tables.entries, tables.points, point.entry_id == entry.id, isouter=True)
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


def intend_entries(connection: Connection, fill: Fill, since: int, until: int, most: int) -> tuple[int, bool]:
    """Lay down what the entries with since < revision <= until ask for, `most` of them, in the order of revisions.

    Returns the revision up to which that is done, and whether it changed any point.
    """
    chosen = ENTRIES.where(entry.revision > since, entry.revision <= until).order_by(entry.revision).limit(most)
    rows = connection.execute(chosen).all()
    reached = until if len(rows) < most else int(rows[-1][0])
    names = TagBook(connection).carried({row[4] for row in rows})
    changes = _Changes()
    digests = {number: _digest(texts) for number, (_, texts) in names.items()}
    for (
        _,
        entry_id,
        start,
        lives,
        tag_set,
        *lane,
        time,
        old_workspace,
        old_project,
        old_user,
        old_billable,
        old_tags,
    ) in rows:
        new = (*lane, digests[tag_set])
        if time is None:
            if lives:
                changes.place(entry_id, start, new)
        else:
            old = (old_workspace, old_project, old_user, old_billable, old_tags)
            changes.replace(entry_id, start if lives else None, new, time, old)
    return reached, changes.made(connection, fill)


class _Changes:
    """What a page of entries asks for, gathered and then done at once."""

    def __init__(self) -> None:
        self.stale: list[Row] = []
        self.gone: list[int] = []
        self.placed: list[dict[str, Any]] = []
        self.wanted: list[tuple[int, int, Row]] = []

    def place(self, entry_id: int, start: int, new: Row) -> None:
        """A point for an entry that has none."""
        kept = min(max(start, EARLIEST), LATEST)
        self.wanted.append((entry_id, kept, (*new, PENDING if kept == start else ASIDE)))

    def replace(self, entry_id: int, start: int | None, new: Row, time: int, old: Row) -> None:
        """The point of an entry that had one; none where `start` is None."""
        stays = start is not None and time // SECOND_NS == start
        if not stays or old != new:
            self.stale.append((time, *old[:4]))
        if stays:
            self.placed.append({"key": time, **dict(zip((*LANE, "tags"), new, strict=True)), "status": PENDING})
            return
        self.gone.append(time)
        if start is not None:
            self.place(entry_id, start, new)

    def made(self, connection: Connection, fill: Fill) -> bool:
        for piece in pieces(self.gone):
            connection.execute(delete(tables.points).where(point.time_ns.in_(piece)))
        if self.stale:
            names = ("time_ns", *LANE)
            write_many(
                connection,
                insert(tables.stale_points),
                [_flagged(dict(zip(names, row, strict=True))) for row in self.stale],
            )
        if self.placed:
            write_many(connection, CHANGE, list(map(_flagged, self.placed)))
        if self.wanted:
            fill(connection, tables.points, _with_times(connection, self.wanted))
        return bool(self.stale or self.placed or self.wanted)


def _flagged(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "billable": bool(row["billable"])}


def _with_times(connection: Connection, wanted: Iterable[tuple[int, int, Row]]) -> list[Row]:
    """Rows of the table with a time each that no other point has, in rising order."""
    placed: dict[int, tuple[int, Row]] = {}
    crowded: list[tuple[int, int, Row]] = []
    for entry_id, start, rest in wanted:
        time = start * SECOND_NS + entry_id % MILLISECOND_NS
        if time in placed:
            crowded.append((entry_id, start, rest))
        else:
            placed[time] = entry_id, rest
    for time in sorted(_taken(connection, placed)):
        entry_id, rest = placed.pop(time)
        crowded.append((entry_id, time // SECOND_NS, rest))
    for entry_id, start, rest in crowded:
        placed[_free(connection, entry_id, start, placed)] = entry_id, rest
    return [(time, entry_id, *rest) for time, (entry_id, rest) in sorted(placed.items())]


def _taken(connection: Connection, times: Iterable[int]) -> set[int]:
    found: set[int] = set()
    for piece in pieces(times):
        found.update(connection.scalars(select(point.time_ns).where(point.time_ns.in_(piece))))
    return found


def _free(connection: Connection, entry_id: int, start: int, others: Container[int]) -> int:
    """The next nanosecond of that millisecond that nobody has."""
    first = start * SECOND_NS
    held = set(
        connection.scalars(select(point.time_ns).where(point.time_ns >= first, point.time_ns < first + MILLISECOND_NS))
    )
    tried = (first + (entry_id + step) % MILLISECOND_NS for step in range(MILLISECOND_NS))
    return next(time for time in tried if time not in held and time not in others)


def _digest(names: Iterable[str]) -> int:
    """Of a set of names, whatever their order; 0 for none."""
    ordered = sorted(names)
    # as Python writes them: nothing that stands in a name can look like the end of one
    raw = blake2b(repr(ordered).encode(), digest_size=8).digest()
    return int.from_bytes(raw, "big", signed=True) if ordered else 0
