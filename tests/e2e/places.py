"""Where a mirror that is killed over and over may live: a SQLite file, or a database on a PostgreSQL server."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Protocol

from e2e.moments import writes_sqlite
from e2e.warm import Child
from postgresql import Server


class Place(Protocol):
    """One kind of database, and what can be seen of it from outside."""

    patience: str
    """Seconds that the next sync may wait for the lock of one that was killed."""

    def fresh(self, home: Path) -> str:
        """The URL of an empty mirror for this home."""

    def writes(self, child: Child) -> bool:
        """Whether a stopped process has a writing transaction open."""

    def cut_the_power(self) -> None:
        """Leave only what a disk would hold after the kill."""

    def damages(self) -> list[str]:
        """What the database itself finds wrong."""


class SqliteFile:
    """The lock of a file is free the moment its holder is dead."""

    patience = "0"

    def __init__(self) -> None:
        self._path = Path()

    def fresh(self, home: Path) -> str:
        return self.at(home / "data" / "mirror.db")

    def at(self, path: Path) -> str:
        self._path = path
        return f"sqlite:///{path}"

    def writes(self, child: Child) -> bool:
        return writes_sqlite(self._path)(child)

    def cut_the_power(self) -> None:
        """The memory that programs shared is gone, the database and its log stay."""
        for end in ("-shm", ".lock"):
            self._path.with_name(f"{self._path.name}{end}").unlink(missing_ok=True)

    def damages(self) -> list[str]:
        with closing(sqlite3.connect(self._path)) as connection:
            told = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            told += [str(row) for row in connection.execute("PRAGMA foreign_key_check")]
        return [line for line in told if line != "ok"]


class PostgresqlDatabase:
    """The server notices a client's death when it next looks at the connection, and then lets go of its lock."""

    patience = "5"

    def __init__(self, server: Server) -> None:
        self._server = server
        self._url: str | None = None

    def fresh(self, home: Path) -> str:
        del home
        if self._url is not None:
            self._server.drop(self._url)
        self._url = self._server.fresh()
        return self._url

    def writes(self, child: Child) -> bool:
        del child
        return bool(
            self._server.run(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL",
                url=self._url,
            )
        )

    def cut_the_power(self) -> None:
        """The server's own matter."""

    def damages(self) -> list[str]:
        return []
