"""What the mirror knows of its points in InfluxDB: for who writes them there, and for who reads answers from there.

All calls block, each is one transaction, and may be made from any thread; only one projection at a time may write.
Knows no request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    SmallInteger,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    type_coerce,
    union,
    update,
)

from toggl_pulse.mirror import counter, tables
from toggl_pulse.mirror.columns import agrees, alive, read_entries_as_columns
from toggl_pulse.mirror.intend import ASIDE, EARLIEST, LANE, LATEST, PENDING, STANDING, intend_entries, within
from toggl_pulse.mirror.projection import Projection, read_projection, write_projection
from toggl_pulse.mirror.store import Store
from toggl_pulse.mirror.tags import TagBook
from toggl_pulse.mirror.values import pieces
from toggl_pulse.model import ANY_LANE, NO_ID, Catalogue, EntryColumns, Lane, Places, Point, Projected

__all__ = ["PointCounts", "Points", "Stale"]

Ints = NDArray[np.int64]
entry, point, stale_point = tables.entries.c, tables.points.c, tables.stale_points.c
version = tables.entry_versions.c
PAGE = 20_000
"""Entries laid down in one transaction: a second's work at most."""

CONTENT = (
    point.time_ns,
    entry.id,
    entry.workspace_id,
    func.coalesce(entry.project_id, NO_ID),
    func.coalesce(entry.task_id, NO_ID),
    entry.user_id,
    entry.stop,
    entry.duration,
    type_coerce(entry.billable, Integer),  # as it comes: making a bool of each costs as much as reading it
    entry.tag_set,
    entry.description,
)
PLACE = (point.time_ns, point.entry_id, point.workspace_id, point.project_id, point.user_id, point.billable)
JOINED = tables.points.join(tables.entries, entry.id == point.entry_id)


class Stale(NamedTuple):
    """A point that may stand in InfluxDB and must go."""

    id: int
    time_ns: int
    lane: Lane


class PointCounts(NamedTuple):
    """What is left to do, and what InfluxDB does not take; few, so that they are counted at once."""

    pending: int
    stale: int
    set_aside: int


class Points:
    """Made by the mirror, on its own store."""

    def __init__(self, store: Store, catalogue: Callable[[], Catalogue]) -> None:
        self._store = store
        self.catalogue = catalogue

    def lock(self) -> AbstractContextManager[None]:
        """Hold the right to write to InfluxDB, or raise `Busy` at once."""
        return self._store.lock("projection")

    # for who answers from InfluxDB

    def projected(self) -> Projected:
        state = self.state()
        return Projected(state.revision, state.writing, state.generation)

    def changed(self, since: int, until: int) -> tuple[Ints, Places]:
        """The entries that changed after one revision, up to another, and where those stand that have a point."""
        between = exists(
            select(version.entry_id).where(
                version.entry_id == entry.id, version.revision > since, version.revision <= until
            )
        )
        which = and_(entry.revision > since, or_(entry.revision <= until, between))
        places = select(*PLACE).select_from(JOINED).where(which, point.status == STANDING)
        with self._store.reading() as connection:
            ids = _numbers(connection.scalars(select(entry.id).where(which)))
            rows = np.fromiter(chain.from_iterable(connection.execute(places)), np.int64)
            return ids, Places(*rows.reshape(-1, len(PLACE)).T)

    def point_range(self) -> tuple[int, int] | None:
        """The times of the first and of the last point."""
        with self._store.reading() as connection:
            # two questions, each the end of an index, where both at once walk all of it
            first, last = (connection.scalar(select(end(point.time_ns))) for end in (func.min, func.max))
        return None if first is None or last is None else (first, last)

    def beside(self, revision: int) -> EntryColumns:
        """What InfluxDB as of a revision does not hold and answers need, as it is now: these win over points.

        Entries that run or ran then or since, and those whose point InfluxDB does not take.
        """
        runs = select(entry.id).where(entry.stop.is_(None))
        ran = (
            select(entry.id)
            .join(tables.entry_versions, version.entry_id == entry.id)
            .where(
                # not by `version.revision`: a tag's new name gives an entry a later one, and leaves no version
                entry.revision > revision,
                version.replaced_by > revision,
                version.stop.is_(None),
                version.deleted_at_us.is_(None),
            )
        )
        aside = select(point.entry_id).where(_rarely(ASIDE))
        with self._store.reading() as connection:
            return read_entries_as_columns(
                connection, and_(entry.deleted_at_us.is_(None), entry.id.in_(union(runs, ran, aside)))
            )

    def agrees(self, columns: EntryColumns, since: int, revision: int) -> bool:
        """Whether columns say of the entries changed after one revision, up to another, what the mirror says.

        By sums: numbers are compared, and of texts their lengths. Tombstones among the columns are not looked at.
        """
        with self._store.reading() as connection:
            rows = ~columns.deleted & ~np.isin(columns.entry_id, _changed(connection, revision))
            if since:
                rows &= np.isin(columns.entry_id, _changed(connection, since))
            which = and_(alive, entry.revision > since, entry.revision <= revision)
            return agrees(connection, columns.only(rows), which)

    # for who writes to InfluxDB

    def state(self) -> Projection:
        with self._store.reading() as connection:
            return read_projection(connection)

    def followed(self) -> tuple[Projection, int]:
        """The same, and by how many revisions InfluxDB lags, both as of one moment."""
        with self._store.reading() as connection:
            state = read_projection(connection)
            return state, counter.current(connection) - (state.revision or 0)

    def note(self, **changes: Any) -> Projection:
        """Change what is remembered of the projection as a whole."""
        with self._store.writing() as connection:
            state = replace(read_projection(connection), **changes)
            write_projection(connection, state)
            return state

    def revision(self) -> int:
        with self._store.reading() as connection:
            return counter.current(connection)

    def begin_anew(self, bucket: str) -> None:
        """Forget every point: the bucket is to be emptied, and everything written again."""
        with self._store.writing() as connection:
            connection.execute(delete(tables.points))
            connection.execute(delete(tables.stale_points))
            state = _writing(read_projection(connection))
            doubted = state.doubted and state.bucket == bucket
            write_projection(
                connection, replace(state, intended=0, emptying=True, bucket=bucket, runs=0, doubted=doubted)
            )

    def intend(self, most: int = PAGE) -> int:
        """Lay down what the next changed entries ask for; returns how many revisions are left."""
        with self._store.writing() as connection:
            state = read_projection(connection)
            until = counter.current(connection)
            if until > state.intended:
                reached, changed = intend_entries(connection, self._store.fill, state.intended, until, most)
                state = replace(state, intended=reached)
                write_projection(connection, _writing(state) if changed else state)
            return max(0, until - state.intended)

    def stale(self) -> list[Stale]:
        with self._store.reading() as connection:
            rows = connection.execute(select(tables.stale_points).order_by(stale_point.id))
            return [Stale(number, time, Lane(*lane)) for number, time, *lane in rows]

    def gone(self, stale: Iterable[Stale]) -> None:
        """These do not stand in InfluxDB any more."""
        with self._store.writing() as connection:
            for piece in pieces(each.id for each in stale):
                connection.execute(delete(tables.stale_points).where(stale_point.id.in_(piece)))

    def in_stretch(self, first_ns: int, last_ns: int) -> tuple[Ints, list[Ints]]:
        """The times of all points there in rising order, and their lanes as a column for each part of a lane."""
        columns = (point.time_ns, point.workspace_id, point.project_id, point.user_id, point.billable)
        statement = select(*columns).where(point.time_ns.between(first_ns, last_ns)).order_by(point.time_ns)
        with (
            self._store.reading() as connection,
            connection.execute(statement, execution_options={"yield_per": PAGE}) as rows,
        ):
            # no object is kept for a row
            table = np.fromiter(chain.from_iterable(rows), np.int64).reshape(-1, len(columns)).T
        return table[0], list(table[1:])

    def take_back(self, first_ns: int, last_ns: int, lane: Lane) -> None:
        """Points there that a delete of this lane is about to take with it are to be written again."""
        with self._store.writing() as connection:
            connection.execute(
                update(tables.points)
                .where(point.time_ns.between(first_ns, last_ns), within(lane), point.status == STANDING)
                .values(status=PENDING)
            )

    def pending(self, after_ns: int, most: int) -> list[Point]:
        """The next points to be written, by time, as their entries are; what has changed since is left for later."""
        return self._next(_rarely(PENDING), after_ns, most)

    def written(self, times_ns: Iterable[int], intended: int) -> None:
        """These points, pending when changes up to `intended` were laid down, stand in InfluxDB.

        What has been laid down at these times since is still to be written.
        """
        with self._store.writing() as connection:
            for piece in pieces(times_ns):
                connection.execute(
                    update(tables.points)
                    .where(point.time_ns.in_(piece), point.status == PENDING, _as_of(intended))
                    .values(status=STANDING)
                )

    def set_aside(self, time_ns: int, intended: int) -> None:
        """InfluxDB does not take this point, as it was laid down by then; the one from before there must go."""
        this = and_(point.time_ns == time_ns, point.status == PENDING, _as_of(intended))
        with self._store.writing() as connection:
            names = ("time_ns", *LANE)
            connection.execute(
                insert(tables.stale_points).from_select(names, select(*(point[name] for name in names)).where(this))
            )
            connection.execute(update(tables.points).where(this).values(status=ASIDE))

    def try_again(self) -> int:
        """What InfluxDB did not take is to be written again, but for starts that it cannot hold; returns how many."""
        can_be = and_(entry.id == point.entry_id, entry.start.between(EARLIEST, LATEST))
        with self._store.writing() as connection:
            found = connection.execute(
                update(tables.points).where(_rarely(ASIDE), exists().where(can_be)).values(status=PENDING)
            ).rowcount
            if found:
                write_projection(connection, _writing(read_projection(connection)))
            return found

    def finish(self, now_us: int) -> bool:
        """Nothing is to be done any more for all that was laid down; False if something is."""
        with self._store.writing() as connection:
            if _count(connection, PENDING) or connection.scalar(select(exists(select(stale_point.id)))):
                return False
            state = read_projection(connection)
            grown = state.generation + 1 if state.writing or state.revision != state.intended else state.generation
            write_projection(
                connection,
                replace(state, revision=state.intended, at_us=now_us, writing=False, generation=grown),
            )
            return True

    # for who compares both

    def page(self, after_ns: int, most: int) -> list[Point]:
        """The next points that InfluxDB is said to hold, by time; whose entries have changed since are left out."""
        return self._next(point.status == STANDING, after_ns, most)

    def _next(self, which: ColumnElement[bool], after_ns: int, most: int) -> list[Point]:
        with self._store.reading() as connection:
            intended = read_projection(connection).intended
            return _points(connection, and_(which, entry.revision <= intended, point.time_ns > after_ns), most)

    def moving(self, first_ns: int, last_ns: int) -> set[int]:
        """The times there of points that InfluxDB need not hold as their entries are now."""
        with self._store.reading() as connection:
            state = read_projection(connection)
            return set(
                connection.scalars(
                    select(point.time_ns)
                    .select_from(JOINED)
                    .where(
                        point.time_ns.between(first_ns, last_ns),
                        or_(point.status == PENDING, entry.revision > state.intended),
                    )
                )
            )

    def doubt(self, wrong: Iterable[int], ghosts: Iterable[int]) -> None:
        """At these times InfluxDB does not hold what it should: what is there goes, and points are written again."""
        bad, foreign = set(wrong), set(ghosts)
        with self._store.writing() as connection:
            state = _writing(read_projection(connection))
            write_projection(connection, state)
            rows = [{"time_ns": time, **ANY_LANE._asdict()} for time in sorted(foreign)]
            for first in range(0, len(rows), PAGE):
                connection.execute(tables.stale_points.insert(), rows[first : first + PAGE])
            for piece in pieces(bad | foreign):
                connection.execute(
                    update(tables.points)
                    .where(point.time_ns.in_(piece), point.status == STANDING)
                    .values(status=PENDING)
                )

    def counts(self) -> PointCounts:
        with self._store.reading() as connection:
            stale = connection.execute(select(func.count()).select_from(tables.stale_points)).scalar_one()
            return PointCounts(_count(connection, PENDING), stale, _count(connection, ASIDE))

    def standing(self) -> int:
        """How many points InfluxDB is said to hold; counts them all."""
        with self._store.reading() as connection:
            every = connection.execute(select(func.count()).select_from(tables.points)).scalar_one()
            return every - _count(connection, PENDING) - _count(connection, ASIDE)


def _changed(connection: Connection, since: int) -> Ints:
    return _numbers(connection.scalars(select(entry.id).where(entry.revision > since)))


def _writing(state: Projection) -> Projection:
    return state if state.writing else replace(state, writing=True, generation=state.generation + 1)


def _as_of(intended: int) -> ColumnElement[bool]:
    """Points whose entries have not been laid down anew since."""
    return exists().where(entry.id == point.entry_id, entry.revision <= intended)


def _count(connection: Connection, status: int) -> int:
    return connection.execute(select(func.count()).where(_rarely(status))).scalar_one()


def _rarely(status: int) -> ColumnElement[bool]:
    """Points of a status that few have, said so that a database sees that the index of those few has them all."""
    return and_(point.status == status, point.status != literal(STANDING, SmallInteger, literal_execute=True))


def _points(connection: Connection, which: ColumnElement[bool], most: int) -> list[Point]:
    statement = select(*CONTENT).select_from(JOINED).where(which).order_by(point.time_ns).limit(most)
    rows = connection.execute(statement).all()
    carried = TagBook(connection).carried({row[9] for row in rows})
    tags = {number: (tuple(sorted(names)), ids) for number, (ids, names) in carried.items()}
    return [Point._make((*row[:9], *tags[row[9]], row[10])) for row in rows]


def _numbers(values: Iterable[int]) -> Ints:
    return np.fromiter(values, np.int64)
