"""What the tables mean, in the same plain Python as `reference`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from zoneinfo import ZoneInfo

from metrics import reference
from metrics.reference import HOUR_MS, MINUTE_MS, Question, clock, length_of, steps, stop_of, week_of
from metrics.sources import Row
from toggl_pulse.model import Catalogue

# --- changes --------------------------------------------------------------------------------------------------

UNITS = {
    "today": "day",
    "yesterday": "day",
    "this_week": "week",
    "last_week": "week",
    "this_month": "month",
    "last_month": "month",
    "this_year": "year",
    "last_year": "year",
}
DAYS = {"day": 6, "week": 30, "month": 130, "year": 1500}

Span = tuple[int, int]
"""From and to, in milliseconds."""


def position(moment_ms: int, unit: str, begin_ms: int, zone: ZoneInfo, week_start: int) -> tuple[int, ...]:
    """Where in its period a moment is, by calendar and clock."""
    local, first = clock(moment_ms, zone), clock(begin_ms, zone).date()
    day, time = local.date(), (local.hour, local.minute, local.second)
    if local.hour == 23:  # a clock that goes back over midnight does not undo that the day has begun
        shown = max(clock(moment_ms - minute * MINUTE_MS, zone).date() for minute in range(60))
        if shown > day:
            day, time = shown, (0, 0, 0)
    if unit == "day":
        return time if day == first else (24,)
    if unit == "week":
        return ((day - week_of(first, week_start)).days, *time)
    return (day.day, *time) if unit == "month" else (day.month, day.day, *time)


def spans(name: str, now_ms: int, zone: ZoneInfo, week_start: int) -> tuple[Span, Span]:
    """The period as far as it has come, and the same part of the one before."""
    unit = UNITS[name]
    around = Question("", now_ms - DAYS[unit] * 24 * HOUR_MS, now_ms + 1, zone, unit, week_start=week_start)
    *_, earlier, before, current = steps(around)
    if not name.startswith("t"):
        return before, earlier
    here = position(now_ms, unit, current[0], zone, week_start)

    def reached(moment_ms: int) -> bool:
        return position(moment_ms, unit, before[0], zone, week_start) >= here

    def first_of(low: int, high: int, stride: int) -> int:
        return next((moment for moment in range(low, high, stride) if reached(moment)), high)

    end = before[1]
    for stride in (6 * HOUR_MS, MINUTE_MS, 1000):
        # what a clock shows twice is not two strides apart
        low = (
            before[0]
            if stride == 6 * HOUR_MS
            else max(before[0], end - 2 * (6 * HOUR_MS if stride == MINUTE_MS else MINUTE_MS))
        )
        end = min(before[1], first_of(low, end, stride))
    return (current[0], now_ms), (before[0], end)


def changes(q: Question, names: tuple[str, ...], rows: Iterable[Row], catalogue: Catalogue) -> list[tuple[object, ...]]:
    """Name, hours, hours before, change, and the edges of both."""
    found: list[tuple[object, ...]] = []
    for name in names:
        hours = []
        both = spans(name, q.horizon * 1000, q.zone, q.week_start)
        for low, high in both:
            asked = replace(q, metric="tracked_hours", start_ms=low, end_ms=high, interval="range", group_by="none")
            (value,) = reference.answer(asked, rows, catalogue)["all"].values()
            assert value is not None
            hours.append(round(value * HOUR_MS))
        now, before = hours
        found.append(
            (name, now / HOUR_MS, before / HOUR_MS, (now - before) / before if before else None, *both[0], *both[1])
        )
    return found


# --- lists of entries -----------------------------------------------------------------------------------------


def is_of_kind(row: Row, only: str, q: Question) -> bool:
    if only == "over_midnight":
        return any(row.start * 1000 < low < stop_of(row, q) * 1000 for low in midnights(row, q))
    kinds = {
        "all": True,
        "long": length_of(row, q) > 8 * HOUR_MS,
        "short": length_of(row, q) < MINUTE_MS,
        "running": row.stop is None,
    }
    return kinds[only]


def midnights(row: Row, q: Question) -> list[int]:
    days = steps(Question("", row.start * 1000, stop_of(row, q) * 1000 + 1, q.zone, "day"))
    return [low for low, _ in days]


def entries(q: Question, sort: str, only: str, rows: Iterable[Row], names: Catalogue) -> list[Row]:
    found = [row for row in reference.filtered(q, rows, names) if reference.counts(row, q, q.attribution)]
    found = [row for row in found if is_of_kind(row, only, q)]
    found.sort(key=lambda row: (length_of(row, q) if sort == "duration" else 0, row.start, row.id), reverse=True)
    return found[: q.limit]
