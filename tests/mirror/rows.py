"""Rows for the mirror's tests, short to write and easy to tell apart; and a reader that follows by revision."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from toggl_pulse.mirror import Mirror
from toggl_pulse.model import EntryColumns, TimeEntry

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
FIRST_ID = 3_730_303_299  # above 2**31, as Toggl's are
WORKSPACE = 7_000_001
USER = 9_000_001


def clock() -> datetime:
    return NOW


def entry(number: int = 0, **changes: Any) -> TimeEntry:
    """The entry of that number: one hour, each starting an hour after the one before."""
    start = NOW + timedelta(hours=number)
    values: dict[str, Any] = {
        "id": FIRST_ID + number,
        "workspace_id": WORKSPACE,
        "user_id": USER,
        "start": start,
        "stop": start + timedelta(hours=1),
        "duration": 3600,
        "at": NOW + timedelta(microseconds=123_456),
        "description": f"entry {number}",
    }
    return TimeEntry(**(values | changes))


def write(mirror: Mirror, *entries: TimeEntry) -> int:
    with mirror.batch() as batch:
        return batch.write_entries(entries)


Fields = tuple[Any, ...]


def told(columns: EntryColumns) -> dict[int, Fields | None]:
    """What the columns say of each entry by id, codes undone; None for a tombstone."""
    return {
        int(columns.entry_id[i]): None
        if columns.deleted[i]
        else (
            *(
                int(getattr(columns, name)[i])
                for name in ("start", "stop", "duration", "workspace_id", "project_id", "task_id", "user_id")
            ),
            bool(columns.billable[i]),
            columns.tag_sets[columns.tag_set[i]],
            columns.descriptions[columns.description[i]],
        )
        for i in range(len(columns))
    }


def apply(known: dict[int, Fields | None], news: dict[int, Fields | None]) -> dict[int, Fields | None]:
    """A follower's state after some changes."""
    merged = known | news
    return {number: fields for number, fields in merged.items() if fields is not None}


def expected(entries: Iterable[TimeEntry]) -> dict[int, Fields]:
    """What columns must say of living entries that carry tags by id only."""
    return {
        one.id: (
            int(one.start.timestamp()),
            -1 if one.stop is None else int(one.stop.timestamp()),
            0 if one.stop is None else one.duration,
            one.workspace_id,
            one.project_id or 0,
            one.task_id or 0,
            one.user_id,
            one.billable,
            tuple(sorted(one.tag_ids)),
            one.description,
        )
        for one in entries
        if one.deleted_at is None
    }
