"""One transaction of writes: rows together with the cursor that covers them, all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from toggl_pulse.mirror import journal
from toggl_pulse.mirror.amounts import write_amounts
from toggl_pulse.mirror.catalogue import CatalogueRow, Written, write_rows
from toggl_pulse.mirror.counter import Counter
from toggl_pulse.mirror.entries import EntryBook
from toggl_pulse.mirror.records import CatalogueCounts, MonthCheck, RunFigures, StoredEntry, SyncRun
from toggl_pulse.mirror.tags import TagBook, placeholder_id
from toggl_pulse.mirror.values import is_storable, storable
from toggl_pulse.model import JSON, Amount, SetAside, Tag, TimeEntry

__all__ = ["Batch"]


class Batch:
    """What may be read and written inside `Mirror.batch()`; of no use after it.

    Nothing else of the mirror may be written by the same thread while a batch is open.
    """

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._counter = Counter(connection)
        self._tags = TagBook(connection)
        self._entries = EntryBook(connection, self._tags, self._counter, now)

    # entries

    def entries(self, ids: Iterable[int]) -> dict[int, TimeEntry]:
        """What the mirror holds under these ids, tombstones included (with `deleted_at`)."""
        return {entry_id: stored.entry for entry_id, stored in self._entries.stored(ids).items()}

    def stored(self, ids: Iterable[int]) -> dict[int, StoredEntry]:
        """The same, with revision and with who says that a tombstone is one."""
        return self._entries.stored(ids)

    def write_entries(self, entries: Iterable[TimeEntry], *, amounts: Iterable[Amount] = ()) -> int:
        """Write entries as they are, and amounts beside them; returns how many entries said something new.

        Each of those gets the next revision, and the version it replaces goes to the history. Tags count by their
        set, not by their order; an amount alone makes no version.
        """
        rows = [_storable(entry) for entry in entries]
        if placeholders := self._entries.nameless(rows):
            self.write_catalogue(placeholders)
        changed = self._entries.write(rows)
        write_amounts(self._connection, amounts)
        return changed

    def infer_deleted(self, ids: Iterable[int], at: datetime) -> int:
        """Make tombstones because another read proved these entries gone; returns how many were still alive."""
        return self._entries.infer_deleted(ids, at)

    # names

    def write_catalogue(self, rows: Iterable[CatalogueRow]) -> CatalogueCounts:
        """Write named things; a tag's name, new or another, or its end gives the entries that carry it new revisions.

        A tag that ends is taken off its entries, and a tag that was known by name only hands its entries over to
        the real one.
        """
        written, unchanged = write_rows(self._connection, self._counter, rows, moment=self._now)
        tags = [change for change in written if isinstance(change.now, Tag)]
        if tags:
            self._tags.read_tags()
            for change in tags:
                self._follow_tag(change)
            self._tags.read_tags()
        new = sum(change.before is None for change in written)
        return CatalogueCounts(new=new, changed=len(written) - new, unchanged=unchanged)

    def _follow_tag(self, change: Written) -> None:
        tag, before = change.now, change.before
        if not isinstance(tag, Tag):
            return
        if tag.deleted:
            self._entries.retag(tag.id, None)
            return
        if not isinstance(before, Tag) or before.name != tag.name:
            self._entries.touch(tag.id)
        placeholder = Tag(placeholder_id(tag.workspace_id, tag.name), tag.workspace_id, tag.name, deleted=True)
        if tag.id > 0 and self._tags.alive(placeholder.id):
            self._entries.retag(placeholder.id, tag.id)
            write_rows(self._connection, self._counter, [placeholder], moment=self._now)

    # the rest

    def state(self, key: str) -> JSON | None:
        return journal.read_state(self._connection, key)

    def set_state(self, key: str, value: JSON | None) -> None:
        """Remember a small JSON value; None forgets the key."""
        journal.write_state(self._connection, key, value)

    def set_month(self, month: MonthCheck) -> None:
        journal.write_month(self._connection, month)

    def set_aside(self, rows: Iterable[SetAside], run_id: int | None = None) -> None:
        """Keep rows that could not be read; the same row seen again is counted, not kept twice."""
        journal.add_set_aside(self._connection, rows, run_id, self._now)

    def start_run(self, reason: str, started_at: datetime | None = None) -> int:
        """Record that a run has begun; returns its id."""
        return journal.start_run(self._connection, reason=reason, started_at=started_at or self._now)

    def finish_run(self, run: SyncRun) -> None:
        """Write the run as it stands now, whatever its outcome."""
        journal.finish_run(self._connection, run)

    def note_figures(self, run_id: int, figures: RunFigures) -> None:
        """Keep how things stood at the end of a run."""
        journal.write_figures(self._connection, run_id, figures)

    def save(self) -> None:
        """Called by `Mirror.batch` just before the commit."""
        self._counter.save()


def _storable(entry: TimeEntry) -> TimeEntry:
    if all(map(is_storable, (entry.description, *entry.tags))):
        return entry
    return replace(entry, description=storable(entry.description), tags=tuple(map(storable, entry.tags)))
