"""One statement for many rows, their values handed to the driver as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Insert, Update

__all__ = ["write_many"]


def write_many(connection: Connection, statement: Insert | Update, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run the statement once a row. All rows have the same names; values are int, str, bool or None.

    SQLAlchemy writes the statement, and is spared going through each value: that took a third of writing a page.
    """
    names = list(rows[0])
    compiled = statement.compile(dialect=connection.dialect, column_keys=names)
    order = compiled.positiontup
    values = [dict(row) for row in rows] if order is None else list(map(itemgetter(*order), rows))
    connection.exec_driver_sql(str(compiled), values)
