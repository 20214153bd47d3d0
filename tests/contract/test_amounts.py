"""Amounts beside their entries: what is said anew is written, null as well as a value, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from mirror.rows import FIRST_ID
from toggl_pulse.mirror import Mirror
from toggl_pulse.model import Amount

FULL = Amount(FIRST_ID, 12_345, 9_000, "EUR")
NULL = Amount(FIRST_ID, None, None, None)
NOTHING: Any = None
OTHER: dict[str, Any] = {"billable_cents": 12_346, "hourly_rate_cents": 0, "currency": "USD"}

ROWS_WRITTEN = {
    "sqlite": "SELECT total_changes()",
    "postgresql": "SELECT count(*) FROM amounts WHERE xmin = pg_current_xact_id()::xid",
}
"""How many rows this connection, or this transaction, has written so far."""


def put(mirror: Mirror, amounts: Iterable[Amount]) -> int:
    """Write amounts in one batch; returns how many rows the database wrote for it."""
    with mirror.batch() as batch:
        asked = text(ROWS_WRITTEN[mirror._store.kind])
        before = int(batch._connection.execute(asked).scalar_one())
        batch.write_entries([], amounts=amounts)
        return int(batch._connection.execute(asked).scalar_one()) - before


@pytest.mark.parametrize("field", OTHER)
@pytest.mark.parametrize("change", ["null becomes a value", "a value becomes null", "a value becomes another"])
def test_a_field_that_says_something_new_is_written(mirror: Mirror, field: str, change: str) -> None:
    without, other = (replace(FULL, **values) for values in ({field: NOTHING}, {field: OTHER[field]}))
    old, new = {
        "null becomes a value": (without, FULL),
        "a value becomes null": (FULL, without),
        "a value becomes another": (FULL, other),
    }[change]

    assert [1, 1] == [put(mirror, [old]), put(mirror, [new])]
    assert {FIRST_ID: new} == mirror.amounts()


@pytest.mark.parametrize(
    ("old", "new"), [(NULL, FULL), (FULL, NULL), (NULL, replace(NULL, billable_cents=0))], ids=["all", "none", "0"]
)
def test_null_is_neither_0_nor_what_was_known(mirror: Mirror, old: Amount, new: Amount) -> None:
    assert [1, 1] == [put(mirror, [old]), put(mirror, [new])]
    assert {FIRST_ID: new} == mirror.amounts()


@pytest.mark.parametrize("amount", [FULL, NULL, replace(FULL, currency=None)], ids=["full", "null", "mixed"])
def test_what_says_nothing_new_is_not_written(mirror: Mirror, amount: Amount) -> None:
    assert [1, 0, 0] == [put(mirror, [amount]), put(mirror, [amount]), put(mirror, [amount, amount])]
    assert {FIRST_ID: amount} == mirror.amounts()


def test_of_many_only_those_that_say_something_new_are_written(mirror: Mirror) -> None:
    many = [replace(FULL, entry_id=FIRST_ID + number) for number in range(5)]
    assert 5 == put(mirror, many)
    many[2], many[3] = replace(many[2], billable_cents=None), replace(many[3], currency="USD")

    assert [2, 0] == [put(mirror, many), put(mirror, many)]
    assert {amount.entry_id: amount for amount in many} == mirror.amounts()


def test_of_two_amounts_of_one_entry_the_last_counts(mirror: Mirror) -> None:
    neighbour = replace(FULL, entry_id=FIRST_ID + 1)
    assert 2 == put(mirror, [FULL, neighbour, NULL])
    assert {FIRST_ID: NULL, FIRST_ID + 1: neighbour} == mirror.amounts()

    # what stands there already may be the last, too
    assert [0, 1] == [put(mirror, [FULL, NULL]), put(mirror, [NULL, FULL])]
    assert FULL == mirror.amounts()[FIRST_ID]
