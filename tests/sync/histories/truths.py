"""What a mirror must hold, straight from the simulated rows, and where it does not.

Shares no code with the sync.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from toggl_pulse.demo import World
from toggl_pulse.demo.rows import ClientRow, EntryRow, ProjectRow, TagRow, TaskRow
from toggl_pulse.mirror import Mirror, StoredEntry

__all__ = ["Content", "catalogue_differences", "content_of", "entry_differences", "held_content", "month_seconds"]

Row = TypeVar("Row", ClientRow, ProjectRow, TaskRow, TagRow)
Content = tuple[object, ...]
"""Everything of an entry but its tags."""


def content_of(row: EntryRow) -> Content:
    return (
        row.workspace_id,
        row.start,
        row.stop,
        row.duration if row.stop is not None else 0,
        row.project_id,
        row.task_id,
        row.billable,
        row.description or "",
    )


def held_content(stored: StoredEntry) -> Content:
    entry = stored.entry
    return (
        entry.workspace_id,
        int(entry.start.timestamp()),
        None if entry.stop is None else int(entry.stop.timestamp()),
        entry.duration if entry.stop is not None else 0,
        entry.project_id,
        entry.task_id,
        entry.billable,
        entry.description,
    )


def entry_differences(world: World, held: dict[int, StoredEntry], *, strict_tags: bool = True) -> dict[int, str]:
    """Where a living entry is not what Toggl has, by id; without `strict_tags` a tag's end may still be unknown."""
    found: dict[int, str] = {}
    for row in world.entries.values():
        if row.user_id == world.me:
            what = _difference(row, held.get(row.id)) or _tag_difference(
                world, row, held.get(row.id), strict=strict_tags
            )
            if what:
                found[row.id] = what
    return found


def _difference(row: EntryRow, stored: StoredEntry | None) -> str:
    alive = stored is not None and stored.deletion is None
    if row.deleted_at is not None:
        return "is gone at Toggl and lives here" if alive else ""
    if stored is None:
        return "is missing"
    if not alive:
        return f"lives at Toggl and is gone here ({stored.deletion})"
    if held_content(stored) != content_of(row):
        return f"is {content_of(row)} at Toggl and {held_content(stored)} here"
    return ""


def _tag_difference(world: World, row: EntryRow, stored: StoredEntry | None, *, strict: bool) -> str:
    if stored is None or row.deleted_at is not None or (world.behaviour.names_only and not strict):
        return ""
    ours = set(stored.entry.tag_ids)
    if not strict:
        ours -= {tag for tag in ours if tag in world.tags and world.tags[tag].deleted_at is not None}
    if ours != set(row.tag_ids):
        return f"has tags {sorted(row.tag_ids)} at Toggl and {sorted(stored.entry.tag_ids)} here"
    names = sorted(world.tags[tag].name for tag in row.tag_ids)
    return f"has tags named {stored.entry.tags} here" if strict and sorted(stored.entry.tags) != names else ""


def catalogue_differences(world: World, mirror: Mirror) -> list[str]:
    """Names, field by field; what has ended at Toggl may be unknown here, or ended."""
    catalogue = mirror.catalogue()
    held: dict[tuple[str, int], object] = {}
    for kind, rows in (
        ("workspace", catalogue.workspaces),
        ("client", catalogue.clients),
        ("project", catalogue.projects),
        ("task", catalogue.tasks),
        ("tag", catalogue.tags),
        ("user", catalogue.users),
    ):
        for number, row in rows.items():
            held[kind, number] = None if row.deleted else _shown(row)
    truth = _named(world)
    profile = catalogue.profile
    found = []
    if profile is not None and (profile.timezone, profile.default_workspace_id) != (
        world.profile.timezone,
        world.profile.default_workspace_id,
    ):
        found.append(f"profile: {profile}")
    return found + [
        f"{key}: {truth.get(key)} at Toggl, {held.get(key)} here"
        for key in sorted({*truth, *held})
        if truth.get(key) != held.get(key)
    ]


def _shown(row: object) -> tuple[object, ...]:
    names = {
        "Workspace": ("name", "organization_id", "default_currency", "premium"),
        "Client": ("name", "workspace_id", "archived"),
        "Project": ("name", "workspace_id", "client_id", "active", "color", "billable", "rate_cents", "currency"),
        "Task": ("name", "workspace_id", "project_id", "active"),
        "Tag": ("name", "workspace_id"),
        "User": ("name", "email"),
    }[type(row).__name__]
    return tuple(getattr(row, name) for name in names)


def _named(world: World) -> dict[tuple[str, int], object]:
    """What lives at Toggl, in the order of `_shown`."""
    paid = {w.id: world.organizations[w.organization_id].plan != "free" for w in world.workspaces.values()}

    def project_of(row: ProjectRow) -> tuple[object, ...]:
        costs = paid[row.workspace_id]
        rate = None if row.rate is None or not costs else round(row.rate * 100)
        money = (row.billable and costs, rate, row.currency if costs else None)
        return (row.name, row.workspace_id, row.client_id, row.active, row.color, *money)

    found: dict[tuple[str, int], object] = {
        ("workspace", row.id): (row.name, row.organization_id, row.default_currency, paid[row.id])
        for row in world.workspaces.values()
    }
    found |= {("client", r.id): (r.name, r.workspace_id, r.archived) for r in _alive(world.clients)}
    found |= {("project", r.id): project_of(r) for r in _alive(world.projects)}
    found |= {("task", r.id): (r.name, r.workspace_id, r.project_id, r.active) for r in _alive(world.tasks)}
    found |= {("tag", r.id): (r.name, r.workspace_id) for r in _alive(world.tags)}
    return found | {("user", row.id): (row.name, row.email) for row in world.users.values()}


def _alive(rows: dict[int, Row]) -> list[Row]:
    return [row for row in rows.values() if row.deleted_at is None]


def month_seconds(world: World, workspace_id: int, month: str) -> int:
    """Seconds of the finished entries that began in a month of the profile's zone."""
    zone = ZoneInfo(world.profile.timezone)
    total = 0
    for row in world.entries.values():
        if row.workspace_id == workspace_id and row.user_id == world.me and row.deleted_at is None and row.stop:
            begun = datetime.fromtimestamp(row.start, UTC).astimezone(zone)
            total += row.duration if f"{begun:%Y-%m}" == month else 0
    return total
