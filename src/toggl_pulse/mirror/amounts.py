"""Money that only Reports know of an entry, beside the entry: it makes no version and no revision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, insert, select, update

from toggl_pulse.mirror import tables
from toggl_pulse.mirror.many import write_many
from toggl_pulse.mirror.values import pieces, storable_values
from toggl_pulse.model import Amount

__all__ = ["read_amounts", "write_amounts"]

VALUES: dict[str, BindParameter[Any]] = {
    name: bindparam(name) for name in ("billable_cents", "hourly_rate_cents", "currency")
}
INSERT = insert(tables.amounts).values({"entry_id": bindparam("key"), **VALUES})
UPDATE = update(tables.amounts).where(tables.amounts.c.entry_id == bindparam("key")).values(VALUES)


def read_amounts(connection: Connection, ids: Iterable[int] | None) -> dict[int, Amount]:
    """Amounts by entry id; all of them when no ids are given."""
    table = tables.amounts
    statements = [select(table)] if ids is None else [select(table).where(table.c.entry_id.in_(p)) for p in pieces(ids)]
    return {row.entry_id: Amount(*row) for statement in statements for row in connection.execute(statement)}


def write_amounts(connection: Connection, amounts: Iterable[Amount]) -> None:
    newest = {amount.entry_id: _storable(amount) for amount in amounts}
    standing = read_amounts(connection, newest)
    new, changed = [], []
    for entry_id, amount in newest.items():
        row = {
            "key": entry_id,
            "billable_cents": amount.billable_cents,
            "hourly_rate_cents": amount.hourly_rate_cents,
            "currency": amount.currency,
        }
        if entry_id not in standing:
            new.append(row)
        elif standing[entry_id] != amount:
            changed.append(row)
    if new:
        write_many(connection, INSERT, new)
    if changed:
        write_many(connection, UPDATE, changed)


def _storable(amount: Amount) -> Amount:
    made = storable_values({"currency": amount.currency})
    return replace(amount, **made) if made else amount
