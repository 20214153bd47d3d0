"""Toggl's time entries as model rows, from the Track API and from the detailed report, which differ in shape.

This runs once for every entry of the history, so it is written for speed where that costs no clarity.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from toggl_pulse.model import Amount, Project, Task, TimeEntry, User
from toggl_pulse.toggl.answers import Named
from toggl_pulse.toggl.fields import (
    MAX_ID,
    Broken,
    clean,
    flag,
    identity,
    maybe_identity,
    maybe_text,
    moment,
    text,
    whole,
)
from toggl_pulse.toggl.schemas import read_color

__all__ = ["Names", "read_entry", "read_report_row"]

Row = Mapping[str, Any]

LONGEST_SECONDS = 4_000_000_000
"""More than a hundred years; Toggl itself stops at 999 hours."""


def read_entry(row: Row) -> TimeEntry:
    """An entry of `/me/time_entries`, with or without the short aliases."""
    start, stop, duration = _span(row, row.get("duration"))
    deleted_at = row.get("server_deleted_at")
    return TimeEntry(
        id=identity(row, "id"),
        workspace_id=identity(row, "workspace_id", "wid"),
        user_id=identity(row, "user_id", "uid"),
        start=start,
        stop=stop,
        duration=duration,
        at=moment(row.get("at"), "at"),
        description=text(row, "description", ""),
        project_id=maybe_identity(row, "project_id", "pid"),
        task_id=maybe_identity(row, "task_id", "tid"),
        billable=flag(row, "billable"),
        tags=_names(row.get("tags"), "tags"),
        tag_ids=_ids(row.get("tag_ids"), "tag_ids"),
        deleted_at=None if deleted_at is None else moment(deleted_at, "server_deleted_at"),
    )


def read_report_row(row: Row, workspace_id: int) -> list[tuple[TimeEntry, Amount | None]]:
    """The entries of one row of the detailed report: exactly one with `grouped` false.

    Amounts belong to the row, so a row of several entries has none to give.
    """
    inner = row.get("time_entries")
    if type(inner) is not list or not inner:
        raise Broken("time_entries is missing")
    user_id = identity(row, "user_id")
    project_id = maybe_identity(row, "project_id")
    task_id = maybe_identity(row, "task_id")
    description = text(row, "description", "")
    billable = flag(row, "billable")
    tags, tag_ids = _names(row.get("tag_names"), "tag_names"), _ids(row.get("tag_ids"), "tag_ids")
    read: list[tuple[TimeEntry, Amount | None]] = []
    for part in inner:
        if type(part) is not dict:
            raise Broken("time_entries holds something else than objects")
        start, stop, duration = _span(part, part.get("seconds"))
        entry = TimeEntry(
            id=identity(part, "id"),
            workspace_id=workspace_id,
            user_id=user_id,
            start=start,
            stop=stop,
            duration=duration,
            at=moment(part.get("at"), "at"),
            description=description,
            project_id=project_id,
            task_id=task_id,
            billable=billable,
            tags=tags,
            tag_ids=tag_ids,
        )
        amount = None
        if len(inner) == 1:
            amount = Amount(
                entry_id=entry.id,
                billable_cents=_maybe_whole(row, "billable_amount_in_cents"),
                hourly_rate_cents=_maybe_whole(row, "hourly_rate_in_cents"),
                currency=maybe_text(row, "currency"),
            )
        read.append((entry, amount))
    return read


class Names:
    """Gathers what entries call their projects, tasks and users; the newest entry's word counts."""

    def __init__(self) -> None:
        self._named: dict[tuple[str, int], Named] = {}

    def take(self, row: Row, entry: TimeEntry) -> None:
        """Names never cost an entry: what cannot be read is left out."""
        project_id, task_id = entry.project_id, entry.task_id
        if project_id is not None and ("project", project_id) not in self._named:
            self._take_project(row, entry, project_id)
        if project_id is not None and task_id is not None and ("task", task_id) not in self._named:
            name = _said(row, "task_name")
            if name:
                self._named["task", task_id] = Task(task_id, entry.workspace_id, project_id, name)
        if ("user", entry.user_id) not in self._named:
            name = _said(row, "user_name") or _said(row, "username")
            if name:
                self._named["user", entry.user_id] = User(entry.user_id, name)

    def all(self) -> tuple[Named, ...]:
        return tuple(self._named.values())

    def _take_project(self, row: Row, entry: TimeEntry, project_id: int) -> None:
        name = _said(row, "project_name")
        if not name:
            return
        active, billable = row.get("project_active"), row.get("project_billable")
        self._named["project", project_id] = Project(
            id=project_id,
            workspace_id=entry.workspace_id,
            name=name,
            active=active if type(active) is bool else True,
            billable=billable if type(billable) is bool else False,
            color=read_color(row, "project_color") or read_color(row, "project_hex"),
        )


def _said(row: Row, name: str) -> str:
    """A name, or nothing; Reports write an empty one where there is none."""
    return text(row, name) if type(row.get(name)) is str else ""


def _span(row: Row, duration: object) -> tuple[datetime, datetime | None, int]:
    """Start, stop and seconds. Running is told by the stop alone; Toggl cuts fractions of a second, so do we."""
    start = moment(row.get("start"), "start")
    if start.microsecond:
        start = start.replace(microsecond=0)
    raw_stop = row.get("stop")
    if type(duration) is float and duration.is_integer():
        duration = int(duration)
    if raw_stop is None:
        return start, None, duration if type(duration) is int and abs(duration) <= LONGEST_SECONDS else -1
    stop = moment(raw_stop, "stop")
    if stop.microsecond:
        stop = stop.replace(microsecond=0)
    if type(duration) is not int:
        raise Broken("the duration is missing" if duration is None else "the duration is not a whole number")
    if not 0 <= duration <= LONGEST_SECONDS:
        raise Broken("the duration is out of range")
    return start, stop, duration


def _maybe_whole(row: Row, name: str) -> int | None:
    return None if row.get(name) is None else whole(row, name)


def _names(value: object, name: str) -> tuple[str, ...]:
    if not value:
        return ()
    if type(value) is not list:
        raise Broken(f"{name} is not a list of names")
    for item in value:
        if type(item) is not str:
            raise Broken(f"{name} is not a list of names")
        if "\0" in item:
            return tuple([clean(each, name) for each in value])
    return tuple(value)


def _ids(value: object, name: str) -> tuple[int, ...]:
    if not value:
        return ()
    if type(value) is not list:
        raise Broken(f"{name} is not a list of ids")
    for item in value:
        if type(item) is not int or not 0 < item <= MAX_ID:
            raise Broken(f"{name} is not a list of ids")
    return tuple(value)
