"""The right to sync on PostgreSQL: an advisory lock on a connection of its own, and the proof that it is still held.

The server frees the lock when its connection ends, and the process may not know. So whoever holds it also signs the
tables at its first write, and each further write first looks whether the signature is still its own: of two runs that
both believe to hold the lock only the later one can write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson
import psycopg
from sqlalchemy import Connection, insert, select, update

from toggl_pulse.errors import Busy
from toggl_pulse.mirror import tables
from toggl_pulse.mirror.lock import BUSY, Purpose

__all__ = ["PREPARING", "Right", "holding", "key_of"]

PREPARING = "schema"
SIGNATURE = "lock"
"""Where the signature stands among the remembered values."""

TABLE = tables.states
READ = select(TABLE.c.value).where(TABLE.c.key == SIGNATURE)
COUNTER = select(tables.revision.c.value).with_for_update()
TAKE = "SELECT pg_try_advisory_lock(%s::bigint), pg_backend_pid() || ' since ' || backend_start FROM pg_stat_activity"

Translated = Callable[[], AbstractContextManager[None]]


def key_of(purpose: str, schema: str) -> int:
    """The lock's number: 8 bytes of BLAKE2b over `toggl-pulse`, the purpose and the schema's name, 0x1f between.

    Such locks belong to one database anyway; the schema keeps two mirrors in one database apart.
    """
    raw = blake2b(f"toggl-pulse\x1f{purpose}\x1f{schema}".encode(), digest_size=8).digest()
    return int.from_bytes(raw, "big", signed=True)


@dataclass(slots=True)
class Held:
    """One holding of the lock."""

    connection: psycopg.Connection[Any]
    signature: str
    signed: bool = False


@contextmanager
def holding(connection: psycopg.Connection[Any], purpose: Purpose, translated: Translated) -> Iterator[str]:
    """Hold a lock on this connection, which is closed at the end; gives what this connection is known by."""
    try:
        with translated():
            schema = connection.execute("SELECT current_schema()").fetchone()
            key = key_of(purpose, schema[0] if schema and schema[0] else "")
            row = connection.execute(f"{TAKE} WHERE pid = pg_backend_pid()", (key,)).fetchone()
        if row is None or not row[0]:
            message, code = BUSY[purpose]
            raise Busy(message, code=code)
        yield row[1]
    finally:
        # A closed connection frees the lock in the server's own time, and the next run may be waiting for it now.
        with suppress(psycopg.Error):
            connection.execute("SELECT pg_advisory_unlock_all()")
        connection.close()


class Right:
    """Whether this process may sync; safe in any thread."""

    def __init__(self) -> None:
        self._held: Held | None = None

    @contextmanager
    def taken(self, connection: psycopg.Connection[Any], translated: Translated) -> Iterator[None]:
        """Hold the lock on this connection, which is closed at the end; raises `Busy` at once if another one does."""
        with holding(connection, "sync", translated) as signature:
            self._held = Held(connection, signature)
            try:
                yield
            finally:
                self._held = None

    def prove(self, connection: Connection) -> Held | None:
        """First in a writing transaction: see that nobody else has begun to sync since we did; raises `Busy`.

        Returns what `confirm` wants once the transaction is committed.
        """
        held = self._held
        if held is None:
            return None
        # The counter's row first: whoever else signs waits for our end, or we for theirs.
        connection.execute(COUNTER)
        value = connection.execute(READ).scalar()
        if value is not None and orjson.loads(value) == held.signature:
            return held
        if held.signed or not _lives(held.connection):
            raise Busy("The connection that held the mirror's lock is lost; this run ends.", code="lock_lost")
        signature = orjson.dumps(held.signature).decode()
        if value is None:
            connection.execute(insert(TABLE).values(key=SIGNATURE, value=signature))
        else:
            connection.execute(update(TABLE).where(TABLE.c.key == SIGNATURE).values(value=signature))
        return held

    @staticmethod
    def confirm(held: Held | None) -> None:
        """The signature is committed: from now on another one in its place means that another run has begun."""
        if held is not None:
            held.signed = True


def _lives(connection: psycopg.Connection[Any]) -> bool:
    try:
        connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True
