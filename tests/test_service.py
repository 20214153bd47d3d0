"""The service on a simulated Toggl, on a clock that moves only when told: far ahead, so that no real alarm fires."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import structlog

from toggl_pulse.demo import DEMO_TOKEN, Clock, Loopback, World
from toggl_pulse.errors import BadRequest, Busy, NeedsUser
from toggl_pulse.metrics import parse_query
from toggl_pulse.mirror import Mirror, SyncRun
from toggl_pulse.mirror import mirror as mirror_module
from toggl_pulse.mirror.columns import read_columns
from toggl_pulse.model import Profile
from toggl_pulse.service import Service, demo_settings
from toggl_pulse.settings import load_settings
from toggl_pulse.sync import run_as_json

NOW = datetime(2071, 11, 24, 9, 30, tzinfo=UTC)


class Scene:
    """An account, where its mirror lies, and services on both as one process after the other would make them."""

    def __init__(self, world: World, url: str, folder: Path) -> None:
        self.world = world
        assert isinstance(world.clock, Clock)
        self.clock = world.clock
        self.url = url
        self.folder = folder

    def service(self, **more: Any) -> Service:
        progress = more.pop("progress", None)
        given = {"data_dir": self.folder, "toggl_api_url": self.url, "toggl_api_token": DEMO_TOKEN, **more}
        return Service(load_settings(**given), clock=self.clock, sleep=self.sleep, progress=progress)

    async def sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def advance(self, **delta: float) -> None:
        self.clock.advance(timedelta(**delta).total_seconds())

    def live(self, scene: Callable[[Service], Awaitable[None]], *, start: bool = True, **settings: Any) -> None:
        """One process: made, started, the scene, stopped."""

        async def life() -> None:
            service = self.service(**settings)
            try:
                if start:
                    await service.start()
                    await service.settled()
                await scene(service)
            finally:
                await service.stop()

        asyncio.run(life())

    def asked(self) -> int:
        """Requests but for looks at the quota, which are free."""
        return sum("quota" not in request.path for request in self.world.log)


def runs(service: Service) -> list[tuple[str, str]]:
    """Newest first."""
    return [(run.reason, run.outcome) for run in service.mirror.runs()]


async def nothing(_: Service) -> None:
    """A process that only starts and stops."""


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TOGGL_API_TOKEN", "TOGGL_API_URL", "TIMEZONE", "DATABASE_URL", "DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def world() -> World:
    world = World.empty(Clock(NOW - timedelta(days=200)), plan="premium", created_at=NOW - timedelta(days=200))
    clock = world.clock
    assert isinstance(clock, Clock)
    project = world.create_project("Site")
    for number in range(20):
        clock.now = NOW - timedelta(days=190 - 10 * number)
        world.create_entry(
            start=clock.now - timedelta(hours=2), stop=clock.now - timedelta(hours=1), project_id=project.id
        )
    clock.now = NOW
    return world


@pytest.fixture
def scene(world: World, tmp_path: Path) -> Iterator[Scene]:
    with Loopback(world) as loopback:
        yield Scene(world, loopback.url, tmp_path / "data")


# --- when runs begin ------------------------------------------------------------------------------------------


def test_the_first_start_reads_everything(scene: Scene) -> None:
    async def look(service: Service) -> None:
        assert [("start", "done")] == runs(service)
        assert 20 == service.mirror.counts().entries

    scene.live(look)


def test_a_start_between_two_schedules_only_polls_and_polls_are_one_request(scene: Scene) -> None:
    scene.live(nothing)

    async def look(service: Service) -> None:
        assert [("poll", "done"), ("start", "done")] == runs(service)
        # the first one also asks whose token it is
        assert 2 == service.mirror.runs()[0].requests
        scene.advance(minutes=10)
        before = scene.asked()
        await service._poll()
        assert 1 == service.mirror.runs()[0].requests == scene.asked() - before

    scene.advance(hours=4)  # 13:30
    scene.live(look)


def test_a_start_after_a_missed_schedule_makes_it_up(scene: Scene) -> None:
    scene.live(nothing)

    async def look(service: Service) -> None:
        assert [("start", "done"), ("start", "done")] == runs(service)

    scene.advance(hours=5)  # 14:30
    scene.live(look)


def test_without_polls_nothing_is_asked_between_two_schedules(scene: Scene) -> None:
    scene.live(nothing)

    async def look(service: Service) -> None:
        assert [("start", "done")] == runs(service)

    scene.live(look, poll_minutes=0)


def test_history_that_waits_for_the_quota_goes_on_by_itself(scene: Scene, world: World) -> None:
    world.behaviour.plan_quota["premium"] = 12

    async def look(service: Service) -> None:
        assert [("start", "partly")] == runs(service)
        (waits,) = {service._scheduler.next_runs()["wake"]} if service._scheduler else set()
        assert NOW + timedelta(minutes=55) < waits < NOW + timedelta(minutes=65)
        scene.clock.now = waits
        while "wake" in (service._scheduler.next_runs() if service._scheduler else {}) and len(runs(service)) < 20:
            await service._go_on()
            if service.history_left() == "complete":
                break
            scene.advance(hours=1)
        assert "complete" == service.history_left()
        assert ("history", "done") == runs(service)[0]

    scene.live(look)


def test_a_poll_leaves_the_history_alone(scene: Scene, world: World) -> None:
    world.behaviour.plan_quota["premium"] = 12

    async def look(service: Service) -> None:
        left = service.history_left()
        assert "complete" != left
        scene.advance(hours=2)
        await service._poll()
        assert left == service.history_left()

    scene.live(look)


def test_history_goes_on_after_a_restart_between_two_schedules(scene: Scene, world: World) -> None:
    world.behaviour.plan_quota["premium"] = 12
    scene.live(nothing)
    scene.advance(hours=2)
    world.behaviour.plan_quota["premium"] = 600

    async def look(service: Service) -> None:
        assert [("history", "done"), ("start", "partly")] == runs(service)
        assert "complete" == service.history_left()

    scene.live(look)


def test_an_earlier_wake_is_not_put_off_by_a_later_one(scene: Scene) -> None:
    async def look(service: Service) -> None:
        service._wake_at(NOW + timedelta(hours=1))
        service._wake_at(NOW + timedelta(hours=2))
        assert service._scheduler is not None
        assert NOW + timedelta(hours=1) == service._scheduler.next_runs()["wake"]
        service._wake_at(NOW + timedelta(minutes=30))
        assert NOW + timedelta(minutes=30) == service._scheduler.next_runs()["wake"]

    scene.live(look)


def test_a_full_sync_waits_for_a_poll_and_is_not_dropped(scene: Scene) -> None:
    scene.live(nothing)
    scene.advance(minutes=20)

    async def look(service: Service) -> None:
        service._begin("poll")
        await service._full()
        assert ["schedule", "poll"] == [reason for reason, _ in runs(service)][:2]

    scene.live(look, poll_minutes=0)


def test_a_poll_that_meets_a_run_is_left_out(scene: Scene) -> None:
    async def look(service: Service) -> None:
        service._begin("request")
        await service._poll()
        await service.settled()
        assert ["request", "start"] == [reason for reason, _ in runs(service)]

    scene.live(look)


def test_polls_rest_while_the_token_is_refused_and_full_syncs_try_again(scene: Scene, world: World) -> None:
    async def look(service: Service) -> None:
        world.token = "changed"
        await service._poll()
        assert ("poll", "failed") == runs(service)[0]
        before = scene.asked()
        await service._poll()
        await service._go_on()
        assert before == scene.asked()
        await service._full()
        assert before < scene.asked()
        world.token = DEMO_TOKEN
        await service._full()
        await service._poll()
        assert [("poll", "done"), ("schedule", "done"), ("schedule", "failed")] == runs(service)[:3]

    scene.live(look)


def test_trouble_that_passes_is_tried_again_soon(scene: Scene, world: World) -> None:
    async def look(service: Service) -> None:
        world.fault("503", times=None)
        await service._poll()
        assert ("poll", "failed") == runs(service)[0]
        assert service._scheduler is not None
        soon = service._scheduler.next_runs()["wake"] - scene.clock()
        assert timedelta(0) < soon <= timedelta(minutes=5)
        world.faults.clear()
        await service._poll()
        assert ("poll", "done") == runs(service)[0]

    scene.live(look)


def test_a_person_may_sync_but_not_twice_at_once(scene: Scene) -> None:
    async def look(service: Service) -> None:
        await service.request_sync()
        with pytest.raises(Busy, match=r"^A sync is already running\.$"):
            await service.request_sync()
        assert service.sync_running()
        await service.settled()
        assert not service.sync_running()
        assert ("request", "done") == runs(service)[0]

    scene.live(look)


def test_a_person_is_told_when_another_process_syncs(scene: Scene) -> None:
    async def look(service: Service) -> None:
        with service.mirror.lock(), pytest.raises(Busy):
            await service.request_sync()
        assert [("start", "done")] == runs(service)

    scene.live(look)


def test_a_lock_that_nobody_answers_for_holds_up_nothing_else(scene: Scene) -> None:
    answered, asked = threading.Event(), threading.Event()

    @contextmanager
    def unanswered() -> Iterator[None]:
        asked.set()
        assert answered.wait(60)
        yield

    async def look(service: Service) -> None:
        with patch.object(service.mirror, "lock", unanswered):
            request = asyncio.create_task(service.request_sync())
            await asyncio.to_thread(asked.wait, 60)
            answered.set()  # by this loop, which has not been held up
            await request
        await service.settled()

    scene.live(look)


def test_a_turn_that_meets_another_process_is_left_out_and_the_next_one_comes(scene: Scene) -> None:
    async def look(service: Service) -> None:
        with service.mirror.lock(), structlog.testing.capture_logs() as lines:
            await service._poll()
        assert [("sync.skipped", "poll")] == [(line["event"], line["reason"]) for line in lines]
        await service._poll()
        assert ("poll", "done") == runs(service)[0]

    scene.live(look)


def test_who_stood_back_goes_on_with_what_the_other_left_unread(scene: Scene) -> None:
    async def look(service: Service) -> None:
        assert service._scheduler is not None
        with patch.object(service, "_something_left", return_value=True):
            await service._poll()
            before = dict(service._scheduler.next_runs())
            with service.mirror.lock():
                await service._poll()
            await service._poll()
        assert "wake" not in before
        assert service._scheduler.next_runs()["wake"] <= scene.clock()

    scene.live(look)


def test_a_bug_in_a_run_is_logged_and_the_next_turn_comes(scene: Scene) -> None:
    bugs = [RuntimeError("a bug")]

    def progress(_: object) -> None:
        if bugs:
            raise bugs.pop()

    async def look(service: Service) -> None:
        with structlog.testing.capture_logs() as lines:
            await service._full()
        assert "sync.broke" in [line["event"] for line in lines]
        await service._full()
        assert [("schedule", "done"), ("schedule", "failed")] == runs(service)

    scene.live(look, start=False, progress=progress)


def test_stopping_ends_a_run_and_the_next_process_goes_on(scene: Scene, world: World) -> None:
    async def life() -> None:
        reached = asyncio.Event()
        loop = asyncio.get_running_loop()

        async def sleep(_: float) -> None:
            loop.call_soon_threadsafe(reached.set)
            await asyncio.sleep(60)

        world.sleep = sleep
        world.fault("slow", "start_date")
        service = scene.service()
        await service.start()
        await asyncio.wait_for(reached.wait(), 30)
        assert service.sync_running()
        await asyncio.wait_for(service.stop(), 10)

    asyncio.run(life())

    async def look(service: Service) -> None:
        assert [("history", "done"), ("start", "partly")] == runs(service)
        assert "It was stopped before it was done." == service.mirror.runs()[1].why
        assert 20 == service.mirror.counts().entries

    scene.live(look)


# --- what it answers ------------------------------------------------------------------------------------------


def hours(service: Service, metric: str = "tracked_hours") -> float:
    start, end = (round(moment.timestamp() * 1000) for moment in (NOW - timedelta(days=300), NOW + timedelta(days=9)))
    query = parse_query(metric, {"interval": "range"}, start_ms=start, end_ms=end, zone=service.default_zone())
    return sum(float(series.values.sum()) for series in service.answers.answer(query).series)


def test_an_offline_start_answers_from_the_mirror(scene: Scene) -> None:
    scene.live(nothing)
    scene.url = "http://127.0.0.1:9"
    scene.advance(days=3)

    async def look(service: Service) -> None:
        assert ("start", "failed") == runs(service)[0]
        assert service.ready()
        assert 20.0 == hours(service)
        assert "toggl_unreachable" == service.status()["history"]["trouble"]

    scene.live(look)


def test_a_running_entry_counts_on_while_toggl_was_heard_of_within_two_polls(scene: Scene, world: World) -> None:
    world.start_timer(description="running")

    async def look(service: Service) -> None:
        heard = service.contact().last
        assert heard is not None
        assert timedelta(minutes=20) == service.contact().fresh_for
        scene.clock.now = heard + timedelta(minutes=20)
        begun = next(row.start for row in world.entries.values() if row.stop is None)
        assert (scene.clock().timestamp() - begun) / 3600 == pytest.approx(hours(service, "running_hours"), abs=1e-3)
        scene.clock.now = heard + timedelta(minutes=21)
        assert (heard.timestamp() - begun) / 3600 == pytest.approx(hours(service, "running_hours"), abs=1e-3)

    scene.live(look)


def test_the_zone_is_the_settings_then_the_profiles_then_utc(scene: Scene) -> None:
    scene.live(nothing)

    def zone(**settings: Any) -> str:
        service = scene.service(**settings)
        try:
            return service.default_zone().key
        finally:
            service.mirror.close()

    assert "Europe/Berlin" == zone()
    assert "Asia/Tokyo" == zone(timezone="Asia/Tokyo")
    assert "UTC" == zone(data_dir=scene.folder / "empty")


def test_a_zone_that_this_machine_does_not_know_is_utc_and_told_once(scene: Scene) -> None:
    service = scene.service()
    with service.mirror.batch() as batch:
        batch.write_catalogue([Profile(1, "a@example.org", "A", "Mars/Olympus", 3, None)])

    with structlog.testing.capture_logs() as lines:
        zones = {service.default_zone().key for _ in range(3)}
    weekday = service.week_start()
    service.mirror.close()

    assert {"UTC"} == zones
    assert [("zone.unknown", "Mars/Olympus")] == [(line["event"], line["zone"]) for line in lines]
    assert 3 == weekday


def test_weeks_begin_on_monday_while_nobody_is_known(scene: Scene) -> None:
    service = scene.service()

    assert 1 == service.week_start()
    service.mirror.close()


def test_the_state_tells_the_truth(scene: Scene) -> None:
    async def look(service: Service) -> None:
        scene.clock.now = NOW + timedelta(minutes=45)
        told = service.status()
        heard = service.contact().last
        assert heard is not None
        assert {"origin": "toggl", "email": "demo@example.com"} == told["account"]
        assert (False, "2071-11-24T10:15:00Z", service.version) == (told["demo"], told["now"], told["version"])
        assert (scene.clock() - heard).total_seconds() == told["seconds_behind"]
        assert f"{heard:%Y-%m-%dT%H:%M:%SZ}" == told["data_as_of"]
        scene.clock.now = NOW - timedelta(hours=1)
        assert 0 == service.status()["seconds_behind"]
        scene.clock.now = NOW + timedelta(minutes=45)
        assert {"full", "poll"} == set(told["sync"]["next"])
        assert (False, "done") == (told["sync"]["running"], told["sync"]["runs"][0]["outcome"])
        assert service.mirror.revision() == told["mirror"]["revision"]
        assert 20 == told["mirror"]["entries"]
        assert told["months"]["verified"] > 6
        assert [] == told["months"]["others"]
        user = next(bucket for bucket in told["quota"]["buckets"] if bucket["name"] == "user")
        assert (30, 10) == (user["total"], told["quota"]["reserve"])
        assert user["open"]
        scene.advance(hours=1)
        assert not any(bucket["open"] for bucket in service.status()["quota"]["buckets"])
        await service.request_sync()
        assert service.status()["sync"]["running"] is True

    scene.live(look)


def test_a_service_that_only_reads_says_when_a_full_sync_would_come(scene: Scene) -> None:
    service = scene.service()

    assert {"full": "2071-11-24T14:00:00Z"} == service.status()["sync"]["next"]
    service.mirror.close()


def test_another_processes_run_is_seen_and_a_killed_one_is_not_taken_for_one(scene: Scene) -> None:
    service = scene.service()
    with service.mirror.lock():
        # nothing is recorded as running: the lock, which a run may want at this moment, is not even looked at
        assert not service.sync_running()
    with service.mirror.batch() as batch:
        batch.start_run("schedule", NOW)

    assert not service.sync_running()
    with service.mirror.lock():
        assert service.sync_running()
        assert service.status()["sync"]["running"] is True
    service.mirror.close()


def test_a_run_that_has_not_ended_has_no_duration() -> None:
    told = run_as_json(SyncRun(7, "poll", NOW))

    assert (None, None, "running") == (told["seconds"], told["finished_at"], told["outcome"])


def test_a_mirror_that_is_gone_is_not_ready(scene: Scene) -> None:
    service = scene.service()
    assert service.ready()

    service.mirror.close()
    for file in scene.folder.glob("mirror.db*"):
        file.unlink()
    (scene.folder / "mirror.db").write_bytes(b"no database at all" * 500)

    assert not service.ready()
    service.mirror.close()


# --- what it is built of --------------------------------------------------------------------------------------


def test_without_credentials_it_reads_and_does_not_start(tmp_path: Path) -> None:
    async def life() -> None:
        service = Service(load_settings(data_dir=tmp_path))
        try:
            assert service.ready()
            with pytest.raises(NeedsUser, match="There are no Toggl credentials"):
                await service.start()
            checks = await service.examine()
        finally:
            await service.stop()
        assert ("token", False) in [(check.name, check.ok) for check in checks]

    asyncio.run(life())


def test_a_schedule_that_is_none_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="SYNC_SCHEDULE"):
        Service(load_settings(data_dir=tmp_path / "data", sync_schedule="often"))

    assert not (tmp_path / "data").exists()


def test_email_and_password_open_the_account_too(scene: Scene) -> None:
    async def look(service: Service) -> None:
        assert [("start", "done")] == runs(service)

    scene.live(look, toggl_api_token=None, toggl_email="demo@example.com", toggl_password="demo password")


def test_demo_settings_hold_nothing_of_the_account(tmp_path: Path) -> None:
    settings = load_settings(
        data_dir=tmp_path,
        database_url="sqlite:///elsewhere.db",
        toggl_api_token="t" * 20,
        toggl_email="a@example.org",
        toggl_password="p" * 20,
        backfill_from=date(2020, 1, 1),
    )

    shown = demo_settings(settings)

    assert not shown.has_credentials
    assert (None, None) == (shown.toggl_email, shown.backfill_from)
    assert f"sqlite:///{tmp_path / 'demo' / 'mirror.db'}" == shown.mirror_url


def test_a_demo_has_its_folder_to_itself_until_it_stops_and_leaves_foreign_files_alone(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path)
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "novel.txt").write_text("mine")
    first = Service(settings, demo=True)
    first.mirror.claim("demo", 1)

    with pytest.raises(Busy, match=r"^Another demo uses this DATA_DIR; stop it, or set another DATA_DIR\.$"):
        Service(settings, demo=True)
    asyncio.run(first.stop())
    second = Service(settings, demo=True)
    fresh = second.mirror.account()
    asyncio.run(second.stop())

    assert fresh is None
    assert "mine" == (tmp_path / "demo" / "novel.txt").read_text()


def test_a_demo_runs_the_whole_way_and_is_the_demos(tmp_path: Path) -> None:
    async def life() -> None:
        service = Service(load_settings(data_dir=tmp_path), demo=True)
        try:
            await service.start()
            await service.settled()
            told = service.status()
        finally:
            await service.stop()
        assert (True, "demo") == (told["demo"], told["account"]["origin"])
        assert told["mirror"]["entries"] > 3000

    asyncio.run(life())
    with Mirror.open(f"sqlite:///{tmp_path / 'demo' / 'mirror.db'}", clock=lambda: NOW) as mirror:
        account = mirror.account()
        assert account is not None
        assert "demo" == account.origin
    assert not (tmp_path / "mirror.db").exists()


def test_an_account_too_large_for_the_memory_is_refused_with_a_sentence_and_kept_all_the_same(scene: Scene) -> None:
    async def look(service: Service) -> None:
        assert [("start", "done")] == runs(service)
        with pytest.raises(NeedsUser, match=r"20 entries need about 110 MiB of memory, and MAX_MEMORY_MIB allows 64;"):
            await asyncio.to_thread(service.answers.values, "project")
        assert 20 == service.status()["mirror"]["entries"]

    scene.live(look, max_memory_mib=64)
    scene.live(nothing)

    async def with_more(service: Service) -> None:
        assert ["Site"] == [name for _, name in await asyncio.to_thread(service.answers.values, "project")]

    scene.live(with_more, max_memory_mib=128, start=False)


@pytest.mark.parametrize(("entries", "fits"), [(4_700_000, True), (5_000_000, False)])
def test_what_is_needed_grows_with_the_entries_and_what_does_not_fit_is_not_read_by_a_sync_either(
    scene: Scene, entries: int, *, fits: bool
) -> None:
    async def look(service: Service) -> None:
        many = replace(service.mirror.counts(), entries=entries)
        with (
            patch.object(service.mirror, "counts", return_value=many),
            patch.object(mirror_module, "revision_kept", return_value=(-(10**6), 0)),
            patch.object(mirror_module, "read_columns", side_effect=read_columns) as read,
        ):
            assert "done" == (await service.sync("request")).outcome
        assert fits == read.called

    scene.live(look, max_memory_mib=1024)
