"""What the answers must equal: sums straight from the simulated rows, slow and obvious, in plain Python.

It shares no code with the metrics engine, and must never do so.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from .rows import EntryRow
from .world import World

__all__ = ["truth"]

Key = int | str | bool
Truth = dict[Key, dict[int, float]]

ALL = "all"


def truth(
    world: World,
    *,
    start: datetime,
    end: datetime,
    zone: ZoneInfo | str,
    group_by: str = "none",
    interval: str = "day",
    attribution: str = "start",
    metric: str = "tracked_hours",
    now: datetime | None = None,
    week_start: int | None = None,
    user_id: int | None = None,
) -> Truth:
    """Return {group: {start of the step in epoch ms: value}}, steps and groups without entries left out.

    Groups are ids, 0 for *without*; True and False for `billable`; the text for `description`; "all" for `none`.
    An entry with two tags counts under both. Only entries of `user_id` (the token's owner) count.
    `metric`: tracked_hours, billable_hours (hours), or entry_count (finished and running ones, by start).
    With `interval="range"` the step is `start` itself. `week_start` is 0 = Sunday … 6 (the profile's by default).
    A running entry counts up to `now` (the world's clock), or nothing when it starts later than that.
    """
    if isinstance(zone, str):
        zone = ZoneInfo(zone)
    owner = user_id or world.me
    until = int((now or world.clock()).timestamp() // 1)
    first_weekday = world.users[owner].week_start if week_start is None else week_start
    low, high = int(start.timestamp()), int(end.timestamp())
    answer: dict[Key, dict[int, float]] = {}
    for row in world.entries.values():
        if row.deleted_at is not None or row.user_id != owner:
            continue
        if metric == "billable_hours" and not row.billable:
            continue
        for moment, seconds in _pieces(row, zone, interval, first_weekday, low, high, attribution, metric, until):
            value = 1.0 if metric == "entry_count" else seconds
            for key in _groups(world, row, group_by):
                steps = answer.setdefault(key, {})
                steps[moment * 1000] = steps.get(moment * 1000, 0.0) + value
    if metric == "entry_count":
        return answer
    return {key: {at: seconds / 3600 for at, seconds in steps.items()} for key, steps in answer.items()}


def _pieces(
    row: EntryRow,
    zone: ZoneInfo,
    interval: str,
    week_start: int,
    low: int,
    high: int,
    attribution: str,
    metric: str,
    until: int,
) -> Iterator[tuple[int, int]]:
    """Yield (start of the step, seconds) for what an entry adds to the range [low, high)."""
    stop = row.stop if row.stop is not None else max(row.start, until)
    if attribution == "start" or metric == "entry_count":
        if low <= row.start < high:
            seconds = row.duration if row.stop is not None else stop - row.start
            yield _step(row.start, zone, interval, week_start, low)[0], seconds
        return
    moment = max(row.start, low)
    stop = min(stop, high)
    while moment < stop:
        begins, ends = _step(moment, zone, interval, week_start, low)
        yield begins, min(stop, ends) - moment
        moment = min(stop, ends)


def _step(moment: int, zone: ZoneInfo, interval: str, week_start: int, low: int) -> tuple[int, int]:
    """Return start and end of the step that holds `moment`, in epoch seconds."""
    if interval == "range":
        return low, 1 << 62
    local = datetime.fromtimestamp(moment, zone)
    if interval == "hour":
        begins = moment - local.minute * 60 - local.second
        return begins, begins + 3600
    first, following = _days(local.date(), interval, week_start)
    if _midnight(following, zone) <= moment:
        # the clock went back over midnight: the old day's last hour, shown twice, belongs to the day that had begun
        first, following = _days(following, interval, week_start)
    return _midnight(first, zone), _midnight(following, zone)


def _days(day: date, interval: str, week_start: int) -> tuple[date, date]:
    """Return the first day of the step that `day` is in, and of the next one."""
    if interval == "day":
        return day, day + timedelta(days=1)
    if interval == "week":
        # isoweekday: Monday 1 … Sunday 7; Toggl counts Sunday 0 … Saturday 6
        first = day - timedelta(days=(day.isoweekday() - week_start) % 7)
        return first, first + timedelta(days=7)
    months = {"month": 1, "quarter": 3, "year": 12}[interval]
    number = (day.year * 12 + day.month - 1) // months * months
    following = number + months
    return date(number // 12, number % 12 + 1, 1), date(following // 12, following % 12 + 1, 1)


@cache
def _midnight(day: date, zone: ZoneInfo) -> int:
    """Return the first second of a local day, which is not 00:00 where the clock jumps over it."""
    moment = int(datetime.combine(day, time(), zone).astimezone(UTC).timestamp())
    while datetime.fromtimestamp(moment, zone).date() >= day:
        moment -= 3600
    while datetime.fromtimestamp(moment, zone).date() < day:
        moment += 60
    return moment


def _groups(world: World, row: EntryRow, group_by: str) -> list[Key]:
    project = world.projects.get(row.project_id) if row.project_id is not None else None
    keys: dict[str, list[Key]] = {
        "none": [ALL],
        "workspace": [row.workspace_id],
        "project": [row.project_id or 0],
        "client": [(project.client_id or 0) if project is not None else 0],
        "task": [row.task_id or 0],
        "tag": list(row.tag_ids) or [0],
        "user": [row.user_id],
        "billable": [row.billable],
        "description": [row.description or ""],
    }
    return keys[group_by]
