"""The simulated API v9 of named things: /me, its lists, and the lists of a workspace with their paging."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from .render import (
    client_json,
    entry_json,
    organization_json,
    profile_json,
    project_json,
    tag_json,
    task_json,
    user_json,
    workspace_json,
    workspace_user_json,
)
from .rows import ClientRow, ProjectRow, TagRow, TaskRow, UserRow, WorkspaceRow
from .track import recent_entries
from .wire import Call, Refusal, Reply, reply_json

__all__ = [
    "me",
    "my_clients",
    "my_organizations",
    "my_projects",
    "my_projects_paginated",
    "my_quota",
    "my_tags",
    "my_tasks",
    "my_workspaces",
    "organization_users",
    "workspace_clients",
    "workspace_projects",
    "workspace_rates",
    "workspace_tags",
    "workspace_tasks",
    "workspace_users",
    "workspace_workspace_users",
]

Row = TypeVar("Row", ClientRow, ProjectRow, TagRow, TaskRow, WorkspaceRow)
Stated = TypeVar("Stated", ProjectRow, TaskRow)


def me(call: Call) -> Reply:
    """With related data: every list of the user at once, archived projects included, empty lists as null."""
    world = call.world
    shown = profile_json(world, world.profile)
    if call.flag("with_related_data"):
        shown["clients"] = [client_json(row) for row in _mine(world.clients)] or None
        shown["projects"] = [project_json(world, row) for row in _mine(world.projects)] or None
        shown["tags"] = [tag_json(row) for row in _mine(world.tags)] or None
        shown["tasks"] = [task_json(world, row) for row in _mine(world.tasks)] or None
        shown["workspaces"] = [workspace_json(world, row) for row in _workspaces(call)] or None
        shown["time_entries"] = [entry_json(world, row) for row in recent_entries(world)] or None
    return reply_json(shown)


def my_quota(call: Call) -> Reply:
    """Every bucket of the user; `organization_id` null is the one of /me."""
    world = call.world
    now = world.clock().timestamp()
    names = ["user", *(f"organization:{number}" for number in world.organizations)]
    rows = []
    for name in names:
        bucket = world.bucket(name)
        rows.append({
            "organization_id": None if name == "user" else int(name.partition(":")[2]),
            "remaining": bucket.remaining(now),
            "resets_in_secs": bucket.resets_in(now),
            "total": bucket.total,
        })  # fmt: skip
    return reply_json(rows)


def my_workspaces(call: Call) -> Reply:
    return reply_json([workspace_json(call.world, row) for row in _workspaces(call)] or None)


def my_organizations(call: Call) -> Reply:
    return reply_json([organization_json(row) for row in call.world.organizations.values()] or None)


def my_projects(call: Call) -> Reply:
    """Archived ones on request; with `since` deleted and archived ones too."""
    since = call.since()
    rows = _mine(call.world.projects, since)
    if since is None and not call.flag("include_archived"):
        rows = [row for row in rows if row.active]
    return reply_json([project_json(call.world, row) for row in rows])


def my_projects_paginated(call: Call) -> Reply:
    """Pages by id: `start_project_id` is the first id of the page."""
    rows = _mine(call.world.projects, call.since())
    first = call.number("start_project_id", 0)
    rows = sorted((row for row in rows if row.id >= first), key=lambda row: row.id)
    return reply_json([project_json(call.world, row) for row in rows[: call.number("per_page", 201)]])


def my_clients(call: Call) -> Reply:
    since = call.since()
    rows = [row for row in _mine(call.world.clients, since) if since is not None or not row.archived]
    return reply_json([client_json(row) for row in rows] or None)


def my_tags(call: Call) -> Reply:
    """Deleted tags are visible only with `since`."""
    return reply_json([tag_json(row) for row in _mine(call.world.tags, call.since())] or None)


def my_tasks(call: Call) -> Reply:
    since = call.since()
    rows = _mine(call.world.tasks, since)
    if since is None and not call.flag("include_not_active"):
        rows = [row for row in rows if row.active]
    if call.query.get("per_page"):
        start = call.number("offset", 0)
        rows = rows[start : start + call.number("per_page", 50)]
    return reply_json([task_json(call.world, row) for row in rows] or None)


def workspace_projects(call: Call) -> Reply:
    """Pages of 151 unless asked otherwise, at most 200; only active ones unless `active` says so."""
    since = call.since()
    rows = _in_workspace(call, call.world.projects, since)
    if since is None:
        rows = _by_state(call, rows)
    rows = sorted(rows, key=lambda row: (row.name.casefold(), row.id))
    page, size, shown = _page(call, rows, default=151, most=200)
    headers = {"x-page": str(page), "x-page-size": str(size), "x-sort-field": "name", "x-sort-order": "ASC"}
    return reply_json([project_json(call.world, row) for row in shown], headers)


def workspace_clients(call: Call) -> Reply:
    """Only active ones unless `status` is archived or both; null when there is none."""
    rows = _in_workspace(call, call.world.clients, call.since())
    status = call.query.get("status", "active")
    if status not in {"active", "archived", "both"}:
        raise Refusal(400, "Invalid status")
    if status != "both":
        rows = [row for row in rows if row.archived == (status == "archived")]
    return reply_json([client_json(row) for row in rows] or None)


def workspace_tags(call: Call) -> Reply:
    rows = sorted(_in_workspace(call, call.world.tags, None), key=lambda row: (row.name.casefold(), row.id))
    _, _, shown = _page(call, rows, default=200, most=200)
    return reply_json([tag_json(row) for row in shown] or None)


def workspace_tasks(call: Call) -> Reply:
    """An object, not an array, and `data` may be null."""
    since = call.since()
    rows = _in_workspace(call, call.world.tasks, since)
    if since is None:
        rows = _by_state(call, rows)
    page, size, shown = _page(call, rows, default=50, most=200)
    return reply_json({
        "total_count": len(rows),
        "per_page": size,
        "page": page,
        "sort_field": "name",
        "sort_order": "ASC",
        "data": [task_json(call.world, row) for row in shown] or None,
    })  # fmt: skip


def workspace_users(call: Call) -> Reply:
    return reply_json([user_json(call.world, row) for row in _members(call)])


def workspace_workspace_users(call: Call) -> Reply:
    return reply_json([workspace_user_json(call.world, row, call.ids[0]) for row in _members(call)])


def organization_users(call: Call) -> Reply:
    world = call.world
    homes = {row.id for row in world.workspaces.values() if row.organization_id == call.ids[0]}
    rows = [row for row in world.users.values() if homes & set(row.workspace_ids)]
    page, size, shown = _page(call, rows, default=50, most=200)
    pages = max(1, -(-len(rows) // size))
    return reply_json([user_json(world, row) for row in shown], {"x-page": str(page), "x-pages": str(pages)})


def workspace_rates(call: Call) -> Reply:
    """Rates are a feature of paid plans: 402 with a JSON string on a free one."""
    world = call.world
    level, number = call.path.rsplit("/", 2)[1:]
    if world.organizations[world.workspaces[call.ids[0]].organization_id].plan == "free":
        raise Refusal(402, "Billable rates are not included in your current plan")
    project = world.projects.get(int(number)) if level == "project" else None
    if project is None or project.rate is None:
        return reply_json(None)
    return reply_json([{"id": project.id * 10 + 7, "amount": project.rate, "currency": project.currency,
                        "start": None, "end": None, "workspace_id": project.workspace_id}])  # fmt: skip


def _mine(rows: dict[int, Row], since: int | None = None) -> list[Row]:
    """Live rows; with `since` those changed since then, deleted ones included."""
    if since is None:
        return [row for row in rows.values() if row.deleted_at is None]
    return [row for row in rows.values() if row.at >= since * 1_000_000]


def _in_workspace(call: Call, rows: dict[int, Row], since: int | None) -> list[Row]:
    return [row for row in _mine(rows, since) if getattr(row, "workspace_id", None) == call.ids[0]]


def _workspaces(call: Call) -> list[WorkspaceRow]:
    return [row for row in _mine(call.world.workspaces, call.since()) if row.id in call.world.profile.workspace_ids]


def _members(call: Call) -> list[UserRow]:
    return [row for row in call.world.users.values() if call.ids[0] in row.workspace_ids]


def _by_state(call: Call, rows: Iterable[Stated]) -> list[Stated]:
    wanted = call.query.get("active", "true")
    if wanted not in {"true", "false", "both"}:
        raise Refusal(400, "Invalid active")
    return [row for row in rows if wanted == "both" or row.active == (wanted == "true")]


def _page(call: Call, rows: Sequence[Any], *, default: int, most: int) -> tuple[int, int, Sequence[Any]]:
    """Page number (from 1), size, rows; a size beyond `most` is cut to it in silence."""
    page = max(1, call.number("page", 1))
    size = min(max(1, call.number("per_page", default)), most)
    return page, size, rows[(page - 1) * size : page * size]
