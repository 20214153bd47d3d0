"""The mirror in a PostgreSQL database: connections, snapshots, transactions.

The tables live in the first schema of the search path, so that several mirrors may share one database
(`?options=-csearch_path%3Dmine`). Knows nothing of what the tables mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Table, create_engine, event, func, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from toggl_pulse.errors import NeedsUser, PulseError, Unavailable
from toggl_pulse.mirror.advisory import PREPARING, Right, holding, key_of
from toggl_pulse.mirror.lock import Purpose
from toggl_pulse.mirror.postgresql_troubles import as_ours

__all__ = ["PostgresqlStore"]

CONNECT_SECONDS = 10
POOL, POOL_OVERFLOW, POOL_SECONDS = 5, 27, 15.0
# A client that has vanished without a word, its machine's power gone, is noticed within a minute, and so lets go of
# the lock and of what it was writing; the operating system's own two hours would keep everyone else waiting.
SESSION = (
    "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3; "
    "SET lock_timeout = {milliseconds}"
)
UNKNOWN = ("42P01", "42703")
KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


class PostgresqlStore:
    """A pool of connections; a reader has one snapshot, writers go one after the other by locking the counter."""

    kind: Literal["sqlite", "postgresql"] = "postgresql"
    own_place = "a database of its own, or a schema (?options=-csearch_path%3Dname)"

    def __init__(self, url: URL, *, busy_seconds: float) -> None:
        url = _with_plain_password(url)
        self.name = _described(url)
        self._secrets = tuple(str(value) for value in (url.password, url.query.get("sslpassword")) if value)
        self._session = SESSION.format(milliseconds=max(1, round(busy_seconds * 1000)))
        self._arguments: dict[str, Any] = {
            "connect_timeout": CONNECT_SECONDS,
            "fallback_application_name": "toggl-pulse",
            "client_encoding": "utf8",
            **KEEPALIVES,
            **url.query,
        }
        self._url = url.set(query={})
        self._engine = create_engine(
            self._url,
            connect_args=self._arguments,
            pool_size=POOL,
            max_overflow=POOL_OVERFLOW,
            pool_timeout=POOL_SECONDS,
            pool_pre_ping=True,  # a server that was started anew is not a failure
            use_native_hstore=False,
            hide_parameters=True,  # an error's text names no description of anybody's work
        )
        event.listen(self._engine, "connect", self._on_connect)
        self._readers = self._engine.execution_options(isolation_level="REPEATABLE READ")
        self._right = Right()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One snapshot for everything read inside; never waits for a writer."""
        with self._translated(), self._readers.connect() as connection, _read_only(connection), connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction: commits at exit, or rolls back. Who writes revisions locks the counter first.

        While this store holds the right to sync, everything it writes also proves that nobody has taken it over.
        """
        with self._translated(), self._engine.connect() as connection, connection.begin():
            held = self._right.prove(connection)
            yield connection
        self._right.confirm(held)

    @contextmanager
    def preparing(self) -> Iterator[Connection]:
        """A writing transaction for making or altering tables; others who prepare wait."""
        # a migration that misses a table is a bug, not a damaged mirror
        with self._translated(bugs=UNKNOWN), self._engine.connect() as connection, connection.begin():
            schema = connection.exec_driver_sql("SELECT current_schema()").scalar()
            if schema is None:
                raise NeedsUser(
                    f"The schema that DATABASE_URL chooses does not exist in {self.name}; make it with CREATE SCHEMA.",
                    code="not_a_mirror",
                )
            if (encoding := connection.exec_driver_sql("SHOW server_encoding").scalar()) != "UTF8":
                raise NeedsUser(
                    f"The database {self.name} keeps text as {encoding}, which cannot hold every name; "
                    "make one with ENCODING 'UTF8'.",
                    code="not_a_mirror",
                )
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s::bigint)", (key_of(PREPARING, schema),))
            yield connection

    @contextmanager
    def lock(self, purpose: Purpose = "sync") -> Iterator[None]:
        """Hold the right to sync, or to write to InfluxDB, or raise `Busy` at once.

        The server frees it when process or connection dies.
        """
        with self._translated():
            connection = self._connect()
        right = self._right.taken(connection, self._translated)
        with right if purpose == "sync" else holding(connection, purpose, self._translated):
            yield

    def fill(self, connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert rows of all the table's columns, many at once."""
        target = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(table.name), sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
        )
        driver: Any = connection.connection.driver_connection
        try:
            with driver.cursor() as cursor, cursor.copy(target) as copy:
                for row in rows:
                    copy.write_row(row)
        except psycopg.DataError as error:
            raise NeedsUser(
                f"The table {table.name} holds a value that {self.name} cannot keep; nothing was copied.",
                code="backup_damaged",
            ) from error

    @staticmethod
    def go_on_numbering(connection: Connection, tables: Iterable[Table]) -> None:
        """After `fill`: what the database numbers itself goes on above the numbers that are there."""
        for table in tables:
            column = table.autoincrement_column
            if column is not None:
                sequence = func.pg_get_serial_sequence(table.name, column.name)
                connection.execute(select(func.setval(sequence, func.max(column))).having(func.max(column) > 0))

    def close(self) -> None:
        self._engine.dispose()

    def _connect(self) -> psycopg.Connection[Any]:
        """A connection of its own, outside the pool."""
        (_, parameters) = self._engine.dialect.create_connect_args(self._url)
        connection = psycopg.connect(**{**parameters, **self._arguments}, autocommit=True)
        connection.execute(self._session)
        return connection

    def _on_connect(self, connection: Any, _record: object) -> None:
        connection.execute(self._session)
        connection.commit()

    def _translated(self, bugs: tuple[str, ...] = ()) -> AbstractContextManager[None]:
        return translated(self.name, self._secrets, bugs)


@contextmanager
def translated(name: str, secrets: tuple[str, ...], bugs: tuple[str, ...] = ()) -> Iterator[None]:
    """The server's and the driver's errors as ours; anything that is a bug, those codes too, passes through."""
    try:
        yield
    except PulseError:
        raise
    except DBAPIError as error:
        found = None if getattr(error.orig, "sqlstate", None) in bugs else as_ours(error.orig, name, secrets)
        if found is None:
            raise
        raise found from error
    except psycopg.Error as error:
        found = as_ours(error, name, secrets)
        if found is None:
            raise
        raise found from error
    except PoolTimeoutError as error:
        raise Unavailable("Too many readers of the mirror at once; try again.", code="mirror_busy") from error


@contextmanager
def _read_only(connection: Connection) -> Iterator[None]:
    """Not SQLAlchemy's option: it ends by making transactions writable, where the server's own word counts."""
    driver: Any = connection.connection.driver_connection
    driver.read_only = True
    try:
        yield
    finally:
        if not driver.closed:
            driver.read_only = None


def _with_plain_password(url: URL) -> URL:
    """A password among the parameters is put where passwords are known to be secret."""
    password = url.query.get("password")
    if isinstance(password, str):
        url = url.difference_update_query(["password"])
        return url if url.password else url.set(password=password)
    return url


def _described(url: URL) -> str:
    host = url.host or url.query.get("host") or "this machine"
    return f"{url.database} on {host}" + (f":{url.port}" if url.port else "")
