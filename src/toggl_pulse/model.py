"""The words of the product as frozen data: what Toggl tracks, and the arrays that answers are made of.

Times are aware and UTC, whole seconds (Toggl cuts fractions); only `at` may carry a fraction.
Nothing here knows HTTP, SQL or JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ANY_LANE",
    "JSON",
    "NO_ID",
    "RUNNING",
    "Amount",
    "Catalogue",
    "Client",
    "EntryColumns",
    "EntrySource",
    "Lane",
    "Places",
    "Point",
    "Profile",
    "Project",
    "Projected",
    "QuotaBucket",
    "RunPoint",
    "SetAside",
    "Tag",
    "Task",
    "TimeEntry",
    "User",
    "Workspace",
    "epoch",
    "from_epoch",
]

RUNNING = -1
"""The `stop` of a running entry in `EntryColumns` (seconds; no real entry stops before 1970)."""

NO_ID = 0
"""A missing project, task, client or user in `EntryColumns` (Toggl's ids are positive)."""


def epoch(moment: datetime) -> int:
    """Whole UTC seconds since 1970; a fraction is cut towards the past."""
    return int(moment.timestamp() // 1)


def from_epoch(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


@dataclass(frozen=True, slots=True)
class TimeEntry:
    """One time entry as Toggl tells it.

    `stop is None` means running (never judge by `duration`, which is then a negative number without meaning).
    `duration` is Toggl's own seconds; in old data it may differ from stop - start.
    `tags` are names in Toggl's order, `tag_ids` their ids in any order; either may be empty while the other is not.
    `deleted_at` is set by the delta feed only.
    """

    id: int
    workspace_id: int
    user_id: int
    start: datetime
    stop: datetime | None
    duration: int
    at: datetime
    description: str = ""
    project_id: int | None = None
    task_id: int | None = None
    billable: bool = False
    tags: tuple[str, ...] = ()
    tag_ids: tuple[int, ...] = ()
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Amount:
    """What only Reports know of an entry: money in cents of `currency`; None where Toggl has null (which is not 0)."""

    entry_id: int
    billable_cents: int | None
    hourly_rate_cents: int | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class Workspace:
    id: int
    name: str
    organization_id: int | None = None
    default_currency: str | None = None
    default_hourly_rate_cents: int | None = None
    premium: bool = False
    rounding: int = 0
    rounding_minutes: int = 0
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Client:
    id: int
    workspace_id: int
    name: str
    archived: bool = False
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Project:
    """`color` is `#rrggbb`; `rate_cents` and `fixed_fee_cents` are cents of `currency`."""

    id: int
    workspace_id: int
    name: str
    client_id: int | None = None
    active: bool = True
    color: str | None = None
    billable: bool = False
    currency: str | None = None
    rate_cents: int | None = None
    fixed_fee_cents: int | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    id: int
    workspace_id: int
    project_id: int
    name: str
    active: bool = True
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Tag:
    id: int
    workspace_id: int
    name: str
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class User:
    id: int
    name: str
    email: str | None = None
    active: bool = True
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """The person whose token this is; `week_start` counts Toggl's way: 0 = Sunday … 6 = Saturday."""

    id: int
    email: str
    fullname: str
    timezone: str
    week_start: int
    default_workspace_id: int | None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row of an answer that could not be read: kept and reported, so that one bad row never costs the batch."""

    kind: str
    row_id: int | None
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class QuotaBucket:
    """One of Toggl's hourly request buckets as last seen.

    `name` is `user` for `/me…` and `organization:<id>` (or `workspace:<id>` while the organisation is unknown) for
    the rest. `remaining` may be negative. `total` is None until `/me/quota` told it.
    """

    name: str
    remaining: int
    resets_at: datetime
    seen_at: datetime
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every named thing by id, deleted and archived ones included, for old entries still point at them."""

    profile: Profile | None = None
    workspaces: Mapping[int, Workspace] = field(default_factory=dict)
    clients: Mapping[int, Client] = field(default_factory=dict)
    projects: Mapping[int, Project] = field(default_factory=dict)
    tasks: Mapping[int, Task] = field(default_factory=dict)
    tags: Mapping[int, Tag] = field(default_factory=dict)
    users: Mapping[int, User] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EntryColumns:
    """Entries as arrays of one length, in no particular order; what an `EntrySource` hands over.

    `start`, `stop` and `duration` are seconds (UTC epoch for the first two); `stop` is `RUNNING` and `duration` 0
    while an entry runs. Absent ids are `NO_ID`. `tag_set` indexes `tag_sets` (sorted tag ids, `()` for none),
    `description` indexes `descriptions`. `deleted` is all False from `load`, and marks tombstones from `changes`.
    """

    entry_id: NDArray[np.int64]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    duration: NDArray[np.int64]
    workspace_id: NDArray[np.int64]
    project_id: NDArray[np.int64]
    task_id: NDArray[np.int64]
    user_id: NDArray[np.int64]
    billable: NDArray[np.bool_]
    deleted: NDArray[np.bool_]
    tag_set: NDArray[np.int32]
    description: NDArray[np.int32]
    tag_sets: tuple[tuple[int, ...], ...]
    descriptions: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.entry_id)

    def only(self, rows: NDArray[np.bool_]) -> EntryColumns:
        """Some of the entries; the sets and texts are shared."""
        if rows.all():
            return self
        values: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}
        arrays: dict[str, Any] = {name: each[rows] for name, each in values.items() if isinstance(each, np.ndarray)}
        return replace(self, **arrays)


class EntrySource(Protocol):
    """Where the metrics engine gets its columns from; all calls block and may be made from any thread.

    `exact`: `changes` gives each entry with a later revision, once, and nothing else.
    """

    exact: bool

    def revision(self) -> int:
        """The newest committed revision (cheap: asked before every answer)."""
        ...

    def load(self) -> tuple[int, EntryColumns]:
        """All entries that are not deleted, and a revision that they are at least as new as."""
        ...

    def changes(self, since: int) -> tuple[int, EntryColumns]:
        """Entries whose revision is greater than `since`, tombstones included; applying them twice is harmless.

        Each change of an entry or of a name takes a number of its own, the next one.
        """
        ...

    def catalogue(self) -> Catalogue:
        """Names, colours and rates as they stand now."""
        ...


class Lane(NamedTuple):
    """What decides, of all that InfluxDB knows a point by, which points a delete may touch; `NO_ID`: no project."""

    workspace_id: int
    project_id: int
    user_id: int
    billable: bool


ANY_LANE = Lane(NO_ID, NO_ID, NO_ID, billable=False)
"""Stands for the lane of a point of which nothing but the time is known."""


class Point(NamedTuple):
    """A finished entry as InfluxDB is to hold it.

    `time_ns` is the start in whole milliseconds (UTC) and a remainder of nanoseconds that no other point has there;
    `stop` is epoch seconds, `duration` Toggl's own seconds. `tags` are names and `tag_ids` ids, both in rising order.
    """

    time_ns: int
    entry_id: int
    workspace_id: int
    project_id: int
    task_id: int
    user_id: int
    stop: int
    duration: int
    billable: bool
    tags: tuple[str, ...]
    tag_ids: tuple[int, ...]
    description: str

    @property
    def lane(self) -> Lane:
        return Lane(self.workspace_id, self.project_id, self.user_id, self.billable)


class Places(NamedTuple):
    """Where points stand in InfluxDB, as arrays of one length: whose point it is, when, and in which lane."""

    time_ns: NDArray[np.int64]
    entry_id: NDArray[np.int64]
    workspace_id: NDArray[np.int64]
    project_id: NDArray[np.int64]
    user_id: NDArray[np.int64]
    billable: NDArray[np.int64]


class Projected(NamedTuple):
    """How far InfluxDB follows the mirror.

    Every change up to `revision` stands there (None: never yet), unless it is `writing`: then something between that
    revision and a later one. `generation` grows with each change of either.
    """

    revision: int | None
    writing: bool
    generation: int


class RunPoint(NamedTuple):
    """A sync run as InfluxDB is to hold it; None where the figure is not known, or there is none.

    `projection_lag` is in revisions, what else lags in seconds; `quota` tells what is left and the reserve by bucket.
    Whole numbers all: Flux cannot bring tables of numbers and of texts together.
    """

    run_id: int
    started_at: datetime
    outcome: str
    reason: str
    requests: int
    new: int
    changed: int
    deleted: int
    seconds_since_success: int | None
    projection_lag: int | None
    projection_lag_seconds: int | None
    quota: Mapping[str, tuple[int, int]]
    token_refused: bool | None


JSON = Any
"""A value made of dict, list, str, int, float, bool and None."""
