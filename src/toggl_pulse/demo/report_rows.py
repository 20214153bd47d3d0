"""Rows of the simulated Reports as JSON, and which entries a request's filters let through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from .money import Money, money_of
from .rows import EntryRow
from .wire import Refusal
from .world import World

__all__ = ["entry_tests", "length_of", "row_json"]

Test = Callable[[EntryRow], bool]


def entry_tests(world: World, body: dict[str, Any]) -> list[Test]:
    """Build the filters of the request's body; a null inside a list of ids means *without one*."""

    def client_of(row: EntryRow) -> int | None:
        project = world.projects.get(row.project_id) if row.project_id is not None else None
        return project.client_id if project else None

    tests: list[Test] = []
    for name, value_of in (*_SINGLE.items(), ("client_ids", client_of)):
        wanted = _ids(body, name)
        if wanted is not None:
            tests.append(_one_of(value_of, wanted))
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


_SINGLE: dict[str, Callable[[EntryRow], int | None]] = {
    "user_ids": lambda row: row.user_id,
    "project_ids": lambda row: row.project_id,
    "task_ids": lambda row: row.task_id,
    "time_entry_ids": lambda row: row.id,
}


def _one_of(value_of: Callable[[EntryRow], int | None], wanted: set[int | None]) -> Test:
    return lambda row: value_of(row) in wanted


def _ids(body: dict[str, Any], name: str) -> set[int | None] | None:
    value = body.get(name)
    if value is None or value == []:
        return None
    if not isinstance(value, list) or not all(item is None or isinstance(item, int) for item in value):
        raise Refusal(400, f"Invalid {name}")
    return set(value)


def length_of(world: World, row: EntryRow) -> int:
    """Toggl's own duration; of a running entry, which Reports may list, the seconds up to now."""
    return row.duration if row.stop is not None else max(0, world.now() - row.start)


def row_json(
    world: World, group: Sequence[EntryRow], number: int, rounded: Callable[[int], int], body: dict[str, Any]
) -> dict[str, Any]:
    """Show like entries as one row; start and stop have the asking profile's offset, `at` is UTC in whole seconds.

    Times are left to orjson, which writes them as RFC 3339 faster than isoformat does.
    """
    row = group[0]
    moment = datetime.fromtimestamp
    zone = ZoneInfo(world.profile.timezone)
    money = _sum([money_of(world, entry, rounded(length_of(world, entry))) for entry in group])
    hidden = bool(body.get("hide_amounts"))
    shown: dict[str, Any] = {
        "user_id": row.user_id,
        "username": world.users[row.user_id].name,
        "project_id": row.project_id,
        "task_id": row.task_id,
        "billable": row.billable,
        "description": row.description or "",
        "tag_ids": list(row.tag_ids),
        "billable_amount_in_cents": None if hidden else money.cents,
        "hourly_rate_in_cents": None if hidden else money.rate_cents,
        "currency": money.currency,
        "time_entries": [
            {
                "id": entry.id,
                "seconds": rounded(length_of(world, entry)),
                "start": moment(entry.start, zone),
                "stop": None if entry.stop is None else moment(entry.stop, zone),
                "at": moment(entry.at // 1_000_000, UTC),
                "at_tz": moment(entry.at // 1_000_000, zone),
            }
            for entry in group
        ],
        "row_number": number,
    }
    if body.get("enrich_response"):
        shown |= _names(world, row)
    return shown


def _sum(monies: list[Money]) -> Money:
    first = monies[0]
    if len(monies) == 1 or first.cents is None:
        return first
    return first._replace(cents=sum(money.cents or 0 for money in monies))


def _names(world: World, row: EntryRow) -> dict[str, Any]:
    project = world.projects.get(row.project_id) if row.project_id is not None else None
    client = world.clients.get(project.client_id) if project and project.client_id is not None else None
    return {
        "project_name": project.name if project else "",
        "project_color": "0",
        "project_hex": project.color if project else "",
        "client_name": client.name if client else "",
        "task_name": world.tasks[row.task_id].name if row.task_id is not None else None,
        "tag_names": [world.tags[tag].name for tag in row.tag_ids],
        "email": world.users[row.user_id].email,
    }
