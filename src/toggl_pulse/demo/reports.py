"""The simulated Reports API v3: detailed search with its paging headers, and totals."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from .money import money_of
from .report_rows import entry_tests, length_of, row_json
from .rounding import rounder
from .rows import EntryRow
from .unfolding import Unfolding
from .wire import Call, Refusal, Reply, reply_json
from .world import World

__all__ = ["search", "totals"]

Groups = Unfolding[list[EntryRow]]

_YEAR = 366
_ORDERS: dict[str, Callable[[World, EntryRow], Any]] = {
    "date": lambda _, row: row.start,
    "user": lambda world, row: world.users[row.user_id].name,
    "duration": lambda _, row: row.duration,
    "description": lambda _, row: row.description or "",
    "last_update": lambda _, row: row.at,
}


def search(call: Call) -> Reply:
    """One row for each entry (`grouped` is false), or one for each set of like entries."""
    world, body = call.world, call.body
    first, last = _range(call)
    size = _whole(body, "page_size", 50)
    if size < 1:
        raise Refusal(400, "page_size must be positive")
    size = min(size, world.behaviour.max_page_size)
    headers = {
        "X-Page-Size": str(size),
        "X-Range-Start": first.isoformat(),
        "X-Range-End": last.isoformat(),
        "X-Service-Level": "GOLD",
    }
    groups = _groups(call, first, last)
    start = _page_start(call, groups)
    shown = groups.part(start, start + size)
    if after := groups.part(start + size, start + size + 1):
        following = after[0][0]
        headers["X-Next-ID"] = str(following.id)
        headers["X-Next-Row-Number"] = str(start + size + 1)
        headers["X-Next-Timestamp"] = str(following.start)
    rounded = rounder(world, call.ids[0], body)
    rows = [row_json(world, group, start + n, rounded, body) for n, group in enumerate(shown, 1)]
    return Reply(200, orjson.dumps(rows), headers)


def totals(call: Call) -> Reply:
    """Seconds, money and a graph by day of everything the same search would list."""
    world, body = call.world, call.body
    first, last = _range(call)
    rounded = rounder(world, call.ids[0], body)
    zone = ZoneInfo(world.profile.timezone)
    days: dict[str, int] = {}
    seconds = 0
    cents: dict[str, int] = {}
    for row in _selected(call, first, last):
        length = rounded(length_of(world, row))
        seconds += length
        day = datetime.fromtimestamp(row.start, zone).date().isoformat()
        days[day] = days.get(day, 0) + length
        money = money_of(world, row, length)
        if money.cents is not None and money.currency is not None:
            cents[money.currency] = cents.get(money.currency, 0) + money.cents
    graph = []
    if last >= first and (last - first).days <= _YEAR:
        every = (first + timedelta(days=n) for n in range((last - first).days + 1))
        graph = [{"seconds": days.get(day.isoformat(), 0)} for day in every]
    return reply_json({
        "seconds": seconds,
        "billable_amount_in_cents": next(iter(cents.values())) if len(cents) == 1 else None,
        "billable_amounts_in_cents": [{"currency": name, "amount": amount} for name, amount in sorted(cents.items())],
        "labour_cost_in_cents": None,
        "tracked_days": len(days),
        "graph": graph,
        "resolution": "day",
    })  # fmt: skip


def _range(call: Call) -> tuple[date, date]:
    """Return inclusive local days; without an end, six days after the start."""
    world, body = call.world, call.body
    if not isinstance(body, dict):
        raise Refusal(400, "Invalid request body")
    try:
        first = date.fromisoformat(body["start_date"]) if body.get("start_date") else None
        last = date.fromisoformat(body["end_date"]) if body.get("end_date") else None
    except (TypeError, ValueError):
        raise Refusal(400, "Invalid date") from None
    if first is None:
        first = (last or datetime.fromtimestamp(world.now(), ZoneInfo(world.profile.timezone)).date()) - timedelta(
            days=6
        )
    last = last or first + timedelta(days=6)
    if last < first:
        raise Refusal(400, "end_date must not be before start_date")
    if (last - first).days >= _YEAR:
        if world.behaviour.long_range == "refuse":
            raise Refusal(400, "The date range must not exceed 366 days")
        if world.behaviour.long_range == "empty":
            return last + timedelta(days=1), last
        last = first + timedelta(days=_YEAR - 1)
    depth = world.behaviour.free_history_days
    organization = world.organizations[world.workspaces[call.ids[0]].organization_id]
    if depth is not None and organization.plan == "free":
        floor = datetime.fromtimestamp(world.now(), ZoneInfo(world.profile.timezone)).date() - timedelta(days=depth)
        if first < floor:
            raise Refusal(402, "Your current plan does not include reports this far back")
    return first, last


def _selected(call: Call, first: date, last: date, *, descending: bool = False) -> Iterable[EntryRow]:
    """Entries of the workspace that began on one of these days, each judged in its own user's zone, by start."""
    world, body = call.world, call.body
    workspace_id = call.ids[0]
    bounds: dict[int, tuple[int, int]] = {}
    for user in world.users.values():
        zone = ZoneInfo(user.timezone)
        end = last + timedelta(days=1)
        bounds[user.id] = (
            int(datetime(first.year, first.month, first.day, tzinfo=zone).timestamp()),
            int(datetime(end.year, end.month, end.day, tzinfo=zone).timestamp()),
        )
    low = min(bound[0] for bound in bounds.values())
    high = max(bound[1] for bound in bounds.values())
    tests = entry_tests(world, body)
    running = world.behaviour.reports_running

    def selected(row: EntryRow) -> bool:
        begin, end = bounds[row.user_id]
        return (
            row.workspace_id == workspace_id
            and begin <= row.start < end
            and (row.stop is not None or running)
            and all(test(row) for test in tests)
        )

    return filter(selected, _shown(world, low, high, descending=descending))


def _shown(world: World, low: int, high: int, *, descending: bool = False) -> Iterable[EntryRow]:
    """Living entries by start, within these bounds; of a lagging report as they were."""
    if not world.behaviour.reports_lag:
        numbers = world.by_start.between(low, high, descending=descending)
        return (world.entries[number] for number in numbers)
    then = world.now() - world.behaviour.reports_lag
    rows = (world.as_of(row, then) for row in world.entries.values())
    living = [row for row in rows if row is not None and row.deleted_at is None and low <= row.start < high]
    return sorted(living, key=lambda row: (row.start, row.id), reverse=descending)


def _groups(call: Call, first: date, last: date) -> Groups:
    """Rows of the answer, in order; remembered until anything in the world changes, for pages ask again and again."""
    world, body = call.world, call.body
    key = (
        world.changes,
        world.now() if world.behaviour.reports_lag else 0,
        world.behaviour.reports_running,
        call.ids[0],
        first,
        last,
        orjson.dumps({name: value for name, value in body.items() if name not in _PAGING}, option=orjson.OPT_SORT_KEYS),
    )
    if world.report_cache is not None and world.report_cache[0] == key:
        return world.report_cache[1]
    order = body.get("order_by", "date")
    if order not in _ORDERS:
        raise Refusal(400, "Invalid order_by")
    descending = str(body.get("order_dir", "DESC")).upper() != "ASC"
    rows = _selected(call, first, last, descending=descending)
    if order != "date":
        value_of = _ORDERS[order]
        rows = sorted(rows, key=lambda row: (value_of(world, row), row.id), reverse=descending)
    found = Unfolding(_alike(rows) if body.get("grouped") else ([row] for row in rows))
    world.report_cache = (key, found)
    return found


def _alike(rows: Iterable[EntryRow]) -> Iterable[list[EntryRow]]:
    like: dict[Any, list[EntryRow]] = {}
    for row in rows:
        alike = (row.user_id, row.project_id, row.task_id, row.description, row.billable, row.tag_ids)
        like.setdefault(alike, []).append(row)
    return like.values()


_PAGING = {"first_id", "first_row_number", "first_timestamp", "page_size", "start_date", "end_date"}


def _page_start(call: Call, groups: Groups) -> int:
    """Index of the page's first row, by row number, or by the id and time given when the behaviour says so."""
    body = call.body
    place = max(0, _whole(body, "first_row_number", 1) - 1)
    wanted = (_whole(body, "first_timestamp", 0), _whole(body, "first_id", 0))
    if call.world.behaviour.reports_paging == "row_number" or not all(wanted):
        return place
    if any((row.start, row.id) == wanted for row, *_ in groups.part(place, place + 1)):
        return place
    ascending = str(body.get("order_dir", "DESC")).upper() == "ASC"
    number = 0
    for row, *_ in groups:
        mine = (row.start, row.id)
        if mine == wanted or (mine > wanted if ascending else mine < wanted):
            break
        number += 1
    return number


def _whole(body: dict[str, Any], name: str, default: int) -> int:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refusal(400, f"Invalid {name}")
    return value
