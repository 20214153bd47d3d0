"""The one counter that every committed change takes its number from."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from toggl_pulse.mirror import tables

__all__ = ["Counter", "current"]


CURRENT = str(select(tables.revision.c.value))
"""As text: it is asked before every answer, and making it out anew costs more than asking."""


def current(connection: Connection) -> int:
    """The newest committed revision."""
    return int(connection.exec_driver_sql(CURRENT).scalar_one())


class Counter:
    """Revisions for one writing transaction.

    The row is locked from the start: whoever writes next waits until this transaction has ended, so that a reader
    who has seen revision n has seen everything below it.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._saved = int(connection.execute(select(tables.revision.c.value).with_for_update()).scalar_one())
        self._last = self._saved

    def take(self, count: int) -> range:
        """The next `count` revisions."""
        first = self._last + 1
        self._last += count
        return range(first, first + count)

    def save(self) -> None:
        """Write the counter back; the last statement before the commit."""
        if self._last != self._saved:
            self._connection.execute(update(tables.revision).values(value=self._last))
            self._saved = self._last
