"""The simulated API v9 of time entries: /me/time_entries in every variant, the current one, a single one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from .render import entry_json
from .rows import EntryRow
from .wire import Call, Refusal, Reply, parse_moment, reply_json
from .world import World

__all__ = ["current_entry", "recent_entries", "single_entry", "time_entries"]

_DAY = 86_400


def time_entries(call: Call) -> Reply:
    """Newest start first and never more than the cap, without any sign that something was cut off."""
    world = call.world
    asked = {name for name in ("since", "before", "start_date", "end_date") if call.query.get(name)}
    if {"since", "before"} <= asked:
        raise Refusal(400, "Both since and before parameters cannot be present")
    if len(asked & {"start_date", "end_date"}) == 1:
        raise Refusal(400, "start_date and end_date must be present together")
    capped = True
    if "since" in asked:
        rows = _modified_since(call)
        capped = world.behaviour.since_capped
    elif "start_date" in asked:
        rows = _started_between(call)
    elif "before" in asked:
        before = _bound(call, "before")
        _within_reach(world, before, "before")
        rows = _by_start(world, _floor(world), before)
    else:
        rows = _by_start(world, world.now() - 9 * _DAY, None)
    newest = sorted(rows, key=lambda row: (row.start, row.id), reverse=True)
    if capped:
        newest = newest[: world.behaviour.entry_cap]
    meta = call.flag("meta")
    return reply_json([entry_json(world, row, meta=meta) for row in newest])


def recent_entries(world: World) -> list[EntryRow]:
    """Return what /me with related data shows: ten local days back, newest start first, at most the cap."""
    zone = ZoneInfo(world.profile.timezone)
    day = datetime.fromtimestamp(world.now(), zone).date() - timedelta(days=10)
    start = int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())
    rows = sorted(_by_start(world, start, None), key=lambda row: (row.start, row.id), reverse=True)
    return rows[: world.behaviour.entry_cap]


def current_entry(call: Call) -> Reply:
    row = call.world.running()
    if row is not None:
        return reply_json(entry_json(call.world, row))
    if call.world.behaviour.current_missing == "404":
        raise Refusal(404, "Time entry not found")
    return reply_json(None)


def single_entry(call: Call) -> Reply:
    """One entry without the alias fields; a deleted or foreign one is not found."""
    row = call.world.entries.get(call.ids[0])
    if row is None or row.deleted_at is not None or row.user_id != call.world.me:
        raise Refusal(404, "Time entry not found")
    return reply_json(entry_json(call.world, row, meta=call.flag("meta"), aliases=False))


def _modified_since(call: Call) -> Iterable[EntryRow]:
    """Deleted entries included; compares `at`, not the start."""
    world = call.world
    since = call.number("since", 0)
    if since < _floor(world):
        raise Refusal(400, "since must not be older than 3 months")
    shown = (world.now() - world.behaviour.since_lag + 1) * 1_000_000 if world.behaviour.since_lag else None
    numbers = world.by_at.between(since * 1_000_000, shown)
    return (row for row in map(world.entries.__getitem__, numbers) if row.user_id == world.me)


def _started_between(call: Call) -> Iterable[EntryRow]:
    """`start_date` inclusive and `end_date` exclusive, also when they are dates; both look at the start only."""
    start = _bound(call, "start_date")
    end = _bound(call, "end_date")
    _within_reach(call.world, start, "start_date")
    if end < start:
        raise Refusal(400, "end_date must not be earlier than start_date")
    return _by_start(call.world, start, end)


def _by_start(world: World, start: int, end: int | None) -> Iterable[EntryRow]:
    numbers = world.by_start.between(start, end)
    return (row for row in map(world.entries.__getitem__, numbers) if row.user_id == world.me)


def _bound(call: Call, name: str) -> int:
    world = call.world
    zone = ZoneInfo(world.profile.timezone if world.behaviour.date_zone == "profile" else "UTC")
    try:
        return parse_moment(call.query[name], zone)[0]
    except ValueError:
        raise Refusal(400, f"Invalid {name}") from None


def _within_reach(world: World, moment: int, name: str) -> None:
    """Refuse what lies before the first whole UTC day within reach, naming that day."""
    first = datetime.fromtimestamp(_floor(world), UTC).date()
    if moment < int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp()):
        raise Refusal(400, f"{name} must not be earlier than {first.isoformat()}")


def _floor(world: World) -> int:
    """Epoch seconds that `since` and start dates may not lie before."""
    now = world.now()
    if world.behaviour.floor == "90 days":
        return now - 90 * _DAY
    months = 3 if world.behaviour.floor == "3 months" else 4
    moment = datetime.fromtimestamp(now, UTC)
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    day = moment.day
    while True:
        try:
            return int(moment.replace(year=year, month=month + 1, day=day).timestamp())
        except ValueError:
            day -= 1
