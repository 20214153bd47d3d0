"""False answers lose nothing, and what is gone at Toggl goes here too, though no deletion was ever told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from sync.scene import NOW, Scene
from toggl_pulse.demo import World

HOUR = timedelta(hours=1)


def oldest(world: World, count: int) -> list[int]:
    return [row.id for row in sorted(world.live_entries(), key=lambda row: row.start)[:count]]


def catch_up(scene: Scene, *, days: int = 2) -> list[str]:
    """A few full syncs, twice a day."""
    for _ in range(2 * days):
        scene.advance(hours=12)
        scene.finish()
    return scene.differences()


# --- the cursor -----------------------------------------------------------------------------------------------


def test_one_falsely_empty_answer_after_an_outage_of_days_loses_nothing(synced: Scene) -> None:
    synced.world.delete_entry(oldest(synced.world, 1)[0])
    synced.advance(days=30)
    synced.world.fault("empty_list", "since=")

    false = synced.poll()
    synced.advance(minutes=10)
    synced.poll()

    assert ("done", 0) == (false.outcome, false.deleted)
    assert [] == synced.differences()


def test_falsely_empty_answers_for_hours_lose_nothing(synced: Scene) -> None:
    synced.world.delete_entry(oldest(synced.world, 1)[0])
    synced.advance(days=30)
    for _ in range(4):
        synced.world.fault("empty_list", "since=")
        synced.poll()
        synced.advance(hours=1)

    synced.poll()

    assert [] == synced.differences()


def test_a_row_that_came_broken_once_is_asked_for_again(synced: Scene) -> None:
    synced.world.edit_entry(oldest(synced.world, 1)[0], description="seen late")
    synced.advance(minutes=10)
    synced.world.fault("broken_row", "since=")

    broken = synced.poll()
    synced.advance(minutes=10)
    synced.poll()

    assert 1 == broken.set_aside
    assert [] == synced.differences()


def test_a_row_that_stays_broken_holds_the_cursor_for_a_day(synced: Scene) -> None:
    synced.world.edit_entry(oldest(synced.world, 1)[0], description="never whole")
    synced.world.fault("broken_row", "since=", times=None)
    synced.advance(minutes=10)

    asides = []
    for _ in range(5):
        asides.append(synced.poll().set_aside)
        synced.advance(hours=7)

    assert [1, 1, 1, 1, 1] == asides
    assert 0 == synced.poll().set_aside


def test_a_falsely_empty_answer_behind_a_flood_loses_nothing(synced: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toggl_pulse.toggl.client.ENTRY_CAP", 20)
    synced.world.behaviour.entry_cap = 20
    for number in oldest(synced.world, 25):
        synced.world.edit_entry(number, billable=True)
    synced.advance(minutes=1)
    synced.finish()
    synced.advance(hours=5)
    number = oldest(synced.world, 30)[-1]
    synced.world.delete_entry(number)
    synced.advance(hours=5)
    synced.world.fault("empty_list", "since=")
    synced.poll()
    synced.advance(minutes=10)

    synced.poll()

    assert "feed" == synced.mirror.entries([number])[number].deletion


@pytest.mark.parametrize("kind", ["empty_list", "broken_row"])
def test_a_name_that_ended_during_a_long_outage_ends_here_though_the_first_answer_is_false(
    synced: Scene, kind: str
) -> None:
    project, tag = next(iter(synced.world.projects)), next(iter(synced.world.tags))
    synced.world.delete_project(project)
    synced.world.delete_tag(tag)
    synced.advance(days=40)
    synced.world.fault(kind, "/me/(projects|tags|tasks)", times=3)
    synced.sync()

    assert [] == catch_up(synced, days=1)


def test_years_that_toggl_refused_once_are_read_by_the_next_full_syncs(
    world: World, make_scene: Callable[[World], Scene]
) -> None:
    world.fault("400", "/reports/", times=6)
    scene = make_scene(world)
    scene.finish()
    lacking = scene.differences()
    world.faults.clear()

    left = catch_up(scene, days=1)

    assert lacking
    assert [] == left
    assert {"verified"} == set(scene.month_states().values())


def test_a_new_year_does_not_bring_the_whole_past_again(synced: Scene) -> None:
    synced.finish()
    synced.clock.now = NOW.replace(month=12, day=31)
    synced.finish()
    synced.clock.now = NOW.replace(year=NOW.year + 1, month=1, day=2)
    asked = synced.asked("search/time_entries")

    synced.finish()

    # List and total of the year that lies ahead now, and the total of this month.
    assert 3 == synced.asked("search/time_entries") - asked


# --- what is gone ---------------------------------------------------------------------------------------------


def test_deletions_that_a_cut_off_answer_lacked_are_found_by_list_and_total(
    synced: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toggl_pulse.toggl.client.ENTRY_CAP", 6)
    synced.world.behaviour.entry_cap = 6
    gone = oldest(synced.world, 19)[10:]
    for number in gone:
        synced.world.delete_entry(number)
    synced.advance(minutes=1)
    synced.poll()
    before = [stored.deletion for stored in synced.mirror.entries(gone).values()]

    left = catch_up(synced, days=6)

    assert None in before
    assert [] == left
    assert {"verified"} == set(synced.month_states().values())


def forget(world: World, number: int) -> None:
    """Delete an entry without any answer ever telling so."""
    row = world.entries[number]
    world.delete_entry(number)
    world.by_at.remove(row.at, row.id)


def month_of(world: World, number: int) -> datetime:
    return datetime.fromtimestamp(world.entries[number].start, NOW.tzinfo)


def doubted(scene: Scene, number: int) -> Scene:
    """A mirror that looks at every month again, one of whose entries vanished untold."""
    forget(scene.world, number)
    scene.advance(days=100)
    return scene


def test_a_month_is_not_verified_while_no_whole_list_tells_of_entries_of_no_length(
    synced: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = synced.clock() - timedelta(days=40)
    ghost = synced.world.create_entry(start=begin, stop=begin)
    synced.poll()
    synced.advance(days=2)
    doubted(synced, ghost.id)
    month = f"{begin:%Y-%m}"

    with monkeypatch.context() as patch:
        patch.setattr("toggl_pulse.sync.proof.PAGES", 0)
        catch_up(synced)
        alive, states = synced.mirror.entries([ghost.id])[ghost.id].deletion is None, synced.month_states()
    catch_up(synced)

    assert (True, "not_verified") == (alive, states.pop(month))
    assert {"verified"} == set(states.values())
    assert ("inferred", "verified") == (
        synced.mirror.entries([ghost.id])[ghost.id].deletion,
        synced.month_states()[month],
    )


def test_a_month_that_is_wholly_empty_at_toggl_ends_nothing_that_is_much(synced: Scene) -> None:
    months: dict[str, list[int]] = {}
    for row in synced.world.live_entries():
        months.setdefault(f"{month_of(synced.world, row.id):%Y-%m}", []).append(row.id)
    alive = synced.mirror.counts().entries
    for numbers in list(months.values())[:-1]:
        for number in numbers:
            forget(synced.world, number)
    synced.advance(days=100)

    catch_up(synced)

    # Nothing older is shown any more: that is how a plan that shows less looks, too.
    assert synced.mirror.counts().entries >= alive - 5
    assert "differs" in set(synced.month_states().values())


def test_what_was_ended_by_proof_lives_again_when_any_answer_shows_it(synced: Scene) -> None:
    number = oldest(synced.world, 20)[-1]
    doubted(synced, number)
    catch_up(synced)
    ended = synced.mirror.entries([number])[number].deletion
    row = synced.world.entries[number]
    row.deleted_at = None
    synced.world.by_start.add(row.start, row.id)
    synced.world.by_at.add(row.at, row.id)
    synced.world.changes += 1
    synced.advance(days=100)

    catch_up(synced)

    assert ("inferred", None) == (ended, synced.mirror.entries([number])[number].deletion)


def test_a_lagging_report_ends_nothing_that_was_changed_lately(synced: Scene) -> None:
    created = synced.world.create_entry(start=synced.clock() - HOUR, stop=synced.clock(), description="fresh")
    synced.poll()
    synced.world.by_start.remove(created.start, created.id)
    synced.world.changes += 1

    for _ in range(3):
        synced.advance(hours=5)
        synced.finish()

    assert synced.mirror.entries([created.id])[created.id].deletion is None


def test_a_lagging_report_takes_no_tag_off_that_came_within_the_second(synced: Scene) -> None:
    begin = synced.clock() - timedelta(days=15)
    beside = synced.world.create_entry(start=begin - HOUR, stop=begin)
    created = synced.world.create_entry(start=begin, stop=begin + HOUR, tags=("deep",))
    for _ in range(2):
        synced.poll()
        synced.advance(minutes=10)
    forget(synced.world, beside.id)
    row = synced.world.entries[created.id]
    tags, row.tag_ids = row.tag_ids, ()
    synced.world.changes += 1
    asked = synced.asked("search/time_entries")

    synced.advance(hours=1)
    synced.finish()

    assert synced.asked("search/time_entries") - asked > 2
    assert tags == synced.mirror.entries([created.id])[created.id].entry.tag_ids


LONG = pytest.mark.long


@pytest.mark.parametrize(
    "kind",
    ["empty_list", "broken_row", *(pytest.param(kind, marks=LONG) for kind in ("404", "cut", "plan402", "quota402"))],
)
def test_a_fault_during_the_proof_ends_nothing_that_lives(synced: Scene, kind: str) -> None:
    number = oldest(synced.world, 20)[-1]
    doubted(synced, number)
    for skip in range(4):
        synced.world.faults.clear()
        synced.world.fault(kind, f"reports|/me/time_entries/{number}", skip=skip, times=3)
        catch_up(synced, days=1)
        alive = {row.id for row in synced.world.live_entries()}
        ended = {n for n, stored in synced.mirror.entries(alive).items() if stored.deletion is not None}
        assert set() == ended
    synced.world.faults.clear()

    catch_up(synced, days=4)

    assert [] == synced.differences()


def test_what_is_gone_beside_a_timer_is_found_though_totals_count_the_timer(synced: Scene) -> None:
    row = synced.world.running()
    assert row is not None
    beside = synced.world.create_entry(start=synced.clock() - HOUR, stop=synced.clock())
    synced.poll()
    synced.world.behaviour.reports_running = True

    doubted(synced, beside.id)

    assert [] == catch_up(synced)
    assert "inferred" == synced.mirror.entries([beside.id])[beside.id].deletion


@pytest.mark.parametrize("since", ["another timer", "an entry", "nothing"])
def test_a_timer_that_vanished_during_a_long_outage_runs_no_longer(synced: Scene, since: str) -> None:
    row = synced.world.running()
    assert row is not None
    forget(synced.world, row.id)
    synced.advance(days=100)
    if since == "another timer":
        synced.world.start_timer()
    elif since == "an entry":
        synced.world.create_entry(start=synced.clock() - HOUR, stop=synced.clock())

    synced.finish()

    assert "inferred" == synced.mirror.entries([row.id])[row.id].deletion


def test_error_pages_about_an_old_timer_end_nothing(synced: Scene) -> None:
    synced.advance(days=100)
    synced.world.create_entry(start=synced.clock() - HOUR, stop=synced.clock())
    synced.world.fault("404", r"/me/time_entries/", times=None)

    synced.sync()

    assert [] == synced.differences()


# --- plans ----------------------------------------------------------------------------------------------------


def test_a_larger_plan_shows_the_whole_past_by_itself(world: World, make_scene: Callable[[World], Scene]) -> None:
    organization = next(iter(world.organizations.values()))
    organization.plan = "free"
    world.behaviour.free_history_days = 365
    scene = make_scene(world)
    scene.finish()
    lacking = scene.differences()
    organization.plan = "starter"

    left = catch_up(scene)

    assert lacking
    assert [] == left
    assert {"verified"} == set(scene.month_states().values())


def test_a_hidden_past_costs_one_request_a_full_sync(world: World, make_scene: Callable[[World], Scene]) -> None:
    next(iter(world.organizations.values())).plan = "free"
    world.behaviour.free_history_days = 365
    scene = make_scene(world)
    scene.finish()
    catch_up(scene)
    asked = scene.asked("/reports/")
    states = scene.month_states()

    scene.advance(hours=1)
    scene.finish()

    # The month that is now, and the newest hidden one.
    assert 2 == scene.asked("/reports/") - asked
    assert states == scene.month_states()
