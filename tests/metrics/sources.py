"""An entry source of plain rows in memory, for tests: what the mirror does, without a database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from toggl_pulse.model import NO_ID, RUNNING, Catalogue, EntryColumns


@dataclass(frozen=True)
class Row:
    """An entry in whole UTC seconds; `stop is None` runs."""

    id: int
    start: int
    stop: int | None
    seconds: int | None = None
    workspace: int = 1
    project: int = NO_ID
    task: int = NO_ID
    user: int = 1
    billable: bool = False
    tags: tuple[int, ...] = ()
    description: str = ""

    @property
    def duration(self) -> int:
        if self.stop is None:
            return 0
        return self.stop - self.start if self.seconds is None else self.seconds


@dataclass
class MemorySource:
    names: Catalogue = field(default_factory=Catalogue)
    number: int = 0
    rows: dict[int, Row] = field(default_factory=dict)
    changed: dict[int, int] = field(default_factory=dict)
    loads: int = 0
    catalogues: int = 0
    exact: bool = True

    @staticmethod
    def of(rows: Iterable[Row], names: Catalogue | None = None) -> MemorySource:
        source = MemorySource(names or Catalogue())
        for row in rows:
            source.put(row)
        return source

    def put(self, row: Row) -> None:
        self.number += 1
        self.rows[row.id] = row
        self.changed[row.id] = self.number

    def delete(self, entry_id: int) -> None:
        self.number += 1
        del self.rows[entry_id]
        self.changed[entry_id] = self.number

    def rename(self, names: Catalogue) -> None:
        self.number += 1
        self.names = names

    def revision(self) -> int:
        return self.number

    def load(self) -> tuple[int, EntryColumns]:
        self.loads += 1
        return self.number, columns_of(self.rows.values())

    def changes(self, since: int) -> tuple[int, EntryColumns]:
        ids = [each for each, revision in self.changed.items() if revision > since]
        gone = [Row(each, 0, 0) for each in ids if each not in self.rows]
        return self.number, columns_of([*(self.rows[each] for each in ids if each in self.rows), *gone], len(gone))

    def catalogue(self) -> Catalogue:
        self.catalogues += 1
        return self.names


def columns_of(rows: Iterable[Row], deleted: int = 0) -> EntryColumns:
    """The rows as arrays; the last `deleted` of them are tombstones."""
    rows = list(rows)
    sets = list(dict.fromkeys(tuple(sorted(row.tags)) for row in rows))
    texts = list(dict.fromkeys(row.description for row in rows))

    def ints(values: Iterable[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.array(list(values), np.int64)

    flags = np.zeros(len(rows), np.bool_)
    flags[len(rows) - deleted :] = True
    return EntryColumns(
        entry_id=ints(row.id for row in rows),
        start=ints(row.start for row in rows),
        stop=ints(RUNNING if row.stop is None else row.stop for row in rows),
        duration=ints(row.duration for row in rows),
        workspace_id=ints(row.workspace for row in rows),
        project_id=ints(row.project for row in rows),
        task_id=ints(row.task for row in rows),
        user_id=ints(row.user for row in rows),
        billable=np.array([row.billable for row in rows], np.bool_),
        deleted=flags,
        tag_set=np.array([sets.index(tuple(sorted(row.tags))) for row in rows], np.int32),
        description=np.array([texts.index(row.description) for row in rows], np.int32),
        tag_sets=tuple(sets),
        descriptions=tuple(texts),
    )
