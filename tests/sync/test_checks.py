from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from sync.scene import Scene
from toggl_pulse.sync.checks import REQUESTS, Check, check_mirror, check_toggl

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
