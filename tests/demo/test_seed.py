from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toggl_pulse.demo import World
from toggl_pulse.demo.oddities import clock_change
from toggl_pulse.demo.rows import EntryRow
from toggl_pulse.demo.seed import YEAR_DAYS

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def seeded() -> World:
    return World.seeded(NOW)


def local(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, BERLIN)


def test_the_same_moment_gives_the_same_year_and_another_seed_another(seeded: World) -> None:
    assert seeded.entries == World.seeded(NOW).entries
    assert seeded.entries != World.seeded(NOW, seed=1).entries


def test_tomorrow_yesterdays_entries_are_still_the_same(seeded: World) -> None:
    tomorrow = World.seeded(NOW + timedelta(days=1))
    until = int((NOW - timedelta(days=1)).timestamp())
    since = int((NOW - timedelta(days=300)).timestamp())

    def spans(world: World) -> dict[int, tuple[int, int | None, int | None]]:
        return {
            row.id: (row.start, row.stop, row.project_id)
            for row in world.live_entries()
            if since < row.start and row.stop is not None and row.stop < until
        }

    assert spans(seeded) == spans(tomorrow)


def test_a_year_has_about_3500_entries_that_look_like_work(seeded: World) -> None:
    rows = [row for row in seeded.live_entries() if row.stop is not None]
    days = Counter(local(row.start).date() for row in rows)
    hours = sum(row.duration for row in rows) / 3600

    assert 3_300 <= len(rows) <= 3_700
    assert 210 <= len(days) <= 290
    assert 6 <= hours / len(days) <= 8.5
    weekend = sum(row.duration for row in rows if local(row.start).weekday() >= 5) / 3600
    assert 0 < weekend < hours / 15


ODDITIES: dict[str, Callable[[World, EntryRow], bool]] = {
    "over midnight": lambda _, row: row.stop is not None and local(row.start).date() < local(row.stop).date(),
    "no length": lambda _, row: row.stop == row.start,
    "ahead": lambda world, row: row.start > world.now(),
    "no project": lambda _, row: row.project_id is None,
    "null text": lambda _, row: row.description is None,
    "empty text": lambda _, row: row.description == "",
    "two tags": lambda _, row: len(row.tag_ids) == 2,
    "no tag": lambda _, row: not row.tag_ids,
    "task": lambda _, row: row.task_id is not None,
    "not billable on a billable project": lambda world, row: (
        not row.billable and row.project_id is not None and world.projects[row.project_id].billable
    ),
    "duration of its own": lambda _, row: row.stop is not None and row.duration != row.stop - row.start,
    "running": lambda _, row: row.stop is None,
    "in the other workspace": lambda world, row: row.workspace_id != world.profile.default_workspace_id,
    "archived project": lambda world, row: row.project_id is not None and not world.projects[row.project_id].active,
    "edited days later": lambda _, row: row.stop is not None and row.at // 1_000_000 - row.stop > 86_400,
}


@given(st.datetimes(datetime(2024, 1, 1), datetime(2031, 1, 1)))  # noqa: DTZ001
@settings(max_examples=12, deadline=None)
def test_at_any_moment_every_oddity_is_there(moment: datetime) -> None:
    now = moment.replace(tzinfo=UTC, microsecond=0)
    world = World.seeded(now)
    rows = world.live_entries()

    missing = [name for name, test in ODDITIES.items() if not any(test(world, row) for row in rows)]
    deleted = [row for row in world.entries.values() if row.deleted_at is not None]

    assert [] == missing
    assert 5 <= len(deleted)
    assert 1 == sum(row.stop is None for row in rows)
    assert len(world.entries) == len({row.id for row in world.entries.values()})
    assert all(row.at <= now.timestamp() * 1_000_000 for row in world.entries.values())
    assert all(row.id > 2**31 for row in world.entries.values())
    assert all(row.start >= world.profile.created_at for row in rows)


def test_nothing_ends_after_the_running_timer_began_but_the_one_booked_ahead(seeded: World) -> None:
    running = seeded.running()
    assert running is not None
    later = [row for row in seeded.live_entries() if row.stop is not None and row.stop > running.start]

    assert ["Workshop, booked ahead"] == [row.description for row in later]


def test_entries_lie_over_both_clock_changes_and_inside_the_repeated_hour(seeded: World) -> None:
    first = (NOW - timedelta(days=YEAR_DAYS)).date()
    found = [clock_change(first + timedelta(days=n), BERLIN) for n in range(YEAR_DAYS)]
    changes = [moment for moment in found if moment is not None]
    rows = [(row.start, row.stop) for row in seeded.live_entries() if row.stop is not None]

    assert 2 == len(changes)
    for change in changes:
        assert any(start < change < stop for start, stop in rows)
        assert any(change < start < change + 3600 for start, _ in rows)


def test_some_entries_overlap_and_one_lies_inside_another(seeded: World) -> None:
    rows = [(row.start, row.stop) for row in seeded.live_entries() if row.stop is not None and row.stop > row.start]
    pairs = list(pairwise(rows))

    assert any(a[0] < b[0] < a[1] < b[1] for a, b in pairs)
    assert any(a[0] < b[0] and b[1] < a[1] for a, b in pairs)


def test_names_hold_quotes_pipes_commas_backslashes_and_emoji(seeded: World) -> None:
    tables = (seeded.projects, seeded.clients, seeded.tags)
    names = [row.name for table in tables for row in table.values()]
    texts = [row.description or "" for row in seeded.entries.values()]

    for sign in ('"', "|", ",", "ä"):
        assert any(sign in name for name in names), sign
    assert any(ord(max(name)) > 0x1F000 for name in names)
    assert any("\\" in name for name in names)
    assert any(text.startswith("=") for text in texts)


def test_two_projects_share_a_name_under_different_clients(seeded: World) -> None:
    twins = [row for row in seeded.projects.values() if row.name == "Website"]

    assert (2, 2) == (len(twins), len({row.client_id for row in twins}))


def test_projects_have_colours_rates_and_two_currencies(seeded: World) -> None:
    rows = seeded.projects.values()

    assert all(row.color.startswith("#") and len(row.color) == 7 for row in rows)
    assert {"EUR", "USD", None} == {row.currency for row in rows}
    assert any(row.rate for row in rows)
    assert any(row.fixed_fee for row in rows)


def test_two_workspaces_have_a_tag_of_one_name(seeded: World) -> None:
    meetings = [row.workspace_id for row in seeded.tags.values() if row.name == "meeting"]

    assert sorted(seeded.workspaces) == sorted(meetings)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"])
def test_the_year_can_be_lived_in_any_zone(zone: str) -> None:
    world = World.seeded(NOW, timezone=zone)

    hours = [datetime.fromtimestamp(row.start, ZoneInfo(zone)).hour for row in world.live_entries()]

    assert zone == world.profile.timezone
    assert sum(8 <= hour < 19 for hour in hours) > 0.95 * len(hours)
