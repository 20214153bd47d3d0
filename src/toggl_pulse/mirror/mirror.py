"""The mirror: an exact copy of a Toggl account in a database, with its history; the truth that answers come from.

All calls block and may be made from any thread. Knows nothing of HTTP, of how rows are fetched or of metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Self

from toggl_pulse.errors import NeedsUser
from toggl_pulse.mirror import amounts as money
from toggl_pulse.mirror import backup, counter, journal
from toggl_pulse.mirror.batch import Batch
from toggl_pulse.mirror.catalogue import names_revision, read_catalogue
from toggl_pulse.mirror.columns import read_changes, read_columns
from toggl_pulse.mirror.copier import Copied, CopyProgress, copy_mirror, copy_to_file
from toggl_pulse.mirror.counts import read_counts
from toggl_pulse.mirror.entries import read_entries, read_finished, read_running, read_versions
from toggl_pulse.mirror.kept import revision_kept, write_kept
from toggl_pulse.mirror.points import Points
from toggl_pulse.mirror.records import (
    Account,
    EntryVersion,
    MirrorCounts,
    MonthCheck,
    Outcome,
    RunToTell,
    SetAsideRow,
    StoredEntry,
    SyncRun,
)
from toggl_pulse.mirror.schema import migrate
from toggl_pulse.mirror.sqlite import SqliteStore
from toggl_pulse.mirror.store import BUSY_SECONDS, Store, open_store, sqlite_path
from toggl_pulse.mirror.tags import TagBook
from toggl_pulse.model import JSON, Amount, Catalogue, EntryColumns, QuotaBucket, TimeEntry

__all__ = ["Mirror"]

FEW_CHANGES = 4096
"""As many changed entries are read row by row in a few milliseconds."""


class Mirror:
    """Made by `Mirror.open`; is an `EntrySource` for the metrics and a `QuotaStore` for the Toggl client."""

    exact = True

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._names: tuple[int, Catalogue] | None = None
        self.points = Points(store, self.catalogue)
        """What is known of the points that entries have in InfluxDB."""

    @classmethod
    def open(cls, url: str, *, clock: Callable[[], datetime], busy_seconds: float = BUSY_SECONDS) -> Self:
        """Open the mirror at `url`, making or migrating it as needed; `sqlite:///path` or `postgresql://…`.

        Before a migration a file is copied beside itself. Raises `NeedsUser` or `Unavailable` with a sentence for
        one that is newer than the program, out of reach, read-only, locked, damaged or no mirror at all.
        """
        store = open_store(url, busy_seconds=busy_seconds)
        try:
            migrate(store, now=clock())
        except BaseException:
            store.close()
            raise
        return cls(store, clock)

    def close(self) -> None:
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    # whose it is

    def account(self) -> Account | None:
        """Whose data these are; None while nobody has claimed the mirror."""
        with self._store.reading() as connection:
            return journal.read_account(connection)

    def claim(self, origin: str, user_id: int) -> None:
        """Make this the mirror of one account for ever, or see that it is; raises `NeedsUser` if it is another's."""
        with self._store.writing() as connection:
            counter.Counter(connection)  # its lock keeps two first claims apart
            holder = journal.read_account(connection)
            if holder is None:
                journal.write_account(connection, origin, user_id)
            elif (holder.origin, holder.user_id) != (origin, user_id):
                wanted = Account(origin, user_id)
                raise NeedsUser(
                    f"The mirror {self._store.name} holds {_described(holder)}, not {_described(wanted)}; "
                    "set DATABASE_URL or DATA_DIR to a place of its own.",
                    code="another_account",
                )

    # entries and names, as an EntrySource

    def revision(self) -> int:
        """The newest committed revision."""
        with self._store.reading() as connection:
            return counter.current(connection)

    def load(self) -> tuple[int, EntryColumns]:
        """All living entries, and the revision they stand at."""
        with self._store.reading() as connection:
            # First the revision: where a reader does not get one snapshot, the rows are then newer, never older.
            return counter.current(connection), read_columns(connection)

    def changes(self, since: int) -> tuple[int, EntryColumns]:
        """Entries changed after revision `since`, tombstones included, and the revision they stand at."""
        with self._store.reading() as connection:
            return counter.current(connection), read_changes(connection, since)

    def catalogue(self) -> Catalogue:
        """Every named thing as it stands now, deleted and archived ones too; the same object while none is written."""
        with self._store.reading() as connection:
            revision = names_revision(connection)
            known = self._names
            if known is None or known[0] != revision:
                self._names = known = revision, read_catalogue(connection)
            return known[1]

    def entries(self, ids: Iterable[int]) -> dict[int, StoredEntry]:
        """Entries by id, tombstones included."""
        with self._store.reading() as connection:
            return read_entries(connection, TagBook(connection), ids)

    def running(self) -> list[TimeEntry]:
        """Living entries that have not stopped."""
        with self._store.reading() as connection:
            return read_running(connection, TagBook(connection))

    def finished(self, workspace_id: int, start: datetime, end: datetime, *, user_id: int) -> list[TimeEntry]:
        """Living entries that have stopped, with start <= … < end."""
        with self._store.reading() as connection:
            return read_finished(connection, TagBook(connection), workspace_id, start, end, user_id=user_id)

    def versions(self, entry_id: int) -> list[EntryVersion]:
        """What an entry was before, oldest first; tags under the names they have now."""
        with self._store.reading() as connection:
            return read_versions(connection, TagBook(connection), entry_id)

    def amounts(self, ids: Iterable[int] | None = None) -> dict[int, Amount]:
        """Amounts by entry id: of these entries, or all."""
        with self._store.reading() as connection:
            return money.read_amounts(connection, ids)

    def tracked_seconds(self, workspace_id: int, start: datetime, end: datetime, *, user_id: int) -> int:
        """The sum of Toggl's own durations over living, finished entries with start <= … < end."""
        with self._store.reading() as connection:
            return journal.read_tracked_seconds(connection, workspace_id, start, end, user_id=user_id)

    # what the sync remembers

    def state(self, key: str) -> JSON | None:
        with self._store.reading() as connection:
            return journal.read_state(connection, key)

    def states(self, prefix: str = "") -> dict[str, JSON]:
        """Every remembered value whose key begins so."""
        with self._store.reading() as connection:
            return journal.read_states(connection, prefix)

    def months(self) -> list[MonthCheck]:
        with self._store.reading() as connection:
            return journal.read_months(connection)

    def runs(self, limit: int = 20) -> list[SyncRun]:
        """The newest runs, newest first."""
        with self._store.reading() as connection:
            return journal.read_runs(connection, limit)

    def last_run(self, outcome: Outcome) -> SyncRun | None:
        """The newest run that ended so."""
        with self._store.reading() as connection:
            return journal.read_last_run(connection, outcome)

    def runs_to_tell(self, after: int, limit: int) -> list[RunToTell]:
        """Finished runs after the run of that number, oldest first, up to the first that goes on."""
        with self._store.reading() as connection:
            return journal.read_runs_to_tell(connection, after, limit)

    def set_aside_rows(self, limit: int = 100) -> list[SetAsideRow]:
        """Rows that could not be read, the last seen first."""
        with self._store.reading() as connection:
            return journal.read_set_aside(connection, limit)

    def counts(self) -> MirrorCounts:
        with self._store.reading() as connection:
            return read_counts(connection)

    def load_quota(self) -> list[QuotaBucket]:
        with self._store.reading() as connection:
            return journal.read_buckets(connection)

    def save_quota(self, bucket: QuotaBucket) -> None:
        """Remember a bucket, in a transaction of its own: never inside a batch of the same thread."""
        with self._store.writing() as connection:
            counter.Counter(connection)  # its lock keeps two writers of one new bucket apart
            journal.write_bucket(connection, bucket)

    # writing, copying, locking

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """One transaction: commits when the block ends, and leaves nothing behind when it raises."""
        with self._store.writing() as connection:
            batch = Batch(connection, self._clock())
            yield batch
            batch.save()

    def keep_columns(self, few: int = FEW_CHANGES, *, room: Callable[[], None] = lambda: None) -> bool:
        """Keep what `load` gives as arrays in the database, if enough has changed; returns whether it was done.

        Costs what a load costs, so that it is for whoever has just written, not for whoever answers. `room` is called
        before, and raises when there are too many entries for the memory.
        """
        with self._store.reading() as connection:
            revision = counter.current(connection)
            kept, count = revision_kept(connection)
            if revision - kept < max(few, count // 20):
                return False
            room()
            columns = read_columns(connection)
        with self._store.writing() as connection:
            counter.Counter(connection)  # its lock keeps two writers apart
            if revision_kept(connection)[0] < revision:
                write_kept(connection, revision, columns)
        return True

    def backup(self, target: Path, *, progress: CopyProgress = lambda *_: None) -> Copied | None:
        """Copy the mirror to a SQLite file that does not exist yet, while it is being used; holds no writer up.

        A file is copied page by page; from a server rows are copied, and what was compared is returned.
        """
        if isinstance(self._store, SqliteStore):
            backup.copy(self._store, target)
            return None
        return copy_to_file(self._store, target, progress=progress)

    def copy_to(self, url: str, *, progress: CopyProgress = lambda *_: None) -> Copied:
        """Copy the mirror into another, empty database, row by row, while it is being used; all or nothing."""
        path = sqlite_path(url, name="The address given")
        if path is not None:
            return copy_to_file(self._store, path, progress=progress)
        target = open_store(url, name="The address given")
        try:
            return copy_mirror(self._store, target, progress=progress)
        finally:
            target.close()

    def lock(self) -> AbstractContextManager[None]:
        """Hold the right to sync, or raise `Busy` at once; a process that dies lets go of it."""
        return self._store.lock()


def _described(account: Account) -> str:
    if account.origin == "demo":
        return "demo data"
    return f"the Toggl account {account.email or account.user_id}"
