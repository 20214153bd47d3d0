"""Stretches of time as people say them: `last-month`, `last-30-days`, `2026-11-01`; days begin in the query's zone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from toggl_pulse.errors import BadRequest
from toggl_pulse.metrics import calendar

__all__ = ["PERIODS", "beginning", "days_of", "instant", "span_of"]

PERIODS = (
    "today", "yesterday", "this-week", "last-week", "this-month", "last-month", "this-year", "last-year",
    "last-30-days", "all",
)  # fmt: skip
"""The names; the number in `last-30-days` may be any from 1 to 9999."""

# The years within which questions are answered at all.
_FIRST, _LAST = date(2006, 1, 1), date(2101, 1, 1)
_LAST_DAYS = re.compile(r"last-([1-9][0-9]{0,3})-days", re.ASCII)
_DECEMBER = 12
_TIME_OF_DAY = 12  # what is longer than 2026-11-01 (or 20261101) says a time


def instant(text: str, zone: ZoneInfo) -> datetime:
    """An ISO date (where that day begins in `zone`) or an ISO time (in `zone` unless it says its own), as UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"“{text[:60]}” is no date or time: write 2026-11-01 or 2026-11-01T08:30.") from None
    if not _FIRST <= found.date() <= _LAST:
        raise BadRequest(f"“{text[:60]}” lies outside of what can be asked for: 2006 to 2100.")
    if len(text) < _TIME_OF_DAY:
        return beginning(found.date(), zone)
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def span_of(period: str, today: date, zone: ZoneInfo, week_start: int) -> tuple[datetime, datetime]:
    """The instants at which a named period begins and ends (exclusive); `week_start` is 0 for Sunday."""
    first, end = days_of(period, today, week_start)
    return beginning(first, zone), beginning(end, zone)


def days_of(period: str, today: date, week_start: int) -> tuple[date, date]:
    """First day of a named period and the first one no more; `last-7-days` are today and the six before."""
    if some := _LAST_DAYS.fullmatch(period):
        tomorrow = today + timedelta(days=1)
        return max(_FIRST, tomorrow - timedelta(days=int(some[1]))), tomorrow
    if period not in PERIODS:
        raise BadRequest(f"There is no period “{period[:60]}”: use one of {', '.join(PERIODS)}.")
    monday_based = (week_start - 1) % 7
    week = today - timedelta(days=(today.weekday() - monday_based) % 7)
    month, year = today.replace(day=1), today.replace(month=1, day=1)
    return {
        "today": (today, today + timedelta(days=1)),
        "yesterday": (today - timedelta(days=1), today),
        "this-week": (week, week + timedelta(days=7)),
        "last-week": (week - timedelta(days=7), week),
        "this-month": (month, _next_month(month)),
        "last-month": ((month - timedelta(days=1)).replace(day=1), month),
        "this-year": (year, year.replace(year=year.year + 1)),
        "last-year": (year.replace(year=year.year - 1), year),
        "all": (_FIRST, _LAST),
    }[period]


def _next_month(first: date) -> date:
    if first.month == _DECEMBER:
        return date(first.year + 1, 1, 1)
    return first.replace(month=first.month + 1)


def beginning(day: date, zone: ZoneInfo) -> datetime:
    """Where the metrics say that a local day begins; of a day that a zone skipped, where it would have begun."""
    noon = round(datetime(day.year, day.month, day.day, 12, tzinfo=zone).timestamp())
    border = calendar.steps(noon * 1000, noon * 1000 + 1, "day", zone, 1).borders[0]
    return datetime.fromtimestamp(int(border), UTC)
