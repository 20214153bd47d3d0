"""What the mirror keeps beside Toggl's own rows: runs, months, versions and counts, as frozen data.

Nothing here knows SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from toggl_pulse.model import TimeEntry

__all__ = [
    "Account",
    "CatalogueCounts",
    "Deletion",
    "EntryVersion",
    "MirrorCounts",
    "MonthCheck",
    "MonthState",
    "Outcome",
    "RunFigures",
    "RunToTell",
    "SetAsideRow",
    "StoredEntry",
    "SyncRun",
]

Outcome = Literal["running", "done", "partly", "failed"]
MonthState = Literal["verified", "not_verified", "differs", "unavailable"]
"""`unavailable`: Toggl's plan does not show this month to Reports."""
Deletion = Literal["feed", "inferred"]
"""Who says that an entry is gone: Toggl's delta feed, or we, because another read showed it missing."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose data a mirror holds; `origin` is `toggl` or `demo`, `email` is None until the profile was read."""

    origin: str
    user_id: int
    email: str | None = None


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry with what only the mirror knows of it; `deletion` is None while the entry lives."""

    entry: TimeEntry
    revision: int
    deletion: Deletion | None


@dataclass(frozen=True, slots=True)
class EntryVersion:
    """A version of an entry that a later one replaced; `revision` is its own, `replaced_by` its successor's."""

    entry: TimeEntry
    revision: int
    replaced_by: int
    replaced_at: datetime


@dataclass(frozen=True, slots=True)
class CatalogueCounts:
    new: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class MirrorCounts:
    """How much the mirror holds; `entries` are the living ones, running included, the starts are theirs."""

    entries: int
    deleted: int
    running: int
    versions: int
    set_aside: int
    first_start: datetime | None
    last_start: datetime | None


@dataclass(frozen=True, slots=True)
class MonthCheck:
    """One month (`YYYY-MM`) of one workspace compared with Toggl's own total, in seconds."""

    workspace_id: int
    month: str
    state: MonthState
    mirror_seconds: int | None = None
    toggl_seconds: int | None = None
    checked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SyncRun:
    """One run of the sync. A run that says `running` without a lock being held was killed."""

    id: int
    reason: str
    started_at: datetime
    finished_at: datetime | None = None
    outcome: Outcome = "running"
    why: str = ""
    requests: int = 0
    new: int = 0
    changed: int = 0
    deleted: int = 0
    unchanged: int = 0
    set_aside: int = 0

    @property
    def duration(self) -> timedelta | None:
        return self.finished_at - self.started_at if self.finished_at is not None else None


@dataclass(frozen=True, slots=True)
class RunFigures:
    """How things stood at the end of a run.

    `since_success` is in seconds since changes were last read (None: never), `lag` in revisions that InfluxDB is
    behind, `lag_seconds` in seconds since it was not; `quota` has what is left and the reserve by bucket whose window
    still ran; `token_refused` tells whether that ended the run (None: it was not noted then).
    """

    since_success: int | None = None
    lag: int = 0
    lag_seconds: int = 0
    quota: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    token_refused: bool | None = None


@dataclass(frozen=True, slots=True)
class RunToTell:
    """A finished run, and how things stood at its end; runs of before that was noted have no figures."""

    run: SyncRun
    figures: RunFigures | None


@dataclass(frozen=True, slots=True)
class SetAsideRow:
    """A row that could not be read, with how often and when it was last seen; `run_id` is the first run's."""

    kind: str
    row_id: int | None
    reason: str
    raw: str
    run_id: int | None
    times: int
    last_seen: datetime
