"""Each alert rule fires in its own situation alone: a service at work, a real InfluxDB, the rules' own Flux."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from influxdb import OwnServer, Server
from stack.alerting import RULES, state
from test_service import NOW, Scene, alone
from test_service_influxdb import place, poll
from toggl_pulse.demo import DEMO_TOKEN, Clock, Fault, Loopback, World
from toggl_pulse.service import Service

__all__ = ["alone"]  # pytest uses it for every test here

NO_SUCCESS, REFUSED, QUOTA, LAG = (
    f"toggl-pulse-{name}" for name in ("no-success", "token-refused", "quota", "projection")
)


@pytest.fixture
def world() -> World:
    world = World.empty(Clock(NOW), created_at=NOW - timedelta(days=60))
    world.create_entry(start=NOW - timedelta(days=1), stop=NOW - timedelta(hours=23))
    return world


@pytest.fixture
def scene(world: World, tmp_path: Path) -> Iterator[Scene]:
    with Loopback(world) as loopback:
        yield Scene(world, loopback.url, tmp_path / "data")


def firing(scene: Scene, server: Server, bucket: str) -> set[str]:
    """The rules that fire soon after now; what is from this very moment belongs to the next evaluation."""
    soon = scene.clock() + timedelta(seconds=30)
    return {uid for uid, rule in RULES.items() if "Alerting" == state(rule, server, bucket, soon)}


async def full(service: Service) -> None:
    await service._full()
    await service.settled()


def test_the_rules_are_these_four() -> None:
    assert {NO_SUCCESS, REFUSED, QUOTA, LAG} == set(RULES)


def test_nothing_fires_while_all_is_well_and_also_where_there_are_no_polls(
    scene: Scene, influxdb: Server, influxdb_bucket: str
) -> None:
    async def look(service: Service) -> None:
        assert set() == firing(scene, influxdb, influxdb_bucket)
        scene.advance(minutes=10)
        await poll(service)
        assert set() == firing(scene, influxdb, influxdb_bucket)
        for _ in range(3):
            scene.advance(hours=12)
            assert set() == firing(scene, influxdb, influxdb_bucket)
            await full(service)

    scene.live(look, **place(influxdb, influxdb_bucket))


def test_toggl_out_of_reach_fires_after_26_hours_and_no_more_when_it_is_back(
    scene: Scene, world: World, influxdb: Server, influxdb_bucket: str
) -> None:
    async def look(service: Service) -> None:
        world.faults.append(Fault("503", times=None))
        for hours in (12, 12):
            scene.advance(hours=hours)
            await full(service)
            assert set() == firing(scene, influxdb, influxdb_bucket)
        scene.advance(hours=1, minutes=50)
        assert set() == firing(scene, influxdb, influxdb_bucket)
        scene.advance(minutes=20)
        assert {NO_SUCCESS} == firing(scene, influxdb, influxdb_bucket)
        world.faults.clear()
        await full(service)
        assert set() == firing(scene, influxdb, influxdb_bucket)

    scene.live(look, **place(influxdb, influxdb_bucket))


def test_silence_is_a_lag_after_13_hours_and_no_success_after_26(
    scene: Scene, influxdb: Server, influxdb_bucket: str
) -> None:
    async def look(_: Service) -> None:
        scene.advance(hours=12, minutes=50)
        assert set() == firing(scene, influxdb, influxdb_bucket)
        scene.advance(minutes=20)
        assert {LAG} == firing(scene, influxdb, influxdb_bucket)
        scene.advance(hours=13)
        assert {LAG, NO_SUCCESS} == firing(scene, influxdb, influxdb_bucket)
        scene.advance(days=300)
        assert {LAG, NO_SUCCESS} == firing(scene, influxdb, influxdb_bucket)

    scene.live(look, **place(influxdb, influxdb_bucket))


def test_an_empty_bucket_is_silence(scene: Scene, influxdb: Server, influxdb_bucket: str) -> None:
    assert {LAG, NO_SUCCESS} == firing(scene, influxdb, influxdb_bucket)


def test_a_refused_token_fires_at_once_until_there_is_another(
    scene: Scene, world: World, influxdb: Server, influxdb_bucket: str
) -> None:
    async def look(service: Service) -> None:
        world.token = "changed"
        scene.advance(minutes=10)
        await poll(service)
        assert {REFUSED} == firing(scene, influxdb, influxdb_bucket)
        scene.advance(hours=12)  # polls stop, full syncs go on trying
        assert {REFUSED} == firing(scene, influxdb, influxdb_bucket)
        await full(service)
        assert {REFUSED} == firing(scene, influxdb, influxdb_bucket)
        world.token = DEMO_TOKEN
        await full(service)
        assert set() == firing(scene, influxdb, influxdb_bucket)

    scene.live(look, **place(influxdb, influxdb_bucket))


def test_a_token_that_never_worked_is_told_from_the_first_run(
    scene: Scene, world: World, influxdb: Server, influxdb_bucket: str
) -> None:
    world.token = "another"

    async def look(_: Service) -> None:
        assert {REFUSED, NO_SUCCESS} == firing(scene, influxdb, influxdb_bucket)

    scene.live(look, **place(influxdb, influxdb_bucket))


def test_a_quota_that_others_have_used_up_fires_until_its_hour_is_over(
    scene: Scene, world: World, influxdb: Server, influxdb_bucket: str
) -> None:
    async def look(service: Service) -> None:
        scene.advance(hours=2)
        await poll(service)
        world.drain("user", 25)
        scene.advance(minutes=10)
        await poll(service)
        assert {QUOTA} == firing(scene, influxdb, influxdb_bucket)
        scene.advance(minutes=20)
        assert {QUOTA} == firing(scene, influxdb, influxdb_bucket)
        scene.advance(minutes=31)
        await poll(service)
        assert set() == firing(scene, influxdb, influxdb_bucket)

    scene.live(look, **place(influxdb, influxdb_bucket))


def test_an_influxdb_that_was_away_is_told_as_lagging_until_it_is_in_step_and_its_runs_are_told_afterwards(
    scene: Scene, world: World, own_influxdb: OwnServer
) -> None:
    bucket = own_influxdb.fresh()

    async def look(service: Service) -> None:
        own_influxdb.kill()
        service._influx._wire._sleep = lambda _: None  # type: ignore[union-attr]
        world.create_entry(start=NOW - timedelta(hours=3), stop=NOW - timedelta(hours=2))
        for _ in range(2):
            scene.advance(minutes=40)
            await poll(service)
        own_influxdb.start()
        await poll(service)
        assert {LAG} == firing(scene, own_influxdb, bucket)
        scene.advance(minutes=10)
        await poll(service)
        assert set() == firing(scene, own_influxdb, bucket)

    scene.live(look, **place(own_influxdb, bucket))
