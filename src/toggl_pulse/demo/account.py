"""The simulated account: its rows, and everything that a user of Toggl can do to them.

Each operation moves `at` exactly where Toggl moves it. Nothing here knows HTTP, quotas or faults.
Its length has one reason: these operations are one list, and reading them side by side is how their rules are checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from .behaviour import Behaviour
from .index import SortedPairs
from .rows import (
    ClientRow,
    EntryRow,
    OrganizationRow,
    ProjectRow,
    TagRow,
    TaskRow,
    UserRow,
    WorkspaceRow,
)

__all__ = ["Account"]

_FRACTIONS = (618_033, 41_590, 907_310, 250_000, 3, 733_100, 0, 512_008)


class Account:
    """Rows by id, and the operations of a user; `me` is the person whose token answers.

    `clock` gives aware UTC time. Within one second every change gets a later `at` than the one before.
    """

    def __init__(self, clock: Callable[[], datetime], behaviour: Behaviour | None = None) -> None:
        self.clock = clock
        self.behaviour = behaviour or Behaviour()
        self.organizations: dict[int, OrganizationRow] = {}
        self.workspaces: dict[int, WorkspaceRow] = {}
        self.clients: dict[int, ClientRow] = {}
        self.projects: dict[int, ProjectRow] = {}
        self.tasks: dict[int, TaskRow] = {}
        self.tags: dict[int, TagRow] = {}
        self.users: dict[int, UserRow] = {}
        self.entries: dict[int, EntryRow] = {}
        self.me = 0
        self.changes = 0
        self.by_start = SortedPairs()
        self.by_at = SortedPairs()
        self.former: dict[int, list[tuple[int, EntryRow | None]]] = {}
        """What entries were before each change, with its second, None before they were made: for Reports that lag."""
        self._last_at = 0
        self._next_id = 3_950_000_001
        self._running: dict[int, int] = {}

    # time and ids

    def now(self) -> int:
        """Whole epoch seconds."""
        return int(self.clock().timestamp() // 1)

    def stamp(self) -> int:
        """Return the next `at` in microseconds: within the clock's second, later than every one before.

        A clock of whole seconds gets a fraction of varying length, as Toggl's has.
        """
        self.changes += 1
        moment = self.clock()
        micros = int(moment.timestamp() // 1) * 1_000_000 + moment.microsecond
        if moment.microsecond == 0:
            micros += _FRACTIONS[self.changes % len(_FRACTIONS)]
        self._last_at = max(micros, self._last_at + 1)
        return self._last_at

    def new_id(self) -> int:
        self._next_id += 1
        return self._next_id

    def load_entries(self, rows: Iterable[EntryRow]) -> None:
        """Put many finished rows in at once, indexes built a single time; for seeds and generators."""
        for row in rows:
            self.entries[row.id] = row
        self.by_start = SortedPairs((row.start, row.id) for row in self.entries.values() if row.deleted_at is None)
        self.by_at = SortedPairs((row.at, row.id) for row in self.entries.values())
        self._next_id = max(self._next_id, max(self.entries, default=0))
        self._running = {
            row.user_id: row.id for row in self.entries.values() if row.stop is None and row.deleted_at is None
        }
        self.changes += 1

    # entries

    def live_entries(self) -> list[EntryRow]:
        """Every entry that is not deleted, by start; all users."""
        return [self.entries[number] for number in self.by_start.between(None, None)]

    def create_entry(
        self,
        *,
        start: datetime,
        stop: datetime | None = None,
        duration: int | None = None,
        description: str | None = "",
        project_id: int | None = None,
        task_id: int | None = None,
        billable: bool | None = None,
        tags: Sequence[str] = (),
        tag_ids: Sequence[int] = (),
        workspace_id: int | None = None,
        user_id: int | None = None,
    ) -> EntryRow:
        """Create an entry; without `stop` and `duration` it runs. Tags named and not yet known are created.

        `duration` beside `stop` makes an entry whose duration is not stop - start, as old data have.
        """
        begin = _seconds(start)
        end = _seconds(stop) if stop is not None else None
        if end is None and duration is not None:
            end = begin + duration
        if end is not None and end < begin:
            raise ValueError("an entry cannot stop before it starts")
        project = self.projects[project_id] if project_id is not None else None
        workspace = workspace_id or (project.workspace_id if project else self.users[self.me].default_workspace_id)
        if workspace is None:
            raise ValueError("the account has no workspace")
        row = EntryRow(
            id=self.new_id(),
            workspace_id=workspace,
            user_id=user_id or self.me,
            start=begin,
            stop=end,
            duration=(duration if duration is not None else end - begin) if end is not None else 0,
            at=0,
            description=description,
            project_id=project_id,
            task_id=task_id,
            billable=(project.billable if project else False) if billable is None else billable,
            tag_ids=self._tags(workspace, tags, tag_ids),
        )
        if end is None:
            self._stop_running(row.user_id, begin)
        row.at = self.stamp()
        self._remember(row, new=True)
        self.entries[row.id] = row
        self.by_start.add(row.start, row.id)
        self.by_at.add(row.at, row.id)
        self._note_running(row)
        return row

    def edit_entry(self, number: int, **changes: Any) -> EntryRow:
        """Change fields of a live entry: those of `create_entry` (`stop=None` lets it run again).

        A new `start` or `stop` sets the duration anew unless `duration` is given too; `duration` alone moves the stop.
        """
        row = self._live(number)
        self._remember(row)
        unknown = set(changes) - _EDITABLE
        if unknown:
            raise ValueError(f"an entry has no {', '.join(sorted(unknown))}")
        start, stop, duration = _times(row, changes)
        for name in _PLAIN & set(changes):
            setattr(row, name, changes[name])
        if "tags" in changes or "tag_ids" in changes:
            row.tag_ids = self._tags(row.workspace_id, changes.get("tags", ()), changes.get("tag_ids", ()))
        if start != row.start:
            self.by_start.remove(row.start, row.id)
            self.by_start.add(start, row.id)
        if stop is None and row.stop is not None:
            self._stop_running(row.user_id, self.now())
        row.start, row.stop, row.duration = start, stop, duration
        self._touch(row)
        self._note_running(row)
        return row

    def delete_entry(self, number: int) -> EntryRow:
        """Keep every field, set `server_deleted_at`, and move `at` to the same moment."""
        row = self._live(number)
        self._remember(row)
        self.by_start.remove(row.start, row.id)
        self._touch(row)
        row.deleted_at = row.at
        self._note_running(row)
        return row

    def revive_entry(self, number: int) -> EntryRow:
        """Undo a deletion: the same id is live again, with a later `at`."""
        row = self.entries[number]
        if row.deleted_at is None:
            raise ValueError("the entry is not deleted")
        if row.stop is None:
            self._stop_running(row.user_id, self.now())
        self._remember(row)
        row.deleted_at = None
        self._touch(row)
        self.by_start.add(row.start, row.id)
        self._note_running(row)
        return row

    def start_timer(self, *, start: datetime | None = None, **fields: Any) -> EntryRow:
        """Start an entry now; one that runs already is stopped, as Toggl does."""
        return self.create_entry(start=start or self.clock(), **fields)

    def running(self, user_id: int | None = None) -> EntryRow | None:
        """Return the running entry of a user (the token's owner by default)."""
        number = self._running.get(user_id or self.me)
        return None if number is None else self.entries[number]

    def stop_timer(self, *, stop: datetime | None = None) -> EntryRow:
        row = self.running()
        if row is None:
            raise ValueError("nothing is running")
        end = max(row.start, _seconds(stop or self.clock()))
        self._remember(row)
        row.stop, row.duration = end, end - row.start
        self._touch(row)
        self._note_running(row)
        return row

    # the catalogue

    def create_workspace(self, name: str, *, plan: str = "free", **fields: Any) -> WorkspaceRow:
        """Create a workspace in an organisation of its own, or in `organization_id`; the user becomes its member."""
        organization_id = fields.pop("organization_id", None)
        if organization_id is None:
            organization = OrganizationRow(self.new_id(), name, plan, self.stamp())
            self.organizations[organization.id] = organization
            organization_id = organization.id
        row = WorkspaceRow(self.new_id(), organization_id, name, self.stamp(), **fields)
        self.workspaces[row.id] = row
        owner = self.users[self.me]
        owner.workspace_ids.append(row.id)
        owner.default_workspace_id = owner.default_workspace_id or row.id
        return row

    def create_user(self, name: str, email: str, *, workspace_ids: Sequence[int]) -> UserRow:
        """Add a colleague to workspaces; their entries show in Reports only."""
        number = self.new_id()
        row = UserRow(number, name, email, "Etc/UTC", self.stamp(), workspace_ids=list(workspace_ids))
        self.users[number] = row
        return row

    def create_client(self, name: str, *, workspace_id: int | None = None) -> ClientRow:
        row = ClientRow(self.new_id(), workspace_id or self._home(), name, self.stamp())
        self.clients[row.id] = row
        return row

    def rename_client(self, number: int, name: str) -> ClientRow:
        row = self.clients[number]
        row.name = name
        self._renamed(row)
        return row

    def archive_client(self, number: int, *, archived: bool = True) -> ClientRow:
        """Archive a client and, as Toggl does, its projects; restoring the client leaves the projects archived."""
        row = self.clients[number]
        row.archived = archived
        row.at = self.stamp()
        if archived:
            for project in self.projects.values():
                if project.client_id == number and project.deleted_at is None:
                    project.active = False
                    project.at = self.stamp()
        return row

    def delete_client(self, number: int) -> ClientRow:
        """Delete a client; its projects stay, without one."""
        row = self.clients[number]
        row.at = row.deleted_at = self.stamp()
        for project in self.projects.values():
            if project.client_id == number:
                project.client_id = None
                project.at = self.stamp()
        return row

    def create_project(self, name: str, *, workspace_id: int | None = None, **fields: Any) -> ProjectRow:
        """Create a project; `fields` are those of `ProjectRow`."""
        at = self.stamp()
        row = ProjectRow(self.new_id(), workspace_id or self._home(), name, at, created_at=at // 1_000_000, **fields)
        self.projects[row.id] = row
        return row

    def edit_project(self, number: int, **changes: Any) -> ProjectRow:
        """Change client, colour, rate and so on (not the name: see `rename_project`)."""
        row = self.projects[number]
        for name, value in changes.items():
            setattr(row, name, value)
        row.at = self.stamp()
        return row

    def rename_project(self, number: int, name: str) -> ProjectRow:
        """Rename; entries are left alone, `at` of the project moves if the behaviour says so."""
        row = self.projects[number]
        row.name = name
        self._renamed(row)
        return row

    def archive_project(self, number: int, *, archived: bool = True) -> ProjectRow:
        return self.edit_project(number, active=not archived)

    def delete_project(self, number: int) -> ProjectRow:
        """Delete a project and its tasks; entries lose both, and their `at` moves."""
        row = self.projects[number]
        row.at = row.deleted_at = self.stamp()
        for task in self.tasks.values():
            if task.project_id == number and task.deleted_at is None:
                task.at = task.deleted_at = self.stamp()
        for entry in self.entries.values():
            if entry.project_id == number and entry.deleted_at is None:
                self._remember(entry)
                entry.project_id = entry.task_id = None
                self._touch(entry)
        return row

    def create_task(self, name: str, *, project_id: int) -> TaskRow:
        row = TaskRow(self.new_id(), self.projects[project_id].workspace_id, project_id, name, self.stamp())
        self.tasks[row.id] = row
        return row

    def rename_task(self, number: int, name: str) -> TaskRow:
        row = self.tasks[number]
        row.name = name
        self._renamed(row)
        return row

    def finish_task(self, number: int, *, active: bool = False) -> TaskRow:
        row = self.tasks[number]
        row.active = active
        row.at = self.stamp()
        return row

    def delete_task(self, number: int) -> TaskRow:
        """Delete a task; entries lose it, and their `at` moves."""
        row = self.tasks[number]
        row.at = row.deleted_at = self.stamp()
        for entry in self.entries.values():
            if entry.task_id == number and entry.deleted_at is None:
                self._remember(entry)
                entry.task_id = None
                self._touch(entry)
        return row

    def create_tag(self, name: str, *, workspace_id: int | None = None) -> TagRow:
        """Create a tag, or return the live one of that name, for Toggl keeps tag names unique in a workspace."""
        home = workspace_id or self._home()
        for known in self.tags.values():
            if known.name == name and known.workspace_id == home and known.deleted_at is None:
                return known
        row = TagRow(self.new_id(), home, name, self.stamp())
        self.tags[row.id] = row
        return row

    def rename_tag(self, number: int, name: str) -> TagRow:
        """Rename; entries show the new name, and their `at` does not move."""
        row = self.tags[number]
        twin = (t for t in self.tags.values() if t.name == name and t.workspace_id == row.workspace_id and t is not row)
        if any(tag.deleted_at is None for tag in twin):
            raise ValueError("a tag of that name exists")
        row.name = name
        self._renamed(row)
        return row

    def delete_tag(self, number: int) -> TagRow:
        """Delete a tag; entries lose it **without** their `at` moving (Toggl staff, toggl/mobileapp #2073)."""
        row = self.tags[number]
        row.at = row.deleted_at = self.stamp()
        for entry in self.entries.values():
            if number in entry.tag_ids:
                self._remember(entry)
                entry.tag_ids = tuple(tag for tag in entry.tag_ids if tag != number)
        return row

    # inside

    def _live(self, number: int) -> EntryRow:
        row = self.entries[number]
        if row.deleted_at is not None:
            raise ValueError("the entry is deleted")
        return row

    def _touch(self, row: EntryRow) -> None:
        self.by_at.remove(row.at, row.id)
        row.at = self.stamp()
        self.by_at.add(row.at, row.id)

    def as_of(self, row: EntryRow, moment: int) -> EntryRow | None:
        """What an entry was at an epoch second; None before it was made."""
        return next((before for changed, before in self.former.get(row.id, ()) if changed > moment), row)

    def _remember(self, row: EntryRow, *, new: bool = False) -> None:
        """Keep what an entry is before it changes; nobody asks for it unless Reports lag."""
        if self.behaviour.reports_lag:
            self.former.setdefault(row.id, []).append((self.now(), None if new else replace(row)))

    def _renamed(self, row: ProjectRow | ClientRow | TagRow | TaskRow) -> None:
        at = self.stamp()
        if self.behaviour.rename_moves_at:
            row.at = at

    def _stop_running(self, user_id: int, end: int) -> None:
        row = self.running(user_id)
        if row is not None:
            self._remember(row)
            row.stop = max(row.start, end)
            row.duration = row.stop - row.start
            self._touch(row)
            self._note_running(row)

    def _note_running(self, row: EntryRow) -> None:
        if row.stop is None and row.deleted_at is None:
            self._running[row.user_id] = row.id
        elif self._running.get(row.user_id) == row.id:
            del self._running[row.user_id]

    def _home(self) -> int:
        home = self.users[self.me].default_workspace_id
        if home is None:
            raise ValueError("the account has no workspace")
        return home

    def _tags(self, workspace_id: int, names: Sequence[str], numbers: Sequence[int]) -> tuple[int, ...]:
        named = (self.create_tag(name, workspace_id=workspace_id).id for name in names)
        return tuple(dict.fromkeys((*numbers, *named)))


_PLAIN = frozenset({"description", "project_id", "task_id", "billable", "workspace_id"})
_EDITABLE = _PLAIN | {"start", "stop", "duration", "tags", "tag_ids"}


def _times(row: EntryRow, changes: dict[str, Any]) -> tuple[int, int | None, int]:
    """Return start, stop and duration as an edit leaves them."""
    start = _seconds(changes["start"]) if "start" in changes else row.start
    stop = row.stop
    if "stop" in changes:
        stop = None if changes["stop"] is None else _seconds(changes["stop"])
    elif "duration" in changes:
        stop = start + int(changes["duration"])
    if stop is None:
        return start, None, 0
    if stop < start:
        raise ValueError("an entry cannot stop before it starts")
    if "duration" in changes:
        return start, stop, int(changes["duration"])
    return start, stop, stop - start if {"start", "stop"} & set(changes) else row.duration


def _seconds(moment: datetime) -> int:
    """Cut fractions as Toggl does; a naive time is a mistake of the caller."""
    if moment.tzinfo is None:
        raise ValueError("times must be aware")
    return int(moment.astimezone(UTC).timestamp() // 1)
