"""Money that only Reports know of an entry, beside the entry: it makes no version and no revision."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from toggl_pulse.mirror import tables
from toggl_pulse.mirror.many import write_many
from toggl_pulse.mirror.values import pieces, storable
from toggl_pulse.model import Amount

__all__ = ["read_amounts", "write_amounts"]

SAID = ("billable_cents", "hourly_rate_cents", "currency")


def _upsert(insert: sqlite.Insert | postgresql.Insert) -> sqlite.Insert | postgresql.Insert:
    new, old = insert.excluded, tables.amounts.c
    different = or_(*(old[name].is_distinct_from(new[name]) for name in SAID))
    return insert.on_conflict_do_update(
        index_elements=["entry_id"], set_={name: new[name] for name in SAID}, where=different
    )


UPSERTS = {
    "sqlite": _upsert(sqlite.insert(tables.amounts)),
    "postgresql": _upsert(postgresql.insert(tables.amounts)),
}


def read_amounts(connection: Connection, ids: Iterable[int] | None) -> dict[int, Amount]:
    """Amounts by entry id; all of them when no ids are given."""
    table = tables.amounts
    statements = [select(table)] if ids is None else [select(table).where(table.c.entry_id.in_(p)) for p in pieces(ids)]
    return {row.entry_id: Amount(*row) for statement in statements for row in connection.execute(statement)}


def write_amounts(connection: Connection, amounts: Iterable[Amount]) -> None:
    """Of two amounts of one entry the last counts; what says nothing new is not written."""
    newest = {amount.entry_id: _row(amount) for amount in amounts}
    if newest:
        write_many(connection, UPSERTS[connection.dialect.name], list(newest.values()))


def _row(amount: Amount) -> dict[str, Any]:
    return {
        "entry_id": amount.entry_id,
        "billable_cents": amount.billable_cents,
        "hourly_rate_cents": amount.hourly_rate_cents,
        "currency": None if amount.currency is None else storable(amount.currency),
    }
