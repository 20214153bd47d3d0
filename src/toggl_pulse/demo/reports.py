"""The simulated Reports API v3: detailed search with its paging headers, and totals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from .money import Money, money_of
from .rounding import rounder
from .rows import EntryRow
from .wire import Call, Refusal, Reply, at_text, offset_text, reply_json
from .world import World

__all__ = ["search", "totals"]

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
    groups = _sorted_groups(call, first, last)
    start = _page_start(call, groups)
    shown = groups[start : start + size]
    if start + size < len(groups):
        following = groups[start + size][0]
        headers["X-Next-ID"] = str(following.id)
        headers["X-Next-Row-Number"] = str(start + size + 1)
        headers["X-Next-Timestamp"] = str(following.start)
    rounded = rounder(world, call.ids[0], body)
    rows = [_row_json(world, group, start + n, rounded, body) for n, group in enumerate(shown, 1)]
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
        length = rounded(_length(world, row))
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


def _selected(call: Call, first: date, last: date) -> list[EntryRow]:
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
    tests = _tests(world, body)
    running = world.behaviour.reports_running
    rows = []
    for number in world.by_start.between(low, high):
        row = world.entries[number]
        begin, end_ = bounds[row.user_id]
        if (
            row.workspace_id == workspace_id
            and begin <= row.start < end_
            and (row.stop is not None or running)
            and all(test(row) for test in tests)
        ):
            rows.append(row)
    return rows


def _tests(world: World, body: dict[str, Any]) -> list[Callable[[EntryRow], bool]]:
    """Build the filters of the request's body; a null inside a list of ids means *without one*."""
    tests: list[Callable[[EntryRow], bool]] = []

    def client_of(row: EntryRow) -> int | None:
        project = world.projects.get(row.project_id) if row.project_id is not None else None
        return project.client_id if project else None

    single: dict[str, Callable[[EntryRow], int | None]] = {
        "user_ids": lambda row: row.user_id,
        "project_ids": lambda row: row.project_id,
        "client_ids": client_of,
        "task_ids": lambda row: row.task_id,
        "time_entry_ids": lambda row: row.id,
    }
    for name, value_of in single.items():
        wanted = _ids(body, name)
        if wanted is not None:
            tests.append(lambda row, value_of=value_of, wanted=wanted: value_of(row) in wanted)  # type: ignore[misc]
    tags = _ids(body, "tag_ids")
    if tags is not None:
        tests.append(lambda row: bool(tags & set(row.tag_ids)) or (None in tags and not row.tag_ids))
    billable = body.get("billable")
    if billable is not None:
        tests.append(lambda row: row.billable == billable)
    text = body.get("description")
    if text:
        tests.append(lambda row: str(text).casefold() in (row.description or "").casefold())
    shortest = body.get("min_duration_seconds")
    if shortest is not None:
        tests.append(lambda row: row.duration >= shortest)
    longest = body.get("max_duration_seconds")
    if longest is not None:
        tests.append(lambda row: row.duration <= longest)
    return tests


def _ids(body: dict[str, Any], name: str) -> set[int | None] | None:
    value = body.get(name)
    if value is None or value == []:
        return None
    if not isinstance(value, list) or not all(item is None or isinstance(item, int) for item in value):
        raise Refusal(400, f"Invalid {name}")
    return set(value)


def _sorted_groups(call: Call, first: date, last: date) -> list[list[EntryRow]] | list[tuple[EntryRow]]:
    """Rows of the answer, in order; remembered until anything in the world changes, for pages ask again and again."""
    world, body = call.world, call.body
    key = (
        world.changes,
        world.behaviour.reports_running,
        call.ids[0],
        first,
        last,
        orjson.dumps({name: value for name, value in body.items() if name not in _PAGING}, option=orjson.OPT_SORT_KEYS),
    )
    if world.report_cache is not None and world.report_cache[0] == key:
        return world.report_cache[1]
    rows = _selected(call, first, last)
    order = body.get("order_by", "date")
    if order not in _ORDERS:
        raise Refusal(400, "Invalid order_by")
    descending = str(body.get("order_dir", "DESC")).upper() != "ASC"
    value_of = _ORDERS[order]
    rows.sort(key=lambda row: (value_of(world, row), row.id), reverse=descending)
    groups: Any
    if body.get("grouped"):
        like: dict[Any, list[EntryRow]] = {}
        for row in rows:
            like.setdefault((row.user_id, row.project_id, row.task_id, row.description, row.billable, row.tag_ids), [])
            like[row.user_id, row.project_id, row.task_id, row.description, row.billable, row.tag_ids].append(row)
        groups = list(like.values())
    else:
        groups = [(row,) for row in rows]
    world.report_cache = (key, groups)
    return groups  # type: ignore[no-any-return]


_PAGING = {"first_id", "first_row_number", "first_timestamp", "page_size", "start_date", "end_date"}


def _page_start(call: Call, groups: Any) -> int:
    """Index of the page's first row, by row number, or by the id and time given when the behaviour says so."""
    body = call.body
    if call.world.behaviour.reports_paging == "id" and body.get("first_id") and body.get("first_timestamp"):
        wanted = (_whole(body, "first_timestamp", 0), _whole(body, "first_id", 0))
        ascending = str(body.get("order_dir", "DESC")).upper() == "ASC"
        for place, group in enumerate(groups):
            mine = (group[0].start, group[0].id)
            if mine == wanted or (mine > wanted if ascending else mine < wanted):
                return place
        return len(groups)
    return max(0, _whole(body, "first_row_number", 1) - 1)


def _whole(body: dict[str, Any], name: str, default: int) -> int:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refusal(400, f"Invalid {name}")
    return value


def _length(world: World, row: EntryRow) -> int:
    return row.duration if row.stop is not None else max(0, world.now() - row.start)


def _row_json(
    world: World, group: Any, number: int, rounded: Callable[[int], int], body: dict[str, Any]
) -> dict[str, Any]:
    row: EntryRow = group[0]
    zone = ZoneInfo(world.profile.timezone)
    monies = [money_of(world, entry, rounded(_length(world, entry))) for entry in group]
    money = monies[0]
    if len(monies) > 1 and money.cents is not None:
        money = Money(sum(each.cents or 0 for each in monies), money.rate_cents, money.currency)
    if body.get("hide_amounts"):
        money = Money(None, None, money.currency)
    shown: dict[str, Any] = {
        "user_id": row.user_id,
        "username": world.users[row.user_id].name,
        "project_id": row.project_id,
        "task_id": row.task_id,
        "billable": row.billable,
        "description": row.description or "",
        "tag_ids": list(row.tag_ids),
        "billable_amount_in_cents": money.cents,
        "hourly_rate_in_cents": money.rate_cents,
        "currency": money.currency,
        "time_entries": [
            {
                "id": entry.id,
                "seconds": rounded(_length(world, entry)),
                "start": offset_text(entry.start, zone),
                "stop": None if entry.stop is None else offset_text(entry.stop, zone),
                "at": at_text(entry.at),
                "at_tz": offset_text(entry.at // 1_000_000, zone),
            }
            for entry in group
        ],
        "row_number": number,
    }
    if body.get("enrich_response"):
        project = world.projects.get(row.project_id) if row.project_id is not None else None
        client = world.clients.get(project.client_id) if project and project.client_id is not None else None
        shown["project_name"] = project.name if project else ""
        shown["project_color"] = "0"
        shown["project_hex"] = project.color if project else ""
        shown["client_name"] = client.name if client else ""
        shown["task_name"] = world.tasks[row.task_id].name if row.task_id is not None else None
        shown["tag_names"] = [world.tags[tag].name for tag in row.tag_ids]
        shown["email"] = world.users[row.user_id].email
    return shown
