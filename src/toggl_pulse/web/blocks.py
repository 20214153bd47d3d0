"""Entries as blocks of a day's column: cut at local midnights, those that overlap side by side.

Positions are readings of the local clock, as on a calendar's paper: a day on which the clock changes is drawn with 24
hours like any other, and what happens in an hour that comes twice is drawn over it twice. Lengths in words are the
entry's own. Knows nothing of pages and colours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from toggl_pulse.metrics import EntryRow

__all__ = ["DAY_MINUTES", "Block", "blocks_of_days"]

DAY_MINUTES = 24 * 60
LEAST_MINUTES = 20
"""A block is at least so high, or its text cannot be read; what begins below it meanwhile goes beside it."""


@dataclass(frozen=True, slots=True)
class Block:
    """A part of an entry on one local day.

    `top` and `bottom` are minutes of the local clock since midnight, `bottom` past `top`. `lane` of `lanes` equally
    wide ones, from the left. `from_before` and `goes_on`: the entry has another part on the day before, or after.
    """

    entry: EntryRow
    day: date
    top: float
    bottom: float
    lane: int = 0
    lanes: int = 1
    from_before: bool = False
    goes_on: bool = False

    @property
    def running(self) -> bool:
        return self.entry.stop is None


def blocks_of_days(
    entries: Iterable[EntryRow], days: Sequence[date], zone: ZoneInfo, until: datetime
) -> dict[date, tuple[Block, ...]]:
    """The blocks of each of the `days` (rising, without gaps), by beginning; a running entry goes up to `until`."""
    found: dict[date, list[Block]] = {day: [] for day in days}
    for entry in entries:
        for block in _cut(entry, days[0], days[-1], zone, until):
            found[block.day].append(block)
    return {day: tuple(_side_by_side(blocks)) for day, blocks in found.items()}


def _cut(entry: EntryRow, first: date, last: date, zone: ZoneInfo, until: datetime) -> Iterable[Block]:
    start = entry.start.astimezone(zone)
    stop = max(entry.start, until if entry.stop is None else entry.stop).astimezone(zone)
    begins, ends = start.date(), stop.date()
    if ends > begins and _minutes(stop) == 0:
        ends -= timedelta(days=1)  # what stops at midnight has nothing on the new day
    day = max(begins, first)
    while day <= min(ends, last):
        top = _minutes(start) if day == begins else 0.0
        bottom = _minutes(stop) if day == stop.date() else float(DAY_MINUTES)
        # the clock may have gone back meanwhile
        bottom = max(bottom, top)
        top = min(top, DAY_MINUTES - LEAST_MINUTES)
        yield Block(entry, day, top, max(bottom, top + LEAST_MINUTES), from_before=day > begins, goes_on=day < ends)
        day += timedelta(days=1)


def _minutes(moment: datetime) -> float:
    return moment.hour * 60 + moment.minute + moment.second / 60


def _side_by_side(blocks: list[Block]) -> Iterable[Block]:
    """Each block in the first free lane; blocks that hang together share the number of lanes."""
    blocks.sort(key=lambda block: (block.top, -block.bottom, block.entry.id))
    together: list[Block] = []
    until: list[float] = []  # of each lane
    for block in blocks:
        if until and block.top >= max(until):
            yield from _closed(together, len(until))
            together, until = [], []
        lane = next((number for number, end in enumerate(until) if end <= block.top), len(until))
        if lane == len(until):
            until.append(0.0)
        until[lane] = block.bottom
        together.append(replace(block, lane=lane))
    yield from _closed(together, len(until))


def _closed(blocks: list[Block], lanes: int) -> Iterable[Block]:
    return (replace(block, lanes=lanes) for block in blocks)
