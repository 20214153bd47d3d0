"""When each step last succeeded is what happened, and survives a restart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from sync.scene import NOW, Scene
from toggl_pulse.demo import World
from toggl_pulse.sync import history as past
from toggl_pulse.sync import iso, status_as_json
from toggl_pulse.sync.state import State, Trouble
from toggl_pulse.sync.steps import KEY, steps_of


def steps(scene: Scene) -> dict[str, dict[str, Any]]:
    told = status_as_json(
        scene.mirror,
        scene.our_clock(),
        running=False,
        next_runs={},
        reserve=10,
        unwritable=None,
        projecting=True,
    )
    return {step["step"]: step for step in told["steps"]}


def moments(scene: Scene) -> dict[str, str | None]:
    return {name: step["last_success"] for name, step in steps(scene).items()}


def test_a_full_sync_notes_every_step_and_a_poll_only_the_changes(synced: Scene) -> None:
    synced.advance(hours=2)
    began = synced.our_clock()
    synced.sync()
    full = moments(synced)
    synced.advance(minutes=10)
    synced.poll()
    after = moments(synced)

    assert {"account", "changes", "names", "recent", "history", "checks", "projection", "comparison"} == full.keys()
    for name in ("account", "changes", "names", "checks"):
        assert began <= datetime.fromisoformat(full[name] or "") <= synced.our_clock()
    assert (None, None) == (full["projection"], full["comparison"])
    assert [name for name in full if full[name] != after[name]] == ["changes"]
    assert iso(synced.our_clock()) == after["changes"]


def test_what_a_step_has_had_is_kept_when_later_runs_do_without_it(synced: Scene) -> None:
    first = moments(synced)
    synced.advance(hours=3)
    synced.sync()
    synced.restart()

    assert first["recent"] is not None
    assert first["recent"] == moments(synced)["recent"]
    assert (first["names"] or "") < (moments(synced)["names"] or "")


def test_a_step_that_is_refused_has_no_success_and_says_why(synced: Scene) -> None:
    before = steps(synced)
    synced.advance(hours=2)
    synced.world.fault("500", times=40)
    synced.sync()
    after = steps(synced)

    assert (None, "toggl_failing") == (before["changes"]["trouble"], after["changes"]["trouble"])
    assert before["names"]["last_success"] == after["names"]["last_success"]
    assert before["checks"]["last_success"] == after["checks"]["last_success"]


def test_a_step_that_is_hindered_says_so_while_the_others_go_on(synced: Scene) -> None:
    synced.advance(hours=2)
    synced.world.fault("500", "/reports/", times=None)
    synced.sync()
    told = steps(synced)
    synced.world.faults.clear()
    synced.advance(hours=2)
    synced.sync()

    assert {"history": "toggl_failing", "checks": "toggl_failing"} == {
        name: step["trouble"] for name, step in told.items() if step["trouble"]
    }
    assert (told["checks"]["last_success"] or "") < (told["names"]["last_success"] or "")
    assert not [name for name, step in steps(synced).items() if step["trouble"]]


def test_what_is_left_is_counted(world: World, make_scene: Callable[[World], Scene]) -> None:
    scene = make_scene(world)
    nothing_read = {name: step["left"] for name, step in steps(scene).items()}
    world.fault("quota402", "/reports/", times=None)
    usual, world.behaviour.user_quota = world.behaviour.user_quota, 12
    scene.sync()
    left = {name: step["left"] for name, step in steps(scene).items()}
    world.faults.clear()
    world.behaviour.user_quota = usual
    scene.finish()
    done = {name: step["left"] for name, step in steps(scene).items()}

    assert {"account": None, "changes": None, "names": None, "recent": 0, "history": 0, "checks": 0} == {
        name: count for name, count in nothing_read.items() if name not in {"projection", "comparison"}
    }
    assert (left["recent"] or 0) + (left["history"] or 0) > 0
    assert (0, 0, 0, 0) == (done["names"], done["recent"], done["history"], done["checks"])


def test_a_mirror_of_before_steps_were_noted_tells_what_it_knows(synced: Scene) -> None:
    with synced.mirror.batch() as batch:
        batch.set_state(KEY, None)
    found = moments(synced)

    assert {"changes"} == {name for name, moment in found.items() if moment is not None}
    synced.advance(hours=1)
    synced.sync()
    assert {"account", "changes", "names", "checks"} <= {name for name, at in moments(synced).items() if at is not None}


def test_of_several_troubles_the_oldest_is_told_and_blocked_years_are_not_left() -> None:
    def history(workspace_id: int, blocked: str = "") -> past.History:
        begun = past.begin(workspace_id, "UTC", today=NOW.date(), created=date(2025, 1, 1), backfill_from=None)
        return replace(begun, blocked=blocked)

    old, young = Trouble("z_old", NOW - timedelta(days=2)), Trouble("a_young", NOW)
    state = State(
        histories={1: history(1), 2: history(2, "no access")},
        hindered={"names:list:1:tags": young, "names:list:2:tags": old, "reach": young},
    )
    found = {step.name: step for step in steps_of(state, None, [], None)}

    assert (old, young, None) == (found["names"].trouble, found["recent"].trouble, found["history"].trouble)
    assert history(1).left == found["history"].left
