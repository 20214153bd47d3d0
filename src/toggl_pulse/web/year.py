"""A year as a calendar: which days it shows for a range, and in which week and on which weekday each stands.

Knows days, no hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

__all__ = ["Year", "days_shown"]

A_WEEK = 7
WEEKS = 52
_LEAST, _MOST = 182, 371
"""A range of so many days is shown as it is."""
_FIRST = date(2006, 1, 1)
_WIDE = 3
"""A month's name needs so many weeks."""


def days_shown(first: date, last: date, today: date, week_start: int) -> tuple[date, date]:
    """The first and the last day: a range of about a year as it is, else the 52 weeks up to its last day so far."""
    if _LEAST <= (last - first).days + 1 <= _MOST:
        return first, last
    end = last if first > today else min(last, today)
    begin = end - timedelta(days=_column(end, week_start)) - (WEEKS - 1) * timedelta(days=A_WEEK)
    return max(begin, _FIRST), end


@dataclass(frozen=True, slots=True)
class Year:
    """Days from `first` to `last`; `week_start` counts Toggl's way, 0 = Sunday."""

    first: date
    last: date
    week_start: int

    @property
    def _weeks(self) -> list[date]:
        """The first day of each week."""
        begin = self.first - timedelta(days=_column(self.first, self.week_start))
        return [begin + timedelta(days=days) for days in range(0, (self.last - begin).days + 1, A_WEEK)]

    @property
    def rows(self) -> list[tuple[int, list[date | None]]]:
        """Each weekday (0 = Sunday) with its day in each week; None where the calendar does not reach."""
        return [
            (
                (self.week_start + number) % A_WEEK,
                [self._within(week + timedelta(days=number)) for week in self._weeks],
            )
            for number in range(A_WEEK)
        ]

    @property
    def months(self) -> list[tuple[date | None, int]]:
        """The months over the weeks that begin in them: a day of each (None where its name finds no room), weeks."""
        spans = [list(weeks) for _, weeks in groupby(self._weeks, key=lambda week: (week.year, week.month))]
        return [(weeks[0] if len(weeks) >= _WIDE else None, len(weeks)) for weeks in spans]

    def _within(self, day: date) -> date | None:
        return day if self.first <= day <= self.last else None

    def cells(self, hours: Mapping[date, float]) -> list[tuple[int, list[tuple[date | None, float | None]]]]:
        """The rows with each day's hours; None for a day that does not exist in the zone."""
        return [
            (weekday, [(day, None if day is None else hours.get(day)) for day in days]) for weekday, days in self.rows
        ]


def _column(day: date, week_start: int) -> int:
    """How many days a day stands behind its week's first."""
    return (day.isoweekday() - week_start) % A_WEEK
