"""The simulated account's rows as Toggl's server would keep them; nothing here knows JSON or HTTP.

Times are whole UTC epoch seconds, except `at` and `deleted_at`, which are epoch microseconds, because Toggl's own
modification times carry fractions.
"""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = [
    "ClientRow",
    "EntryRow",
    "OrganizationRow",
    "ProjectRow",
    "TagRow",
    "TaskRow",
    "UserRow",
    "WorkspaceRow",
]


@dataclass(slots=True)
class OrganizationRow:
    """`plan` is free, starter or premium; it decides the hourly requests and which features answer 402."""

    id: int
    name: str
    plan: str
    at: int
    max_data_retention_days: int | None = None


@dataclass(slots=True)
class WorkspaceRow:
    id: int
    organization_id: int
    name: str
    at: int
    default_currency: str = "EUR"
    default_hourly_rate: float | None = None
    rounding: int = 0
    rounding_minutes: int = 0
    deleted_at: int | None = None


@dataclass(slots=True)
class ClientRow:
    id: int
    workspace_id: int
    name: str
    at: int
    archived: bool = False
    deleted_at: int | None = None


@dataclass(slots=True)
class ProjectRow:
    """`rate` and `fixed_fee` are in whole units of `currency`, as Toggl sends them."""

    id: int
    workspace_id: int
    name: str
    at: int
    client_id: int | None = None
    active: bool = True
    color: str = "#0b83d9"
    billable: bool = False
    currency: str | None = None
    rate: float | None = None
    fixed_fee: float | None = None
    created_at: int = 0
    deleted_at: int | None = None


@dataclass(slots=True)
class TaskRow:
    id: int
    workspace_id: int
    project_id: int
    name: str
    at: int
    active: bool = True
    deleted_at: int | None = None


@dataclass(slots=True)
class TagRow:
    id: int
    workspace_id: int
    name: str
    at: int
    deleted_at: int | None = None


@dataclass(slots=True)
class UserRow:
    id: int
    name: str
    email: str
    timezone: str
    at: int
    week_start: int = 1
    created_at: int = 0
    default_workspace_id: int | None = None
    workspace_ids: list[int] = field(default_factory=list)


@dataclass(slots=True)
class EntryRow:
    """`stop is None` means running, and then `duration` has no meaning; `description` may be None, as in Toggl."""

    id: int
    workspace_id: int
    user_id: int
    start: int
    stop: int | None
    duration: int
    at: int
    description: str | None = ""
    project_id: int | None = None
    task_id: int | None = None
    billable: bool = False
    tag_ids: tuple[int, ...] = ()
    deleted_at: int | None = None
