"""How much the mirror holds: counted along with every write, for counting a million rows takes a second.

The figures lie in the small values, written in the transaction of the rows that they count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, func, select

from toggl_pulse.mirror import tables
from toggl_pulse.mirror.journal import read_state, write_state
from toggl_pulse.mirror.records import MirrorCounts
from toggl_pulse.model import from_epoch

__all__ = ["count_again", "note_written", "read_counts"]

KEY = "mirror.counts"
ALIVE = tables.entries.c.deleted_at_us.is_(None)
STARTS = select(func.min(tables.entries.c.start), func.max(tables.entries.c.start)).where(ALIVE)

Row = Mapping[str, Any]
Figures = dict[str, Any]


def read_counts(connection: Connection) -> MirrorCounts:
    """The figures as they were written; counted, where nothing has been written since they are kept."""
    figures = read_state(connection, KEY) or count_again(connection)
    runs = select(func.count()).where(tables.entries.c.stop.is_(None), ALIVE)
    first, last = figures["starts"]
    return MirrorCounts(
        entries=figures["living"],
        deleted=figures["deleted"],
        running=connection.execute(runs).scalar_one(),
        versions=figures["versions"],
        set_aside=connection.execute(select(func.count()).select_from(tables.set_aside)).scalar_one(),
        first_start=None if first is None else from_epoch(first),
        last_start=None if last is None else from_epoch(last),
    )


def note_written(connection: Connection, standing: Mapping[int, Row], rows: Iterable[Row]) -> None:
    """Count these rows, just written, each over what stood under its id before."""
    figures = read_state(connection, KEY)
    write_state(
        connection, KEY, count_again(connection) if figures is None else _after(connection, figures, standing, rows)
    )


def _after(connection: Connection, figures: Figures, standing: Mapping[int, Row], rows: Iterable[Row]) -> Figures:
    living, deleted, versions = figures["living"], figures["deleted"], figures["versions"]
    first, last = figures["starts"]
    moved = False
    for row in rows:
        before = standing.get(row["id"])
        lives, lived = row["deleted_at_us"] is None, before is not None and before["deleted_at_us"] is None
        living += lives - lived
        deleted += (not lives) - (before is not None and not lived)
        versions += before is not None
        if before is not None and lived and not (lives and row["start"] == before["start"]):
            moved = moved or before["start"] in {first, last}
        if lives:
            first = row["start"] if first is None else min(first, row["start"])
            last = row["start"] if last is None else max(last, row["start"])
    if moved:
        first, last = connection.execute(STARTS).one()
    return {"living": living, "deleted": deleted, "versions": versions, "starts": [first, last]}


def count_again(connection: Connection) -> Figures:
    """The figures from the rows themselves."""
    total, living, first, last = connection.execute(
        select(
            func.count(),
            func.count().filter(ALIVE),
            func.min(tables.entries.c.start).filter(ALIVE),
            func.max(tables.entries.c.start).filter(ALIVE),
        ).select_from(tables.entries)
    ).one()
    versions = connection.execute(select(func.count()).select_from(tables.entry_versions)).scalar_one()
    return {"living": living, "deleted": total - living, "versions": versions, "starts": [first, last]}
