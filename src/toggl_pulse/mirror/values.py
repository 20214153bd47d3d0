"""Values on their way into the tables and back: times as integers, keys in pieces, texts that every database takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, TypeVar, overload

__all__ = ["digest", "from_micros", "is_storable", "micros", "pieces", "storable", "storable_values"]

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


def is_storable(text: str) -> bool:
    """Whether every database can keep a text as it is; the quick question, for nearly all are."""
    return (text.isascii() and "\0" not in text) or storable(text) == text


def storable(text: str) -> str:
    """The text as every database can keep it: U+FFFD stands for NUL characters and for halves of surrogate pairs.

    Done before anything is compared, so that what reads back is what was compared and no endless versions arise.
    """
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def storable_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of these values that are texts or tuples of texts and cannot be kept as they are, made so that they can."""
    made = {}
    for name, value in values.items():
        kept = value
        if isinstance(value, str):
            kept = storable(value)
        elif isinstance(value, tuple) and value and isinstance(value[0], str):
            kept = tuple(map(storable, value))
        if kept != value:
            made[name] = kept
    return made


def digest(*parts: object) -> str:
    """A key for values that may be too long for an index; equal parts give equal keys on every machine."""
    return blake2b("\x1f".join(map(repr, parts)).encode("utf-8", "backslashreplace"), digest_size=16).hexdigest()


def pieces(keys: Iterable[Key]) -> Iterator[list[Key]]:
    """The distinct keys, sorted, in lists short enough for one statement."""
    ordered = sorted(set(keys))
    for first in range(0, len(ordered), PIECE):
        yield ordered[first : first + PIECE]
