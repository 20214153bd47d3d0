from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toggl_pulse.demo import Clock, World, truth

ZONES = [
    "Europe/Berlin",
    "Asia/Kolkata",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Pacific/Apia",
    "America/Havana",
    "UTC",
]


def at(text: str, zone: str = "Europe/Berlin") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def ms(text: str, zone: str = "Europe/Berlin") -> int:
    return int(at(text, zone).timestamp()) * 1000


def whole(world: World, zone: str = "Europe/Berlin", **options: Any) -> dict[Any, dict[int, float]]:
    return truth(
        world,
        start=options.pop("start", datetime(2006, 1, 1, tzinfo=UTC)),
        end=options.pop("end", datetime(2100, 1, 1, tzinfo=UTC)),
        zone=zone,
        **options,
    )


def test_start_books_an_entry_on_the_day_it_began_and_split_cuts_it(world: World) -> None:
    world.create_entry(start=at("2026-11-02T23:00"), stop=at("2026-11-03T02:00"))

    assert {"all": {ms("2026-11-02"): 3.0}} == whole(world)
    assert {"all": {ms("2026-11-02"): 1.0, ms("2026-11-03"): 2.0}} == whole(world, attribution="split")


def test_days_of_23_and_25_hours_are_whole(world: World) -> None:
    for first in ("2026-03-28", "2026-10-24"):
        world.create_entry(start=at(first), stop=at(first) + timedelta(days=3))

    hours = whole(world, attribution="split")["all"]

    assert (23, 25) == (hours[ms("2026-03-29")], hours[ms("2026-10-25")])


def test_a_day_without_midnight_begins_an_hour_later(world: World) -> None:
    # Cairo's clocks jumped from 00:00 to 01:00 on 26 April 2024
    start = at("2024-04-25T12:00", "Africa/Cairo")
    world.create_entry(start=start, stop=start + timedelta(hours=24))

    hours = whole(world, "Africa/Cairo", attribution="split")["all"]

    assert {ms("2024-04-25", "Africa/Cairo"): 12.0, ms("2024-04-26T01:00", "Africa/Cairo"): 12.0} == hours


def test_a_day_that_was_skipped_holds_nothing(world: World) -> None:
    # Samoa went from the 29th to the 31st of December 2011
    start = at("2011-12-29T00:00", "Pacific/Apia")
    world.create_entry(start=start, stop=at("2012-01-01T00:00", "Pacific/Apia"))

    hours = whole(world, "Pacific/Apia", attribution="split")["all"]

    assert {ms("2011-12-29", "Pacific/Apia"): 24.0, ms("2011-12-31", "Pacific/Apia"): 24.0} == hours


def test_a_clock_that_goes_back_over_midnight_leaves_no_hour_out(world: World) -> None:
    # St John's went from 00:01 back to 23:01 on 7 November 2010
    start = at("2010-11-06T12:00", "America/St_Johns")
    world.create_entry(start=start, stop=start + timedelta(hours=30))

    hours = whole(world, "America/St_Johns", attribution="split")["all"]

    assert {ms("2010-11-06", "America/St_Johns"): 12.0, ms("2010-11-07", "America/St_Johns"): 18.0} == hours


@pytest.mark.parametrize("attribution", ["start", "split"])
def test_the_hour_before_midnight_that_comes_twice_belongs_to_the_new_day(world: World, attribution: str) -> None:
    start = at("2010-11-07T00:00", "America/St_Johns") + timedelta(minutes=30)
    world.create_entry(start=start, stop=start + timedelta(minutes=6))

    assert 6 == start.astimezone(ZoneInfo("America/St_Johns")).day
    assert {"all": {ms("2010-11-07", "America/St_Johns"): 0.1}} == whole(
        world, "America/St_Johns", attribution=attribution
    )


def test_weeks_begin_on_the_users_first_day(world: World) -> None:
    world.create_entry(start=at("2026-11-08T10:00"), stop=at("2026-11-08T11:00"))

    assert [ms("2026-11-02"), ms("2026-11-08"), ms("2026-11-07")] == [
        next(iter(whole(world, interval="week", week_start=first)["all"])) for first in (1, 0, 6)
    ]


@pytest.mark.parametrize(
    ("interval", "begins"),
    [("hour", "2026-11-08T10:00"), ("month", "2026-11-01"), ("quarter", "2026-10-01"), ("year", "2026-01-01")],
)
def test_steps_begin_where_the_calendar_says(world: World, interval: str, begins: str) -> None:
    world.create_entry(start=at("2026-11-08T10:20"), stop=at("2026-11-08T10:50"))

    assert {"all": {ms(begins): 0.5}} == whole(world, interval=interval)


def test_groups_are_ids_and_an_entry_counts_under_each_of_its_tags(world: World, now: datetime) -> None:
    client = world.create_client("C")
    project = world.create_project("P", client_id=client.id)
    world.create_entry(start=now - timedelta(hours=1), stop=now, project_id=project.id, tags=["a", "b"], billable=True)
    world.create_entry(start=now - timedelta(hours=2), stop=now, description="text")

    def sums(group: str) -> dict[Any, float]:
        return {key: sum(steps.values()) for key, steps in whole(world, group_by=group).items()}

    first, second = world.tags
    (home,) = world.workspaces
    assert {project.id: 1, 0: 2} == sums("project")
    assert {client.id: 1, 0: 2} == sums("client")
    assert {first: 1, second: 1, 0: 2} == sums("tag")
    assert {True: 1, False: 2} == sums("billable")
    assert {"": 1, "text": 2} == sums("description")
    assert {home: 3} == sums("workspace")
    assert {world.me: 3} == sums("user")
    assert {0: 3} == sums("task")
    assert 1 == sum(whole(world, metric="billable_hours")["all"].values())
    assert 2 == sum(whole(world, metric="entry_count")["all"].values())


def test_a_running_entry_counts_up_to_now_and_one_ahead_nothing(world: World, now: datetime) -> None:
    row = world.start_timer(start=now - timedelta(hours=2))
    assert 2 == sum(whole(world)["all"].values())
    assert 5 == sum(whole(world, now=now + timedelta(hours=3), attribution="split")["all"].values())

    world.edit_entry(row.id, start=now + timedelta(hours=1))

    assert [0] == list(whole(world)["all"].values())
    assert {} == whole(world, attribution="split")


def test_a_duration_of_its_own_counts_by_start_and_the_interval_by_split(world: World, now: datetime) -> None:
    world.create_entry(start=now - timedelta(hours=2), stop=now, duration=3600)

    assert (1, 2) == tuple(sum(whole(world, attribution=way)["all"].values()) for way in ("start", "split"))


def test_the_range_includes_its_start_and_not_its_end(world: World, now: datetime) -> None:
    hour = timedelta(hours=1)
    for n in range(4):
        world.create_entry(start=now + n * hour, stop=now + (n + 2) * hour)
    span: dict[str, Any] = {"start": now + hour, "end": now + 3 * hour, "interval": "range"}

    assert {"all": {int((now + hour).timestamp()) * 1000: 4.0}} == whole(world, **span)
    assert {"all": {int((now + hour).timestamp()) * 1000: 4.0}} == whole(world, attribution="split", **span)


def test_deleted_entries_and_other_people_do_not_count(world: World, now: datetime) -> None:
    other = world.create_user("Colleague", "colleague@example.com", workspace_ids=[])
    world.create_entry(start=now, stop=now, user_id=other.id, workspace_id=next(iter(world.workspaces)))
    world.delete_entry(world.create_entry(start=now, stop=now).id)

    assert {} == whole(world)


MOMENT = st.integers(
    int(datetime(2010, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2027, 1, 1, tzinfo=UTC).timestamp())
)


@given(st.lists(st.tuples(MOMENT, st.integers(0, 400_000)), max_size=12), st.sampled_from(ZONES), st.integers(0, 6))
@settings(max_examples=60, deadline=None)
def test_no_calendar_gains_or_loses_a_second(spans: list[tuple[int, int]], zone: str, week_start: int) -> None:
    world = World.empty(Clock(datetime(2026, 11, 23, tzinfo=UTC)))
    for start, length in spans:
        begins = datetime.fromtimestamp(start, UTC)
        world.create_entry(start=begins, stop=begins + timedelta(seconds=length))
    expected = sum(length for _, length in spans)

    for attribution in ("start", "split"):
        for interval in ("day", "week", "month", "quarter", "year", "range"):
            answer = whole(world, zone, interval=interval, attribution=attribution, week_start=week_start)
            assert expected == round(sum(answer.get("all", {}).values()) * 3600)
