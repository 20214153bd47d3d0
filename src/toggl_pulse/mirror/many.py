"""One statement for many rows: their values, or the ids that they are read by, handed to the driver as they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import ARRAY, BigInteger, Connection, Insert, Select, Table, Update, any_, bindparam, func, select
from sqlalchemy.engine import Dialect

__all__ = ["read_many", "write_many"]


def read_many(connection: Connection, table: Table, ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Rows by id; ids that the table does not hold are left out.

    All ids are one parameter: with one for each, SQLAlchemy takes longer to write the statement than SQLite to run it.
    """
    if not ids:
        return {}
    dialect = connection.dialect.name
    asked = list(ids) if dialect == "postgresql" else orjson.dumps(list(ids)).decode()
    names = [column.name for column in table.columns]
    place = names.index("id")
    rows = connection.execute(_by_ids(table, dialect), {"ids": asked})
    return {row[place]: dict(zip(names, row, strict=True)) for row in rows}


@cache
def _by_ids(table: Table, dialect: str) -> Select[Any]:
    if dialect == "postgresql":
        return select(table).where(table.c.id == any_(bindparam("ids", type_=ARRAY(BigInteger))))
    return select(table).where(table.c.id.in_(select(func.json_each(bindparam("ids")).table_valued("value").c.value)))


def write_many(connection: Connection, statement: Insert | Update, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run the statement once a row. All rows have the same names; values are int, str, bool or None.

    SQLAlchemy writes the statement, and is spared going through each value: that took a third of writing a page.
    """
    written, order = _compiled(statement, connection.dialect, tuple(rows[0]))
    values = [dict(row) for row in rows] if order is None else list(map(itemgetter(*order), rows))
    connection.exec_driver_sql(written, values)


@lru_cache(maxsize=32)
def _compiled(statement: Insert | Update, dialect: Dialect, names: tuple[str, ...]) -> tuple[str, list[str] | None]:
    """Making it takes as long as writing a hundred rows; statements are few, and an engine has one dialect."""
    compiled = statement.compile(dialect=dialect, column_keys=list(names))
    return str(compiled), compiled.positiontup
