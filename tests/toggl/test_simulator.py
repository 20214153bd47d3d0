"""The client against the simulated Toggl, whatever it does where the real one's behaviour is not known."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import httpx2
import pytest

from toggl.scene import NOW, Clock, Scene
from toggl_pulse.demo import DEMO_TOKEN, World, create_simulator
from toggl_pulse.demo.faults import KINDS
from toggl_pulse.demo.rows import EntryRow
from toggl_pulse.errors import NeedsUser, PulseError, QuotaSpent, RetryLater
from toggl_pulse.model import TimeEntry, epoch
from toggl_pulse.toggl import REACH, Credentials, Rows, TogglClient, TooOld


@pytest.fixture(scope="module")
def year() -> World:
    """The seeded year; only for tests that change nothing but quota and clock."""
    return World.seeded(NOW)


def scene_of(world: World, *, clock: Clock | None = None, **options: Any) -> Scene:
    options.setdefault("credentials", Credentials.token(DEMO_TOKEN))
    scene = Scene(transport=httpx2.ASGITransport(create_simulator(world)), clock=clock, **options)
    world.clock = scene.clock
    world.log.clear()
    world.buckets.clear()
    world.faults.clear()
    return scene


def empty(**behaviour: Any) -> World:
    world = World.empty(lambda: NOW)
    world.behaviour = replace(world.behaviour, **behaviour)
    return world


def plain(entries: Iterable[TimeEntry]) -> set[tuple[Any, ...]]:
    return {
        (
            entry.id,
            entry.workspace_id,
            entry.user_id,
            epoch(entry.start),
            None if entry.stop is None else epoch(entry.stop),
            None if entry.stop is None else entry.duration,
            entry.description,
            entry.project_id,
            entry.task_id,
            entry.billable,
            frozenset(entry.tag_ids),
        )
        for entry in entries
    }


def truth(world: World, rows: Iterable[EntryRow]) -> set[tuple[Any, ...]]:
    return {
        (
            row.id,
            row.workspace_id,
            row.user_id,
            row.start,
            row.stop,
            None if row.stop is None else row.duration,
            row.description or "",
            row.project_id,
            row.task_id,
            row.billable,
            frozenset(row.tag_ids),
        )
        for row in rows
        if row.user_id == world.me
    }


def test_me_tells_the_seeded_account_without_a_row_set_aside(year: World) -> None:
    me = scene_of(year).ask(lambda client: client.me())

    live = [row for row in year.projects.values() if row.deleted_at is None]
    assert me.set_aside == ()
    assert (me.profile.id, me.profile.timezone, me.server_time) == (year.me, "Europe/Berlin", NOW)
    assert {(each.id, each.name, each.active, each.color) for each in me.projects} == {
        (row.id, row.name, row.active, row.color.lower()) for row in live
    }
    assert {each.id for each in me.tags} == {row.id for row in year.tags.values() if row.deleted_at is None}
    assert {each.id for each in me.clients} == {row.id for row in year.clients.values() if row.deleted_at is None}


@pytest.mark.parametrize("paging", ["row_number", "id"])
@pytest.mark.parametrize("running", [False, True])
@pytest.mark.parametrize("page_size", [1000, 333])
def test_reports_bring_the_whole_year_page_by_page(
    year: World,
    paging: Literal["row_number", "id"],
    running: bool,  # noqa: FBT001
    page_size: int,
) -> None:
    year.behaviour = replace(year.behaviour, reports_paging=paging, reports_running=running)
    last = NOW.date() + timedelta(days=30)
    first = last - timedelta(days=365)

    async def whole(client: TogglClient) -> tuple[list[TimeEntry], int, int]:
        found: list[TimeEntry] = []
        seconds = amounts = 0
        for workspace in (await client.me()).workspaces:
            seconds += await client.report_totals(workspace.id, first, last, user_id=year.me)
            page = None
            while True:
                part = await client.report_page(
                    workspace.id, first, last, user_id=year.me, page=page, page_size=page_size
                )
                assert (part.set_aside, part.range_first, part.range_last) == ((), first, last)
                found += part.entries
                amounts += len(part.amounts)
                page = part.next_page
                if page is None:
                    break
        return found, seconds, amounts

    found, seconds, amounts = scene_of(year).ask(whole)

    low = epoch(datetime(first.year, first.month, first.day, tzinfo=ZoneInfo("Europe/Berlin")))
    rows = [row for row in year.live_entries() if row.start >= low and (running or row.stop is not None)]
    assert plain(found) == truth(year, rows)
    assert (len(found), amounts) == (len(rows), len(rows))
    finished = sum(entry.duration for entry in found if entry.stop is not None)
    assert seconds == finished if not running else seconds >= finished


def test_windows_bring_every_entry_within_the_reach(year: World) -> None:
    start = NOW - REACH

    async def windows(client: TogglClient) -> list[TimeEntry]:
        found: list[TimeEntry] = []
        low = start
        while low < NOW + timedelta(days=60):
            high = low + timedelta(days=20)
            part = await client.entries_between(low, high)
            assert (part.set_aside, part.truncated, part.server_time) == ((), False, NOW)
            found += part.entries
            low = high
        return found

    found = scene_of(year).ask(windows)

    assert plain(found) == truth(year, [row for row in year.live_entries() if row.start >= epoch(start)])


@pytest.mark.parametrize("style", ["fraction", "seconds"])
@pytest.mark.parametrize("duration", ["start", "start-1", "-1"])
def test_changes_show_creations_edits_deletions_and_the_running_timer(
    style: Literal["fraction", "seconds"], duration: Literal["start", "start-1", "-1"]
) -> None:
    world = empty(at_style=style, running_duration=duration)
    scene = scene_of(world)
    project = world.create_project("Website")
    old = world.create_entry(start=NOW - timedelta(days=60), stop=NOW - timedelta(days=60, hours=-1), description="old")
    gone = world.create_entry(start=NOW - timedelta(days=2), stop=NOW - timedelta(days=2, hours=-1))
    scene.clock.advance(3600)
    since = scene.clock()
    world.edit_entry(old.id, project_id=project.id, tags=["deep"])
    world.delete_entry(gone.id)
    running = world.start_timer(description="now")

    found = scene.ask(lambda client: client.entries_since(since))

    assert {entry.id: (entry.deleted_at is not None, entry.stop is None) for entry in found.entries} == {
        old.id: (False, False),
        gone.id: (True, False),
        running.id: (False, True),
    }
    assert plain(entry for entry in found.entries if entry.id == old.id) == truth(world, [world.entries[old.id]])
    assert [(each.id, each.name) for each in found.named] == [(world.me, "Demo User"), (project.id, "Website")]


@pytest.mark.parametrize("floor", ["90 days", "3 months", "4 months"])
def test_the_reach_is_within_every_floor_and_beyond_it_is_too_old(floor: Any) -> None:
    scene = scene_of(empty(floor=floor))

    scene.ask(lambda client: client.entries_since(NOW - REACH))
    scene.ask(lambda client: client.entries_between(NOW - REACH, NOW))

    questions: list[Callable[[TogglClient], Awaitable[object]]] = [
        lambda client: client.entries_since(NOW - timedelta(days=130)),
        lambda client: client.entries_between(NOW - timedelta(days=130), NOW),
    ]
    for question in questions:
        with pytest.raises(TooOld):
            scene.ask(question)


def test_an_answer_at_the_cap_is_truncated() -> None:
    world = empty(entry_cap=1000)
    for number in range(1001):
        begin = NOW - timedelta(minutes=30 * number + 30)
        world.create_entry(start=begin, stop=begin + timedelta(minutes=20))
    scene = scene_of(world)

    found = scene.ask(lambda client: client.entries_since(NOW - timedelta(days=1)))

    assert (len(found.entries), found.truncated) == (1000, True)


def test_lists_bring_archived_ones_from_every_page() -> None:
    world = empty()
    projects = [world.create_project(f"Project {number}") for number in range(450)]
    for row in projects[::2]:
        world.archive_project(row.id)
    clients = [world.create_client(f"Client {number}") for number in range(3)]
    world.archive_client(clients[0].id)
    for number in range(230):
        world.create_tag(f"tag {number}")
        world.finish_task(world.create_task(f"task {number}", project_id=projects[0].id).id, active=number % 2 == 0)
    world.behaviour.user_quota = 1000
    scene = scene_of(world)
    [workspace_id] = world.workspaces

    async def lists(client: TogglClient) -> list[tuple[int, bool]]:
        found: list[Rows[Any]] = [
            await client.projects(workspace_id),
            await client.clients(workspace_id),
            await client.tags(workspace_id),
            await client.tasks(workspace_id),
            await client.users(workspace_id),
        ]
        return [(len(each.rows), each.complete) for each in found]

    assert scene.ask(lists) == [(450, True), (3, True), (230, True), (230, True), (1, True)]
    assert len(scene.notes) <= 12


def test_deletions_in_the_catalogue_show_by_since() -> None:
    world = empty()
    scene = scene_of(world)
    tag, client_row = world.create_tag("deep"), world.create_client("Acme")
    project = world.create_project("Website", client_id=client_row.id)
    task = world.create_task("Draft", project_id=project.id)
    scene.clock.advance(60)
    since = scene.clock()
    world.delete_task(task.id)
    world.delete_tag(tag.id)
    world.delete_project(project.id)
    world.delete_client(client_row.id)

    async def changes(client: TogglClient) -> list[tuple[int, bool]]:
        rows: list[Any] = [
            *(await client.changed_tags(since)).rows,
            *(await client.changed_clients(since)).rows,
            *(await client.changed_projects(since)).rows,
            *(await client.changed_tasks(since)).rows,
        ]
        return [(row.id, row.deleted) for row in rows]

    assert scene.ask(changes) == [(each.id, True) for each in (tag, client_row, project, task)]


@pytest.mark.parametrize("missing", ["null", "404"])
def test_the_current_entry_is_one_or_none(missing: Any) -> None:
    world = empty(current_missing=missing)
    scene = scene_of(world)
    assert scene.ask(lambda client: client.current()) is None

    row = world.start_timer(description="now")

    current = scene.ask(lambda client: client.current())
    assert current is not None
    assert (current.id, current.stop) == (row.id, None)


def test_a_single_entry_is_known_or_not() -> None:
    world = empty()
    row = world.create_entry(start=NOW - timedelta(days=200), stop=NOW - timedelta(days=200, hours=-1))
    scene = scene_of(world)

    found = scene.ask(lambda client: client.entry(row.id))

    assert found is not None
    assert plain([found]) == truth(world, [row])
    assert scene.ask(lambda client: client.entry(12345)) is None


def test_an_address_and_a_password_open_the_account_and_a_wrong_token_does_not() -> None:
    world = empty()

    scene_of(world, credentials=Credentials.password(world.email, world.password)).ask(lambda client: client.me())

    with pytest.raises(NeedsUser) as caught:
        scene_of(world, credentials=Credentials.token("wrong")).ask(lambda client: client.me())
    assert caught.value.code == "token_refused"


@pytest.mark.parametrize("counted", [False, True])
def test_whether_looking_at_the_quota_is_free_is_found_out(counted: bool) -> None:  # noqa: FBT001
    scene = scene_of(empty(quota_counted=counted))

    async def both(client: TogglClient) -> None:
        await client.me(related=False)
        await client.quotas()

    scene.ask(both)

    assert scene.quota.free_look is not counted


def test_the_hour_ends_at_the_reserve_and_goes_on_in_the_next() -> None:
    world = empty()
    scene = scene_of(world)

    async def until_spent(client: TogglClient) -> QuotaSpent:
        while True:
            try:
                await client.current()
            except QuotaSpent as spent:
                return spent

    for _ in range(3):
        spent = scene.ask(until_spent)
        assert world.bucket("user").remaining(scene.clock().timestamp()) == 10
        scene.clock.now = spent.at

    assert len(world.log) == 60


def test_with_free_looks_the_reserve_is_kept_however_others_drain_the_bucket() -> None:
    world = empty()
    scene = scene_of(world)

    async def day(client: TogglClient) -> int:
        done = 0
        await client.me(related=False)
        await client.quotas()
        for step in range(300):
            scene.clock.advance(300)
            world.drain("user", step % 4)
            try:
                await client.entries_since(scene.clock() - timedelta(hours=1))
                done += 1
            except QuotaSpent:
                pass
        return done

    done = scene.ask(day)

    ours = [note for note in world.log if note.path.endswith("time_entries")]
    assert done == len(ours) > 100
    assert min(note.remaining for note in ours if note.remaining is not None) >= 10


@pytest.mark.parametrize("retry_after", [False, True])
def test_the_pace_keeps_below_the_leaky_bucket(retry_after: bool) -> None:  # noqa: FBT001
    world = empty(rate_limit=1.0, rate_burst=5, retry_after=retry_after, user_quota=1000)
    scene = scene_of(world, pace=1.0, burst=5)

    async def many(client: TogglClient) -> None:
        for _ in range(40):
            await client.current()

    scene.ask(many)

    assert {note.status for note in world.log} == {200}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "huge"])
@pytest.mark.parametrize("times", [1, 2, None])
def test_no_fault_gets_through_as_anything_but_an_answer_or_a_named_error(kind: str, times: int | None) -> None:
    world = empty(user_quota=1000, plan_quota={"free": 1000})

    async def at_once(_: float) -> None:
        return None

    world.sleep = at_once
    rows = [world.create_entry(start=NOW - timedelta(hours=n + 1), stop=NOW - timedelta(hours=n)) for n in range(3)]
    [workspace_id] = world.workspaces
    today = NOW.date()
    questions: list[Callable[[TogglClient], Awaitable[Any]]] = [
        lambda client: client.me(),
        lambda client: client.entries_since(NOW - timedelta(days=1)),
        lambda client: client.current(),
        lambda client: client.entry(rows[0].id),
        lambda client: client.projects(workspace_id),
        lambda client: client.tasks(workspace_id),
        lambda client: client.changed_tags(NOW),
        lambda client: client.report_page(workspace_id, today, today, user_id=world.me),
        lambda client: client.report_totals(workspace_id, today, today, user_id=world.me),
        lambda client: client.quotas(),
    ]
    for question in questions:
        scene = scene_of(world)
        world.fault(kind, times=times)
        found: Any = None
        failure: PulseError | None = None
        try:
            found = scene.ask(question)
        except PulseError as error:
            failure = error

        assert not isinstance(failure, RetryLater) or failure.at > scene.clock()
        assert len(getattr(found, "entries", ())) <= len(rows)
        assert len(scene.notes) <= 3


def test_an_answer_of_seventy_mebibytes_is_not_taken_and_not_asked_again() -> None:
    world = empty()
    scene = scene_of(world)
    world.fault("huge").size = 70 * 1024 * 1024

    with pytest.raises(RetryLater) as caught:
        scene.ask(lambda client: client.entries_since(NOW))

    assert (caught.value.code, len(scene.notes)) == ("answer_too_large", 1)


def test_a_broken_row_costs_only_itself() -> None:
    world = empty()
    for hours in (1, 2, 3):
        world.create_entry(start=NOW - timedelta(hours=hours), stop=NOW - timedelta(hours=hours, minutes=-10))
    scene = scene_of(world)
    world.fault("broken_row")

    found = scene.ask(lambda client: client.entries_since(NOW - timedelta(days=1)))

    assert (len(found.entries), [row.reason for row in found.set_aside]) == (2, ["id is missing"])


def test_days_before_a_free_plans_memory_are_a_limit_of_the_plan() -> None:
    world = empty(free_history_days=365)
    scene = scene_of(world)
    [workspace_id] = world.workspaces

    with pytest.raises(PulseError) as caught:
        scene.ask(
            lambda client: client.report_page(workspace_id, date(2020, 1, 1), date(2020, 12, 31), user_id=world.me)
        )

    assert caught.value.code == "plan_limit"
