"""What the tables mean, in the same plain Python as `reference`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from metrics import reference
from metrics.reference import HOUR_MS, MINUTE_MS, Question, clock, length_of, steps, stop_of, time_in, week_of
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


# --- projects -------------------------------------------------------------------------------------------------


def last_activity(q: Question, rows: Iterable[Row]) -> int | None:
    """In seconds: the latest moment so far at which one of some entries ran, or stopped."""
    return max((min(stop_of(row, q), q.horizon) for row in rows if row.start <= q.horizon), default=None)


def days_since(moment: int, q: Question) -> int:
    return max(0, (clock(q.horizon * 1000, q.zone).date() - clock(moment * 1000, q.zone).date()).days)


def range_before(q: Question) -> tuple[int, int, int]:
    """From and to of the stretch before, and up to where the range has elapsed."""
    now = q.horizon * 1000
    elapsed = now if q.start_ms < now < q.end_ms else q.end_ms
    end_ms = q.end_ms + 1 if str(q.end_ms).endswith("999") else q.end_ms  # what Grafana rounds
    months = [month_begun_at(moment, q.zone) for moment in (q.start_ms, end_ms)]
    first, last, here = (clock(moment, q.zone).replace(tzinfo=None) for moment in (q.start_ms, end_ms, elapsed))
    if None not in months and months[0] != months[1]:
        (year, month), (end_year, end_month) = months  # type: ignore[misc]
        number = (end_year - year) * 12 + end_month - month
        start = first_showing(months_earlier(first.replace(day=1, hour=0, minute=0), number), q.zone)
        end = first_showing(months_earlier(here, number), q.zone)
    else:
        length = last - first
        if length <= timedelta(0):
            length = timedelta(seconds=end_ms // 1000 - q.start_ms // 1000)
        start = min(first_showing(first - length, q.zone), q.start_ms // 1000 * 1000)
        end = first_showing(here - length, q.zone)
    if elapsed == q.end_ms:
        return start, q.start_ms, elapsed
    return start, max(start, min(end, q.start_ms)), elapsed


def month_begun_at(moment_ms: int, zone: ZoneInfo) -> tuple[int, int] | None:
    local = clock(moment_ms, zone)
    return (local.year, local.month) if (local.day, begins_a_day(moment_ms, zone)) == (1, True) else None


def begins_a_day(moment_ms: int, zone: ZoneInfo) -> bool:
    return moment_ms in {low for low, _ in steps(Question("", moment_ms, moment_ms + 1, zone, "day"))}


def months_earlier(reading: datetime, number: int) -> datetime:
    """On the same day of the month, or at the end of a month that has no such day."""
    year, month = divmod(reading.year * 12 + reading.month - 1 - number, 12)
    try:
        return reading.replace(year=year, month=month + 1)
    except ValueError:
        return datetime(year, month + 2, 1)  # noqa: DTZ001 (a reading of the local clock)


def first_showing(reading: datetime, zone: ZoneInfo) -> int:
    """The first moment at which the local clock shows this time or a later one, in milliseconds."""

    def reached(moment_ms: int) -> bool:
        return clock(moment_ms, zone).replace(tzinfo=None) >= reading

    found = round((reading.replace(tzinfo=UTC) + timedelta(hours=30)).timestamp()) * 1000
    low = found - 60 * HOUR_MS
    for stride in (2 * HOUR_MS, MINUTE_MS, 1000):
        found = next(moment for moment in range(low, found + 1, stride) if reached(moment))
        low = found - 2 * stride
    return found


def overview(q: Question, rows: list[Row], names: Catalogue) -> dict[int, tuple[object, ...]]:
    """Project -> hours, share, billable share, entries, hours before, change, last activity, days since."""
    start, end, elapsed = range_before(q)
    earlier, so_far = replace(q, start_ms=start, end_ms=end), replace(q, end_ms=elapsed)
    every = reference.filtered(q, rows, names)
    found: dict[int, tuple[object, ...]] = {}
    total = sum(time_in(row, q.start_ms, q.end_ms, q, q.attribution) for row in every)
    for project in {row.project for row in every if reference.counts(row, q, q.attribution)}:
        mine = [row for row in every if row.project == project]

        def ms(asked: Question, *, only: list[Row] = mine) -> int:
            return sum(time_in(row, asked.start_ms, asked.end_ms, asked, q.attribution) for row in only)

        billable = ms(q, only=[row for row in mine if row.billable])
        before, last = ms(earlier), last_activity(q, mine)
        found[project] = (
            ms(q) / HOUR_MS,
            ms(q) / total if total else None,
            billable / ms(q) if ms(q) else None,
            sum(reference.starts_in(row, q.start_ms, q.end_ms) for row in mine),
            before / HOUR_MS,
            (ms(so_far) - before) / before if before else None,
            None if last is None else last * 1000,
            None if last is None else days_since(last, q),
        )
    return found


def dormant(q: Question, days: int, rows: list[Row], names: Catalogue) -> dict[int, int | None]:
    """Project -> last activity in milliseconds."""
    every = reference.filtered(q, rows, names)
    of_project = [each for each in q.conditions if each[0] in {"project", "client", "workspace"}]
    found: dict[int, int | None] = {}
    for number, project in names.projects.items():
        nobodys = Row(0, 0, 0, workspace=project.workspace_id, project=number)
        if (
            project.deleted
            or not project.active
            or not reference.filtered(replace(q, conditions=tuple(of_project)), [nobodys], names)
        ):
            continue
        last = last_activity(q, [row for row in every if row.project == number])
        if last is None or days_since(last, q) >= days:
            found[number] = None if last is None else last * 1000
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


def overlaps(q: Question, rows: Iterable[Row], names: Catalogue) -> list[tuple[int, int, int, int]]:
    """From and to of what two entries of one person have in common in the range, and their ids, earlier one first."""
    every = sorted(
        reference.filtered(q, rows, names), key=lambda row: (max(row.start * 1000, q.start_ms), row.id), reverse=True
    )
    found = []
    for number, second in enumerate(every):
        for first in every[number + 1 :]:
            start = max(first.start * 1000, second.start * 1000, q.start_ms)
            stop = min(stop_of(first, q) * 1000, stop_of(second, q) * 1000, q.end_ms)
            if first.user == second.user and start < stop:
                earlier, later = sorted((first, second), key=lambda row: (row.start, row.id))
                found.append((start, stop, earlier.id, later.id))
    return found
