"""Stretches of time to read: calendar years, months and days of a zone, and halves of a window; pure.

Knows no request and no state.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

__all__ = [
    "FIRST_DAY",
    "Window",
    "day_of",
    "day_start",
    "halves",
    "month_name",
    "months_between",
    "year_of",
]

FIRST_DAY = date(2006, 1, 1)
"""Toggl did not exist before; nobody is asked about earlier years."""

Window = tuple[datetime, datetime]
"""A stretch of starts in UTC, the end excluded."""


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a local day in UTC; where clocks skip midnight, the moment of the skip."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


def year_of(year: int, *, not_before: date = FIRST_DAY) -> tuple[date, date]:
    """First and last day of a calendar year, cut at `not_before`."""
    return max(date(year, 1, 1), not_before), date(year, 12, 31)


def months_between(first: date, last: date) -> Iterator[tuple[date, date]]:
    """First and last day of every calendar month from `first` to `last`, newest first, both ends cut."""
    while last >= first:
        beginning = max(last.replace(day=1), first)
        yield beginning, last
        last = beginning - timedelta(days=1)


def month_name(day: date) -> str:
    return f"{day:%Y-%m}"


def halves(window: Window) -> tuple[Window, Window] | None:
    """A window cut in two at a whole second; None when it is a second long and cannot be cut."""
    start, end = window
    middle = start + timedelta(seconds=int((end - start).total_seconds()) // 2)
    return None if middle <= start else ((start, middle), (middle, end))
