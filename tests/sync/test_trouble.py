"""Faults, floods, long outages, plans and kills: nothing is lost, nothing is deleted, nothing is stuck."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from sync.scene import NOW, Scene
from toggl_pulse.demo import Clock, World
from toggl_pulse.demo.generate import large_world
from toggl_pulse.errors import Busy, NeedsUser, RetryLater
from toggl_pulse.mirror import Mirror
from toggl_pulse.sync import progress_state
from toggl_pulse.toggl import RequestNote

HOUR = timedelta(hours=1)
USUAL = ["429", "cut", "html", "broken_row", "quota402", "empty_list"]


def change_a_little(world: World) -> None:
    numbers = sorted(row.id for row in world.live_entries())
    world.edit_entry(numbers[3], description="edited")
    world.delete_entry(numbers[4])
    world.create_entry(start=NOW - HOUR, stop=NOW, description="new", tags=("deep", "odd"))
    world.delete_tag(next(iter(world.tags)))


def recovered(scene: Scene) -> list[str]:
    scene.world.faults.clear()
    for _ in range(4):
        scene.advance(hours=2)
        if scene.sync().outcome == "done" and not scene.differences():
            break
    return scene.differences()


@pytest.mark.parametrize("kind", USUAL)
def test_a_fault_at_the_first_requests_of_a_sync_costs_nothing(synced: Scene, kind: str) -> None:
    change_a_little(synced.world)
    deleted = synced.mirror.counts().deleted
    synced.world.fault(kind, times=8)

    synced.sync()

    assert synced.mirror.counts().deleted <= deleted + 1
    assert [] == recovered(synced)


@pytest.mark.parametrize("kind", USUAL)
def test_a_fault_at_any_one_request_of_the_first_sync_costs_nothing(
    world: World, make_scene: Callable[[World], Scene], kind: str
) -> None:
    scene = make_scene(world)
    for skip in range(1, 18, 6):
        world.faults.clear()
        world.fault(kind, skip=skip, times=4)
        scene.sync()
        scene.advance(hours=3)

    world.faults.clear()

    assert [] == recovered(scene)


@pytest.mark.parametrize("kind", ["empty_list", "null"])
def test_a_falsely_empty_delta_answer_loses_nothing(synced: Scene, kind: str) -> None:
    change_a_little(synced.world)
    synced.world.fault(kind, "since=", times=None)
    synced.advance(minutes=30)
    synced.sync()

    assert [] == recovered(synced)


@pytest.mark.parametrize("kind", ["400", "plan402"])
def test_refused_changes_of_names_are_asked_for_again(synced: Scene, kind: str) -> None:
    change_a_little(synced.world)
    synced.world.fault(kind, "/me/tags", times=None)
    for _ in range(3):
        synced.advance(days=5)
        synced.sync()

    assert [] == recovered(synced)


@pytest.mark.parametrize("kind", ["401", "403"])
def test_refused_credentials_end_the_run_and_ask_for_the_person(synced: Scene, kind: str) -> None:
    synced.world.fault(kind, "/me", times=None)

    run = synced.sync()

    assert "failed" == run.outcome
    assert isinstance(run.error, NeedsUser)
    assert "TOGGL_API_TOKEN" in run.why


def test_an_outage_is_told_once_and_its_end_once(synced: Scene) -> None:
    synced.world.fault("503", times=None)
    with capture_logs() as logs:
        for _ in range(5):
            synced.advance(minutes=10)
            run = synced.poll()
        synced.restart()
        synced.advance(minutes=10)
        synced.poll()
        synced.world.faults.clear()
        for _ in range(3):
            synced.advance(minutes=10)
            synced.poll()

    loud = [line["event"] for line in logs if line["log_level"] in {"warning", "error", "info"}]
    assert ["sync.failed", "sync.recovered"] == loud
    assert isinstance(run.error, RetryLater)


def test_another_account_is_refused_before_anything_is_written(
    synced: Scene, make_scene: Callable[[World], Scene]
) -> None:
    other = World.empty(Clock(NOW))
    other.users[77] = other.users.pop(other.me)
    other.users[77].id = 77
    other.me = 77
    other.create_entry(start=NOW - HOUR, stop=NOW)
    revision = synced.mirror.revision()
    synced.world = other
    synced.restart()

    run = synced.poll()

    assert ("failed", "another_account") == (run.outcome, run.error.code if run.error else "")
    assert revision == synced.mirror.revision()


def test_only_one_run_at_a_time(synced: Scene) -> None:
    with synced.mirror.lock(), pytest.raises(Busy):
        synced.sync()


# --- floods ---------------------------------------------------------------------------------------------------


def flood(world: World, count: int) -> None:
    rows = sorted(world.live_entries(), key=lambda row: row.start)
    for row in rows[:count]:
        world.edit_entry(row.id, description="all at once")


def test_a_cut_off_answer_is_made_good_by_windows_and_reports(
    world: World, make_scene: Callable[[World], Scene]
) -> None:
    world.behaviour.entry_cap = 1000
    clock = world.clock
    assert isinstance(clock, Clock)
    project = next(iter(world.projects))
    for number in range(2500):
        start = NOW - timedelta(hours=7 * number)
        world.create_entry(start=start, stop=start + timedelta(minutes=9), project_id=project)
    clock.advance(3600)
    scene = make_scene(world)
    scene.finish()
    scene.advance(hours=1)
    flood(world, 2500)
    world.create_entry(start=NOW - HOUR, stop=NOW, description="among them")
    scene.advance(minutes=1)

    scene.poll()
    doubted = set(scene.month_states().values())
    scene.finish()

    assert {"not_verified"} == doubted
    assert [] == scene.differences()
    assert {"verified"} == set(scene.month_states().values())
    assert progress_state(scene.mirror)["gap"] is None


def test_windows_that_are_cut_off_are_read_in_halves(world: World, make_scene: Callable[[World], Scene]) -> None:
    for number in range(2300):
        start = NOW - timedelta(minutes=50 * number)
        world.create_entry(start=start, stop=start + timedelta(minutes=9))
    recent = [row.id for row in world.live_entries() if row.start > (NOW - timedelta(days=80)).timestamp()]
    world.fault("500", "/reports/", times=None)
    scene = make_scene(world)

    scene.sync()
    scene.advance(hours=1)
    scene.sync("history", full=False)

    assert len(recent) == len(scene.mirror.entries(recent))


def test_while_everything_is_read_again_the_deltas_go_on(world: World, make_scene: Callable[[World], Scene]) -> None:
    for number in range(1200):
        start = NOW - timedelta(hours=7 * number)
        world.create_entry(start=start, stop=start + timedelta(minutes=9))
    scene = make_scene(world)
    scene.finish()
    scene.advance(hours=1)
    flood(world, 1200)
    scene.advance(minutes=1)
    scene.poll()
    number = world.live_entries()[0].id
    scene.advance(minutes=2)
    world.delete_entry(number)
    scene.advance(minutes=1)

    run = scene.poll()

    assert 2 == run.requests
    assert scene.mirror.entries([number])[number].deletion == "feed"


# --- the wall -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("floor", ["90 days", "3 months", "4 months"])
def test_after_an_outage_past_the_wall_all_creations_and_edits_are_there(synced: Scene, floor: str) -> None:
    world = synced.world
    world.behaviour.floor = floor  # type: ignore[assignment]
    numbers = sorted(row.id for row in world.live_entries())
    world.edit_entry(numbers[3], description="long ago")
    created = world.create_entry(start=NOW - HOUR, stop=NOW, description="made then", tags=("later",))
    synced.advance(days=120)
    world.stop_timer(stop=NOW + 2 * HOUR)
    world.edit_entry(numbers[5], description="now")
    synced.advance(minutes=1)

    synced.finish()

    assert [] == synced.differences()
    assert created.id in synced.mirror.entries([created.id])
    assert {"verified"} == set(synced.month_states().values())


def test_a_deletion_beyond_the_wall_is_found_where_list_and_total_of_its_month_agree(synced: Scene) -> None:
    number = sorted(row.id for row in synced.world.live_entries())[3]
    synced.world.delete_entry(number)
    synced.advance(days=120)
    synced.world.stop_timer()

    synced.finish()

    assert {"verified"} == set(synced.month_states().values())
    assert synced.mirror.entries([number])[number].deletion == "inferred"


# --- plans ----------------------------------------------------------------------------------------------------


def test_what_the_plan_does_not_show_is_marked_and_the_rest_goes_on(
    world: World, make_scene: Callable[[World], Scene]
) -> None:
    world.behaviour.free_history_days = 365
    next(iter(world.organizations.values())).plan = "free"
    scene = make_scene(world)

    runs = scene.finish()

    states = scene.month_states()
    assert "done" == runs[-1].outcome
    assert "unavailable" == states["2025-10"]
    assert "unavailable" == states["2024-07"]
    assert {"verified"} == {state for month, state in states.items() if month > "2025-11"}
    fresh = [row for row in world.live_entries() if row.start > (NOW - timedelta(days=350)).timestamp()]
    assert len(fresh) == len(scene.mirror.entries(row.id for row in fresh))


def test_a_workspace_that_may_not_be_seen_does_not_stop_the_others(
    world: World, make_scene: Callable[[World], Scene]
) -> None:
    home = world.profile.default_workspace_id
    other = world.create_workspace("Closed", plan="starter")
    world.fault("403", f"/(workspace|workspaces)/{other.id}/", times=None)
    scene = make_scene(world)

    run = scene.sync()

    blocked = {row["workspace_id"]: row["blocked"] is not None for row in progress_state(scene.mirror)["workspaces"]}
    assert ("done", {home: False, other.id: True}) == (run.outcome, blocked)
    assert [] == scene.differences()


# --- clocks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [-1, 1, 49])
def test_a_wrong_clock_of_ours_loses_nothing_and_is_told(
    world: World, make_scene: Callable[[World], Scene], hours: int
) -> None:
    scene = make_scene(world)
    scene.skew = timedelta(hours=hours)
    with capture_logs() as logs:
        scene.finish()
        for _ in range(3):
            scene.advance(hours=1)
            change_a_little(world) if world.tags[next(iter(world.tags))].deleted_at is None else None
            scene.sync()

    assert [] == scene.differences()
    assert 1 == [line["event"] for line in logs].count("sync.clock_differs")
    assert pytest.approx(-hours * 3600, abs=2) == progress_state(scene.mirror)["clock_behind_seconds"]


# --- kills ----------------------------------------------------------------------------------------------------


def cancelled_at(scene: Scene, number: int) -> bool:
    """Run a sync that is cancelled as soon as it has sent `number` requests; False when it ended before."""

    async def go() -> bool:
        task = asyncio.current_task()
        assert task is not None
        sent = 0

        def note(_note: RequestNote) -> None:
            nonlocal sent
            sent += 1
            if sent == number:
                task.cancel()

        scene.on_request = note
        try:
            await scene.syncer.run("request", full=True)
        except asyncio.CancelledError:
            return True
        finally:
            scene.on_request = None
        return False

    return asyncio.run(go())


def test_a_sync_cancelled_at_any_request_is_made_good_by_the_next(
    world: World, make_scene: Callable[[World], Scene]
) -> None:
    scene = make_scene(world)
    number = 1
    while cancelled_at(scene, number):
        assert scene.mirror.runs(1)[0].outcome == "partly"
        scene.restart()
        scene.advance(minutes=30)
        number += 1

    assert [] == recovered(scene)
    assert number > 3


def test_a_later_sync_cancelled_at_any_request_is_made_good_by_the_next(synced: Scene) -> None:
    number = 1
    while True:
        change_a_little(synced.world) if number == 1 else synced.world.edit_entry(
            synced.world.live_entries()[number].id, description=f"edit {number}"
        )
        synced.advance(hours=1)
        if not cancelled_at(synced, number):
            break
        number += 1

    assert [] == synced.differences()
    assert number > 5


def test_a_killed_run_is_told_as_killed_by_the_next(synced: Scene) -> None:
    with synced.mirror.batch() as batch:
        number = batch.start_run("schedule", NOW)

    synced.sync()

    killed = next(run for run in synced.mirror.runs(5) if run.id == number)
    assert ("failed", "It was killed.") == (killed.outcome, killed.why)


# --- large accounts -------------------------------------------------------------------------------------------


def lowest(world: World) -> int:
    return min(request.remaining for request in world.log if request.remaining is not None)


def whole_history(scene: Scene, *, most: int) -> int:
    """Hours until complete; all along polls go on, and progress moves only forward."""
    world = scene.world
    began, left = scene.clock.now, None
    run = scene.sync("start")
    while run.outcome == "partly":
        state = progress_state(scene.mirror)
        assert state["waits_until"] is not None
        assert not state["complete"]
        left = state["windows_left"] if left is None else left
        until = scene.clock.now + timedelta(minutes=10)
        scene.clock.now = until
        assert scene.sync("poll", full=False, history=False).outcome == "done"
        run = scene.sync("history", full=False)
        assert (scene.clock.now - began) < timedelta(hours=most)
    assert progress_state(scene.mirror)["complete"]
    assert lowest(world) >= 10
    return round((scene.clock.now - began) / HOUR)


def test_ten_years_arrive_within_the_quota_while_polls_go_on(make_scene: Callable[[World], Scene]) -> None:
    scene = make_scene(large_world(NOW, years=10, entries=2_000))

    whole_history(scene, most=4)

    assert [] == scene.differences()
    assert {"verified"} == set(scene.month_states().values())


@pytest.mark.long
def test_ten_years_of_forty_thousand_entries_are_complete_after_the_first_hours(
    make_scene: Callable[[World], Scene],
) -> None:
    scene = make_scene(large_world(NOW, years=10, entries=40_000))

    whole_history(scene, most=6)

    assert [] == scene.differences()
    assert {"verified"} == set(scene.month_states().values())


def test_a_mirror_without_any_contact_says_so(tmp_path: object, scene: Scene) -> None:
    state = progress_state(scene.mirror)

    assert (False, "nothing has been read yet", None) == (state["complete"], state["detail"], state["last_contact"])
    assert isinstance(scene.mirror, Mirror)
