"""What the metrics mean, as slowly and plainly as it can be said: one entry, one step at a time.

Written against the contract and independent of the engine: no arrays, no tables of clock changes. Steps are found by
walking along and looking at the local clock.
"""

from __future__ import annotations

import bisect
import itertools
import re
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from metrics.sources import Row
from toggl_pulse.model import NO_ID, Catalogue

HOUR_MS = 3_600_000
MINUTE_MS = 60_000
OTHER = "(other)"

Condition = tuple[str, str, tuple[str, ...]]
"""A filter: dimension, operator, values."""


@dataclass(frozen=True)
class Question:
    metric: str
    start_ms: int
    end_ms: int
    zone: ZoneInfo
    interval: str
    group_by: str = "none"
    attribution: str = "start"
    week_start: int = 1
    limit: int | None = None
    conditions: tuple[Condition, ...] = ()
    horizon: int = 0
    """Until when running entries count, in seconds."""


# --- the calendar ---------------------------------------------------------------------------------------------


def clock(moment_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(moment_ms // 1000, zone)


def week_of(day: date, week_start: int) -> date:
    since = (day.isoweekday() % 7 - week_start) % 7
    return day - timedelta(days=since)


def period_of(interval: str, week_start: int) -> Callable[[datetime], tuple[object, ...]]:
    """What is the same for all moments of one step."""
    periods: dict[str, Callable[[datetime], tuple[object, ...]]] = {
        "hour": lambda local: (local.date(), local.hour, local.utcoffset()),
        "day": lambda local: (local.date(),),
        "week": lambda local: (week_of(local.date(), week_start),),
        "month": lambda local: (local.year, local.month),
        "quarter": lambda local: (local.year, (local.month - 1) // 3),
        "year": lambda local: (local.year,),
    }
    return periods[interval]


@cache
def changes(start_ms: int, end_ms: int, interval: str, zone: ZoneInfo, week_start: int) -> list[int]:
    """Every minute around the range at which another step begins.

    Found by walking: in long strides, and where the step or the clock is another one, minute by minute. An hour that
    the clock shows twice is two steps; a day, week or month that it shows twice begins when it is shown first.
    """
    period = period_of(interval, week_start)
    reach = {"hour": 1, "day": 3, "week": 9, "month": 33, "quarter": 94, "year": 368}[interval] * 24 * HOUR_MS
    stride = HOUR_MS if interval in {"hour", "day"} else 6 * HOUR_MS
    moment = (start_ms - reach) // stride * stride
    found = []
    shown = [period(clock(moment, zone))]
    while moment < end_ms + reach:
        before, after = clock(moment, zone), clock(moment + stride, zone)
        if period(after) != period(before) or after.utcoffset() != before.utcoffset():
            for minute in range(moment + MINUTE_MS, moment + stride + 1, MINUTE_MS):
                now = period(clock(minute, zone))
                if now != shown[-1] and not (interval != "hour" and now in shown):
                    found.append(minute)
                    shown.append(now)
        moment += stride
    return found


def steps(question: Question) -> list[tuple[int, int]]:
    """From and to (milliseconds) of each step that the range touches, uncut."""
    q = question
    if q.interval == "range":
        return [(q.start_ms, max(q.end_ms, q.start_ms + 1))]
    block = {"hour": 10, "day": 50, "week": 100}.get(q.interval, 1000) * 24 * HOUR_MS
    # ranges nearby share one walk
    first, last = q.start_ms // block * block, -(-q.end_ms // block) * block
    pairs = itertools.pairwise(changes(first, last, q.interval, q.zone, q.week_start))
    return [(low, high) for low, high in pairs if high > q.start_ms and low < max(q.end_ms, q.start_ms + 1)]


class TieError(Exception):
    """Two groups of one size, of which `limit` keeps one."""


# --- entries --------------------------------------------------------------------------------------------------


def stop_of(row: Row, question: Question) -> int:
    stop = question.horizon if row.stop is None else row.stop
    return max(row.start, stop)


def length_of(row: Row, question: Question) -> int:
    """Milliseconds that an entry is booked with where it starts."""
    return (stop_of(row, question) - row.start if row.stop is None else row.duration) * 1000


def overlap(low: int, high: int, other_low: int, other_high: int) -> int:
    return max(0, min(high, other_high) - max(low, other_low))


def starts_in(row: Row, low: int, high: int) -> bool:
    return low <= row.start * 1000 < high


def counts(row: Row, question: Question, attribution: str) -> bool:
    """Whether an entry is in the range at all."""
    q = question
    if starts_in(row, q.start_ms, q.end_ms):
        return True
    return attribution == "split" and overlap(row.start * 1000, stop_of(row, q) * 1000, q.start_ms, q.end_ms) > 0


def time_in(row: Row, low: int, high: int, question: Question, attribution: str) -> int:
    """Milliseconds that an entry gives to a step."""
    q = question
    low, high = max(low, q.start_ms), min(high, q.end_ms)
    if q.metric in WINDOWS:
        start, stop = max(low, row.start * 1000), min(high, stop_of(row, q) * 1000)
        return sum(overlap(start, stop, *window) for window in windows(q, start, stop)) if start < stop else 0
    if attribution == "split":
        return overlap(row.start * 1000, stop_of(row, q) * 1000, low, high)
    return length_of(row, q) if starts_in(row, low, high) else 0


WINDOWS: dict[str, Callable[[datetime], bool]] = {
    "evening_hours": lambda local: local.hour >= 19 or local.hour < 6,
    "weekend_hours": lambda local: local.strftime("%a") in {"Sat", "Sun"},
}


def windows(question: Question, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """From and to of every stretch around some time in which the clock shows an evening, or a weekend."""
    block = 10 * 24 * HOUR_MS
    edges = range(start_ms // block * block, end_ms + 1, block)
    return [each for low in edges for each in _windows(question.metric, question.zone, low, low + block)]


@cache
def _windows(metric: str, zone: ZoneInfo, low: int, high: int) -> list[tuple[int, int]]:
    quarter, found = 15 * MINUTE_MS, list[tuple[int, int]]()
    for minute in range(low, high, quarter):
        if WINDOWS[metric](clock(minute, zone)):
            begin = found.pop()[0] if found and found[-1][1] == minute else minute
            found.append((begin, minute + quarter))
    return found


def groups_of(row: Row, group_by: str, names: Catalogue) -> list[object]:
    """Inside, a group is an id; `all` when nothing is grouped."""
    project = names.projects.get(row.project)
    found: dict[str, list[object]] = {
        "none": ["all"],
        "workspace": [row.workspace],
        "client": [(project.client_id if project else None) or None],
        "project": [None if row.project == NO_ID else row.project],
        "task": [None if row.task == NO_ID else row.task],
        "tag": list(row.tags) or [None],
        "user": [row.user],
        "billable": [row.billable],
        "description": [row.description],
    }
    return found[group_by]


def words_for(group: object, dimension: str, names: Catalogue) -> tuple[str, str]:
    """What a group is called, and the other word that a filter may use for it: its id."""
    if isinstance(group, bool):
        return str(group).lower(), "billable" if group else "not billable"
    if isinstance(group, str):
        return group, group or "(no description)"
    if group is None:
        return f"(no {dimension})", f"(no {dimension})"
    rows: dict[str, Mapping[int, Any]] = {
        "workspace": names.workspaces,
        "client": names.clients,
        "project": names.projects,
        "task": names.tasks,
        "tag": names.tags,
        "user": names.users,
    }
    assert isinstance(group, int)
    named = rows[dimension].get(group)
    return (f"(unknown {dimension} {group})" if named is None else named.name), str(group)


def passes(row: Row, condition: Condition, names: Catalogue) -> bool:
    """Whether at least one group of the entry is meant; for the negated forms, whether none is."""
    dimension, operator, values = condition
    words = [words_for(group, dimension, names) for group in groups_of(row, dimension, names)]
    if operator in {"=~", "!~"}:
        meant = any(re.search(values[0], name) for name, _ in words)
    else:
        meant = any(word in values for both in words for word in both)
    return meant != (operator in {"!=", "!~", "not_one_of"})


# --- metrics --------------------------------------------------------------------------------------------------

ATTRIBUTION = {
    "entry_count": "start",
    "average_entry_hours": "start",
    "longest_entry_hours": "start",
    "active_days": "split",
    "wall_clock_hours": "split",
    "overlap_hours": "split",
    "days_off": "split",
    "evening_hours": "split",
    "weekend_hours": "split",
    "first_start": "split",
    "last_stop": "split",
}

Values = dict[object, dict[int, float | None]]


def answer(question: Question, rows: Iterable[Row], names: Catalogue) -> Values:
    """Group -> start of step (ms) -> value; None where there is none."""
    q = question
    attribution = ATTRIBUTION.get(q.metric, q.attribution)
    rows = [row for row in filtered(q, rows, names) if belongs(row, q.metric) and counts(row, q, attribution)]
    if q.metric in WINDOWS:
        rows = [row for row in rows if time_in(row, q.start_ms, q.end_ms, q, attribution)]
    members = folded(q, rows, names, attribution)
    return {
        group: {low: value(q, entries, low, high, attribution) for low, high in steps(q)}
        for group, entries in members.items()
    }


def filtered(q: Question, rows: Iterable[Row], names: Catalogue) -> list[Row]:
    return [row for row in rows if all(passes(row, condition, names) for condition in q.conditions)]


def belongs(row: Row, metric: str) -> bool:
    if metric == "billable_hours":
        return row.billable
    if metric == "running_hours":
        return row.stop is None
    return True


def folded(q: Question, rows: list[Row], names: Catalogue, attribution: str) -> dict[object, list[Row]]:
    """The entries of each group that is shown; those of the others once in `(other)`."""
    members: dict[object, list[Row]] = defaultdict(list)
    if q.group_by == "none":
        members["all"] = []
    for row in rows:
        for group in groups_of(row, q.group_by, names):
            members[group].append(row)

    def size(group: object) -> int:
        if q.metric == "entry_count":
            return len(members[group])
        return sum(time_in(row, q.start_ms, q.end_ms, q, attribution) for row in members[group])

    if q.limit is None or len(members) <= q.limit:
        return dict(members)
    sizes = sorted((size(group) for group in members), reverse=True)
    least = sizes[q.limit - 1]
    if sizes[q.limit] == least:
        raise TieError  # which one stays is the label's matter
    kept = {group: entries for group, entries in members.items() if size(group) >= least}
    rest = {row.id: row for group, entries in members.items() if group not in kept for row in entries}
    return kept | {OTHER: list(rest.values())}


def value(q: Question, entries: list[Row], low: int, high: int, attribution: str) -> float | None:
    if q.metric in BY_CLOCK:
        return BY_CLOCK[q.metric](q, entries, low, high)
    ms = sum(time_in(row, low, high, q, attribution) for row in entries)
    begun = [row for row in entries if starts_in(row, max(low, q.start_ms), min(high, q.end_ms))]
    if q.metric in {"tracked_hours", "billable_hours", "running_hours", *WINDOWS}:
        return ms / HOUR_MS
    if q.metric == "billable_share":
        billable = sum(time_in(row, low, high, q, attribution) for row in entries if row.billable)
        return billable / ms if ms else None
    if q.metric == "entry_count":
        return float(len(begun))
    if q.metric == "average_entry_hours":
        return ms / (len(begun) * HOUR_MS) if begun else None
    if q.metric == "longest_entry_hours":
        return max(length_of(row, q) for row in begun) / HOUR_MS if begun else None
    raise AssertionError(q.metric)


def active_days(q: Question, entries: list[Row], low: int, high: int) -> float:
    """Days of the range with a minute or more, whose first moment in the range is in the step."""
    days = days_begun_in(q, low, high)
    return sum(wall_clock(q, entries, max(begin, q.start_ms), min(end, q.end_ms)) >= MINUTE_MS for begin, end in days)


def median_edge(q: Question, entries: list[Row], low: int, high: int) -> float | None:
    """Of the days that have any, in hours."""
    times = [day_edge(q, entries, *day) for day in days_begun_in(q, low, high)]
    known = [time for time in times if time is not None]
    return statistics.median(known) / HOUR_MS if known else None


def days_off(q: Question, entries: list[Row], low: int, high: int) -> float:
    """Days that are over, whose first moment in the range is in the step, and that have less than a minute."""
    over = [(begin, end) for begin, end in days_begun_in(q, low, high) if end <= q.horizon * 1000]
    return sum(wall_clock(q, entries, max(begin, q.start_ms), min(end, q.end_ms)) < MINUTE_MS for begin, end in over)


def laid_over(q: Question, entries: list[Row], low: int, high: int) -> float:
    """Wall-clock time, or what is tracked beyond it."""
    covered = wall_clock(q, entries, max(low, q.start_ms), min(high, q.end_ms))
    if q.metric == "wall_clock_hours":
        return covered / HOUR_MS
    return (sum(time_in(row, low, high, q, "split") for row in entries) - covered) / HOUR_MS


def days_begun_in(q: Question, low: int, high: int) -> list[tuple[int, int]]:
    """The local days whose first moment in the range is in the step."""
    days = steps(Question("", q.start_ms, q.end_ms, q.zone, "day"))
    return [(begin, end) for begin, end in days if low <= max(begin, q.start_ms) < high]


def day_edge(q: Question, entries: list[Row], begin: int, end: int) -> int | None:
    """Milliseconds after midnight that the clock shows when a day's first entry starts, or its last one stops.

    Whatever the clock shows before midnight, for it went back over that, is midnight.
    """
    date = clock(begin, q.zone).date()
    shown = []
    for row in entries:
        first = max(row.start * 1000, begin, q.start_ms)
        last = min(stop_of(row, q) * 1000, end, q.end_ms)
        if first < last:
            # the clock jumps at whole minutes only
            shown += [first, *range(first // MINUTE_MS * MINUTE_MS + MINUTE_MS, last, MINUTE_MS), last - 1]
    times = [since_midnight(moment, date, q.zone) for moment in shown]
    if q.metric == "first_start":
        return max(0, min(times)) if times else None
    before = [moment - 1 for moment in shown if moment % MINUTE_MS == 0 and moment - 1 >= begin]
    times += [since_midnight(moment, date, q.zone) for moment in before if was_tracked(q, entries, moment)]
    return max(0, max(times) + 1) if times else None


def was_tracked(q: Question, entries: list[Row], moment: int) -> bool:
    return q.start_ms <= moment < q.end_ms and any(
        row.start * 1000 <= moment < stop_of(row, q) * 1000 for row in entries
    )


def since_midnight(moment_ms: int, day: date, zone: ZoneInfo) -> int:
    local = clock(moment_ms, zone)
    since = datetime.combine(local.date(), local.time()) - datetime.combine(day, time.min)
    return round(since.total_seconds()) * 1000 + moment_ms % 1000


def wall_clock(q: Question, entries: list[Row], low: int, high: int) -> int:
    """Milliseconds with at least one entry, for each person, added up."""
    total = 0
    for user in {row.user for row in entries}:
        mine = [(row.start * 1000, stop_of(row, q) * 1000) for row in entries if row.user == user]
        edges = sorted({low, high, *(edge for pair in mine for edge in pair if low < edge < high)})
        for begin, end in itertools.pairwise(edges):
            if any(start <= begin and end <= stop for start, stop in mine):
                total += end - begin
    return total


BY_CLOCK: dict[str, Callable[[Question, list[Row], int, int], float | None]] = {
    "wall_clock_hours": laid_over,
    "overlap_hours": laid_over,
    "active_days": active_days,
    "days_off": days_off,
    "first_start": median_edge,
    "last_stop": median_edge,
}

Slots = dict[tuple[str, int], float]


def heat_map(question: Question, rows: Iterable[Row], names: Catalogue) -> dict[object, Slots]:
    """Group -> (weekday, hour) -> hours, where there are any."""
    q = Question(**{**vars(question), "interval": "hour"})
    rows = [row for row in filtered(q, rows, names) if counts(row, q, q.attribution)]
    hours = steps(q)
    lows = [low for low, _ in hours]
    answer: dict[object, Slots] = {}
    for group, entries in folded(q, rows, names, q.attribution).items():
        found: dict[tuple[str, int], int] = defaultdict(int)
        for row in entries:
            first = max(0, bisect.bisect_right(lows, row.start * 1000) - 1)
            for low, high in hours[first:]:
                if low > stop_of(row, q) * 1000:
                    break
                local = clock(low, q.zone)
                found[local.strftime("%A"), local.hour] += time_in(row, low, high, q, q.attribution)
        answer[group] = {slot: ms / HOUR_MS for slot, ms in found.items() if ms}
    return answer


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    """Epoch seconds."""
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())
