"""Values on their way into the tables and back: times as integers, keys in pieces that every database takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TypeVar, overload

__all__ = ["digest", "from_micros", "micros", "pieces"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
Key = TypeVar("Key", int, str)
PIECE = 500
"""Keys in one `IN (…)`; older SQLite takes 999 variables in a statement."""


@overload
def micros(moment: datetime) -> int: ...
@overload
def micros(moment: None) -> None: ...
def micros(moment: datetime | None) -> int | None:
    """Microseconds since 1970, exact (a float of seconds is not)."""
    return None if moment is None else (moment - EPOCH) // MICROSECOND


@overload
def from_micros(value: int) -> datetime: ...
@overload
def from_micros(value: None) -> None: ...
def from_micros(value: int | None) -> datetime | None:
    return None if value is None else EPOCH + value * MICROSECOND


def digest(*parts: object) -> str:
    """A key for values that may be too long for an index; equal parts give equal keys on every machine."""
    return blake2b("\x1f".join(map(repr, parts)).encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()


def pieces(keys: Iterable[Key]) -> Iterator[list[Key]]:
    """The distinct keys, sorted, in lists short enough for one statement."""
    ordered = sorted(set(keys))
    for first in range(0, len(ordered), PIECE):
        yield ordered[first : first + PIECE]
