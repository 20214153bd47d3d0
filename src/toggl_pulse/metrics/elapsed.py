"""Periods such as today and last month, and the same elapsed part of the period before each.

Positions are those of the local clock, so that days of 23 and 25 hours and months of 28 to 31 days can be compared.
Knows nothing of entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from toggl_pulse.metrics.calendar import DAY, Offsets, offsets_of

__all__ = ["PERIODS", "USUAL_PERIODS", "Compared", "compared", "range_before"]

_YEARS = 3 * 366 * DAY
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = 999


class _Period(NamedTuple):
    title: str
    unit: str
    over: bool = False
    """Whether it is the last one that is over, not the one that has begun."""


PERIODS: Mapping[str, _Period] = MappingProxyType(
    {
        "today": _Period("Today", "day"),
        "yesterday": _Period("Yesterday", "day", over=True),
        "this_week": _Period("This week", "week"),
        "last_week": _Period("Last week", "week", over=True),
        "this_month": _Period("This month", "month"),
        "last_month": _Period("Last month", "month", over=True),
        "this_year": _Period("This year", "year"),
        "last_year": _Period("Last year", "year", over=True),
    }
)
USUAL_PERIODS = ("today", "this_week", "this_month")


@dataclass(frozen=True, slots=True)
class Compared:
    """Two stretches in UTC seconds: a period as far as it has come, and the same part of the one before."""

    start: int
    end: int
    start_before: int
    end_before: int


def compared(name: str, now: int, zone: ZoneInfo, week_start: int) -> Compared:
    """A period at `now` (UTC seconds).

    Where the month before has no such day (31 May, 29 February for years), the whole month before counts; where the
    clock before showed a time twice, it is cut when it showed it first, and where it skipped it, at the change.
    """
    period = PERIODS[name]
    clock = offsets_of(zone, now - _YEARS, now)
    day = _reading(clock, now) // DAY
    if _instant(clock, (day + 1) * DAY) <= now:  # the clock went back over midnight: the day has begun all the same
        day += 1
    begun = _begin(period.unit, day, week_start)
    before = _earlier(clock, period.unit, begun, week_start)
    if period.over:
        earlier = _earlier(clock, period.unit, before, week_start)
        edges = (_instant(clock, each * DAY) for each in (before, begun, earlier, before))
        return Compared(*edges)
    start, start_before = _instant(clock, begun * DAY), _instant(clock, before * DAY)
    reading = max(_reading(clock, now), day * DAY)
    end_before = _instant(clock, _same_part(period.unit, reading, begun, before))
    return Compared(start, now, start_before, end_before)


def _begin(unit: str, day: int, week_start: int) -> int:
    """The first day (counted from 1970-01-01) of the period with a day."""
    date = _EPOCH + timedelta(days=day)
    if unit == "week":
        return day - (date.isoweekday() - week_start) % 7
    if unit == "month":
        return day - (date.day - 1)
    return day - (date.timetuple().tm_yday - 1) if unit == "year" else day


def _earlier(clock: Offsets, unit: str, begun: int, week_start: int) -> int:
    """The first day of the period before the one that begins with a day; a day that a zone skipped is none."""
    earlier = _begin(unit, begun - 1, week_start)
    while _instant(clock, earlier * DAY) == _instant(clock, begun * DAY):
        earlier = _begin(unit, earlier - 1, week_start)
    return earlier


def _same_part(unit: str, reading: int, begun: int, before: int) -> int:
    """The clock reading in the period before that is as far from its beginning, or at its end."""
    if unit in {"day", "week"}:
        return reading - (begun - before) * DAY
    return _months_earlier(reading, 1 if unit == "month" else 12)


def _months_earlier(reading: int, months: int) -> int:
    """The same day and time; where that month has no such day, the end of it."""
    at = _EPOCH + timedelta(seconds=reading)
    month = at.year * 12 + at.month - 1 - months
    day = _first_day(month) + at.day - 1
    return min(_first_day(month + 1) * DAY, day * DAY + reading % DAY)


def _first_day(month: int) -> int:
    """Of a month counted from year 0, in days from 1970."""
    return (datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC) - _EPOCH).days


def _reading(clock: Offsets, instant: int) -> int:
    return int(clock.local(np.array([instant]))[0])


def _instant(clock: Offsets, reading: int) -> int:
    return int(clock.instants(np.array([reading]))[0])


def range_before(start_ms: int, end_ms: int, now: int, zone: ZoneInfo) -> tuple[int, int, int]:
    """The stretch as long before a range, as far as that has elapsed: from and to; and up to where the range has.

    Whole local months are compared with as many months before, all else with as much time on the local clock, so
    that days stay whole; to the second. A range that lies ahead has elapsed wholly. All in milliseconds.
    """
    elapsed = 1000 * now if start_ms < 1000 * now < end_ms else end_ms
    # the ranges that Grafana rounds end a millisecond before the border that they mean
    border_ms = end_ms + 1 if end_ms % 1000 == _LAST_MS else end_ms
    first, last = start_ms // 1000, border_ms // 1000
    clock = offsets_of(zone, 2 * first - last, last)
    months = [_month_begun_at(clock, moment_ms) for moment_ms in (start_ms, border_ms)]
    if None not in months and months[0] != months[1]:
        number = (months[1] or 0) - (months[0] or 0)
        start = _instant(clock, _months_earlier(_reading(clock, first), number) // DAY * DAY)
        end = _instant(clock, _months_earlier(_reading(clock, elapsed // 1000), number))
    else:
        # less than nothing: within an hour that the clock shows twice
        length = max(_reading(clock, last) - _reading(clock, first), 0) or last - first
        start = _instant(clock, _reading(clock, first) - length)
        end = _instant(clock, _reading(clock, elapsed // 1000) - length)
    if elapsed == end_ms:
        return start * 1000, start_ms, elapsed
    return start * 1000, max(start * 1000, min(end * 1000, start_ms)), elapsed


def _month_begun_at(clock: Offsets, moment_ms: int) -> int | None:
    """The month (counted from year 0) that begins at a moment."""
    at = _EPOCH + timedelta(seconds=_reading(clock, moment_ms // 1000))
    month = at.year * 12 + at.month - 1
    return month if 1000 * _instant(clock, _first_day(month) * DAY) == moment_ms else None
