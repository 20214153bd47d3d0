"""From codes to the groups that are shown: largest first, the rest folded into `(other)`, each entry once.

A membership is a list of pairs (code, group), so that tags, which give an entry several groups, are no special case.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.metrics.groups import OTHER, SHARED, Dimension, Key

__all__ = ["OTHER", "Folding", "Shown", "ranked"]

Ints = NDArray[np.int64]


class Shown(NamedTuple):
    """A group of an answer. `other` marks the rest that `limit` folded; its key is `OTHER`."""

    key: Key
    label: str
    other: bool = False


@dataclass(frozen=True, slots=True)
class Folding:
    """Which codes belong to which shown group; pairs are sorted by group, and every group has at least one."""

    groups: tuple[Shown, ...]
    code: Ints
    group: Ints

    @staticmethod
    def whole(label: str) -> Folding:
        """One group of everything."""
        zero = np.zeros(1, np.int64)
        return Folding((Shown(None, label),), zero, zero)

    @staticmethod
    def choose(dimension: Dimension, weight: NDArray[Any], present: NDArray[np.bool_], limit: int | None) -> Folding:
        """Groups of the present codes by falling weight; equal ones by label, so that the order is stable."""
        if dimension.pairs is not None:
            code, group = dimension.pairs
        else:
            code = np.arange(dimension.codes)
            group = code if dimension.group_of is None else dimension.group_of
        here = present[code]
        code, group = code[here], group[here]
        size = len(dimension.keys)
        weights = np.bincount(group, weight[code], minlength=size)
        found = ranked(np.flatnonzero(np.bincount(group, minlength=size)), weights, dimension.labels)
        kept = found if limit is None else found[:limit]
        shared = _shared(dimension, code, group)
        shown = [
            Shown(dimension.keys[each], dimension.labels[each] + (SHARED if each in shared else "")) for each in kept
        ]
        position = np.full(size, len(kept), np.int64)
        position[kept] = np.arange(len(kept))
        if len(kept) < len(found):
            shown.append(Shown(OTHER, OTHER, other=True))
        # one pair for each code and shown group: an entry of two folded groups is once in the rest
        pairs = np.unique(position[group] * max(1, dimension.codes) + code)
        group, code = np.divmod(pairs, max(1, dimension.codes))
        return Folding(tuple(shown), code, group)

    def sum(self, cells: NDArray[Any]) -> NDArray[Any]:
        """Steps × codes -> groups × steps."""
        return self._fold(cells, np.add)

    def largest(self, cells: NDArray[Any]) -> NDArray[Any]:
        return self._fold(cells, np.maximum)

    def _fold(self, cells: NDArray[Any], by: np.ufunc) -> NDArray[Any]:
        taken: NDArray[Any] = cells.T[self.code]
        if len(self.code) == len(self.groups):
            return taken
        edges = np.searchsorted(self.group, np.arange(len(self.groups) + 1))
        folded: NDArray[Any]
        if len(self.groups) > len(cells):
            folded = by.reduceat(taken, edges[:-1], axis=0)
            return folded
        # whole rows at a time: reduceat would go through each column on its own
        folded = np.empty((len(self.groups), len(cells)), taken.dtype)
        for into, low, high in zip(folded, edges[:-1], edges[1:], strict=True):
            by.reduce(taken[low:high], axis=0, out=into)
        return folded

    def compact(self, codes: int) -> tuple[NDArray[np.int32], Folding]:
        """New numbers for codes, the same for all that belong to the same groups, and the folding of those."""
        recode = np.zeros(codes, np.int32)
        if len(np.unique(self.code)) == len(self.code):
            recode[self.code] = self.group
            each = np.arange(len(self.groups))
            return recode, Folding(self.groups, each, each)
        groups_of: dict[int, tuple[int, ...]] = defaultdict(tuple)
        for code, group in zip(self.code.tolist(), self.group.tolist(), strict=True):
            groups_of[code] += (group,)
        number: dict[tuple[int, ...], int] = {}
        for code, groups in groups_of.items():
            recode[code] = number.setdefault(groups, len(number))
        pairs = sorted((group, code) for groups, code in number.items() for group in groups)
        group, code = np.array(pairs, np.int64).reshape(-1, 2).T
        return recode, Folding(self.groups, code, group)

    def expand(self, codes: Ints) -> tuple[Ints, Ints]:
        """For rows with these codes: (row, group) of every group that a row belongs to."""
        order = np.argsort(self.code, kind="stable")
        code, group = self.code[order], self.group[order]
        edges = np.searchsorted(code, np.arange(int(codes.max(initial=0)) + 2))
        low = edges[codes]
        count = edges[codes + 1] - low
        row = np.repeat(np.arange(len(codes)), count)
        nth = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        return row, group[low[row] + nth]


def ranked(groups: Ints, weights: NDArray[Any], labels: list[str]) -> list[int]:
    """Groups by falling weight; equal ones by label."""
    ranked = groups[np.argsort(-weights[groups], kind="stable")]
    if np.any(weights[ranked[1:]] == weights[ranked[:-1]]):
        return sorted(ranked.tolist(), key=lambda each: (-weights[each], labels[each].casefold(), each))
    in_order: list[int] = ranked.tolist()
    return in_order


def _shared(dimension: Dimension, code: Ints, group: Ints) -> set[int]:
    """Groups with an entry that counts under another group too."""
    if dimension.pairs is None:
        return set()
    several = np.bincount(code, minlength=dimension.codes) > 1
    return set(group[several[code]].tolist())
