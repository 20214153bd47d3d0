"""Two services on one PostgreSQL database: one syncs, both answer, neither sees half a batch, and either takes over."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from e2e.equal import differences
from e2e.processes import PATIENCE, TOKEN, SimulatedToggl, running
from toggl_pulse.demo import DEMO_TOKEN, Clock, Loopback, World
from toggl_pulse.errors import Busy
from toggl_pulse.metrics import parse_query
from toggl_pulse.mirror import Mirror
from toggl_pulse.service import Service, utc_now
from toggl_pulse.settings import load_settings

pytestmark = pytest.mark.postgresql

NOW = datetime(2071, 11, 24, 9, 30, tzinfo=UTC)
ENTRIES, EDITS = 60, 12
LATE = 12
"""The step at which a first sync of this account goes through the past, its names and last months read."""
HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> World:
    """An account of a year; every entry is an hour long."""
    world = World.empty(Clock(NOW - timedelta(days=200)), plan="premium", created_at=NOW - timedelta(days=200))
    world.behaviour.user_quota = 100_000
    clock = world.clock
    assert isinstance(clock, Clock)
    for number in range(ENTRIES):
        clock.now = NOW - timedelta(days=80) + number * timedelta(days=1)
        world.create_entry(start=clock.now - 2 * HOUR, stop=clock.now - HOUR)
    clock.now = NOW
    return world


@pytest.fixture
def make_service(
    world: World, prepared_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Service]]:
    monkeypatch.chdir(tmp_path)
    clock = world.clock
    assert isinstance(clock, Clock)

    async def sleep(seconds: float) -> None:
        clock.advance(seconds)

    with Loopback(world) as loopback:

        def make(**more: Any) -> Service:
            given = {"toggl_api_url": loopback.url, "toggl_api_token": DEMO_TOKEN, "database_url": prepared_url}
            return Service(load_settings(data_dir=tmp_path, **given), clock=clock, sleep=sleep, **more)

        yield make


def hours(service: Service) -> float:
    start, end = (round(moment.timestamp() * 1000) for moment in (NOW - timedelta(days=300), NOW + timedelta(days=9)))
    query = parse_query("tracked_hours", {"interval": "range"}, start_ms=start, end_ms=end, zone=service.default_zone())
    return sum(float(series.values.sum()) for series in service.answers.answer(query).series)


def test_both_answer_whole_batches_while_one_syncs_and_the_other_is_told_busy(
    world: World, make_service: Callable[..., Service]
) -> None:
    """Each poll brings a change of every entry in one batch: any sum but a multiple of all of them is half of one."""
    refused = 0

    async def scene() -> None:
        nonlocal refused
        first = make_service(progress=lambda _: turn_away())
        second = make_service()

        def turn_away() -> None:
            """In the middle of the first one's run: the second may not sync, and both answer."""
            nonlocal refused
            with pytest.raises(Busy), second.mirror.lock():
                raise AssertionError("two may sync at once")
            refused += 1

        try:
            assert "done" == (await first.sync("start")).outcome
            assert (float(ENTRIES), float(ENTRIES)) == (hours(first), hours(second))
            done = asyncio.Event()
            answered: dict[Service, list[float]] = {first: [], second: []}

            async def ask(service: Service) -> None:
                while not done.is_set():
                    answered[service].append(await asyncio.to_thread(hours, service))

            asking = [asyncio.create_task(ask(service)) for service in (first, second)]
            for edit in range(1, EDITS + 1):
                world.clock.advance(3600)  # type: ignore[attr-defined]
                for row in list(world.entries.values()):
                    world.edit_entry(row.id, stop=datetime.fromtimestamp(row.start, UTC) + (1 + edit) * HOUR)
                run = await first.sync("poll")
                assert ("done", ENTRIES) == (run.outcome, run.changed)
            done.set()
            await asyncio.gather(*asking)

            whole = [float(ENTRIES * (1 + edit)) for edit in range(EDITS + 1)]
            for service, sums in answered.items():
                assert set(sums) <= set(whole)
                assert sums == sorted(sums)
                assert whole[-1] == hours(service)
            assert len(set(answered[second])) > 2
        finally:
            await first.stop()
            await second.stop()

    asyncio.run(scene())
    assert refused > EDITS


@pytest.mark.parametrize("at", [1, 2, LATE])
def test_a_run_whose_lock_was_lost_stops_and_the_other_service_goes_on(
    world: World, make_service: Callable[..., Service], postgresql: Any, prepared_url: str, at: int
) -> None:
    """The connection that holds the lock is cut before one request or another of a first sync.

    Toggl answers that request only once the other service's run is on record, so that the answer can never be saved.
    """
    begun = threading.Event()

    async def until_the_other_has_begun(_: float) -> None:
        assert await asyncio.to_thread(begun.wait, PATIENCE)

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        steps = 0
        others: list[asyncio.Task[Any]] = []

        def cut(_: object) -> None:
            nonlocal steps
            steps += 1
            if steps != at:
                return
            postgresql.run(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' "
                "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
                url=prepared_url,
            )
            world.sleep = until_the_other_has_begun
            world.fault("slow")
            others.append(loop.create_task(second.sync("start")))

        # a run tells its progress for the first time when it is on record, before it asks for anything
        first, second = make_service(progress=cut), make_service(progress=lambda _: begun.set())
        try:
            lost = await first.sync("start")
            assert others, f"it was done in {steps} steps"
            won = await others[0]
            assert lost.error is not None
            assert ("failed", "lock_lost", at) == (lost.outcome, lost.error.code, steps)
            assert ("done", None) == (won.outcome, won.error)
            assert ["done", "failed"] == [run.outcome for run in second.mirror.runs()]
            assert (float(ENTRIES), float(ENTRIES)) == (hours(first), hours(second))
            revisions = [found.revision for found in second.mirror.entries(world.entries).values()]
            assert len(set(revisions)) == len(revisions) == ENTRIES
        finally:
            await first.stop()
            await second.stop()

    asyncio.run(scene())


@pytest.mark.long
def test_when_the_process_that_syncs_is_killed_the_other_takes_over_at_its_next_poll(
    toggl: SimulatedToggl, prepared_url: str, tmp_path: Path
) -> None:
    settings = {
        "TOGGL_API_URL": toggl.url,
        "TOGGL_API_TOKEN": TOKEN,
        "DATABASE_URL": prepared_url,
        "DATA_DIR": str(tmp_path / "data"),
        "PORT": "0",
        "POLL_MINUTES": "1",
        "LOG_FORMAT": "json",
    }
    toggl.post("fault", {"kind": "slow", "match": "time_entries", "seconds": 5, "times": 3})
    try:
        with running(["serve"], tmp_path, **settings) as (first, one):
            one.address()
            with running(["serve"], tmp_path, **settings) as (_, two):
                address = two.address()
                two.wait_for("sync.skipped")
                first.send_signal(signal.SIGKILL)
                with httpx2.Client(base_url=address, timeout=30) as client:
                    assert client.get("/health/ready").is_success
                    state = settled(client)
    finally:
        toggl.post("calm", {})

    assert "failed" in {run["outcome"] for run in state["sync"]["runs"]}, json.dumps(state["sync"]["runs"])
    assert "done" == state["sync"]["runs"][0]["outcome"]
    with Mirror.open(prepared_url, clock=utc_now) as mirror:
        assert [] == differences(mirror, toggl.get("state"))


def settled(client: httpx2.Client) -> dict[str, Any]:
    """The state once the survivor has read everything; its next poll may be a minute away."""
    until = time.monotonic() + 300
    while True:
        state: dict[str, Any] = client.get("/status").json()
        runs = state["sync"]["runs"]
        rested = not state["sync"]["running"] and state["history"]["complete"] and not state["history"]["names_due"]
        if rested and len(runs) > 1 and runs[0]["outcome"] == "done":
            return state
        assert time.monotonic() < until, runs
        time.sleep(1)  # a minute is the shortest time between two polls of a real process
