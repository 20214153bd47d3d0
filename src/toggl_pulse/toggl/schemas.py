"""Toggl's catalogue rows as model rows; unknown fields are ignored, nulls and absent aliases are at home here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from toggl_pulse.model import Client, Profile, Project, Tag, Task, User, Workspace
from toggl_pulse.toggl.answers import Organization
from toggl_pulse.toggl.fields import cents, flag, identity, maybe_identity, maybe_text, moment, text, whole

__all__ = [
    "read_client",
    "read_organization",
    "read_profile",
    "read_project",
    "read_tag",
    "read_task",
    "read_user",
    "read_workspace",
]

Row = Mapping[str, Any]

COLOR = re.compile(r"#[0-9a-fA-F]{6}")
LAST_WEEKDAY = 6
MONDAY = 1


def read_profile(row: Row) -> Profile:
    created = row.get("created_at")
    week_start = whole(row, "beginning_of_week", MONDAY)
    return Profile(
        id=identity(row, "id"),
        email=text(row, "email", ""),
        fullname=text(row, "fullname", ""),
        timezone=text(row, "timezone", "") or "UTC",
        week_start=week_start if 0 <= week_start <= LAST_WEEKDAY else MONDAY,
        default_workspace_id=maybe_identity(row, "default_workspace_id", "default_wid"),
        created_at=None if created is None else moment(created, "created_at"),
    )


def read_workspace(row: Row) -> Workspace:
    return Workspace(
        id=identity(row, "id"),
        name=text(row, "name"),
        organization_id=maybe_identity(row, "organization_id"),
        default_currency=maybe_text(row, "default_currency"),
        default_hourly_rate_cents=cents(row, "default_hourly_rate"),
        premium=flag(row, "premium"),
        rounding=whole(row, "rounding", 0),
        rounding_minutes=whole(row, "rounding_minutes", 0),
        deleted=is_deleted(row),
    )


def read_organization(row: Row) -> Organization:
    return Organization(
        id=identity(row, "id"),
        name=text(row, "name", ""),
        plan_name=maybe_text(row, "pricing_plan_name"),
        max_data_retention_days=whole(row, "max_data_retention_days", 0) or None,
    )


def read_client(row: Row) -> Client:
    return Client(
        id=identity(row, "id"),
        workspace_id=identity(row, "workspace_id", "wid"),
        name=text(row, "name"),
        archived=flag(row, "archived"),
        deleted=is_deleted(row),
    )


def read_project(row: Row) -> Project:
    return Project(
        id=identity(row, "id"),
        workspace_id=identity(row, "workspace_id", "wid"),
        name=text(row, "name"),
        client_id=maybe_identity(row, "client_id", "cid"),
        active=flag(row, "active", default=True),
        color=read_color(row, "color"),
        billable=flag(row, "billable"),
        currency=maybe_text(row, "currency"),
        rate_cents=cents(row, "rate"),
        fixed_fee_cents=cents(row, "fixed_fee"),
        deleted=is_deleted(row) or row.get("status") == "deleted",
    )


def read_task(row: Row) -> Task:
    return Task(
        id=identity(row, "id"),
        workspace_id=identity(row, "workspace_id", "wid"),
        project_id=identity(row, "project_id", "pid"),
        name=text(row, "name"),
        active=flag(row, "active", default=True),
        deleted=is_deleted(row),
    )


def read_tag(row: Row) -> Tag:
    return Tag(
        id=identity(row, "id"),
        workspace_id=identity(row, "workspace_id", "wid"),
        name=text(row, "name"),
        deleted=is_deleted(row),
    )


def read_user(row: Row) -> User:
    return User(
        id=identity(row, "id"),
        name=text(row, "fullname", "") or text(row, "name", ""),
        email=maybe_text(row, "email"),
        active=not flag(row, "inactive"),
        deleted=is_deleted(row),
    )


def is_deleted(row: Row) -> bool:
    """Deleted rows come only with `since`; tags mark it as `deleted_at`, the others as `server_deleted_at`."""
    return any(row.get(name) is not None for name in ("server_deleted_at", "deleted_at"))


def read_color(row: Row, name: str) -> str | None:
    """`#rrggbb` in lower case, or None for anything else: a strange colour is no reason to lose a project."""
    value = row.get(name)
    return value.lower() if type(value) is str and COLOR.fullmatch(value) else None
