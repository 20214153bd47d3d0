"""Answers from InfluxDB: entries are read there by Flux, as the mirror's ledger of points says that they stand.

The ledger decides what is to be read and whether what was read is whole; times, lengths, flags, tags and texts come
from InfluxDB. Knows the ledger by a protocol, and nothing of SQL or metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.errors import Unavailable
from toggl_pulse.influx.client import YEAR_SECONDS, Influx
from toggl_pulse.influx.columns import columns_of, only
from toggl_pulse.influx.fetch import Stretch, Words, fetch
from toggl_pulse.influx.rows import MisfitError
from toggl_pulse.influx.troubles import Refused
from toggl_pulse.model import Catalogue, EntryColumns, Lane, Places, Projected

__all__ = ["InfluxSource", "Ledger"]

Ints = NDArray[np.int64]
NO_IDS: Ints = np.zeros(0, np.int64)

ATTEMPTS = 3
"""How often is read again what was written to meanwhile."""

FEW, POINTS_A_LANE = 32, 2_000
"""Lanes that are each asked for alone: some milliseconds each, as long as so many points of a whole year take."""

YEAR_NS = YEAR_SECONDS * 10**9
FIRST_SHARD_NS = -112 * 86_400 * 10**9
"""InfluxDB counts the years of its shards from the year 1, so that one begins 112 days before 1970."""


class Ledger(Protocol):
    """What the mirror knows of its points in InfluxDB; all calls block."""

    def projected(self) -> Projected: ...

    def catalogue(self) -> Catalogue: ...

    def point_range(self) -> tuple[int, int] | None:
        """The times of the first and of the last point."""
        ...

    def changed(self, since: int, until: int) -> tuple[Ints, Places]:
        """The entries that changed after one revision, up to another, and where those stand that have a point."""
        ...

    def beside(self, revision: int) -> EntryColumns:
        """What InfluxDB as of a revision does not hold and answers need; it wins over points."""
        ...

    def agrees(self, columns: EntryColumns, since: int, revision: int) -> bool:
        """Whether columns say of the entries changed after one revision, up to another, what the mirror says."""
        ...


class InfluxSource:
    """An `EntrySource` over one bucket and the ledger of what stands in it."""

    exact = False

    def __init__(self, influx: Influx, ledger: Ledger) -> None:
        self._influx = influx
        self._ledger = ledger
        self._given: int | None = None
        self._size = 0

    def revision(self) -> int:
        """The last revision that InfluxDB holds whole; while a later one is written, that of the columns given last.

        Asks only the ledger, so that columns in memory go on answering while InfluxDB cannot be read.
        """
        state = self._ledger.projected()
        return self._given if state.writing and self._given is not None else _complete(state)

    def load(self) -> tuple[int, EntryColumns]:
        return self._steadily(self._load)

    def changes(self, since: int) -> tuple[int, EntryColumns]:
        return self._steadily(lambda revision: self._changes(since, revision))

    def catalogue(self) -> Catalogue:
        return self._ledger.catalogue()

    def _steadily(self, read: Callable[[int], EntryColumns]) -> tuple[int, EntryColumns]:
        """Read what is whole, while nobody writes to it."""
        differs = False
        for _ in range(ATTEMPTS):
            before = self._ledger.projected()
            revision = _complete(before)
            if before.writing:
                break
            try:
                found = read(revision)
            except (MisfitError, Refused):
                differs = True
                continue
            if self._ledger.projected() == before:
                self._given = revision
                return revision, found
        if differs:
            raise Unavailable(
                "InfluxDB does not hold what was written there from the mirror; `toggl-pulse project --verify` finds "
                "what differs and mends it.",
                code="influxdb_differs",
            )
        raise Unavailable(
            "InfluxDB is being brought up to date; answers can be read from it when that is done.",
            code="influxdb_writing",
        )

    def _load(self, revision: int) -> EntryColumns:
        words = Words()
        reach = self._ledger.point_range()
        parts = [part for each in (_years(*reach) if reach else ()) if (part := fetch(self._influx, each, words))]
        columns = columns_of(parts, words, self._ledger.beside(revision))
        self._size = len(columns)
        return self._checked(columns, 0, revision)

    def _changes(self, since: int, revision: int) -> EntryColumns:
        ids, places = self._ledger.changed(since, revision)
        beside = self._ledger.beside(revision)
        beside = beside.only(np.isin(beside.entry_id, ids))
        words = Words()
        parts = [
            only(part, np.isin(part["time_ns"], places.time_ns))
            for stretch in _around(places, FEW + self._size // POINTS_A_LANE)
            if (part := fetch(self._influx, stretch, words))
        ]
        found = np.concatenate([NO_IDS, *(part["entry_id"] for part in parts)])
        if not np.isin(found, places.entry_id).all():
            raise MisfitError
        columns = columns_of(parts, words, beside, gone=np.setdiff1d(ids, found))
        return self._checked(columns, since, revision)

    def _checked(self, columns: EntryColumns, since: int, revision: int) -> EntryColumns:
        if not self._ledger.agrees(columns, since, revision):
            raise MisfitError
        return columns


def _complete(state: Projected) -> int:
    if state.revision is None:
        raise Unavailable(
            "InfluxDB has not been filled from the mirror yet; the next sync does it, or `toggl-pulse project`.",
            code="influxdb_empty",
        )
    return state.revision


def _years(first: int, last: int) -> Iterator[Stretch]:
    """A stretch for each year of shards: what InfluxDB looks up before it answers is then bounded."""
    for year in range((first - FIRST_SHARD_NS) // YEAR_NS, (last - FIRST_SHARD_NS) // YEAR_NS + 1):
        begin = FIRST_SHARD_NS + year * YEAR_NS
        yield Stretch(max(first, begin), min(last + 1, begin + YEAR_NS))


def _around(places: Places, few: int) -> Iterator[Stretch]:
    """Stretches that hold these points: of one lane each where those are few, else whatever lies between in a year."""
    years = (places.time_ns - FIRST_SHARD_NS) // YEAR_NS
    lanes = np.column_stack((years, places.workspace_id, places.project_id, places.user_id, places.billable))
    groups, group = np.unique(lanes, axis=0, return_inverse=True)
    narrow = len(groups) <= few
    if not narrow:
        groups, group = np.unique(years, return_inverse=True)
    for number in range(len(groups)):
        times = places.time_ns[group == number]
        lane = None
        if narrow:
            workspace, project, user, billable = groups[number, 1:].tolist()
            lane = Lane(workspace, project, user, bool(billable))
        yield Stretch(int(times.min()), int(times.max()) + 1, lane)
