"""What an entry earns in the simulated Toggl: rate by project, else by workspace; a free plan knows no money."""

from __future__ import annotations

from typing import NamedTuple

from .rows import EntryRow
from .world import World

__all__ = ["Money", "money_of"]


class Money(NamedTuple):
    """Null where Toggl has null, which is not 0."""

    cents: int | None
    rate_cents: int | None
    currency: str | None


def money_of(world: World, row: EntryRow, seconds: int) -> Money:
    workspace = world.workspaces[row.workspace_id]
    if not row.billable or world.organizations[workspace.organization_id].plan == "free":
        return Money(None, None, workspace.default_currency)
    project = world.projects.get(row.project_id) if row.project_id is not None else None
    rate = workspace.default_hourly_rate
    currency = workspace.default_currency
    if project is not None and project.rate is not None:
        rate = project.rate
        currency = project.currency or currency
    if rate is None:
        return Money(None, None, currency)
    rate_cents = round(rate * 100)
    return Money((rate_cents * seconds + 1800) // 3600, rate_cents, currency)
