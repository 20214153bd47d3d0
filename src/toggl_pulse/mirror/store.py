"""Where a mirror's tables live: what every database behind it can do, and which one an address names.

Knows nothing of what the tables mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, Protocol

from sqlalchemy import Connection, Table
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from toggl_pulse.errors import NeedsUser
from toggl_pulse.mirror.lock import Purpose
from toggl_pulse.mirror.sqlite import SqliteStore

__all__ = ["BUSY_SECONDS", "Store", "open_store", "sqlite_path"]

BUSY_SECONDS = 15.0
"""How long a writer waits for another one; a batch takes a fraction of a second."""

EXAMPLES = "write sqlite:///path/to/mirror.db or postgresql://user@host/database"


class Store(Protocol):
    """Connections to one mirror; whatever goes wrong on the way is one of our errors with one sentence."""

    kind: Literal["sqlite", "postgresql"]
    name: str
    """What sentences call it: the file's path, or the database and its server. Holds no password."""
    own_place: str
    """What somebody needs for whom this one is taken."""

    def reading(self) -> AbstractContextManager[Connection]:
        """One snapshot for everything read inside; never waits for a writer."""

    def writing(self) -> AbstractContextManager[Connection]:
        """One transaction: commits at exit, or rolls back. Who writes revisions locks the counter first."""

    def preparing(self) -> AbstractContextManager[Connection]:
        """A writing transaction for making or altering tables; others who prepare wait."""

    def lock(self, purpose: Purpose = "sync") -> AbstractContextManager[None]:
        """Hold the right to sync, or to write to InfluxDB, or raise `Busy` at once."""

    def fill(self, connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows of all the table's columns, many at once."""

    def go_on_numbering(self, connection: Connection, tables: Iterable[Table]) -> None:
        """After `fill`: what the database numbers itself goes on above the numbers that are there."""

    def close(self) -> None: ...


def open_store(url: str, *, busy_seconds: float = BUSY_SECONDS, name: str = "DATABASE_URL") -> Store:
    """The store at an address; makes the file and its directory where that is SQLite's. `name` is the address's."""
    parsed = _parsed(url, name)
    if parsed.get_backend_name() == "sqlite":
        return SqliteStore(_path(parsed, name), busy_seconds=busy_seconds)
    # the driver takes a while to import, and most mirrors are files
    from toggl_pulse.mirror.postgresql import PostgresqlStore

    return PostgresqlStore(parsed, busy_seconds=busy_seconds)


def sqlite_path(url: str, *, name: str = "DATABASE_URL") -> Path | None:
    """The file that an address names; None if it is a server's."""
    parsed = _parsed(url, name)
    return _path(parsed, name) if parsed.get_backend_name() == "sqlite" else None


def _parsed(url: str, name: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # not `from`: no part of an address may get into a log, for it may hold a password
        raise NeedsUser(f"{name} is not an address; {EXAMPLES}.", code="bad_url") from None
    if parsed.drivername in {"postgresql+psycopg", "postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
        if not parsed.database:
            raise NeedsUser(f"{name} must name a database, as in postgresql://user@host/database.", code="bad_url")
    elif parsed.drivername != "sqlite":
        raise NeedsUser(
            f"{name} names {parsed.drivername}, but a mirror is kept in SQLite or PostgreSQL; {EXAMPLES}.",
            code="bad_url",
        )
    return parsed


def _path(parsed: URL, name: str) -> Path:
    if not parsed.database or parsed.database == ":memory:" or parsed.query:
        raise NeedsUser(f"{name} must name a file, as in sqlite:///path/to/mirror.db.", code="bad_url")
    return Path(parsed.database)
