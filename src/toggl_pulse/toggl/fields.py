"""Single values of Toggl's JSON, read tolerantly: nulls, absent aliases, and several styles of time.

A value that cannot be meant raises `Broken` with a reason that names the field and never its content.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

__all__ = [
    "MAX_ID",
    "Broken",
    "cents",
    "clean",
    "flag",
    "identity",
    "maybe_identity",
    "maybe_text",
    "moment",
    "number",
    "text",
    "whole",
]

MAX_ID = 2**63 - 1
FIRST_YEAR, LAST_YEAR = 1971, 2200
"""Outside of these a time is a mistake, and a stop could be taken for the mark of a running entry."""

Row = Mapping[str, Any]


class Broken(ValueError):
    """A row cannot be read; the text is the reason, without the person's data."""


def identity(row: Row, name: str, alias: str = "") -> int:
    """A positive 64-bit id; `alias` is the deprecated short name of the same field."""
    value = row.get(name)
    if type(value) is int and 0 < value <= MAX_ID:  # nearly always
        return value
    value = maybe_identity(row, name, alias)
    if value is None:
        raise Broken(f"{name} is missing")
    return value


def maybe_identity(row: Row, name: str, alias: str = "") -> int | None:
    """An id, or None where Toggl has null, nothing at all, or 0."""
    value = row.get(name)
    if value is None and alias:
        value = row.get(alias)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= MAX_ID:
        raise Broken(f"{name} is not an id")
    return value or None


def whole(row: Row, name: str, default: int | None = None) -> int:
    """A whole number; floats without a fraction pass, for some servers write 60.0."""
    value = row.get(name)
    if value is None:
        if default is None:
            raise Broken(f"{name} is missing")
        return default
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int or abs(value) > MAX_ID:
        raise Broken(f"{name} is not a whole number")
    return value


def number(row: Row, name: str) -> float | None:
    value = row.get(name)
    if value is None:
        return None
    if type(value) not in {int, float} or not math.isfinite(value):
        raise Broken(f"{name} is not a number")
    return float(value)


def cents(row: Row, name: str) -> int | None:
    """Cents of an amount that Toggl writes in whole units of its currency."""
    value = number(row, name)
    if value is None:
        return None
    if abs(value) > 1e15:  # noqa: PLR2004 - beyond this a float no longer counts cents
        raise Broken(f"{name} is not an amount")
    return round(value * 100)


def text(row: Row, name: str, default: str | None = None) -> str:
    """Text without NUL characters, which not every database can keep."""
    value = row.get(name)
    if value is None:
        if default is None:
            raise Broken(f"{name} is missing")
        return default
    return clean(value, name)


def maybe_text(row: Row, name: str) -> str | None:
    value = row.get(name)
    return None if value is None else clean(value, name)


def clean(value: object, name: str) -> str:
    if type(value) is not str:
        raise Broken(f"{name} is not text")
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in value else value


def flag(row: Row, name: str, *, default: bool = False) -> bool:
    value = row.get(name)
    if value is None:
        return default
    if type(value) is not bool:
        raise Broken(f"{name} is neither true nor false")
    return value


def moment(value: object, name: str) -> datetime:
    """An aware UTC time from RFC 3339 with any offset and any number of fraction digits."""
    if type(value) is not str:
        raise Broken(f"{name} is missing" if value is None else f"{name} is not a time")
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        parsed = _leap_second(value, name)
    if parsed.tzinfo is None:
        raise Broken(f"{name} has no UTC offset")
    if not FIRST_YEAR <= parsed.year <= LAST_YEAR:
        raise Broken(f"{name} is out of range")
    return parsed if parsed.tzinfo is UTC else parsed.astimezone(UTC)


def _leap_second(value: str, name: str) -> datetime:
    """RFC 3339 allows second 60; it is read as 59, as clocks that smear do."""
    try:
        return datetime.fromisoformat(value.replace(":60", ":59", 1))
    except ValueError:
        raise Broken(f"{name} is not a time") from None
