"""The service with an InfluxDB beside its mirror: what follows each run, what is told, and what outages cost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from influxdb import OwnServer, Server
from test_service import NOW, Scene, nothing, runs
from toggl_pulse.demo import Clock, Loopback, World
from toggl_pulse.errors import NeedsUser
from toggl_pulse.service import Service


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("TOGGL_API_TOKEN", "TOGGL_API_URL", "TIMEZONE", "DATABASE_URL", "DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def world() -> World:
    world = World.empty(Clock(NOW), created_at=NOW - timedelta(days=60))
    for number in range(6):
        begin = NOW - timedelta(days=number + 1)
        world.create_entry(start=begin, stop=begin + timedelta(hours=1), tags=["one"] if number % 2 else [])
    return world


@pytest.fixture
def scene(world: World, tmp_path: Path) -> Iterator[Scene]:
    with Loopback(world) as loopback:
        yield Scene(world, loopback.url, tmp_path / "data")


def place(server: Server, bucket: str) -> dict[str, Any]:
    token = server.service_token(bucket)
    return {
        "influxdb_url": server.url,
        "influxdb_token": token,
        "influxdb_org": server.org,
        "influxdb_bucket": bucket,
    }


def seconds_in(server: Server, bucket: str) -> dict[str, int]:
    """Duration by entry id, as InfluxDB itself pairs them."""
    answer = server.flux(
        f'from(bucket: "{bucket}") |> range(start: 1970-01-01T00:00:00Z, stop: 2200-01-01T00:00:00Z) '
        '|> filter(fn: (r) => r._measurement == "toggl_time_entry" and (r._field == "duration" or '
        'r._field == "entry_id")) |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value") '
        '|> group() |> keep(columns: ["duration", "entry_id"])'
    )
    header, *rows = [line.split(",") for line in answer.split("\r\n") if line]
    places = header.index("entry_id"), header.index("duration")
    return {row[places[0]]: int(row[places[1]]) for row in rows}


def truth(world: World) -> dict[str, int]:
    return {
        str(row.id): row.stop - row.start
        for row in world.entries.values()
        if row.deleted_at is None and row.stop is not None
    }


async def poll(service: Service) -> None:
    """A poll, and what InfluxDB gets of it."""
    await service._poll()
    await service.settled()


def test_what_changes_at_toggl_is_in_influxdb_after_the_next_poll(
    scene: Scene, influxdb: Server, influxdb_bucket: str
) -> None:
    async def look(service: Service) -> None:
        assert truth(scene.world) == seconds_in(influxdb, influxdb_bucket)
        first, second, *_ = scene.world.entries
        scene.world.delete_entry(first)
        scene.world.edit_entry(second, stop=NOW - timedelta(days=1))
        scene.advance(minutes=10)
        await poll(service)
        assert truth(scene.world) == seconds_in(influxdb, influxdb_bucket)
        projection = service.status()["projection"]
        assert (0, 0.0, None) == (projection["lag"], projection["seconds_behind"], projection["trouble"])

    scene.live(look, **place(influxdb, influxdb_bucket))


def test_without_influxdb_syncs_go_on_and_the_next_run_brings_what_is_missing(
    scene: Scene, own_influxdb: OwnServer
) -> None:
    bucket = own_influxdb.fresh()
    settings = place(own_influxdb, bucket)

    async def look(service: Service) -> None:
        own_influxdb.kill()
        service._influx._wire._sleep = lambda _: None  # type: ignore[union-attr]
        scene.world.create_entry(start=NOW - timedelta(hours=3), stop=NOW - timedelta(hours=2))
        scene.advance(minutes=10)
        await poll(service)
        assert ("poll", "done") == runs(service)[0]
        assert 7 == service.mirror.counts().entries
        projection = service.status()["projection"]
        assert "influxdb_unreachable" == projection["trouble"]
        assert 0 < projection["lag"]
        assert 600 == projection["seconds_behind"]
        own_influxdb.start()
        scene.advance(minutes=10)
        await poll(service)
        assert truth(scene.world) == seconds_in(own_influxdb, bucket)
        assert None is service.status()["projection"]["trouble"]

    scene.live(look, **settings)


def test_a_slow_influxdb_keeps_no_sync_waiting(scene: Scene, own_influxdb: OwnServer) -> None:
    bucket = own_influxdb.fresh()

    async def look(service: Service) -> None:
        own_influxdb.pause()
        scene.world.create_entry(start=NOW - timedelta(hours=3), stop=NOW - timedelta(hours=2))
        scene.advance(minutes=10)
        await service._poll()
        scene.world.create_entry(start=NOW - timedelta(hours=5), stop=NOW - timedelta(hours=4))
        scene.advance(minutes=10)
        await service._poll()
        assert [("poll", "done"), ("poll", "done")] == runs(service)[:2]
        assert 8 == service.mirror.counts().entries
        own_influxdb.resume()
        await service.settled()
        await poll(service)
        assert truth(scene.world) == seconds_in(own_influxdb, bucket)

    scene.live(look, **place(own_influxdb, bucket))


def test_a_run_is_told_with_how_far_influxdb_lagged_before_it_and_what_the_quota_had_left(
    scene: Scene, influxdb: Server, influxdb_bucket: str
) -> None:
    async def look(_: Service) -> None:
        answer = influxdb.flux(
            f'from(bucket: "{influxdb_bucket}") |> range(start: 2000-01-01T00:00:00Z, stop: 2200-01-01T00:00:00Z) '
            '|> filter(fn: (r) => r._measurement == "toggl_sync") '
            '|> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")'
        )
        header, row, *_rest = [line.split(",") for line in answer.split("\r\n") if line]
        told = dict(zip(header, row, strict=True))
        assert ("done", "start", "0", "10") == tuple(
            told[name] for name in ("outcome", "reason", "projection_lag_seconds", "quota_reserve_user")
        )
        assert 10 <= int(told["quota_left_user"]) < 30
        assert 0 < int(told["requests"])

    scene.live(look, **place(influxdb, influxdb_bucket))


def test_project_without_influxdb_is_a_sentence(scene: Scene) -> None:
    async def look(service: Service) -> None:
        with pytest.raises(NeedsUser, match="INFLUXDB_URL"):
            await service.project()
        assert None is service.status()["projection"]

    scene.live(look)


def test_a_demo_writes_into_a_bucket_of_its_own(scene: Scene, influxdb: Server, influxdb_bucket: str) -> None:
    service = scene.service(**place(influxdb, influxdb_bucket))
    service.mirror.close()
    from toggl_pulse.service import demo_settings

    assert f"{influxdb_bucket}_demo" == demo_settings(service.settings).influxdb_bucket


def test_doctor_tells_whether_influxdb_can_be_used_and_follows(
    scene: Scene, influxdb: Server, influxdb_bucket: str
) -> None:
    settings = place(influxdb, influxdb_bucket)
    scene.live(nothing, **settings)

    async def look(service: Service) -> None:
        checks = {check.name: check for check in await service.examine()}
        assert checks["influxdb"].ok
        assert "InfluxDB is in step with the mirror." == checks["projection"].sentence

    scene.live(look, start=False, **settings)

    async def refused(service: Service) -> None:
        checks = {check.name: check for check in await service.examine()}
        assert (False, "InfluxDB does not accept the token in INFLUXDB_TOKEN.") == (
            checks["influxdb"].ok,
            checks["influxdb"].sentence,
        )

    scene.live(refused, start=False, **{**settings, "influxdb_token": "wrong"})
