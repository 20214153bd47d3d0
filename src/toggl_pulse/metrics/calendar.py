"""Steps of a range in a zone: hours, days, weeks, months, quarters, years as UTC borders.

Everything is computed from the zone's offset changes, so that days of 23 and 25 hours, a gap at midnight and a
skipped day need no special case. Knows nothing of entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.errors import BadRequest

__all__ = [
    "DAY",
    "INTERVALS",
    "MAX_POINTS",
    "Offsets",
    "Steps",
    "choose_interval",
    "day_of_week_and_hour",
    "offsets_of",
    "steps",
]

Ints = NDArray[np.int64]

MAX_POINTS = 100_000
"""Points a series may have; an interval that needs more is refused."""

HOUR = 3_600
DAY = 86_400

INTERVALS: Mapping[str, int] = MappingProxyType(
    {"hour": HOUR, "day": DAY, "week": 7 * DAY, "month": 30 * DAY, "quarter": 90 * DAY, "year": 365 * DAY}
)
"""Usual length in seconds (as Grafana counts: its `1M` is 30 days, its `1y` 365), smallest first."""

_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_THURSDAY = 4  # 1970-01-01, counted 0 = Sunday
_FAR = 1 << 40


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps that cover a range.

    `borders` has one more element than there are steps (UTC seconds, rising); the first may lie before the range
    and the last behind it. `times_ms` is what a datapoint shows: the step's start, or `from` itself for `range`.
    """

    interval: str
    borders: Ints
    times_ms: Ints

    def __len__(self) -> int:
        return len(self.times_ms)


@dataclass(frozen=True, slots=True)
class Offsets:
    """Stretches of one UTC offset: the k-th begins at `since[k]`; a sentinel far ahead ends the last."""

    since: Ints
    offset: Ints

    def local(self, instants: Ints) -> Ints:
        """Local clock readings, as seconds since 1970-01-01 on that clock."""
        local: Ints = instants + self.offset[np.searchsorted(self.since, instants, side="right") - 1]
        return local

    def instants(self, local: Ints) -> Ints:
        """The first instants at which the local clock reads each of `local` or more.

        In a gap that is the moment of the change. Where the clock goes back over midnight, the day has begun by then.
        """
        # rising, for no clock ever goes back by more than the time since it last changed
        read_by_then = self.since[1:] + self.offset
        at = np.searchsorted(read_by_then, local, side="right")
        found: Ints = np.maximum(self.since[at], local - self.offset[at])
        return found


def steps(
    start_ms: int, end_ms: int, interval: str, zone: ZoneInfo, week_start: int = 1, *, most: int = MAX_POINTS
) -> Steps:
    """The steps of `[start_ms, end_ms)`; at least one, even when the range is empty.

    Raises `BadRequest` (`too_many_points`) when there would be more than `most`.
    """
    first, last = start_ms // 1000, max(-(-end_ms // 1000), start_ms // 1000 + 1)
    if interval == "range":
        return Steps(interval, np.array([first, last], np.int64), np.array([start_ms], np.int64))
    if (last - first) // INTERVALS[interval] > 2 * most:
        raise _too_many(interval, most)
    borders = _borders(first, last, interval, offsets_of(zone, first, last), week_start)
    if len(borders) - 1 > most:
        raise _too_many(interval, most)
    return Steps(interval, borders, borders[:-1] * 1000)


def choose_interval(
    start_ms: int, end_ms: int, zone: ZoneInfo, week_start: int, interval_ms: int, max_points: int
) -> Steps:
    """`auto`: the smallest interval not shorter than `interval_ms` that keeps to `max_points`; else `range`."""
    points = min(max_points, MAX_POINTS)
    for interval, length in INTERVALS.items():
        # a quick look first: half of the usual number is less than any calendar makes of it
        if length * 1000 < interval_ms or (end_ms - start_ms) // (length * 2000) > points:
            continue
        found = steps(start_ms, end_ms, interval, zone, week_start)
        if len(found) <= points:
            return found
    return steps(start_ms, end_ms, "range", zone, week_start)


def day_of_week_and_hour(instants: Ints, zone: ZoneInfo) -> tuple[Ints, Ints]:
    """Local weekday (0 = Sunday) and hour of each instant (UTC seconds)."""
    if not len(instants):
        return instants, instants
    local = offsets_of(zone, int(instants.min()), int(instants.max()) + 1).local(instants)
    return (local // DAY + _THURSDAY) % 7, local % DAY // HOUR


def _too_many(interval: str, most: int) -> BadRequest:
    return BadRequest(
        f"This range has more than {most:,} steps of one {interval}: ask for a longer interval or a shorter range.",
        code="too_many_points",
    )


def _borders(first: int, last: int, interval: str, offsets: Offsets, week_start: int) -> Ints:
    if interval == "hour":
        return _around(_hours(first, last, offsets), first, last)
    low, high = (int(reading) for reading in offsets.local(np.array([first, last])))
    # two days more on each side: the local date may stand still or jump around the ends
    days = np.arange(low // DAY - 2, high // DAY + 4, dtype=np.int64)
    if interval == "week":
        monday_like = days[0] - (days[0] + _THURSDAY - week_start) % 7
        days = np.arange(monday_like - 7, days[-1] + 14, 7, dtype=np.int64)
    elif interval in _MONTHS:
        size = _MONTHS[interval]
        months = days[[0, -1]].astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) // size
        counted = np.arange(months[0], months[1] + 2, dtype=np.int64) * size
        days = counted.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return _around(offsets.instants(days * DAY), first, last)


def _hours(first: int, last: int, offsets: Offsets) -> Ints:
    """Local whole hours and the moments when the clock changes."""
    pieces = []
    for since, until, offset in zip(offsets.since[:-1], offsets.since[1:], offsets.offset, strict=True):
        low, high = max(int(since), first - 2 * HOUR), min(int(until), last + 2 * HOUR)
        if low >= high:
            continue
        if low == since:
            pieces.append(np.array([low], np.int64))
        whole = -(-(low + int(offset)) // HOUR) * HOUR - int(offset)
        pieces.append(np.arange(whole, high, HOUR, dtype=np.int64))
    return np.concatenate(pieces)


def _around(borders: Ints, first: int, last: int) -> Ints:
    """Of rising borders those of steps that touch the range; two equal ones (a skipped day) become one."""
    borders = borders[np.concatenate(([True], borders[1:] > borders[:-1]))]
    low = np.searchsorted(borders, first, side="right") - 1
    high = np.searchsorted(borders, last, side="left")
    return borders[low : high + 1]


def offsets_of(zone: ZoneInfo, first: int, last: int) -> Offsets:
    """The zone's clock over a range (UTC seconds) and a good year around it."""
    begin, end = (datetime.fromtimestamp(moment, UTC).year for moment in (first, last))
    since, offset = [-_FAR], [_offset(zone, _new_year(begin - 1))]
    for year in range(begin - 1, end + 2):
        for moment, after in _changes(zone, year):
            since.append(moment)
            offset.append(after)
    return Offsets(np.array([*since, _FAR], np.int64), np.array(offset, np.int64))


@lru_cache(maxsize=4096)
def _changes(zone: ZoneInfo, year: int) -> tuple[tuple[int, int], ...]:
    """(moment, offset from then on) of every change of the UTC offset in a UTC year."""
    found = []
    for day in range(_new_year(year), _new_year(year + 1), DAY):
        before, after = _offset(zone, day), _offset(zone, day + DAY)
        if before == after:
            continue
        low, high = day, day + DAY  # the offset is still `before` at low and already `after` at high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
        found.append((high, after))
    return tuple(found)


def _new_year(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp())


def _offset(zone: ZoneInfo, moment: int) -> int:
    return int((datetime.fromtimestamp(moment, zone).utcoffset() or timedelta()).total_seconds())
