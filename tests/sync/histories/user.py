"""A person at Toggl: each step of a history as something done to the simulated account; here, what is about entries.

Nothing is refused: a step that finds nothing to work on does nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sync.histories.names import Names, labels, pick
from sync.histories.steps import Step
from toggl_pulse.demo import Clock, World
from toggl_pulse.demo.rows import EntryRow

__all__ = ["User"]


class User(Names):
    """`count` is how many operations did something."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.count = 0

    def do(self, step: Step) -> None:
        before = self.world.changes
        getattr(self, step[0])(*step[1:])
        self.count += self.world.changes != before

    # entries

    def create(
        self,
        when: int,
        length: int | None,
        project: int,
        task: int,
        tags: int,
        billable: int,
        text: str | None,
        workspace: int,
    ) -> None:
        start = self._now() + timedelta(seconds=when)
        if length is None and when > 0:
            length = 0
        home = self._workspaces()[workspace % len(self._workspaces())]
        where = self._where(home, project, task)
        self.world.create_entry(
            start=start,
            stop=None if length is None else start + timedelta(seconds=length),
            description=text,
            billable=bool(billable),
            tags=labels(tags),
            workspace_id=home,
            **where,
        )

    def start(self, when: int, project: int, tags: int) -> None:
        home = self._workspaces()[0]
        begun = self._now() + timedelta(seconds=when)
        self.world.start_timer(start=begun, tags=labels(tags), workspace_id=home, **self._where(home, project, 0))

    def stop(self, shift: int) -> None:
        if self.world.running() is not None:
            self.world.stop_timer(stop=self._now() + timedelta(seconds=shift))

    def continue_(self, ref: int) -> None:
        row = self._entry(ref)
        if row is not None:
            self.world.start_timer(
                description=row.description,
                project_id=row.project_id,
                task_id=row.task_id,
                billable=row.billable,
                tag_ids=row.tag_ids,
                workspace_id=row.workspace_id,
            )

    def edit(self, ref: int, field: str, value: int, shift: int) -> None:
        row = self._entry(ref)
        if row is not None:
            self._edit(row, field, value, shift)

    def bulk_edit(self, ref: int, count: int, field: str, value: int, shift: int) -> None:
        for row in self._entries()[ref : ref + count]:
            if row.deleted_at is None:
                self._edit(row, field, value, shift)

    def delete(self, ref: int) -> None:
        row = self._entry(ref)
        if row is not None:
            self.world.delete_entry(row.id)

    def bulk_delete(self, ref: int, count: int) -> None:
        for row in self._entries()[ref : ref + count]:
            self.world.delete_entry(row.id)

    def restore(self, ref: int) -> None:
        dead = [r for r in self.world.entries.values() if r.deleted_at is not None and r.user_id == self.world.me]
        row = pick(dead, ref)
        if row is None:
            return
        # A project, task or tag may have ended meanwhile.
        project = self.world.projects.get(row.project_id or 0)
        if project is not None and project.deleted_at is not None:
            row.project_id = row.task_id = None
        task = self.world.tasks.get(row.task_id or 0)
        if task is not None and task.deleted_at is not None:
            row.task_id = None
        # Only a later second lifts a deletion that was told, and nobody is that quick.
        if isinstance(self.world.clock, Clock) and (row.deleted_at or 0) // 1_000_000 >= self.world.now():
            self.world.clock.advance(1)
        self.world.revive_entry(row.id)

    def _edit(self, row: EntryRow, field: str, value: int, shift: int) -> None:
        change = {
            "description": self._text,
            "project": self._project_of,
            "task": self._task_of,
            "tags": self._tags_of,
            "billable": lambda row, *_: {"billable": not row.billable},
            "start": self._start,
            "stop": self._stop,
            "duration": lambda row, _, shift: {} if row.stop is None else {"duration": abs(shift) % 90_000},
            "workspace": self._moved,
            "own_duration": self._own_duration,
            "reopen": lambda row, *_: {"stop": None} if row.start <= self.world.now() else {},
        }[field](row, value, shift)
        if change:
            self.world.edit_entry(row.id, **change)

    def _text(self, _row: EntryRow, value: int, _shift: int) -> dict[str, Any]:
        return {"description": f"text {value}" if value else None}

    def _project_of(self, row: EntryRow, value: int, _shift: int) -> dict[str, Any]:
        return {"task_id": None, "project_id": None, **self._where(row.workspace_id, value, 0)}

    def _task_of(self, row: EntryRow, value: int, shift: int) -> dict[str, Any]:
        return {"task_id": None, "project_id": None, **self._where(row.workspace_id, value, 1 + abs(shift) % 7)}

    def _tags_of(self, _row: EntryRow, value: int, _shift: int) -> dict[str, Any]:
        return {"tags": labels(value)}

    def _start(self, row: EntryRow, _value: int, shift: int) -> dict[str, Any]:
        start = _moment(row.start + shift)
        if row.stop is None:
            return {"start": min(start, self._now())}
        return {"start": start} if row.start + shift <= row.stop else {"start": start, "stop": start}

    def _stop(self, row: EntryRow, _value: int, shift: int) -> dict[str, Any]:
        ending = row.stop if row.stop is not None else self.world.now()
        return {"stop": _moment(max(row.start, ending + shift))}

    def _moved(self, row: EntryRow, value: int, _shift: int) -> dict[str, Any]:
        """Another workspace has other projects, and tags of its own."""
        home = self._workspaces()[value % len(self._workspaces())]
        if home == row.workspace_id:
            return {}
        names = [self.world.tags[tag].name for tag in row.tag_ids]
        # Tags are made in the workspace that an entry is in at the time.
        self.world.edit_entry(row.id, workspace_id=home, project_id=None, task_id=None, tags=())
        return {"tags": names}

    def _own_duration(self, row: EntryRow, value: int, _shift: int) -> dict[str, Any]:
        return {} if row.stop is None else {"stop": _moment(row.stop), "duration": 100 * value}


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
