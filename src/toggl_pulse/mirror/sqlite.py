"""The mirror in a SQLite file: connections, transactions, the lock, and its troubles as sentences.

Knows nothing of what the tables mean.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Table, create_engine, event, insert
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from toggl_pulse.errors import NeedsUser, PulseError, Unavailable
from toggl_pulse.mirror.lock import Purpose, file_lock

__all__ = ["SqliteStore", "translated"]

WAL_LIMIT_BYTES = 64 * 1024 * 1024
"""The write-ahead log is cut back to this after a checkpoint, so that one large first sync does not keep the space."""

SHARED_MEMORY_BYTES = 64 * 1024
"""SQLite makes its `-shm` file in steps of 32 KiB."""

# synchronous=FULL: a commit has reached the disk when it returns. A killed process loses nothing with NORMAL
# either, and after a power cut NORMAL would lose the last rows *and* the cursor that covers them, which a sync
# repairs. But a point recorded here as "about to be sent" to InfluxDB must outlive a power cut, and we commit a
# few times a minute, so the flush costs nothing that anyone could notice.
PRAGMAS = (
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA journal_size_limit={WAL_LIMIT_BYTES}",
)


class SqliteStore:
    """A pool of connections to one SQLite file in WAL mode: one writer at a time, readers never wait."""

    kind: Literal["sqlite", "postgresql"] = "sqlite"
    own_place = "a file of its own"

    def __init__(self, path: Path, *, busy_seconds: float) -> None:
        self.path = path
        self.name = str(path)
        self._prepare_file()
        self._opened = _identity(path)
        self._engine = create_engine(
            URL.create("sqlite", database=str(self.path)),
            # The driver must not open transactions by itself: readers need BEGIN too, for one snapshot.
            connect_args={"isolation_level": None, "timeout": busy_seconds, "check_same_thread": False},
            pool_size=5,
            max_overflow=64,
            hide_parameters=True,  # an error's text names no description of anybody's work
        )
        event.listen(self._engine, "do_connect", self._on_do_connect)
        event.listen(self._engine, "connect", _on_connect)
        event.listen(self._engine, "begin", _on_begin)

    def _prepare_file(self) -> None:
        directory = self.path.parent
        try:
            # hours are private: other people on the machine see neither the file nor its copies
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise NeedsUser(
                f"The mirror's directory {directory} cannot be made: {_reason(error)}.", code="mirror_unwritable"
            ) from error
        if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
            raise NeedsUser(
                f"The mirror's directory {directory} is read-only; make it writable or set DATABASE_URL.",
                code="mirror_unwritable",
            )
        if self.path.is_dir():
            raise NeedsUser(f"The mirror {self.path} is a directory, not a file.", code="not_a_mirror")
        try:
            # A working life in one file: nobody else on the machine reads it, and its log inherits the mode.
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            # Not opened to look: closing it again would drop the locks that this process holds on it elsewhere.
            if not os.access(self.path, os.R_OK | os.W_OK):
                raise _read_only(self.path) from None
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise _disk_full(self.path) from error
            raise _read_only(self.path) from error

    def _see_that_it_stands(self) -> None:
        """Refuse to go on when the name has come to mean another file, or none: what is written would be lost.

        Connections that are open go on reading what they had.
        """
        if _identity(self.path) != self._opened:
            raise NeedsUser(
                f"The mirror {self.path} was moved, removed or replaced while in use; start Toggl Pulse anew.",
                code="mirror_gone",
            )

    def _on_do_connect(self, *_: object) -> None:
        self._see_that_it_stands()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One snapshot for everything read inside; never waits for a writer."""
        with translated(self.path), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that holds the write lock from its first moment; commits at exit, or rolls back."""
        self._see_that_it_stands()
        with (
            translated(self.path),
            self._engine.connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def preparing(self) -> Iterator[Connection]:
        """A writing transaction for making or altering tables; others who prepare wait."""
        self._use_wal()
        with self.writing() as connection:
            yield connection

    def lock(self, purpose: Purpose = "sync") -> AbstractContextManager[None]:
        """Hold the right to sync, or to write to InfluxDB, or raise `Busy` at once."""
        name = "lock" if purpose == "sync" else f"{purpose}.lock"
        return file_lock(self.path.with_name(f"{self.path.name}.{name}"), purpose)

    @staticmethod
    def fill(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows of all the table's columns, many at once."""
        # values as the driver takes them: SQLAlchemy would go through each
        connection.exec_driver_sql(str(insert(table).compile(dialect=connection.dialect)), list(rows))

    def go_on_numbering(self, connection: Connection, tables: Iterable[Table]) -> None:
        """SQLite numbers from the greatest number that is there."""

    def driver_connection(self) -> sqlite3.Connection:
        """A connection of its own, for the backup; the caller closes it."""
        self._see_that_it_stands()
        connection = sqlite3.connect(self.path, isolation_level=None)
        connection.execute("PRAGMA query_only=ON")
        return connection

    def _use_wal(self) -> None:
        """Turn on the write-ahead log; the file remembers it."""
        with translated(self.path), self._engine.connect() as connection:
            driver = connection.connection.driver_connection
            if driver is not None and driver.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                driver.execute("PRAGMA journal_mode=WAL")

    def close(self) -> None:
        self._engine.dispose()


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
    for pragma in PRAGMAS:
        connection.execute(pragma)


def _on_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    driver: Any = connection.connection.driver_connection  # past a cursor of SQLAlchemy's, which costs as much again
    driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's and the system's errors as ours; anything that is a bug passes through."""
    try:
        yield
    except PulseError:
        raise
    except DBAPIError as error:
        raise _as_ours(error.orig, path) or error from error
    except sqlite3.Error as error:
        raise _as_ours(error, path) or error from error
    except PoolTimeoutError as error:
        raise Unavailable("Too many readers of the mirror at once; try again.", code="mirror_busy") from error


def _as_ours(error: Any, path: Path) -> PulseError | None:
    name = getattr(error, "sqlite_errorname", "") or ""
    for prefix, make in _SENTENCES:
        if name.startswith(prefix):
            return make(path)
    return None


def _locked(path: Path) -> PulseError:
    return Unavailable(f"The mirror {path} is locked by another program; nothing was changed.", code="mirror_locked")


def _disk_full(path: Path) -> PulseError:
    return NeedsUser(
        f"The disk that holds the mirror {path} is full; free some space, nothing was lost.", code="disk_full"
    )


def _read_only(path: Path) -> PulseError:
    return NeedsUser(f"The mirror {path} is read-only; make it writable or set DATABASE_URL.", code="mirror_unwritable")


def _closed(path: Path) -> PulseError:
    return NeedsUser(
        f"The mirror {path} cannot be opened; check the directory, its rights and the free space.",
        code="mirror_unwritable",
    )


def _foreign(path: Path) -> PulseError:
    return NeedsUser(f"The file {path} is not a mirror; move it away or set DATABASE_URL.", code="not_a_mirror")


def _damaged(path: Path) -> PulseError:
    return NeedsUser(
        f"The mirror {path} is damaged; restore a backup, or move it away and sync anew.", code="mirror_damaged"
    )


def _unreadable(path: Path) -> PulseError:
    # SQLite calls it an input/output error when the disk has no room for its shared-memory file.
    with suppress(OSError):
        if shutil.disk_usage(path.parent).free < SHARED_MEMORY_BYTES:
            return _disk_full(path)
    return Unavailable(
        f"The disk that holds the mirror {path} does not read or write; nothing was changed.", code="disk_error"
    )


# By the beginning of SQLite's own name for the error, https://sqlite.org/rescode.html
_SENTENCES = (
    ("SQLITE_BUSY", _locked),
    ("SQLITE_LOCKED", _locked),
    ("SQLITE_PROTOCOL", _locked),
    ("SQLITE_FULL", _disk_full),
    ("SQLITE_READONLY", _read_only),
    ("SQLITE_CANTOPEN", _closed),
    ("SQLITE_NOTADB", _foreign),
    ("SQLITE_CORRUPT", _damaged),
    ("SQLITE_IOERR", _unreadable),
)


def _reason(error: OSError) -> str:
    return (error.strerror or "unknown reason").lower()
