"""The account's rows as Toggl's API v9 writes them, nulls and deprecated aliases included; it selects nothing."""

from __future__ import annotations

from typing import Any

from .rows import ClientRow, EntryRow, OrganizationRow, ProjectRow, TagRow, TaskRow, UserRow, WorkspaceRow
from .wire import at_text, time_text
from .world import World

__all__ = [
    "client_json",
    "entry_json",
    "organization_json",
    "profile_json",
    "project_json",
    "tag_json",
    "task_json",
    "user_json",
    "workspace_json",
    "workspace_user_json",
]

JSON = dict[str, Any]


def entry_json(world: World, row: EntryRow, *, meta: bool = False, aliases: bool = True) -> JSON:
    """Return a time entry as lists show it; `aliases=False` is how a single entry is shown."""
    behaviour = world.behaviour
    if row.stop is not None:
        duration = row.duration
    else:
        duration = {"start": -row.start, "start-1": 1 - row.start, "-1": -1}[behaviour.running_duration]
    tags = [world.tags[tag].name for tag in row.tag_ids]
    # null on a fresh row, [] on one that was edited: both are seen in the wild
    none: list[Any] | None = None if row.id % 2 else []
    shown: JSON = {
        "id": row.id,
        "workspace_id": row.workspace_id,
        "project_id": row.project_id,
        "task_id": row.task_id,
        "billable": row.billable,
        "start": time_text(row.start),
        "stop": None if row.stop is None else time_text(row.stop),
        "duration": duration,
        "description": row.description,
        "tags": tags or none,
        "tag_ids": None if behaviour.names_only else list(row.tag_ids) or none,
        "duronly": True,
        "at": at_text(row.at, behaviour.at_style),
        "server_deleted_at": None if row.deleted_at is None else at_text(row.deleted_at, behaviour.at_style),
        "user_id": row.user_id,
        "permissions": None,
    }
    if aliases:
        shown["uid"] = row.user_id
        shown["wid"] = row.workspace_id
        if row.project_id is not None:
            shown["pid"] = row.project_id
        if row.task_id is not None:
            shown["tid"] = row.task_id
    if meta and (row.deleted_at is None or behaviour.meta_on_deleted):
        shown.update(_names(world, row))
    return shown


def _names(world: World, row: EntryRow) -> JSON:
    names: JSON = {"user_name": world.users[row.user_id].name, "user_avatar_url": ""}
    project = world.projects.get(row.project_id) if row.project_id is not None else None
    if project is not None:
        names["project_name"] = project.name
        names["project_color"] = project.color
        names["project_active"] = project.active
        names["project_billable"] = project.billable
        client = world.clients.get(project.client_id) if project.client_id is not None else None
        if client is not None:
            names["client_name"] = client.name
    if row.task_id is not None:
        names["task_name"] = world.tasks[row.task_id].name
    return names


def project_json(world: World, row: ProjectRow) -> JSON:
    status = "deleted" if row.deleted_at is not None else "active" if row.active else "archived"
    return {
        "id": row.id,
        "workspace_id": row.workspace_id,
        "wid": row.workspace_id,
        "client_id": row.client_id,
        "cid": row.client_id,
        "name": row.name,
        "is_private": False,
        "active": row.active,
        "status": status,
        "at": at_text(row.at),
        "created_at": time_text(row.created_at),
        "server_deleted_at": _when(row.deleted_at),
        "color": row.color,
        "billable": row.billable if _paid(world, row.workspace_id) else None,
        "template": None,
        "auto_estimates": None,
        "estimated_hours": None,
        "estimated_seconds": None,
        "rate": row.rate if _paid(world, row.workspace_id) else None,
        "rate_last_updated": None,
        "currency": row.currency if _paid(world, row.workspace_id) else None,
        "fixed_fee": row.fixed_fee if _paid(world, row.workspace_id) else None,
        "recurring": False,
        "recurring_parameters": None,
        "actual_hours": None,
        "actual_seconds": None,
        "start_date": time_text(row.created_at)[:10],
        "end_date": None,
        "permissions": None,
    }


def client_json(row: ClientRow) -> JSON:
    return {
        "id": row.id,
        "wid": row.workspace_id,
        "workspace_id": row.workspace_id,
        "archived": row.archived,
        "name": row.name,
        "at": at_text(row.at),
        "server_deleted_at": _when(row.deleted_at),
        "creator_id": None,
        "permissions": None,
    }


def tag_json(row: TagRow) -> JSON:
    """`deleted_at` is there only on a deleted tag, which only an answer to `since` shows."""
    shown: JSON = {"id": row.id, "workspace_id": row.workspace_id, "name": row.name, "at": at_text(row.at, "fraction")}
    if row.deleted_at is not None:
        shown["deleted_at"] = at_text(row.deleted_at, "fraction")
    return shown


def task_json(world: World, row: TaskRow) -> JSON:
    """`tracked_seconds` is in milliseconds, whatever its name says."""
    tracked = world.tracked_by_task().get(row.id, 0)
    return {
        "id": row.id,
        "name": row.name,
        "workspace_id": row.workspace_id,
        "project_id": row.project_id,
        "user_id": None,
        "recurring": False,
        "active": row.active,
        "at": at_text(row.at),
        "server_deleted_at": _when(row.deleted_at),
        "estimated_seconds": 0,
        "tracked_seconds": tracked * 1000,
        "permissions": None,
    }


def workspace_json(world: World, row: WorkspaceRow) -> JSON:
    plan = world.organizations[row.organization_id].plan
    return {
        "id": row.id,
        "organization_id": row.organization_id,
        "name": row.name,
        "premium": plan != "free",
        "business_ws": plan == "premium",
        "admin": True,
        "role": "admin",
        "default_currency": row.default_currency,
        "default_hourly_rate": row.default_hourly_rate,
        "rounding": row.rounding,
        "rounding_minutes": row.rounding_minutes,
        "only_admins_may_create_projects": False,
        "only_admins_see_billable_rates": False,
        "projects_billable_by_default": True,
        "projects_private_by_default": False,
        # the real one has a token here too, which must never reach a log
        "api_token": world.token[::-1],
        "ical_enabled": False,
        "at": at_text(row.at),
        "server_deleted_at": _when(row.deleted_at),
        "permissions": None,
    }


def organization_json(row: OrganizationRow) -> JSON:
    return {
        "id": row.id,
        "name": row.name,
        "pricing_plan_id": {"free": 0, "starter": 1, "premium": 2}[row.plan],
        "pricing_plan_name": row.plan.capitalize(),
        "pricing_plan_enterprise": False,
        "max_data_retention_days": row.max_data_retention_days,
        "max_workspaces": 20,
        "user_count": 1,
        "admin": True,
        "owner": True,
        "created_at": at_text(row.at),
        "at": at_text(row.at),
        "server_deleted_at": None,
    }


def profile_json(world: World, row: UserRow) -> JSON:
    """`at` is the server's clock at the time of the request; the answer repeats the API token."""
    moment = world.clock()
    return {
        "id": row.id,
        "api_token": world.token,
        "email": row.email,
        "fullname": row.name,
        "timezone": row.timezone,
        "toggl_accounts_id": f"demo{row.id}",
        "default_workspace_id": row.default_workspace_id,
        "beginning_of_week": row.week_start,
        "image_url": "https://assets.track.toggl.com/images/profile.png",
        "created_at": time_text(row.created_at),
        "updated_at": at_text(row.at, "fraction"),
        "at": at_text(int(moment.timestamp() // 1) * 1_000_000 + moment.microsecond, "fraction"),
        "openid_enabled": False,
        "country_id": None,
        "has_password": True,
        "intercom_hash": "",
    }


def user_json(world: World, row: UserRow) -> JSON:
    return {
        "id": row.id,
        "fullname": row.name,
        "email": row.email,
        "inactive": False,
        "is_active": True,
        "is_admin": row.id == world.me,
        "role": "admin" if row.id == world.me else "user",
    }


def workspace_user_json(world: World, row: UserRow, workspace_id: int) -> JSON:
    return {
        "id": row.id * 10 + 1,
        "uid": row.id,
        "user_id": row.id,
        "wid": workspace_id,
        "workspace_id": workspace_id,
        "name": row.name,
        "email": row.email,
        "active": True,
        "inactive": False,
        "admin": row.id == world.me,
        "timezone": row.timezone,
        "rate": None,
        "labor_cost": None,
        "at": at_text(row.at),
    }


def _when(micros: int | None) -> str | None:
    return None if micros is None else at_text(micros)


def _paid(world: World, workspace_id: int) -> bool:
    return world.organizations[world.workspaces[workspace_id].organization_id].plan != "free"
