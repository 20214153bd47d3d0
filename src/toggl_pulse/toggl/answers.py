"""What the client hands back: model rows, rows set aside, and what an answer tells about itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar

from toggl_pulse.model import Amount, Client, Profile, Project, SetAside, Tag, Task, TimeEntry, User, Workspace

__all__ = ["Entries", "Me", "Named", "Organization", "PageToken", "ReportPage", "RequestNote", "Rows"]

T = TypeVar("T")

Named = Project | Task | User
"""A catalogue row as an entry names it: provisional, because it knows no client, rate or currency."""


@dataclass(frozen=True, slots=True)
class Organization:
    """`max_data_retention_days` is how far back a free plan may look; None or 0 where Toggl sets no limit."""

    id: int
    name: str
    plan_name: str | None = None
    max_data_retention_days: int | None = None


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    """All pages of a list. `complete` is False when a row was set aside or the list would not end."""

    rows: tuple[T, ...]
    set_aside: tuple[SetAside, ...] = ()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Me:
    """`/me`: the profile, and with related data the catalogue (archived projects too) and some days of entries.

    `server_time` is Toggl's clock when it answered.
    """

    profile: Profile
    workspaces: tuple[Workspace, ...]
    clients: tuple[Client, ...]
    projects: tuple[Project, ...]
    tasks: tuple[Task, ...]
    tags: tuple[Tag, ...]
    entries: tuple[TimeEntry, ...]
    set_aside: tuple[SetAside, ...]
    server_time: datetime


@dataclass(frozen=True, slots=True)
class Entries:
    """Rows of `/me/time_entries`, start descending.

    `truncated`: Toggl's cap was reached, so rows are missing. `server_time`: Toggl's clock when it answered, or,
    should it not tell (`dated` is then False), a moment that this clock had certainly reached. `named`: use them for
    unknown ids only.
    """

    entries: tuple[TimeEntry, ...]
    set_aside: tuple[SetAside, ...]
    server_time: datetime
    truncated: bool
    named: tuple[Named, ...] = ()
    dated: bool = True


@dataclass(frozen=True, slots=True)
class PageToken:
    """Where the next page of a Reports search begins: everything that Toggl gave, to be sent back as it is."""

    first_id: int | None = None
    first_row_number: int | None = None
    first_timestamp: int | None = None


@dataclass(frozen=True, slots=True)
class ReportPage:
    """One page of the detailed report.

    `range_first` and `range_last` are the days that Toggl really used, None when it does not tell; compare them
    with what was asked, for an over-long range has been answered silently empty.
    """

    entries: tuple[TimeEntry, ...]
    amounts: tuple[Amount, ...]
    next_page: PageToken | None
    set_aside: tuple[SetAside, ...]
    range_first: date | None
    range_last: date | None
    server_time: datetime
    named: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestNote:
    """One request as sent over the network, repeats included; `status` is None when no answer came.

    `trouble` is the slug of what went wrong, or None. Holds no query, no header and no body.
    """

    method: str
    path: str
    bucket: str
    status: int | None
    seconds: float
    trouble: str | None = None
