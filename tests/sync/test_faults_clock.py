"""Clocks that are wrong: ours, Toggl's Date header, both, from the start, in between, and in the middle of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from email.utils import format_datetime
from functools import partial

import pytest
from structlog.testing import capture_logs

from sync.faults import HOUR, RUNS, Kept, Stormy, change, dice, false_deletions, live_on, lowest
from sync.scene import RESERVE
from toggl_pulse.sync import progress_state

DATES: dict[str, Callable[[Stormy], str | None]] = {
    "missing": lambda _scene: None,
    "garbage": lambda _scene: "yesterday, about noon",
    "an hour ahead": lambda scene: format_datetime(scene.clock() + HOUR, usegmt=True),
    "an hour behind": lambda scene: format_datetime(scene.clock() - HOUR, usegmt=True),
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    with capture_logs():
        return Kept(tmp_path_factory.mktemp("clock"))


@pytest.fixture
def day(kept: Kept) -> Iterator[Callable[[Callable[[Stormy, int], None]], Stormy]]:
    """A mirror from its first request through a day of work, polls and full syncs, with something done each hour."""
    scene = kept.scene(kept.empty)

    def live(before_hour: Callable[[Stormy, int], None]) -> Stormy:
        chance = dice(3)
        before_hour(scene, 0)
        scene.finish()
        for hour in range(1, 9):
            before_hour(scene, hour)
            scene.advance(minutes=25)
            live_on(scene.world, chance, hour)
            if hour == 5:
                scene.world.delete_tag(next(iter(scene.world.tags)))
            scene.advance(minutes=10)
            scene.poll()
            scene.advance(minutes=25)
            if hour % 4 == 0:
                scene.finish()
        return scene

    yield live
    kept.forget(scene)


def holds(scene: Stormy) -> None:
    assert set() == false_deletions(scene)
    assert [] == scene.differences()
    assert {"verified"} == set(scene.month_states().values())


@pytest.mark.parametrize(
    ("date", "skew"),
    [
        pytest.param(date, skew, marks=() if (date, skew) == ("an hour ahead", timedelta(0)) else pytest.mark.long)
        for date in DATES
        for skew in (timedelta(0), -HOUR)
    ],
)
def test_a_wrong_date_of_toggl_loses_nothing(
    day: Callable[[Callable[[Stormy, int], None]], Stormy], date: str, skew: timedelta
) -> None:
    def wrong(scene: Stormy, _hour: int) -> None:
        scene.skew = skew
        scene.network.dates = lambda: DATES[date](scene)

    holds(day(wrong))


LONG = pytest.mark.long


@pytest.mark.parametrize("skews", [(-1, 1), *(pytest.param(skews, marks=LONG) for skews in [(0, 1), (0, -1), (1, 0)])])
def test_a_clock_of_ours_that_jumps_between_runs_loses_nothing(
    day: Callable[[Callable[[Stormy, int], None]], Stormy], skews: tuple[int, ...]
) -> None:
    def jump(scene: Stormy, hour: int) -> None:
        scene.skew = skews[hour % len(skews)] * HOUR

    scene = day(jump)
    holds(scene)
    assert (lowest(scene) or 0) >= RESERVE


@pytest.mark.long
@pytest.mark.parametrize("hours", [1, -1])
@pytest.mark.parametrize("run", ["first", "daily"])
def test_a_clock_of_ours_that_jumps_in_the_middle_of_a_run_loses_nothing(kept: Kept, run: str, hours: int) -> None:
    for request in range(1, 16, 4):
        scene, go = RUNS[run](kept)
        scene.network.on_request = {request: partial(setattr, scene, "skew", hours * HOUR)}

        go()
        scene.advance(hours=2)
        change(scene.world) if run == "first" else None
        scene.finish()

        holds(scene)
        assert (lowest(scene) or 0) >= RESERVE
        kept.forget(scene)


@pytest.mark.parametrize("hours", [1, -1])
def test_the_status_tells_how_far_the_clocks_are_apart(kept: Kept, hours: int) -> None:
    scene, go = RUNS["daily"](kept)
    scene.skew = hours * HOUR
    with capture_logs() as logs:
        go()
        scene.advance(hours=2)
        scene.sync()

    assert pytest.approx(-3600 * hours, abs=2) == progress_state(scene.mirror)["clock_behind_seconds"]
    assert 1 == [line["event"] for line in logs].count("sync.clock_differs")
    kept.forget(scene)


def test_a_missing_date_is_no_difference_of_clocks(kept: Kept) -> None:
    scene, go = RUNS["daily"](kept)
    scene.network.dates = lambda: None

    go()

    assert abs(progress_state(scene.mirror)["clock_behind_seconds"]) < 5
    kept.forget(scene)
