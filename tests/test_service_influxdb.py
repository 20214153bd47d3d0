"""The service with an InfluxDB beside its mirror: what follows each run, what is told, and what outages cost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from influxdb import OwnServer, Server
from test_service import NOW, Scene, alone, nothing, runs
from toggl_pulse.app import create_app
from toggl_pulse.demo import Clock, Loopback, World
from toggl_pulse.errors import NeedsUser
from toggl_pulse.service import Service

__all__ = ["alone"]  # pytest uses it for every test here


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


def test_what_a_quota_had_left_is_not_told_of_once_its_hour_is_over(scene: Scene) -> None:
    async def look(service: Service) -> None:
        scene.advance(hours=2)
        await poll(service)
        first, last = (run.figures for run in service.mirror.runs_to_tell(0, 10))
        assert first is not None
        assert last is not None
        assert 2 == len(first.quota)
        assert ["user"] == list(last.quota)

    scene.live(look)


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


# --- answers from InfluxDB ------------------------------------------------------------------------------------

EVER = {"range": {"from": "2006-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}}
HOURS = {**EVER, "targets": [{"target": "tracked_hours", "payload": {"group_by": "tag", "interval": "range"}}]}


async def ask(service: Service, route: str = "/query", body: Any = HOURS) -> tuple[int, Any]:
    """One request to the whole application on this service, which is started already."""
    transport = httpx2.ASGITransport(app=create_app(service))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await (client.get(route) if body is None else client.post(route, json=body))
    return answer.status_code, answer.json()


def from_influxdb(server: Server, bucket: str) -> dict[str, Any]:
    return {**place(server, bucket), "query_source": "influxdb"}


def test_answers_from_influxdb_are_those_of_the_mirror_and_follow_it(
    scene: Scene, influxdb: Server, influxdb_bucket: str
) -> None:
    settings = from_influxdb(influxdb, influxdb_bucket)

    async def look(service: Service) -> None:
        mirror = scene.service()
        assert await ask(mirror) == await ask(service)
        scene.world.edit_entry(next(iter(scene.world.entries)), stop=NOW)
        scene.advance(minutes=10)
        await poll(service)
        answers = await ask(mirror), await ask(service)
        assert answers[0] == answers[1]
        assert 200 == answers[0][0]
        assert (200, {"status": "ok"}) == await ask(service, "/health/ready", None)
        mirror.mirror.close()

    scene.live(look, **settings)


def test_without_influxdb_answers_go_on_from_memory_and_a_new_process_says_503(
    scene: Scene, own_influxdb: OwnServer
) -> None:
    settings = from_influxdb(own_influxdb, own_influxdb.fresh())

    async def outage(service: Service) -> None:
        before = await ask(service)
        own_influxdb.kill()
        service._influx._wire._sleep = lambda _: None  # type: ignore[union-attr]
        scene.world.create_entry(start=NOW - timedelta(hours=3), stop=NOW - timedelta(hours=2))
        scene.advance(minutes=10)
        await poll(service)
        assert before == await ask(service)
        status, body = await ask(service, "/health/ready", None)
        assert (503, "not_ready") == (status, body["error"]["code"])

    scene.live(outage, **settings)

    async def anew(service: Service) -> None:
        service._influx._wire._sleep = lambda _: None  # type: ignore[union-attr]
        status, body = await ask(service)
        assert (503, body["message"]) == (status, body["error"]["message"])
        assert body["error"]["code"] in {"influxdb_unreachable", "influxdb_writing"}

    scene.live(anew, start=False, **settings)


def test_while_influxdb_is_away_a_stopped_timer_does_not_run_on(scene: Scene, own_influxdb: OwnServer) -> None:
    started = scene.world.create_entry(start=NOW - timedelta(hours=1), stop=None)

    async def outage(service: Service) -> None:
        assert 8.0 - 1 == await hours(service)
        own_influxdb.kill()
        service._influx._wire._sleep = lambda _: None  # type: ignore[union-attr]
        scene.advance(minutes=10)
        scene.world.edit_entry(started.id, stop=NOW + timedelta(minutes=5))
        await poll(service)
        scene.advance(hours=5)
        await poll(service)
        assert 7.0 == await hours(service)
        own_influxdb.start()
        await poll(service)
        assert pytest.approx(7.0 + 5 / 60) == await hours(service)

    scene.live(outage, **from_influxdb(own_influxdb, own_influxdb.fresh()))


async def hours(service: Service) -> float:
    body = {**EVER, "targets": [{"target": "tracked_hours", "payload": {"interval": "range"}}]}
    status, answer = await ask(service, body=body)
    assert 200 == status, answer
    return float(answer[0]["datapoints"][0][0])


def test_a_renamed_project_is_seen_while_a_timer_runs(scene: Scene, influxdb: Server, influxdb_bucket: str) -> None:
    project = scene.world.create_project("Old")
    scene.world.create_entry(start=NOW - timedelta(hours=1), stop=None, project_id=project.id)
    body = {**EVER, "targets": [{"target": "tracked_hours", "payload": {"group_by": "project", "interval": "range"}}]}

    async def look(service: Service) -> None:
        _, before = await ask(service, body=body)
        with service.mirror.batch() as batch:
            found = service.mirror.catalogue().projects[project.id]
            batch.write_catalogue([replace(found, name="New")])
        await service.project()
        _, after = await ask(service, body=body)
        assert {"Old"} <= {series["target"] for series in before}
        assert {"New"} <= {series["target"] for series in after}

    scene.live(look, **from_influxdb(influxdb, influxdb_bucket))


def test_during_a_rebuild_answers_are_those_of_before(scene: Scene, influxdb: Server, influxdb_bucket: str) -> None:
    settings = from_influxdb(influxdb, influxdb_bucket)

    async def look(service: Service) -> None:
        before = await ask(service)
        said = []

        def halfway(what: str, _done: int, _total: int) -> None:
            said.append((what, service.mirror.points.projected().writing, asyncio.run(ask(service))))

        await service.project(rebuild=True, progress=halfway)
        assert {"emptying", "writing"} <= {what for what, _, _ in said}
        assert {True} == {writing for _, writing, _ in said}
        assert [before] * len(said) == [answer for _, _, answer in said]
        assert before == await ask(service)

    scene.live(look, **settings)


def test_what_a_caller_sends_never_becomes_flux(scene: Scene, influxdb: Server, influxdb_bucket: str) -> None:
    settings = from_influxdb(influxdb, influxdb_bucket)
    hostile = '") |> drop() //'

    async def look(service: Service) -> None:
        for payload in (
            {"filters": {"tag": [hostile]}},
            {"filters": {"description": [hostile]}},
            {"group_by": hostile},
        ):
            body = {**EVER, "targets": [{"target": "tracked_hours", "payload": payload}]}
            assert await ask(mirror, body=body) == await ask(service, body=body)
        assert truth(scene.world) == seconds_in(influxdb, influxdb_bucket)

    mirror = scene.service()
    scene.world.create_entry(start=NOW - timedelta(hours=3), stop=NOW, description=hostile, tags=[hostile])
    scene.live(look, **settings)
    mirror.mirror.close()
