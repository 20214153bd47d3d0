"""What a person does at Toggl with names: tags, projects, clients, tasks, workspaces; and how names are picked.

A step points at things by a number that is counted through what there is; where there is nothing, it does nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from toggl_pulse.demo import World
from toggl_pulse.demo.rows import ClientRow, EntryRow, ProjectRow, TaskRow

__all__ = ["Names", "label", "labels", "pick"]

T = TypeVar("T")
LABELS = ("deep", "Deep", "calm", "odd, one", "a|b", "ü\u0308", "calm ", "%7C", "x" * 200)
COLOURS = ("#0b83d9", "#9e5bd9", "#d94182")
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia")


class Names:
    """The half of a person's work that is about named things."""

    def __init__(self, world: World) -> None:
        self.world = world

    # tags

    def create_tag(self, name: int) -> None:
        self.world.create_tag(label(name))

    def rename_tag(self, ref: int, name: int) -> None:
        tag = pick(_living(self.world.tags), ref)
        others = [t.name for t in _living(self.world.tags) if tag is not None and t.workspace_id == tag.workspace_id]
        if tag is not None and label(name) not in others:
            self.world.rename_tag(tag.id, label(name))

    def delete_tag(self, ref: int) -> None:
        tag = pick(_living(self.world.tags), ref)
        if tag is not None:
            self.world.delete_tag(tag.id)

    def add_tag(self, ref: int, name: int) -> None:
        row = self._entry(ref)
        if row is not None:
            self.world.edit_entry(row.id, tag_ids=row.tag_ids, tags=[label(name)])

    def remove_tag(self, ref: int, tag: int) -> None:
        row = self._entry(ref)
        if row is not None and row.tag_ids:
            gone = row.tag_ids[tag % len(row.tag_ids)]
            self.world.edit_entry(row.id, tag_ids=[number for number in row.tag_ids if number != gone])

    # projects, clients, tasks

    def create_project(self, name: int, client: int, billable: int) -> None:
        customer = pick(_living(self.world.clients), client - 1) if client else None
        home = customer.workspace_id if customer else self._workspaces()[0]
        self.world.create_project(
            label(name), workspace_id=home, client_id=customer.id if customer else None, billable=bool(billable)
        )

    def rename_project(self, ref: int, name: int) -> None:
        row = self._project(ref)
        if row is not None:
            self.world.rename_project(row.id, label(name))

    def recolour(self, ref: int, colour: int) -> None:
        self._edit_project(ref, color=COLOURS[colour % len(COLOURS)])

    def move_project(self, ref: int, client: int) -> None:
        customer = pick(_living(self.world.clients), client - 1) if client else None
        self._edit_project(ref, client_id=customer.id if customer else None)

    def price(self, ref: int, rate: float | None) -> None:
        self._edit_project(ref, rate=rate, billable=rate is not None, currency=None if rate is None else "EUR")

    def archive_project(self, ref: int, archived: int) -> None:
        self._edit_project(ref, active=not archived)

    def delete_project(self, ref: int) -> None:
        row = self._project(ref)
        if row is not None:
            self.world.delete_project(row.id)

    def create_client(self, name: int) -> None:
        self.world.create_client(label(name))

    def rename_client(self, ref: int, name: int) -> None:
        row = self._client(ref)
        if row is not None:
            self.world.rename_client(row.id, label(name))

    def archive_client(self, ref: int, archived: int) -> None:
        row = self._client(ref)
        if row is not None:
            self.world.archive_client(row.id, archived=bool(archived))

    def delete_client(self, ref: int) -> None:
        row = self._client(ref)
        if row is not None:
            self.world.delete_client(row.id)

    def create_task(self, project: int, name: int) -> None:
        row = self._project(project)
        if row is not None:
            self.world.create_task(label(name), project_id=row.id)

    def rename_task(self, ref: int, name: int) -> None:
        row = self._task(ref)
        if row is not None:
            self.world.rename_task(row.id, label(name))

    def finish_task(self, ref: int, active: int) -> None:
        row = self._task(ref)
        if row is not None:
            self.world.finish_task(row.id, active=bool(active))

    def delete_task(self, ref: int) -> None:
        row = self._task(ref)
        if row is not None:
            self.world.delete_task(row.id)

    # the account

    def rename_workspace(self, ref: int, name: int) -> None:
        row = self.world.workspaces[self._workspaces()[ref % len(self._workspaces())]]
        row.name = label(name)
        row.at = self.world.stamp()

    def create_workspace(self, _: int) -> None:
        if len(self._workspaces()) < 2:
            self.world.create_workspace("Second", plan="free")

    def colleague(self, when: int, text: int) -> None:
        """Somebody else's hours, which Reports could show."""
        home = self._workspaces()[0]
        others = [user for user in self.world.users.values() if user.id != self.world.me]
        other = others[0] if others else self.world.create_user("Other", "o@example.com", workspace_ids=[home])
        start = self._now() + timedelta(seconds=when)
        self.world.create_entry(
            start=start, stop=start + timedelta(hours=1), description=str(text), user_id=other.id, workspace_id=home
        )

    def move_house(self, ref: int) -> None:
        self.world.profile.timezone = ZONES[ref % len(ZONES)]
        self.world.changes += 1

    # what there is

    def _now(self) -> datetime:
        return self.world.clock().replace(microsecond=0)

    def _workspaces(self) -> list[int]:
        return sorted(self.world.profile.workspace_ids)

    def _entries(self) -> list[EntryRow]:
        return sorted(
            (r for r in self.world.entries.values() if r.deleted_at is None and r.user_id == self.world.me),
            key=lambda row: row.id,
        )

    def _entry(self, ref: int) -> EntryRow | None:
        """0 is the newest."""
        return pick(self._entries(), -1 - ref)

    def _project(self, ref: int) -> ProjectRow | None:
        return pick(_living(self.world.projects), ref)

    def _client(self, ref: int) -> ClientRow | None:
        return pick(_living(self.world.clients), ref)

    def _task(self, ref: int) -> TaskRow | None:
        return pick(_living(self.world.tasks), ref)

    def _edit_project(self, ref: int, **changes: Any) -> None:
        row = self._project(ref)
        if row is not None:
            self.world.edit_project(row.id, **changes)

    def _where(self, workspace: int, project: int, task: int) -> dict[str, Any]:
        """Project and task for an entry of a workspace; 0 is none."""
        projects = [row for row in _living(self.world.projects) if row.workspace_id == workspace]
        row = pick(projects, project - 1) if project else None
        if row is None:
            return {}
        tasks = [each for each in _living(self.world.tasks) if each.project_id == row.id]
        found = pick(tasks, task - 1) if task else None
        return {"project_id": row.id, "task_id": found.id if found else None}


def label(number: int) -> str:
    return LABELS[number % len(LABELS)]


def labels(bits: int) -> list[str]:
    return [name for place, name in enumerate(LABELS[:3]) if bits & 1 << place]


def pick(rows: Sequence[T], ref: int) -> T | None:
    return rows[ref % len(rows)] if rows else None


def _living(rows: Any) -> list[Any]:
    return [row for _, row in sorted(rows.items()) if row.deleted_at is None]
