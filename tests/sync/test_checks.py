from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest

from influx.scripted import Reply, scripted
from mirror.rows import NOW, clock, entry, write
from sync.scene import Scene
from toggl_pulse.influx import YEAR_SECONDS, Influx
from toggl_pulse.mirror import Mirror
from toggl_pulse.sync.checks import REQUESTS, Check, check_influxdb, check_mirror, check_toggl

FRESH = timedelta(minutes=20)


def checked(scene: Scene) -> dict[str, Check]:
    found = asyncio.run(check_toggl(scene.client, clock=scene.our_clock))
    return {check.name: check for check in found}


def test_a_healthy_account_passes_every_check_within_its_requests(synced: Scene) -> None:
    before = synced.client.requests

    found = checked(synced)

    assert not [check for check in found.values() if check.ok is False]
    assert {"token", "clock", "quota", "quota_headers", "quota_look_free", "reach", "totals_rounding"} <= found.keys()
    assert synced.client.requests - before <= REQUESTS


def test_a_refused_token_is_the_only_thing_told(synced: Scene) -> None:
    synced.world.token = "another"

    found = checked(synced)

    assert {"token": False} == {name: check.ok for name, check in found.items()}


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_wrong_clock_is_told_with_its_direction(synced: Scene, hours: int) -> None:
    synced.skew = timedelta(hours=hours)

    clock = checked(synced)["clock"]

    assert clock.ok is False
    assert ("7200 s behind" if hours < 0 else "7200 s ahead of") in clock.sentence


def test_a_counted_quota_question_is_told(synced: Scene) -> None:
    synced.world.behaviour.quota_counted = True

    found = checked(synced)["quota_look_free"]

    assert (None, "Asking for the quota is counted.") == (found.ok, found.sentence)


def test_a_shorter_reach_is_told(synced: Scene) -> None:
    synced.world.fault("400", "since=")

    assert checked(synced)["reach"].ok is not True


def test_an_outage_leaves_the_rest_untold(synced: Scene) -> None:
    synced.world.fault("500", times=None)

    assert {"token": None} == {name: check.ok for name, check in checked(synced).items()}


def test_the_mirror_tells_its_own_state(scene: Scene) -> None:
    empty = {check.name: check.ok for check in check_mirror(scene.mirror, clock=scene.our_clock, fresh_for=FRESH)}
    scene.sync()
    full = {check.name: check.ok for check in check_mirror(scene.mirror, clock=scene.our_clock, fresh_for=FRESH)}
    scene.advance(hours=5)
    scene.world.fault("500", times=None)
    scene.sync()
    late = {check.name: check.ok for check in check_mirror(scene.mirror, clock=scene.our_clock, fresh_for=FRESH)}

    assert {"mirror": True, "contact": False, "history": False, "months": None} == empty
    assert {"mirror": True, "contact": True, "history": True, "months": True} == full
    assert {"contact": False, "trouble": False} == {name: late[name] for name in ("contact", "trouble")}


@pytest.mark.parametrize(
    ("shards", "days", "told"),
    [
        (YEAR_SECONDS - 1, 400, ["influxdb_shards"]),
        (7 * 86_400, 366, ["influxdb_shards"]),
        (YEAR_SECONDS, 400, []),
        (7 * 86_400, 360, []),
        (None, 400, []),
    ],
    ids=["almost a year", "a week", "a year", "a short history", "not told"],
)
def test_a_bucket_of_short_shard_groups_is_told_where_the_history_is_long(
    shards: int | None, days: int, told: list[str], tmp_path: Path
) -> None:
    rule = {"everySeconds": 0} | ({"shardGroupDurationSeconds": shards} if shards else {})
    answer = Reply(200, json.dumps({"buckets": [{"id": "b1", "retentionRules": [rule]}]}).encode())
    with Mirror.open(f"sqlite:///{tmp_path}/mirror.db", clock=clock) as mirror, scripted([answer]) as server:
        write(mirror, entry(1), entry(2, start=NOW - timedelta(days=days)))
        influx = Influx(server.url, "token", "org", "bucket")
        found = check_influxdb(influx, mirror)
        influx.close()

    assert ["influxdb", *told, "projection"] == [check.name for check in found]
    assert [None] * len(told) == [check.ok for check in found if check.name == "influxdb_shards"]
