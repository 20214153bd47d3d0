"""The past under odd rules of Reports, profiles and workspaces."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from sync.scene import NOW, RESERVE, Scene
from toggl_pulse.demo import Clock, World
from toggl_pulse.sync import contact, progress_state
from toggl_pulse.toggl import RequestNote

HOUR = timedelta(hours=1)
Make = Callable[[World], Scene]


def test_a_day_of_more_than_a_page_is_read_whole(world: World, make_scene: Make) -> None:
    world.behaviour.max_page_size = 50
    for number in range(170):
        start = NOW - timedelta(days=400) + timedelta(minutes=number)
        world.create_entry(start=start, stop=start + timedelta(minutes=1), description=f"burst {number}")
    scene = make_scene(world)

    scene.finish()

    assert [] == scene.differences()
    assert {"verified"} == set(scene.month_states().values())


@pytest.mark.parametrize("paging", ["row_number", "id"])
def test_a_deletion_between_two_pages_hides_no_row(world: World, make_scene: Make, paging: str) -> None:
    world.behaviour.reports_paging = paging  # type: ignore[assignment]
    world.behaviour.max_page_size = 50
    for number in range(200):
        start = NOW - timedelta(days=400) + timedelta(hours=3 * number)
        world.create_entry(start=start, stop=start + HOUR)
    scene = make_scene(world)
    rows = sorted(world.live_entries(), key=lambda row: -row.start)

    def delete_above(note: RequestNote) -> None:
        if note.path.endswith("/search/time_entries") and rows:
            world.delete_entry(rows.pop(0).id)

    scene.on_request = delete_above
    scene.sync()
    scene.on_request = None
    scene.advance(hours=1)
    scene.finish()

    assert [] == scene.differences()


@pytest.mark.parametrize("listed", [True, False])
def test_a_running_entry_makes_no_month_differ(world: World, make_scene: Make, *, listed: bool) -> None:
    world.behaviour.reports_running = listed
    scene = make_scene(world)

    scene.finish()

    assert {"verified"} == set(scene.month_states().values())
    assert [] == scene.differences()


@pytest.mark.parametrize("answer", ["clamp", "empty", "refuse"])
def test_whatever_reports_do_with_long_ranges_nothing_is_missing(world: World, make_scene: Make, answer: str) -> None:
    world.behaviour.long_range = answer  # type: ignore[assignment]
    scene = make_scene(world)

    scene.finish()

    assert [] == scene.differences()


def test_old_hours_from_before_the_account_are_found(world: World, make_scene: Make) -> None:
    world.create_entry(start=NOW - timedelta(days=3 * 366), stop=NOW - timedelta(days=3 * 366) + HOUR)
    scene = make_scene(world)

    scene.finish()

    assert [] == scene.differences()
    assert "2023-11" in scene.month_states()


def test_hours_below_empty_years_are_found_by_the_next_full_syncs(world: World, make_scene: Make) -> None:
    world.create_entry(start=NOW - timedelta(days=9 * 366), stop=NOW - timedelta(days=9 * 366) + HOUR)
    scene = make_scene(world)
    scene.finish()
    lacking = scene.differences()

    for _ in range(4):
        scene.advance(hours=12)
        scene.finish()

    assert 1 == len(lacking)
    assert [] == scene.differences()
    assert "verified" == scene.month_states()["2017-11"]


def test_years_far_below_the_beginning_are_compared_once(synced: Scene) -> None:
    for _ in range(7):
        synced.advance(hours=12)
        synced.finish()
    before = synced.asked("totals")

    synced.finish()

    assert before + 1 == synced.asked("totals")  # of this month, as always


@pytest.mark.parametrize("kind", ["400", "plan402"])
def test_years_far_below_that_toggl_refuses_are_no_trouble_and_are_asked_for_again(
    world: World, make_scene: Make, kind: str
) -> None:
    world.create_entry(start=NOW - timedelta(days=6 * 366), stop=NOW - timedelta(days=6 * 366) + HOUR)
    scene = make_scene(world)
    scene.finish()
    scene.advance(hours=12)
    world.fault(kind, "totals", skip=1)

    refused = scene.sync()
    months = set(scene.month_states().values())
    scene.advance(hours=12)
    scene.finish()

    assert ("done", {"verified"}) == (refused.outcome, months)
    assert [] == scene.differences()


def test_what_was_read_and_not_yet_compared_is_not_verified(world: World, make_scene: Make) -> None:
    organization = next(iter(world.organizations))
    world.organizations[organization].plan = "free"
    scene = make_scene(world)
    lists, next_year, this_year = 5, 2, 1  # the list of this year is read, and its total has to wait
    world.drain(f"organization:{organization}", 30 - RESERVE - lists - next_year - this_year)

    run = scene.sync()

    asked = (scene.asked("search/time_entries") - scene.asked("totals"), scene.asked("totals"))
    assert ("partly", (2, 1)) == (run.outcome, asked)
    assert [] == [month for month in scene.mirror.months() if month.month <= "2026-12" and month.state == "verified"]


def test_this_month_is_compared_while_older_years_are_still_to_be_read(world: World, make_scene: Make) -> None:
    organization = next(iter(world.organizations))
    world.organizations[organization].plan = "free"
    scene = make_scene(world)
    for hours in (0, 12):
        scene.advance(hours=hours)
        began = scene.clock()
        world.drain(f"organization:{organization}", 30 - RESERVE - 5 - 4)
        scene.sync()
    left = progress_state(scene.mirror)["windows_left"]
    (checked,) = [month.checked_at for month in scene.mirror.months() if month.month == "2026-11"]

    assert left > 0
    assert checked is not None
    assert checked >= began


def test_backfill_from_limits_what_is_read(world: World, tmp_path: Path) -> None:
    scene = Scene(world, tmp_path, backfill_from=date(2026, 1, 1))

    scene.finish()

    first = scene.mirror.counts().first_start
    assert first is not None
    assert first.year == 2026 or (first.year, first.month, first.day) == (2025, 12, 31)
    scene.close()


def test_a_month_that_differs_is_told_and_heals_when_it_agrees_again(world: World, make_scene: Make) -> None:
    scene = make_scene(world)
    hidden = sorted(world.live_entries(), key=lambda row: row.start)[5]
    scene.finish()
    # Toggl changes something without telling the feed.
    world.by_at.remove(hidden.at, hidden.id)
    hidden.duration += 60
    scene.advance(days=100)
    world.stop_timer()
    hidden.duration -= 120
    before = scene.finish()
    hidden.duration += 60
    month = f"{scene.mirror.entries([hidden.id])[hidden.id].entry.start:%Y-%m}"
    differing = scene.month_states()[month]

    scene.advance(hours=12)
    scene.sync()

    assert ("done", "differs") == (before[-1].outcome, differing)
    assert "verified" == scene.month_states()[month]


def test_what_is_planned_for_later_months_is_compared_when_it_has_changed(synced: Scene) -> None:
    begins = [datetime(2026, 12, 3, 9, tzinfo=UTC), datetime(2027, 1, 3, 9, tzinfo=UTC)]
    rows = [synced.world.create_entry(start=begin, stop=begin + HOUR) for begin in begins]

    def told() -> dict[str, tuple[str, int | None]]:
        synced.advance(minutes=10)
        synced.poll()
        synced.advance(hours=12)
        synced.finish()
        months = {month.month: (month.state, month.mirror_seconds) for month in synced.mirror.months()}
        return {name: months[name] for name in ("2026-12", "2027-01")}

    planned = told()
    synced.world.delete_entry(rows[0].id)
    synced.world.edit_entry(rows[1].id, stop=begins[1] + 3 * HOUR)
    replanned = told()
    before = synced.asked("totals")
    told()

    assert {"2026-12": ("verified", 3600), "2027-01": ("verified", 3600)} == planned
    assert {"2026-12": ("verified", 0), "2027-01": ("verified", 10_800)} == replanned
    # Of this month, as always, and of three years far below the beginning.
    assert before + 4 == synced.asked("totals")


def test_a_new_workspace_s_past_is_read_with_the_next_full_sync(synced: Scene) -> None:
    workspace = synced.world.create_workspace("Second", plan="starter")
    project = synced.world.create_project("Other", workspace_id=workspace.id)
    synced.world.create_entry(start=NOW - 300 * 24 * HOUR, stop=NOW - 299 * 24 * HOUR, project_id=project.id)
    synced.advance(minutes=1)

    synced.sync()

    assert [] == synced.differences()
    assert 2 == len(progress_state(synced.mirror)["workspaces"])
    assert {"verified"} == {month.state for month in synced.mirror.months()}


def test_colleagues_rows_are_not_mirrored(world: World, make_scene: Make) -> None:
    home = world.profile.default_workspace_id or 0
    other = world.create_user("Ann", "ann@example.com", workspace_ids=[home])
    row = world.create_entry(start=NOW - 300 * HOUR, stop=NOW - 299 * HOUR, user_id=other.id)
    scene = make_scene(world)

    scene.finish()

    assert {} == scene.mirror.entries([row.id])
    assert {"Ann", "Demo User"} == {user.name for user in scene.mirror.catalogue().users.values()}
    assert {"verified"} == set(scene.month_states().values())


def test_a_new_profile_zone_compares_the_months_again(synced: Scene) -> None:
    synced.world.profile.timezone = "Pacific/Auckland"
    before = synced.asked("/totals")
    synced.advance(minutes=1)

    synced.sync()

    assert {"verified"} == set(synced.month_states().values())
    assert synced.asked("/totals") - before >= 4
    assert [] == synced.differences()


def test_a_restart_asks_for_nothing_that_is_known(synced: Scene) -> None:
    synced.restart()

    run = synced.sync("start", full=False)

    assert 2 == run.requests


def test_other_tools_may_drain_the_bucket_and_the_reserve_is_kept(world: World, make_scene: Make) -> None:
    """A look at the quota is free here, so that it is taken before a request and not after it."""
    next(iter(world.organizations.values())).plan = "free"
    scene = make_scene(world)
    for number in range(12):
        world.drain("user", number % 4)
        world.drain(f"organization:{next(iter(world.organizations))}", 3)
        scene.sync(full=number % 3 == 0)
        scene.advance(minutes=17)

    spent = [request.remaining for request in world.log if request.status == 200 and request.remaining is not None]
    assert min(spent) >= 10
    scene.finish()
    assert [] == scene.differences()


def test_a_person_may_spend_the_reserve(synced: Scene) -> None:
    synced.poll()
    synced.world.drain("user", 20)
    synced.advance(minutes=2)
    assert synced.poll().outcome in {"done", "partly"}
    waiting = synced.poll()
    assert "partly" == waiting.outcome
    assert waiting.waits_until is not None

    assert "done" == synced.sync("request", full=False, history=False, use_reserve=True).outcome
    assert not synced.client.use_reserve


def test_contact_is_when_changes_were_last_read(synced: Scene) -> None:
    moment = synced.clock()
    synced.poll()
    synced.advance(minutes=30)
    synced.world.fault("500", times=None)

    synced.poll()

    told = contact(synced.mirror)
    assert told is not None
    assert moment <= told < moment + timedelta(minutes=1)


def test_progress_is_told_and_only_moves_forward(world: World, make_scene: Make) -> None:
    scene = make_scene(world)

    scene.sync("start")

    left = [told.total - told.done for told in scene.told if told.stage in {"history", "recent"}]
    assert left == sorted(left, reverse=True)
    assert ["account", "names", "recent", "history", "done"] == list(dict.fromkeys(told.stage for told in scene.told))
    assert ("complete", None) == (scene.told[-1].detail, scene.told[-1].waits_until)


def test_logs_hold_no_text_of_the_person(world: World, make_scene: Make) -> None:
    clock = world.clock
    assert isinstance(clock, Clock)
    scene = make_scene(world)
    with capture_logs() as logs:
        scene.finish()
        world.fault("broken_row")
        world.fault("500", times=None)
        scene.sync()

    told = str(logs)
    assert logs
    assert not any(word in told for word in ("text ", "Acme", "Site", "deep", world.email, world.token))
