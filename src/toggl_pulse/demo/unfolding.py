"""A sequence that is taken from its source only as far as somebody asks; it knows nothing of entries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count, islice
from typing import Generic, TypeVar

__all__ = ["Unfolding"]

T = TypeVar("T")


class Unfolding(Generic[T]):
    """Keeps what it took: a part can be asked for again, though its source cannot."""

    def __init__(self, source: Iterable[T]) -> None:
        self._source = iter(source)
        self._taken: list[T] = []

    def __iter__(self) -> Iterator[T]:
        for place in count():
            if not (one := self.part(place, place + 1)):
                return
            yield one[0]

    def part(self, start: int, end: int) -> list[T]:
        """Like a slice of a list, neither bound negative: shorter, or empty, where the sequence ends before."""
        self._taken += islice(self._source, max(0, end - len(self._taken)))
        return self._taken[start:end]
