"""The entries in memory: columns sorted by start that follow an entry source by revision.

A snapshot never changes, so that any thread may read one while another thread makes the next. A few changed entries
do not copy the columns: they stand in a small part of their own, and the rows they replace are hidden.
Knows nothing of queries.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.model import NO_ID, RUNNING, Catalogue, EntryColumns, EntrySource

__all__ = ["BLOCK", "Codes", "Columns", "Part", "Snapshot"]

Ints = NDArray[np.int64]
Codings = NDArray[np.int32]
Flags = NDArray[np.bool_]
T = TypeVar("T", bound=Hashable)

BLOCK = 65_536
"""Rows that are worked on at a time: their columns stay in the processor's cache."""

_REACH = 1_024  # rows summed up by one element of `Part.reach`
_FEW = 64  # changed ids that are looked up one by one
_MOST_EXTRA = 4_096  # changed rows beside the base, before both become one


class Codes(Generic[T]):
    """Values numbered in order of appearance; only ever grows, so that snapshots can share it."""

    def __init__(self, *values: T) -> None:
        self.values: list[T] = list(values)
        self._codes: dict[T, int] = {value: code for code, value in enumerate(values)}

    def code(self, value: T) -> int:
        found = self._codes.get(value)
        if found is None:
            # the value stands before its code can be seen: readers do not lock
            self.values.append(value)
            found = self._codes[value] = len(self.values) - 1
        return found


def encode(codes: Codes[T], numbers: Codings, values: Sequence[T]) -> Codings:
    """Rows numbered by `values` as rows numbered by `codes`."""
    known = np.fromiter((codes.code(value) for value in values), np.int32, len(values))
    return known[numbers]


def encode_ids(codes: Codes[int], ids: Ints) -> Codings:
    distinct = np.unique(ids)
    known = np.fromiter((codes.code(value) for value in distinct.tolist()), np.int32, len(distinct))
    return known[np.searchsorted(distinct, ids)]


class Numbers:
    """The numbering of each coded column; the first code of each is that of none."""

    def __init__(self) -> None:
        self.workspace = Codes(NO_ID)
        self.project = Codes(NO_ID)
        self.task = Codes(NO_ID)
        self.user = Codes(NO_ID)
        self.tag_set: Codes[tuple[int, ...]] = Codes(())
        self.description = Codes("")

    def sizes(self) -> dict[str, int]:
        """How many codes each column has by now."""
        return {"billable": 2} | {name: len(codes.values) for name, codes in vars(self).items()}


@dataclass(frozen=True, slots=True)
class Part:
    """Entries sorted by start. A running entry has `stop == start` and no seconds here; `running` has its rows.

    `reach[i]` is the latest stop of all rows before row `(i + 1) * 1024`: it tells from where entries can overlap
    a moment. `empty` are the rows that may add no time: no seconds, or begun and stopped at once (running ones too).
    `seconds` have 32 bits where that is enough, for half of the way from memory. `by_id` are the rows in the order of
    their ids.
    """

    entry_id: Ints
    start: Ints
    stop: Ints
    seconds: Ints | Codings
    workspace: Codings
    project: Codings
    task: Codings
    user: Codings
    tag_set: Codings
    description: Codings
    billable: Flags
    running: Ints
    reach: Ints
    empty: Ints
    by_id: Codings

    def __len__(self) -> int:
        return len(self.start)

    def first_reaching(self, moment: int) -> int:
        """A row before which no entry lasts beyond `moment`."""
        return int(np.searchsorted(self.reach, moment, side="right")) * _REACH

    def latest_stop(self, end: int) -> int:
        """No entry before row `end` lasts longer than this."""
        return int(self.reach[(end - 1) // _REACH])

    def rows_of(self, ids: Ints) -> Ints:
        """The rows of those of some ids that are here, rising."""
        if len(ids) > _FEW:
            return np.flatnonzero(np.isin(self.entry_id, ids))
        found = []
        for each in ids.tolist():
            place = bisect_left(self.by_id, each, key=self.entry_id.__getitem__)
            if place < len(self) and self.entry_id[row := self.by_id[place]] == each:
                found.append(row)
        return np.array(sorted(found), np.int64)

    def columns(self, rows: Ints) -> tuple[dict[str, Any], Flags]:
        """Some rows as loose columns, and which of them run."""
        running = np.zeros(len(self), np.bool_)
        running[self.running] = True
        return {name: getattr(self, name)[rows] for name in _STORED}, running[rows]

    @staticmethod
    def of(columns: dict[str, Any], running: Flags) -> Part:
        """Sort by start, and make what is derived."""
        start = columns["start"]
        if not bool(np.all(start[1:] >= start[:-1])):
            order = np.argsort(start, kind="stable")
            columns = {name: column[order] for name, column in columns.items()}
            running = running[order]
        stop, seconds = columns["stop"], columns["seconds"]
        ends = np.maximum.reduceat(stop, np.arange(0, len(stop), _REACH)) if len(stop) else stop
        return Part(
            **columns | {"seconds": _narrow(seconds)},
            running=np.flatnonzero(running),
            reach=np.maximum.accumulate(ends),
            empty=np.flatnonzero((seconds == 0) | (stop == columns["start"])),
            by_id=np.argsort(columns["entry_id"]).astype(np.int32),
        )


def _narrow(seconds: Ints) -> Ints | Codings:
    """Fewer bits where they are enough: 68 years of them."""
    most = np.iinfo(np.int32).max
    return seconds.astype(np.int32) if -most <= seconds.min(initial=0) <= seconds.max(initial=0) <= most else seconds


_STORED = tuple(each.name for each in fields(Part) if each.name not in {"running", "reach", "empty", "by_id"})
_NOTHING: Ints = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All entries and names as of a revision: `base` without the rows `hidden` (rising), and `extra`.

    `memo` keeps what was derived from this snapshot, whoever derived it.
    """

    revision: int
    base: Part
    hidden: Ints
    extra: Part
    numbers: Numbers
    catalogue: Catalogue
    memo: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.base) - len(self.hidden) + len(self.extra)

    @property
    def parts(self) -> tuple[tuple[Part, Ints], ...]:
        """Each part with its hidden rows."""
        base = (self.base, self.hidden)
        return (base, (self.extra, _NOTHING)) if len(self.extra) else (base,)


class Columns:
    """Keeps the newest snapshot of a source; `room` is called before any is read and may raise."""

    def __init__(self, source: EntrySource, room: Callable[[], None] = lambda: None) -> None:
        self._source = source
        self._room = room
        self._lock = threading.Lock()
        self._room_until = -1
        self._snapshot: Snapshot | None = None

    def last(self) -> Snapshot:
        """The snapshot that was made last, without a look at the source; the first one is read."""
        snapshot = self._snapshot
        return self.newest() if snapshot is None else snapshot

    def newest(self) -> Snapshot:
        """The snapshot of the newest committed revision; blocks while it is read."""
        snapshot = self._snapshot
        revision = self._source.revision()
        if snapshot is not None and snapshot.revision == revision:
            return snapshot
        with self._lock:
            if self._snapshot is not snapshot:  # another thread has been quicker
                snapshot = self._snapshot
                revision = self._source.revision()
            if revision > self._room_until:
                self._room()
                self._room_until = revision + _MOST_EXTRA  # a change makes one entry more at most
            if snapshot is None or snapshot.revision > revision:  # later than the newest: another database
                snapshot = self._load()
            elif snapshot.revision < revision:
                snapshot = self._follow(snapshot)
            self._snapshot = snapshot
            return snapshot

    def _load(self) -> Snapshot:
        revision, columns = self._source.load()
        numbers = Numbers()
        base = Part.of(*_coded(columns, numbers))
        # names after rows, so that no entry is newer than its project's name
        return Snapshot(revision, base, _NOTHING, Part.of(*base.columns(_NOTHING)), numbers, self._source.catalogue())

    def _follow(self, old: Snapshot) -> Snapshot:
        revision, columns = self._source.changes(old.revision)
        catalogue = old.catalogue
        # else each number since is an entry's, and no name has got one
        if not self._source.exact or len(columns) != revision - old.revision:
            names = self._source.catalogue()
            catalogue = catalogue if names == catalogue else names
        base, extra, hidden, numbers = old.base, old.extra, old.hidden, old.numbers
        if len(columns):
            gone = np.unique(columns.entry_id)
            hidden = np.union1d(hidden, base.rows_of(gone))
            stay = extra.columns(np.flatnonzero(~np.isin(extra.entry_id, gone)))
            coded, running = _coded(columns, numbers)
            alive = np.flatnonzero(~columns.deleted)
            extra = _joined(stay, ({name: column[alive] for name, column in coded.items()}, running[alive]))
        if len(hidden) + len(extra) > max(_MOST_EXTRA, len(base) // 50):
            keep = np.delete(np.arange(len(base)), hidden)
            base = _joined(base.columns(keep), extra.columns(np.arange(len(extra))))
            extra, hidden = Part.of(*base.columns(_NOTHING)), _NOTHING
        found = Snapshot(revision, base, hidden, extra, numbers, catalogue)
        if catalogue is old.catalogue:
            sizes = numbers.sizes()
            made_so_far = old.memo.copy()  # other threads still add to it
            found.memo.update({key: made for key, made in made_so_far.items() if made.codes == sizes[made.column]})
        return found


def _coded(columns: EntryColumns, numbers: Numbers) -> tuple[dict[str, Any], Flags]:
    """A source's columns as those of a `Part`, unsorted, and which rows run."""
    running = columns.stop == RUNNING
    return {
        "entry_id": columns.entry_id,
        "start": columns.start,
        "stop": np.maximum(columns.stop, columns.start),
        "seconds": np.where(running, 0, columns.duration) if running.any() else columns.duration,
        "workspace": encode_ids(numbers.workspace, columns.workspace_id),
        "project": encode_ids(numbers.project, columns.project_id),
        "task": encode_ids(numbers.task, columns.task_id),
        "user": encode_ids(numbers.user, columns.user_id),
        "tag_set": encode(numbers.tag_set, columns.tag_set, columns.tag_sets),
        "description": encode(numbers.description, columns.description, columns.descriptions),
        "billable": columns.billable,
    }, running


def _joined(one: tuple[dict[str, Any], Flags], other: tuple[dict[str, Any], Flags]) -> Part:
    columns = {name: np.concatenate((column, other[0][name])) for name, column in one[0].items()}
    return Part.of(columns, np.concatenate((one[1], other[1])))
