"""What the tests of the metrics share: names, a clock, and strategies for entries and questions."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from metrics.reference import utc
from metrics.sources import MemorySource, Row
from toggl_pulse.metrics import Answers, Contact, cells, columns, sums
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
    "Pacific/Apia": (utc(2011, 12, 30, 10),),
}

LONGEST_DAYS = {"hour": 2, "day": 20, "week": 60, "month": 150, "quarter": 400, "year": 800, "range": 100}


def answers_of(source: MemorySource, now: datetime = NOW, last: datetime | None = None) -> Answers:
    """Answers at `now`, Toggl heard of just then or at `last`."""
    contact = Contact(now if last is None else last, timedelta(minutes=20))
    return Answers(source, clock=lambda: now, contact=lambda: contact)


@contextlib.contextmanager
def small_limits() -> Iterator[None]:
    """Blocks of three rows, and nothing at once: what else only large accounts go through."""
    before = sums.BLOCK, cells.CODES_AT_ONCE, cells.CELLS_AT_ONCE, columns._REACH, columns._MOST_EXTRA
    sums.BLOCK, cells.CODES_AT_ONCE, cells.CELLS_AT_ONCE, columns._REACH, columns._MOST_EXTRA = 3, 0, 5, 2, 2
    try:
        yield
    finally:
        sums.BLOCK, cells.CODES_AT_ONCE, cells.CELLS_AT_ONCE, columns._REACH, columns._MOST_EXTRA = before


@st.composite
def moments(draw: st.DrawFn) -> tuple[ZoneInfo, int]:
    """A zone and a moment of interest in it."""
    name = draw(st.sampled_from(sorted(MOMENTS)))
    return ZoneInfo(name), draw(st.sampled_from(MOMENTS[name]))


@st.composite
def row_lists(draw: st.DrawFn, around: int, days: int) -> list[Row]:
    """Up to a dozen entries around a moment, of every kind that Toggl knows."""
    offsets = st.one_of(
        st.integers(-3 * 3600, 3 * 3600),
        st.integers(-days * 86_400, days * 86_400),
        st.sampled_from([0, -1, 1, -3600, 3600, -1800, 86_400]),
    )
    lengths = st.one_of(
        st.sampled_from([0, 1, 59, 60, 3600, 86_400]),
        st.integers(0, 4 * 3600),
        st.integers(0, 3 * 86_400),
    )
    found = []
    for number in range(draw(st.integers(0, 12))):
        start = around + draw(offsets)
        length = draw(lengths)
        found.append(
            Row(
                # ids against the order of starts
                id=2**31 + 1000 - number,
                start=start,
                stop=None if draw(st.integers(0, 9)) == 0 else start + length,
                seconds=draw(st.none() | st.just(length + 7)),
                workspace=draw(st.sampled_from([1, 2])),
                project=draw(st.sampled_from([NO_ID, 11, 12, 13, 14, 15])),
                task=draw(st.sampled_from([NO_ID, 21, 22])),
                user=draw(st.sampled_from([1, 1, 2])),
                billable=draw(st.booleans()),
                tags=tuple(sorted(draw(st.sets(st.sampled_from([31, 32, 33, 34]), max_size=3)))),
                description=draw(st.sampled_from(["", "a", "b"])),
            )
        )
    return found


def running_only_once(rows: list[Row]) -> list[Row]:
    return [replace(row, stop=row.start) if row.stop is None else row for row in rows]
