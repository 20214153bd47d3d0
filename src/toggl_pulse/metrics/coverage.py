"""What entries of one person cover together: for each entry, until when those that began before it last.

Entries are gone through in the order of their starts, a block at a time, so that no column is copied whole.
Knows rows, codes and groups; nothing of names or zones.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.metrics.fold import Folding
from toggl_pulse.metrics.grid import Grid, add
from toggl_pulse.metrics.pieces import Cutter, Whole
from toggl_pulse.metrics.selection import Range, Rows, Selection, row_at, running_rows

__all__ = ["Swept", "overlapped", "swept"]

Ints = NDArray[np.int64]

_SHORT_NUMBERS = 1 << 16  # of which sorting is quickest


class Swept(NamedTuple):
    """Entries by rising start, one for each group that they belong to; times in milliseconds, cut to the range.

    `user` only tells people apart, `before` is the latest stop of the same group's and person's entries that stand
    before an entry.
    """

    start: Ints
    stop: Ints
    before: Ints
    group: Ints
    user: Ints
    part: Ints
    row: Ints


class _Loose(NamedTuple):
    """Entries as they stand in their parts; times in seconds."""

    start: Ints
    stop: Ints
    code: Ints
    user: Ints
    part: Ints
    row: Ints

    def of(self, rows: Ints | slice) -> _Loose:
        return _Loose(*(column[rows] for column in self))

    @staticmethod
    def joined(several: list[_Loose]) -> _Loose:
        """Sorted by start."""
        if len(several) == 1:
            return several[0]
        columns = _Loose(*(np.concatenate(columns) for columns in zip(*several, strict=True)))
        return columns.of(np.argsort(columns.start, kind="stable"))


def overlapped(
    selection: Selection, folding: Folding, range_: Range, borders: Ints, _: ZoneInfo
) -> NDArray[np.float64]:
    """Groups × steps: milliseconds that one person's entries of a group lie over earlier ones of it."""
    groups, steps = len(folding.groups), len(borders) - 1
    total = np.zeros((steps, groups))
    grid = Grid.of(borders)
    edges = np.clip(borders * 1000, range_.start_ms, range_.end_ms)
    lengths = np.diff(borders) * 1000
    cutter = Cutter(grid, edges, 0, groups)
    for some in swept(selection, folding, range_):
        over = np.flatnonzero(some.before > some.start)
        if not len(over):
            continue
        start = some.start[over]
        step = edges[1:-1].searchsorted(start, side="right").astype(np.int32)
        cells = step * np.int32(groups) + some.group[over].astype(np.int32)
        stop = np.minimum(some.stop[over], some.before[over])
        for each in cutter.cut(start, stop, step, edges[step + 1], cells):
            if isinstance(each, Whole):
                here = slice(each.first, each.first + len(each.entries))
                total[here] += each.entries * lengths[here, None]
            else:
                add(total.reshape(-1), each.cells, each.seconds)
    return total.T


def swept(selection: Selection, folding: Folding, range_: Range) -> Iterator[Swept]:
    """All entries with time in the range, by start."""
    if range_.start_ms >= range_.end_ms:
        return
    codes = [code for rows in selection.rows if len(rows.part) for code in (rows.part.user.min(), rows.part.user.max())]
    first_user, users = (int(min(codes)), int(max(codes) - min(codes)) + 1) if codes else (0, 1)
    latest = np.full(len(folding.groups) * users, range_.start_ms)
    group_of = _one_group_each(selection, folding)
    for loose in _by_start(selection, range_):
        start = np.maximum(loose.start * 1000, range_.start_ms)
        stop = np.minimum(loose.stop * 1000, range_.end_ms)
        here = np.flatnonzero(stop > start)
        if group_of is None:
            which, group = folding.expand(loose.code[here])
            here = here[which]
        else:
            group = group_of[loose.code[here]]
        start, stop, user = start[here], stop[here], loose.user[here] - first_user
        before = _before(group * users + user, stop, latest, range_)
        yield Swept(start, stop, before, group, user, loose.part[here], loose.row[here])


def _one_group_each(selection: Selection, folding: Folding) -> Ints | None:
    """The group of each code, where none has several."""
    if len(np.unique(folding.code)) < len(folding.code):
        return None
    group_of = np.zeros(selection.codes, np.int64)
    group_of[folding.code] = folding.group
    return group_of


def _by_start(selection: Selection, range_: Range) -> Iterator[_Loose]:
    """Blocks of the largest part, with what the other parts have and what runs put in between."""
    low, high = range_.touched
    base = max(range(len(selection.rows)), key=lambda number: len(selection.rows[number].part))
    others = []
    for number, rows in enumerate(selection.rows):
        running = running_rows(rows, range_, "split")
        others.append(_loose(selection, number, rows, running, rows.stops(running)))
        if number != base:
            others += _blocks(selection, number, low, high)
    others = [_Loose.joined(others)] if len(others) > 1 else others
    waiting = others[0]
    for block in _blocks(selection, base, low, high):
        here = int(waiting.start.searchsorted(block.start[-1], side="right"))
        yield _Loose.joined([block, waiting.of(slice(here))]) if here else block
        waiting = waiting.of(slice(here, None))
    if len(waiting.start):
        yield waiting


def _blocks(selection: Selection, number: int, low: int, high: int) -> Iterator[_Loose]:
    """Finished entries that may have time in a range; a running one has none here."""
    rows = selection.rows[number]
    part = rows.part
    for begin, end, keep in rows.between(part.first_reaching(low), row_at(part, high)):
        row = np.arange(begin, end) if keep is None else begin + keep
        yield _loose(selection, number, rows, row, part.stop[row])


def _loose(selection: Selection, number: int, rows: Rows, row: Ints, stop: Ints) -> _Loose:
    part = rows.part
    code = selection.code_of(part, row).astype(np.int64)
    return _Loose(part.start[row], stop, code, part.user[row].astype(np.int64), np.full(len(row), number), row)


def _before(who: Ints, stop: Ints, latest: Ints, range_: Range) -> Ints:
    """The latest stop before each entry of who it is; `latest` has those of former blocks and is brought up to date."""
    if not len(who):
        return who
    if len(latest) == 1:
        reached = np.maximum.accumulate(np.concatenate((latest, stop)))
        latest[0] = reached[-1]
        return reached[:-1]
    order = np.argsort(who.astype(np.uint16) if len(latest) < _SHORT_NUMBERS else who, kind="stable")
    who, stop = who[order], stop[order]
    first = np.flatnonzero(np.diff(who, prepend=-1))
    earlier = np.concatenate((stop[:1], stop[:-1]))
    earlier[first] = latest[who[first]]
    # each has a stretch of numbers of its own, above those of all before it
    apart = np.repeat(np.arange(len(first)), np.diff(first, append=len(who))) * (range_.end_ms - range_.start_ms + 1)
    reached = np.maximum.accumulate(earlier + apart) - apart
    last = np.append(first[1:], len(who)) - 1
    latest[who[last]] = np.maximum(reached[last], stop[last])
    before = np.empty_like(reached)
    before[order] = reached
    return before
