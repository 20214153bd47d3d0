"""What the tests of the metrics share: names, a clock, and strategies for entries and questions."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from metrics.reference import Condition, utc
from metrics.sources import MemorySource, Row
from toggl_pulse.metrics import (
    Answers,
    Contact,
    Query,
    cells,
    columns,
    coverage,
    day_edges,
    days,
    grid,
    pieces,
    selection,
)
from toggl_pulse.model import NO_ID, Catalogue, Client, Profile, Project, Tag, Task, User, Workspace

NOW = datetime(2026, 11, 23, 12, 0, 30, 500_000, tzinfo=UTC)

NAMES = Catalogue(
    profile=Profile(1, "ann@example.org", "Ann", "Europe/Berlin", 1, 1),
    workspaces={1: Workspace(1, "Home"), 2: Workspace(2, "Work")},
    clients={7: Client(7, 1, "Acme"), 8: Client(8, 2, "Acme"), 9: Client(9, 1, "Zoo", archived=True)},
    projects={
        11: Project(11, 1, "Site", 7),
        12: Project(12, 2, "Site", 9),
        13: Project(13, 1, "Garden"),
        14: Project(14, 1, "Old", 7, active=False, deleted=True),
    },
    tasks={21: Task(21, 1, 11, "Draft"), 22: Task(22, 1, 12, "Draft")},
    tags={31: Tag(31, 1, "deep"), 32: Tag(32, 1, "call"), 33: Tag(33, 1, "home")},
    users={1: User(1, "Ann", "ann@example.org"), 2: User(2, "Bob", "bob@example.org")},
)

# a moment of interest in each zone: changes of the clock, by an hour or half of one, at night or at midnight, and a
# day that was skipped
MOMENTS = {
    "UTC": (utc(2026, 2, 28, 23),),
    "Europe/Berlin": (utc(2026, 3, 29, 1), utc(2026, 10, 25, 1), utc(2025, 12, 31, 23)),
    "America/New_York": (utc(2026, 3, 8, 7), utc(2026, 11, 1, 6)),
    "Asia/Kolkata": (utc(2026, 5, 31, 18, 30),),
    "Asia/Kathmandu": (utc(2026, 6, 30, 18, 15),),
    "Australia/Lord_Howe": (utc(2026, 4, 4, 15), utc(2026, 10, 3, 15, 30)),
    "America/Santiago": (utc(2026, 4, 5, 3), utc(2026, 9, 6, 4)),
    "Asia/Beirut": (utc(2026, 3, 28, 22), utc(2026, 10, 24, 21)),
    "Africa/Cairo": (utc(2026, 4, 23, 22), utc(2026, 10, 29, 21)),
    "America/St_Johns": (utc(2010, 11, 7, 2, 31), utc(2010, 3, 14, 3, 31)),
    "Pacific/Apia": (utc(2011, 12, 30, 10),),
}

QUICK = settings(
    deadline=None,
    max_examples=120,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
"""What every run can afford."""

DEEP = settings(QUICK, max_examples=6_000)
"""For tests marked `long`."""

LONGEST_DAYS = {"hour": 2, "day": 20, "week": 60, "month": 150, "quarter": 400, "year": 800, "range": 100}


def answers_of(source: MemorySource, now: datetime = NOW, last: datetime | None = None) -> Answers:
    """Answers at `now`, Toggl heard of just then or at `last`."""
    contact = Contact(now if last is None else last, timedelta(minutes=20))
    return Answers(source, clock=lambda: now, contact=lambda: contact)


def ask_range(begin: int, *, metric: str = "tracked_hours", days: int = 1, **more: Any) -> Query:
    """One value for the days from a moment on (UTC), unless `more` says otherwise."""
    given: dict[str, Any] = {"zone": ZoneInfo("UTC"), "interval": "range"} | more
    return Query(metric, begin * 1000, (begin + days * 86_400) * 1000, **given)


@contextlib.contextmanager
def small_limits() -> Iterator[None]:
    """Blocks of three rows, and nothing at once: what else only large accounts go through."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection, "BLOCK", 3)
        patch.setattr(selection, "_FEW_HIDDEN", 1)
        patch.setattr(pieces, "_FOLLOWED", 1)
        patch.setattr(grid, "_SPARSE", 1)
        patch.setattr(days, "CELLS_AT_ONCE", 5)
        patch.setattr(day_edges, "CELLS_AT_ONCE", 5)
        patch.setattr(coverage, "_SHORT_NUMBERS", 0)
        patch.setattr(cells, "CODES_AT_ONCE", 0)
        patch.setattr(cells, "CELLS_AT_ONCE", 5)
        patch.setattr(cells, "CELLS_IN_CACHE", 5)
        patch.setattr(columns, "_REACH", 2)
        patch.setattr(columns, "_MOST_EXTRA", 2)
        patch.setattr(columns, "_FEW", 1)
        yield


Scene = tuple[ZoneInfo, int]

moments: st.SearchStrategy[Scene] = st.sampled_from(
    [(ZoneInfo(name), moment) for name, of_zone in MOMENTS.items() for moment in of_zone]
)
"""A zone and a moment of interest in it."""

_drafts = st.lists(
    st.tuples(
        # start, from the moment: as seconds, or as a share of the range
        st.integers(-3 * 3600, 3 * 3600) | st.sampled_from([0, -1, 1, -3600, 3600, -1800, 86_400]) | st.none(),
        st.integers(-100, 100),
        st.sampled_from([0, 1, 59, 60, 3600, 86_400]) | st.integers(0, 4 * 3600) | st.integers(0, 3 * 86_400),
        st.sampled_from(["finished"] * 8 + ["running", "longer", "shorter"]),
        st.sampled_from([1, 2]),
        st.sampled_from([NO_ID, 11, 12, 13, 14, 15]),
        st.sampled_from([NO_ID, 21, 22]),
        st.sampled_from([1, 1, 2]),
        st.booleans(),
        st.sampled_from([(), (), (31,), (32,), (31, 32), (31, 33), (31, 32, 33), (34,), (33, 34)]),
        st.sampled_from(["", "a", "b"]),
    ),
    max_size=12,
)


def row_lists(around: int, days: int) -> st.SearchStrategy[list[Row]]:
    """Up to a dozen entries around a moment, of every kind that Toggl knows."""
    return _drafts.map(lambda drafts: [_row(number, around, days, *draft) for number, draft in enumerate(drafts)])


def _row(
    number: int,
    around: int,
    days: int,
    offset: int | None,
    share: int,
    length: int,
    kind: str,
    workspace: int,
    project: int,
    task: int,
    user: int,
    billable: bool,  # noqa: FBT001 - drawn by position
    tags: tuple[int, ...],
    description: str,
) -> Row:
    start = around + (share * days * 864 if offset is None else offset)
    return Row(
        id=2**31 + 1000 - number,  # against the order of starts
        start=start,
        stop=None if kind == "running" else start + length,
        seconds={"longer": length + 7, "shorter": length // 2}.get(kind),
        workspace=workspace,
        project=project,
        task=task,
        user=user,
        billable=billable,
        tags=tags,
        description=description,
    )


# words for each dimension: names (one of them twice), ids, labels of none, and things that nobody has
WORDS = {
    "workspace": ["Home", "2", "Nowhere"],
    "client": ["Acme", "9", "(no client)", "8"],
    "project": ["Site", "Garden", "14", "15", "(no project)", "(unknown project 15)", "99"],
    "task": ["Draft", "21", "(no task)"],
    "tag": ["deep", "32", "34", "(no tag)", "(unknown tag 34)"],
    "user": ["Ann", "2", "Eve"],
    "billable": ["true", "false", "not billable"],
    "description": ["a", "", "(no description)", "c"],
}
PATTERNS = ["^S", "a", "o$", "[(]no", "Garden|Old", "^$", "e+", "x"]


def _conditions_of(dimension: str) -> st.SearchStrategy[Condition]:
    words = st.sampled_from(WORDS[dimension])
    several = st.lists(words, min_size=1, max_size=3, unique=True).map(tuple)
    return st.one_of(
        st.tuples(st.just(dimension), st.sampled_from(["=~", "!~"]), st.tuples(st.sampled_from(PATTERNS))),
        st.tuples(st.just(dimension), st.sampled_from(["=", "!=", "text"]), st.tuples(words)),
        st.tuples(st.just(dimension), st.sampled_from(["one_of", "not_one_of"]), several),
    )


conditions: st.SearchStrategy[Condition] = st.one_of([_conditions_of(dimension) for dimension in WORDS])
"""One filter."""
