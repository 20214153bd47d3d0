"""Every fault at every request of every run: nothing is deleted, lost, stuck or spent that should not be."""

from __future__ import annotations

import sys
from collections import Counter
from itertools import product

import pytest
from structlog.testing import capture_logs

from sync.faults import RUNS, WEATHER, Ear, Kept, attempt, dice, false_deletions, goes_on, live_on, loud, lowest
from sync.scene import RESERVE

REQUESTS = {"first": 16, "history": 12, "daily": 27, "poll": 8}
"""Requests of each run in fair weather."""

MOMENTS = [(run, skip) for run, count in REQUESTS.items() for skip in range(count)]
TRIALS = [
    (run, kind, skip)
    for kind, (run, skip) in product(WEATHER, MOMENTS)
    # whose account it is can only be learned from the very first answer
    if not (run == "first" and skip == 0 and kind == "other_account")
]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    with capture_logs():
        return Kept(tmp_path_factory.mktemp("faults"))


@pytest.mark.parametrize("run", RUNS)
def test_the_runs_are_as_long_as_it_is_said_here(kept: Kept, run: str) -> None:
    scene, go = RUNS[run](kept)

    go()

    assert REQUESTS[run] == scene.network.sent
    assert [] == scene.differences()
    kept.forget(scene)


SETTLING = 3
"""Full syncs after days of mixed faults: one to read, one to look again at months that differed, one to prove."""

SAMPLE = [trial for place, trial in enumerate(TRIALS) if place % 211 == 11 and trial[1] not in {"huge", "gzip_bomb"}]
"""A step that shares no factor with the number of requests, so that kinds and requests meet in ever other pairs."""


@pytest.mark.parametrize("trial", SAMPLE, ids=lambda trial: "-".join(map(str, trial)))
def test_a_fault_at_one_request_costs_nothing(kept: Kept, trial: tuple[str, str, int]) -> None:
    assert [] == attempt(kept, *trial).found


@pytest.mark.long
@pytest.mark.parametrize("kind", WEATHER)
def test_a_fault_at_any_request_of_any_run_costs_nothing(kept: Kept, kind: str) -> None:
    trials = [trial for trial in TRIALS if trial[1] == kind]

    played = {trial: attempt(kept, *trial) for trial in trials}

    requests, syncs = sum(each.requests for each in played.values()), Counter(each.syncs for each in played.values())
    sys.stdout.write(f"{kind} at {len(trials)} requests: {requests} requests of ours; syncs until equal: {syncs}\n")
    assert trials
    assert {} == {trial: each.found for trial, each in played.items() if each.found}


def test_a_single_fault_is_cured_by_a_repeat_and_not_worth_a_word(kept: Kept) -> None:
    scene, go = RUNS["daily"](kept)
    scene.play("503", skip=2, times=1)
    with capture_logs() as logs:
        run = go()

    assert ("done", []) == (run.outcome, loud(logs))
    assert [] == scene.differences()
    kept.forget(scene)


@pytest.mark.parametrize("kind", ["redirect", "html", "dns"])
def test_the_token_goes_nowhere_but_to_toggl(kept: Kept, kind: str) -> None:
    scene, go = RUNS["daily"](kept)
    scene.play(kind, skip=0, times=99)

    go()

    assert {"toggl.example"} == scene.network.hosts
    kept.forget(scene)


STORMS = [(7, 8), *(pytest.param(seed, 48, marks=pytest.mark.long) for seed in range(8, 16))]


@pytest.mark.parametrize(("seed", "hours"), STORMS)
def test_mixed_faults_for_many_hours_cost_nothing(kept: Kept, seed: int, hours: int) -> None:
    """Each hour a few faults of any kind wait for a request; edits go on, and now and then the process is replaced."""
    weather, ear = dice(seed), Ear()
    scene = kept.scene(kept.whole)
    bad = [kind for kind in WEATHER if kind not in {"huge", "gzip_bomb"}]
    for hour in range(hours):
        for _ in range(weather.choice([0, 1, 1, 2, 3])):
            scene.play(weather.choice(bad), skip=weather.randrange(12), times=weather.randrange(1, 6))
        live_on(scene.world, weather, hour)
        scene.advance(minutes=weather.randrange(1, 100))
        if weather.random() < 0.2:
            scene.restart()
        scene.heard((lambda: scene.sync("schedule")) if weather.random() < 0.4 else scene.poll, ear)
        if weather.random() < 0.3:
            scene.heard(lambda: scene.sync("history", full=False), ear)
        assert set() == false_deletions(scene), f"seed {seed}, hour {hour}"
    scene.calm()
    ear.loud = []
    for _ in range(SETTLING):
        scene.advance(hours=12)
        report = scene.heard(scene.sync, ear)
        while report.waits_until is not None:
            scene.clock.now = max(scene.clock.now, report.waits_until)
            report = scene.heard(lambda: scene.sync("history", full=False), ear)

    assert ([], set()) == (ear.odd, ear.open), f"seed {seed}"
    assert [] == goes_on(scene, None, ear), f"seed {seed}"
    assert [] == scene.differences(), f"seed {seed}"
    assert {"verified"} == set(scene.month_states().values()), f"seed {seed}"
    assert (lowest(scene) or 0) >= RESERVE, f"seed {seed}"
    assert [] == ear.loud, f"seed {seed}"
    kept.forget(scene)


@pytest.mark.parametrize("answers", [("null", "null", "null"), ("404", "404", "empty_list"), ("null", "404", "null")])
def test_three_false_answers_in_a_row_do_not_end_a_timer(kept: Kept, answers: tuple[str, ...]) -> None:
    scene, go = RUNS["daily"](kept)
    for path, kind in zip(["/current", r"/time_entries/\d+", "start_date"], answers, strict=True):
        scene.world.fault(kind, path)

    go()

    assert set() == false_deletions(scene)
    kept.forget(scene)
