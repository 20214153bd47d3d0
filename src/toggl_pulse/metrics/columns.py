"""The entries in memory: columns sorted by start that follow an entry source by revision.

A snapshot never changes, so that any thread may read one while another thread makes the next. A few changed entries
do not copy the columns: they stand in a small part of their own, and the rows they replace are hidden.
Knows nothing of queries.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.model import NO_ID, RUNNING, Catalogue, EntryColumns, EntrySource

__all__ = ["BLOCK", "Codes", "Columns", "Part", "Snapshot"]

Ints = NDArray[np.int64]
Codings = NDArray[np.int32]
T = TypeVar("T", bound=Hashable)

BLOCK = 32_768
"""Rows that are worked on at a time: their columns stay in the processor's cache."""

_REACH = 1_024  # rows summed up by one element of `Part.reach`
_FEW = 8  # changed ids that are looked up one by one


class Codes(Generic[T]):
    """Values numbered in order of appearance; only ever grows, so that snapshots can share it."""

    def __init__(self, values: Iterable[T] = ()) -> None:
        self.values: list[T] = []
        self.codes: dict[T, int] = {}
        for value in values:
            self.code(value)

    def code(self, value: T) -> int:
        found = self.codes.get(value)
        if found is None:
            # the value stands before its code can be seen: readers do not lock
            self.values.append(value)
            found = self.codes[value] = len(self.values) - 1
        return found

    def encode_ids(self: Codes[int], ids: Ints) -> Codings:
        distinct = np.unique(ids)
        numbers = np.array([self.code(int(value)) for value in distinct], np.int32)
        found: Codings = numbers[np.searchsorted(distinct, ids)] if len(distinct) else np.zeros(0, np.int32)
        return found

    def encode(self, codes: Codings, values: Iterable[T]) -> Codings:
        """Another numbering of `values` in terms of this one."""
        numbers = np.array([self.code(value) for value in values], np.int32)
        found: Codings = numbers[codes] if len(numbers) else np.zeros(0, np.int32)
        return found


@dataclass(frozen=True, slots=True)
class Part:
    """Entries sorted by start. A running entry has `stop == start` and no seconds here; `running` has its rows.

    `reach[i]` is the latest stop of all rows before row `(i + 1) * 1024`: it tells from where entries can overlap
    a moment.
    """

    entry_id: Ints
    start: Ints
    stop: Ints
    seconds: Ints
    workspace: Codings
    project: Codings
    task: Codings
    user: Codings
    tag_set: Codings
    description: Codings
    billable: NDArray[np.bool_]
    running: Ints
    reach: Ints

    def __len__(self) -> int:
        return len(self.start)

    def first_reaching(self, moment: int) -> int:
        """A row before which no entry lasts beyond `moment`."""
        return int(np.searchsorted(self.reach, moment, side="right")) * _REACH

    @staticmethod
    def of(columns: dict[str, Any], running: NDArray[np.bool_]) -> Part:
        """Sort, and make what is derived."""
        start = columns["start"]
        if len(start) and not bool(np.all(start[1:] >= start[:-1])):
            order = np.argsort(start, kind="stable")
            columns = {name: column[order] for name, column in columns.items()}
            running = running[order]
        stop = columns["stop"]
        edges = np.arange(0, len(stop), _REACH)
        reach = np.maximum.accumulate(np.maximum.reduceat(stop, edges)) if len(stop) else np.zeros(0, np.int64)
        return Part(**columns, running=np.flatnonzero(running), reach=reach)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All entries and names as of a revision: `base` without the rows `hidden`, and `extra`."""

    revision: int
    base: Part
    hidden: Ints
    extra: Part
    workspaces: Codes[int]
    projects: Codes[int]
    tasks: Codes[int]
    users: Codes[int]
    tag_sets: Codes[tuple[int, ...]]
    descriptions: Codes[str]
    catalogue: Catalogue
    memo: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    """What was derived from this snapshot, by whoever derived it."""

    def __len__(self) -> int:
        return len(self.base) - len(self.hidden) + len(self.extra)

    @property
    def parts(self) -> tuple[tuple[Part, Ints], ...]:
        """Each part with its hidden rows."""
        nothing = np.zeros(0, np.int64)
        return ((self.base, self.hidden), (self.extra, nothing)) if len(self.extra) else ((self.base, self.hidden),)


class Columns:
    """Keeps the newest snapshot of a source."""

    def __init__(self, source: EntrySource) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None

    def newest(self) -> Snapshot:
        """The snapshot of the newest committed revision; blocks while it is read."""
        revision = self._source.revision()
        snapshot = self._snapshot
        if snapshot is not None and snapshot.revision == revision:
            return snapshot
        with self._lock:
            snapshot = self._snapshot
            revision = self._source.revision()
            if snapshot is None or snapshot.revision > revision:  # later than the newest: another database
                snapshot = self._load()
            elif snapshot.revision < revision:
                snapshot = self._follow(snapshot)
            self._snapshot = snapshot
            return snapshot

    def _load(self) -> Snapshot:
        # names after rows: an entry's project is never newer than the catalogue
        revision, columns = self._source.load()
        codes: dict[str, Codes[Any]] = {
            "workspaces": Codes([NO_ID]),
            "projects": Codes([NO_ID]),
            "tasks": Codes([NO_ID]),
            "users": Codes([NO_ID]),
            "tag_sets": Codes([()]),
            "descriptions": Codes([""]),
        }
        base = Part.of(*_coded(columns, codes))
        return Snapshot(revision, base, np.zeros(0, np.int64), _none_of(base), **codes, catalogue=self._source.catalogue())

    def _follow(self, old: Snapshot) -> Snapshot:
        revision, columns = self._source.changes(old.revision)
        catalogue = self._source.catalogue()
        catalogue = old.catalogue if catalogue == old.catalogue else catalogue
        codes = {name: getattr(old, name) for name in _CODES}
        gone = np.unique(columns.entry_id)
        base, extra = old.base, old.extra
        hidden = np.union1d(old.hidden, _rows_of(base, gone))
        changed = _coded(columns, codes)
        alive = ~columns.deleted
        stay = ~np.isin(extra.entry_id, gone)
        extra = _joined([(extra, stay)], changed, alive)
        if len(hidden) + len(extra) > max(4_096, len(base) // 50):
            keep = np.ones(len(base), np.bool_)
            keep[hidden] = False
            base = _joined([(base, keep), (extra, np.ones(len(extra), np.bool_))], None, None)
            hidden, extra = np.zeros(0, np.int64), _none_of(base)
        return Snapshot(revision, base, hidden, extra, **codes, catalogue=catalogue)


_CODES = ("workspaces", "projects", "tasks", "users", "tag_sets", "descriptions")
_STORED = tuple(each.name for each in fields(Part) if each.name not in {"running", "reach"})


def _coded(columns: EntryColumns, codes: dict[str, Codes[Any]]) -> tuple[dict[str, Any], NDArray[np.bool_]]:
    running = columns.stop == RUNNING
    coded = {
        "entry_id": columns.entry_id,
        "start": columns.start,
        "stop": np.maximum(np.where(running, columns.start, columns.stop), columns.start),
        "seconds": np.where(running, 0, columns.duration),
        "workspace": codes["workspaces"].encode_ids(columns.workspace_id),
        "project": codes["projects"].encode_ids(columns.project_id),
        "task": codes["tasks"].encode_ids(columns.task_id),
        "user": codes["users"].encode_ids(columns.user_id),
        "tag_set": codes["tag_sets"].encode(columns.tag_set, columns.tag_sets),
        "description": codes["descriptions"].encode(columns.description, columns.descriptions),
        "billable": columns.billable,
    }
    return coded, running


def _rows_of(part: Part, ids: Ints) -> Ints:
    if len(ids) > _FEW:
        return np.flatnonzero(np.isin(part.entry_id, ids))
    found = [np.flatnonzero(part.entry_id == each) for each in ids]
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _joined(
    parts: list[tuple[Part, NDArray[np.bool_]]],
    more: tuple[dict[str, Any], NDArray[np.bool_]] | None,
    alive: NDArray[np.bool_] | None,
) -> Part:
    """One part of the kept rows of several, and of freshly coded rows."""
    pieces: list[Callable[[str], Any]] = []
    flags = []
    for part, keep in parts:
        pieces.append(lambda name, part=part, keep=keep: getattr(part, name)[keep])
        runs = np.zeros(len(part), np.bool_)
        runs[part.running] = True
        flags.append(runs[keep])
    if more is not None:
        coded, running = more
        pieces.append(lambda name: coded[name][alive])
        flags.append(running[alive])
    joined = {name: np.concatenate([piece(name) for piece in pieces]) for name in _STORED}
    return Part.of(joined, np.concatenate(flags))


def _none_of(part: Part) -> Part:
    """An empty part with the columns of this one."""
    return _joined([(part, np.zeros(len(part), np.bool_))], None, None)
