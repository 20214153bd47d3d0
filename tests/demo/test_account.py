from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from toggl_pulse.demo import Clock, World

HOUR = timedelta(hours=1)


def test_two_changes_in_one_second_get_different_and_later_at(world: World, now: datetime) -> None:
    rows = [world.create_entry(start=now, stop=now) for _ in range(50)]

    stamps = [row.at for row in rows]

    assert sorted(set(stamps)) == stamps
    assert {int(now.timestamp())} == {stamp // 1_000_000 for stamp in stamps}


def test_an_edit_moves_at_and_the_duration_follows_start_and_stop(world: World, now: datetime) -> None:
    row = world.create_entry(start=now - HOUR, stop=now)
    before = row.at

    world.edit_entry(row.id, start=now - 2 * HOUR)

    assert row.at > before
    assert row.duration == 7200
    assert [row] == world.live_entries()


def test_old_data_may_have_a_duration_of_their_own_that_other_edits_leave_alone(world: World, now: datetime) -> None:
    row = world.create_entry(start=now - HOUR, stop=now, duration=1800)

    world.edit_entry(row.id, description="other text")

    assert (1800, int(now.timestamp())) == (row.duration, row.stop)


def test_deleting_a_tag_takes_it_off_entries_without_moving_their_at(world: World, now: datetime) -> None:
    row = world.create_entry(start=now, stop=now, tags=["a", "b"])
    before, (first, second) = row.at, row.tag_ids

    world.delete_tag(first)

    assert ((second,), before) == (row.tag_ids, row.at)


def test_deleting_a_project_takes_it_off_entries_and_moves_their_at(world: World, now: datetime) -> None:
    project = world.create_project("P")
    task = world.create_task("T", project_id=project.id)
    row = world.create_entry(start=now, stop=now, project_id=project.id, task_id=task.id)
    before = row.at

    world.delete_project(project.id)

    assert (None, None) == (row.project_id, row.task_id)
    assert row.at > before
    assert task.deleted_at is not None


@pytest.mark.parametrize("moves", [True, False])
def test_a_rename_leaves_entries_alone_and_moves_the_project_as_told(
    world: World, now: datetime, *, moves: bool
) -> None:
    world.behaviour.rename_moves_at = moves
    project = world.create_project("P")
    row = world.create_entry(start=now, stop=now, project_id=project.id)
    entry_at, project_at = row.at, project.at

    world.rename_project(project.id, "Q")

    assert (entry_at, "Q", moves) == (row.at, project.name, project.at > project_at)


def test_starting_a_timer_stops_the_one_that_runs(world: World, now: datetime) -> None:
    first = world.start_timer(start=now - HOUR)
    second = world.start_timer()

    assert (second, 3600) == (world.running(), first.duration)


def test_a_deleted_running_entry_runs_no_more_and_a_revived_one_does(world: World) -> None:
    row = world.start_timer()
    world.delete_entry(row.id)
    assert world.running() is None

    world.revive_entry(row.id)

    assert row == world.running()
    assert [row] == world.live_entries()


def test_a_deletion_keeps_every_field_and_sets_at_to_its_moment(world: World, now: datetime) -> None:
    row = world.create_entry(start=now - HOUR, stop=now, description="kept", tags=["kept"])

    world.delete_entry(row.id)

    assert ("kept", 1, row.deleted_at) == (row.description, len(row.tag_ids), row.at)
    with pytest.raises(ValueError, match="deleted"):
        world.edit_entry(row.id, description="no")


def test_deleting_a_client_leaves_its_projects_without_one(world: World) -> None:
    client = world.create_client("C")
    project = world.create_project("P", client_id=client.id)

    world.delete_client(client.id)

    assert project.client_id is None


def test_wrong_edits_are_refused(world: World, now: datetime) -> None:
    row = world.create_entry(start=now, stop=now)

    with pytest.raises(ValueError, match="before it starts"):
        world.edit_entry(row.id, stop=now - HOUR)
    with pytest.raises(ValueError, match="no colour"):
        world.edit_entry(row.id, colour="red")
    with pytest.raises(ValueError, match="aware"):
        world.create_entry(start=datetime(2026, 1, 1))  # noqa: DTZ001  (naive on purpose)


@pytest.mark.parametrize("seed", range(5))
def test_the_indexes_agree_with_the_rows_after_any_history(now: datetime, seed: int) -> None:
    rng = Random(seed)  # noqa: S311
    clock = Clock(now)
    world = World.empty(clock)
    for _ in range(600):
        clock.advance(rng.choice((0, 0, 1, 400)))
        live = [row.id for row in world.live_entries()]
        dead = [number for number, row in world.entries.items() if row.deleted_at is not None]
        start = clock() - timedelta(seconds=rng.randrange(10_000))
        match rng.randrange(7):
            case 0 | 1:
                world.create_entry(start=start, stop=clock())
            case 2 if live:
                world.edit_entry(rng.choice(live), start=start, stop=clock())
            case 3 if live:
                world.delete_entry(rng.choice(live))
            case 4 if dead:
                world.revive_entry(rng.choice(dead))
            case 5:
                world.start_timer()
            case 6 if world.running():
                world.stop_timer()

    rows = world.entries.values()
    by_start = sorted((row.start, row.id) for row in rows if row.deleted_at is None)
    by_at = sorted((row.at, row.id) for row in rows)
    running = [row for row in rows if row.stop is None and row.deleted_at is None]

    assert [number for _, number in by_start] == list(world.by_start.between(None, None))
    assert [number for _, number in by_at] == list(world.by_at.between(None, None))
    assert ([world.running()] if world.running() else []) == running


def test_at_of_a_running_clock_is_the_clock_itself() -> None:
    world = World.empty(Clock(datetime(2026, 1, 1, 10, 0, 0, 123_456, tzinfo=UTC)))

    row = world.start_timer()

    assert row.at % 1_000_000 >= 123_456
    assert row.start == row.at // 1_000_000
