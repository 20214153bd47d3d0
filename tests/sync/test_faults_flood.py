"""A bulk edit of five thousand entries with deletions among them, on the smallest plan: told by a cut-off answer."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from sync.faults import Stormy, dice, false_deletions, lowest
from sync.scene import NOW, RESERVE
from toggl_pulse.demo import Clock, World
from toggl_pulse.sync import RunReport, progress_state

ENTRIES = 5_000
GONE = 60
SPREAD = {"within reach": timedelta(days=80), "over four years": timedelta(days=4 * 365)}
HOURS = {"within reach": 3, "over four years": 10}
REQUESTS = {"within reach": 75, "over four years": 300}
"""Hours and requests, polls aside, until everything is proved; docs/operations.md names them.

With deletions in each of four years' months every month differs, and is listed, totalled and proved by itself.
"""

pytestmark = pytest.mark.long


def full_world(spread: timedelta) -> World:
    world = World.empty(Clock(NOW - spread), plan="free", created_at=NOW - spread)
    clock = world.clock
    assert isinstance(clock, Clock)
    project = world.create_project("Site")
    for number in range(ENTRIES):
        clock.now = NOW - spread + spread * (number + 1) / (ENTRIES + 1)
        world.create_entry(start=clock.now - spread / ENTRIES / 2, stop=clock.now, project_id=project.id)
    clock.now = NOW + timedelta(days=2)
    return world


def flood(scene: Stormy) -> None:
    """Everything is edited within three minutes; a few days apart in all years some are deleted."""
    chance = dice(11)
    alive = [row.id for row in scene.world.live_entries()]
    gone = set(chance.sample(alive, GONE))
    for place, number in enumerate(alive):
        if place % 30 == 0:
            scene.advance(seconds=1)
        if number in gone:
            scene.world.delete_entry(number)
        else:
            scene.world.edit_entry(number, description="all at once", billable=True)


@pytest.fixture
def flooded(tmp_path: Path) -> Callable[[str], Stormy]:
    def make(spread: str) -> Stormy:
        scene = Stormy(full_world(SPREAD[spread]), tmp_path)
        with capture_logs():
            scene.finish()
        assert [] == scene.differences()
        scene.advance(hours=2)
        flood(scene)
        scene.advance(minutes=1)
        return scene

    return make


def go_on(scene: Stormy, run: RunReport) -> RunReport:
    """As a service does: at the told time, with polls between."""
    until = run.waits_until
    while until is not None and scene.clock() + timedelta(minutes=10) < until:
        scene.advance(minutes=10)
        scene.poll()
    scene.clock.now = max(scene.clock.now, until or scene.clock.now)
    return scene.sync("history", full=False)


@pytest.mark.parametrize("spread", SPREAD)
def test_a_bulk_edit_is_exact_after_the_told_number_of_hours_and_requests(
    flooded: Callable[[str], Stormy], spread: str
) -> None:
    scene = flooded(spread)
    began, asked = scene.clock(), len(scene.world.log)

    scene.poll()
    doubted = set(scene.month_states().values())
    gap = progress_state(scene.mirror)["gap"]
    run = scene.sync("history", full=False)
    while run.outcome == "partly":
        assert not progress_state(scene.mirror)["complete"]
        assert progress_state(scene.mirror)["gap"] is not None
        run = go_on(scene, run)
    polls = sum("since=" in request.query for request in list(scene.world.log)[asked:])
    took, spent = scene.clock() - began, len(scene.world.log) - asked - polls
    sys.stdout.write(f"{spread}: {took}, {polls} polls and {spent} other requests, at least {lowest(scene)} left\n")

    assert ({"not_verified"}, True) == (doubted, gap is not None)
    assert progress_state(scene.mirror)["gap"] is None
    assert [] == scene.differences()
    assert {"verified"} == set(scene.month_states().values())
    assert took <= timedelta(hours=HOURS[spread])
    assert spent <= REQUESTS[spread]
    assert (lowest(scene) or 0) >= RESERVE
    scene.close()


@pytest.mark.parametrize("spread", SPREAD)
@pytest.mark.parametrize("seed", [1, 2])
def test_faults_and_stops_in_the_middle_of_it_lose_nothing(
    flooded: Callable[[str], Stormy], spread: str, seed: int
) -> None:
    scene = flooded(spread)
    chance = dice(seed)
    run = scene.poll()
    for _ in range(6):
        kind = chance.choice(["500", "cut_body", "null", "empty_list", "404", "html", "reset", "broken_row", "lost"])
        scene.play(kind, skip=chance.randrange(6), times=chance.randrange(1, 4))
        stop_at = scene.network.sent + chance.randrange(2, 9)
        run = stopped(scene, stop_at) or go_on(scene, run)
        scene.restart()
        assert set() == false_deletions(scene), f"seed {seed}"
        scene.advance(minutes=20)
    scene.calm()
    for _ in range(4):
        scene.advance(hours=12)
        scene.finish()

    assert [] == scene.differences(), f"seed {seed}"
    assert {"verified"} == set(scene.month_states().values()), f"seed {seed}"
    assert (lowest(scene) or 0) >= RESERVE, f"seed {seed}"
    scene.close()


def stopped(scene: Stormy, request: int) -> RunReport | None:
    """A run that is cancelled at one of its requests; None, as nobody hears of its end."""

    async def go() -> None:
        task = asyncio.current_task()
        assert task is not None
        scene.network.on_request = {request: partial(task.cancel)}
        await scene.syncer.run("history", full=False)

    with suppress(asyncio.CancelledError):
        asyncio.run(go())
    scene.network.on_request = {}
    return None
