"""A sorted set of (key, id) pairs that stays quick with a million members; it knows nothing of entries."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator

__all__ = ["SortedPairs"]

_ID_BITS = 48
_ID_MASK = (1 << _ID_BITS) - 1
_FULL = 4096
_BEYOND = 1 << 127


class SortedPairs:
    """Pairs in ascending order, packed into one integer each and kept in short blocks."""

    def __init__(self, pairs: Iterable[tuple[int, int]] = ()) -> None:
        packed = sorted((key << _ID_BITS) | number for key, number in pairs)
        size = _FULL // 2
        self._blocks = [packed[i : i + size] for i in range(0, len(packed), size)] or [[]]
        self._firsts = [block[0] if block else 0 for block in self._blocks]
        self._length = len(packed)

    def __len__(self) -> int:
        return self._length

    def add(self, key: int, number: int) -> None:
        packed = (key << _ID_BITS) | number
        place = self._block_of(packed)
        block = self._blocks[place]
        insort(block, packed)
        self._length += 1
        if len(block) > _FULL:
            half = len(block) // 2
            self._blocks[place : place + 1] = [block[:half], block[half:]]
            self._firsts[place : place + 1] = [block[0], block[half]]

    def remove(self, key: int, number: int) -> None:
        """Raise KeyError when the pair is not there."""
        packed = (key << _ID_BITS) | number
        place = self._block_of(packed)
        block = self._blocks[place]
        at = bisect_left(block, packed)
        if at == len(block) or block[at] != packed:
            raise KeyError((key, number))
        del block[at]
        self._length -= 1
        if not block and len(self._blocks) > 1:
            del self._blocks[place], self._firsts[place]

    def between(self, low: int | None, high: int | None, *, descending: bool = False) -> Iterator[int]:
        """Ids whose key is at least `low` and less than `high`, by (key, id)."""
        bottom = 0 if low is None else low << _ID_BITS
        top = _BEYOND if high is None else high << _ID_BITS
        if descending:
            for block in reversed(self._blocks[: self._block_of(top) + 1]):
                for packed in reversed(block[: bisect_left(block, top)]):
                    if packed < bottom:
                        return
                    yield packed & _ID_MASK
            return
        for block in self._blocks[self._block_of(bottom) :]:
            for packed in block[bisect_left(block, bottom) :]:
                if packed >= top:
                    return
                yield packed & _ID_MASK

    def _block_of(self, packed: int) -> int:
        return max(0, bisect_left(self._firsts, packed + 1) - 1)
