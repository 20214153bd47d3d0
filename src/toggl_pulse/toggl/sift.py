"""Reads lists row by row: what can be read is kept, the rest is set aside with its reason; never the whole batch."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson

from toggl_pulse.model import JSON, SetAside
from toggl_pulse.toggl.fields import Broken

__all__ = ["RAW_LIMIT", "Sieve", "rows_of", "scrub"]

T = TypeVar("T")

RAW_LIMIT = 4000
"""Characters kept of a row that was set aside."""

SECRET_KEY = re.compile(r"token|secret|password|^ical|session|cookie|authorization", re.IGNORECASE)
"""Toggl echoes tokens in `/me` and in workspaces; the calendar address (`ical_url`) is one as well."""


def rows_of(data: JSON) -> list[Any] | None:
    """A list's rows, or None when it is no list; Toggl writes null for an empty one and wraps some in an object."""
    if isinstance(data, dict) and "data" in data:
        data = data["data"]
    if data is None:
        return []
    return data if isinstance(data, list) else None


class Sieve:
    """Collects what had to be set aside while the lists of one answer are read."""

    def __init__(self, hide: Callable[[str], str]) -> None:
        self._hide = hide
        self.set_aside: list[SetAside] = []

    def rows(self, kind: str, rows: list[Any], read: Callable[[Mapping[str, Any]], T]) -> list[T]:
        """What `read` makes of each row; those it calls broken go to `set_aside`."""
        kept: list[T] = []
        for row in rows:
            try:
                if type(row) is not dict:
                    raise Broken("the row is not an object")  # noqa: TRY301 - one way out for every broken row
                kept.append(read(row))
            except Broken as broken:
                self.put(kind, row, str(broken))
        return kept

    def put(self, kind: str, row: JSON, reason: str) -> None:
        """Set one row aside, its secrets removed."""
        row_id = row.get("id") if type(row) is dict else None
        self.set_aside.append(
            SetAside(
                kind=kind,
                row_id=row_id if type(row_id) is int else None,
                reason=reason,
                raw=self._hide(_as_text(scrub(row)))[:RAW_LIMIT],
            )
        )


def scrub(value: JSON) -> JSON:
    """A copy without the values of keys that sound like secrets."""
    if isinstance(value, dict):
        return {key: "[hidden]" if SECRET_KEY.search(str(key)) else scrub(item) for key, item in value.items()}
    if isinstance(value, list):
        return [scrub(item) for item in value]
    return value


def _as_text(row: JSON) -> str:
    try:
        return orjson.dumps(row).decode()
    except TypeError:  # a number beyond 64 bits, from a row that only the standard parser could read
        return repr(row)
