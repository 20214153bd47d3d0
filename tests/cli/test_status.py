import json
from pathlib import Path

import pytest

from cli.scene import Run
from toggl_pulse.cli.status import described
from toggl_pulse.demo import DEMO_TOKEN, Loopback, World


def lines_of(out: str) -> dict[str, str]:
    return {line[:13].strip(): line[14:] for line in out.splitlines() if line[:13].strip()}


def test_the_state_is_told_for_people(run: Run, filled: Path) -> None:
    ran = run("status")

    shown = lines_of(ran.out)
    assert (0, "") == (ran.code, ran.err)
    assert "demo@example.com" == shown["Account"]
    assert shown["Data as of"].endswith(" ago")
    assert shown["Entries"].startswith("41 from 20")
    assert shown["Entries"].endswith("; 1 running, 0 deleted, 0 earlier versions")
    assert shown["History"].startswith("complete (")
    assert shown["Months"].endswith(" verified against Toggl's totals")
    assert ": done; " in shown["Last sync"]
    assert ":00" in shown["Next sync"]
    assert "10 requests of each bucket are left to your other tools" == shown["Reserve"]


def test_json_has_the_same_for_programs(run: Run, filled: Path) -> None:
    told = json.loads(run("status", "--json").out)

    assert 41 == told["mirror"]["entries"]
    assert told["history"]["complete"] is True
    assert {"origin": "toggl", "email": "demo@example.com"} == told["account"]
    assert ["done"] == [one["outcome"] for one in told["sync"]["runs"]]
    assert told["sync"]["running"] is False
    assert 0 < told["seconds_behind"] < 3600
    assert told["data_as_of"] < told["now"]


def test_an_empty_mirror_has_a_state_too(run: Run) -> None:
    shown = lines_of(run("status").out)

    assert ("none yet", "Toggl has not been read yet") == (shown["Account"], shown["Data as of"])
    assert json.loads(run("status", "--json").out)["account"] is None


def test_trouble_is_told_with_its_beginning(run: Run, toggl: Loopback, world: World) -> None:
    run("sync")
    with world.lock:
        world.token = "changed"
    run("sync")

    shown = lines_of(run("status").out)

    assert "syncs fail since 20" in shown["Data as of"]
    assert shown["Data as of"].endswith("(token_refused)")
    assert ": failed; 1 request, " in shown["Last sync"]


def test_a_spent_quota_is_told_with_its_end(run: Run, toggl: Loopback, world: World) -> None:
    world.behaviour.user_quota = 30
    with world.lock:
        world.drain("user", 17)
    run("sync")

    shown = lines_of(run("status").out)

    assert "; waits for Toggl's quota until 20" in shown["History"]
    assert ", as Toggl said at 20" in shown["Quota"]


def test_changes_that_may_be_missing_are_told_until_all_is_read_again(run: Run, filled: Path) -> None:
    state = json.loads(run("status", "--json").out)
    state["history"]["gap"] = ["2026-01-02T03:04:05+00:00", "2026-06-02T03:04:05+00:00"]

    shown = dict(described(state))

    assert shown["History"].count("2026-0") == 2
    assert shown["History"].endswith(" may be missing until all is read again")


@pytest.mark.parametrize("words", [("status",), ("status", "--json")])
def test_asking_for_the_state_asks_nothing_of_toggl(
    run: Run, filled: Path, toggl: Loopback, world: World, words: tuple[str, ...]
) -> None:
    ran = run(*words)

    assert 0 == ran.code
    assert [] == list(world.log)
    assert DEMO_TOKEN not in ran.said


def test_months_that_the_plan_does_not_show_are_named(run: Run, toggl: Loopback, world: World) -> None:
    with world.lock:
        for organization in world.organizations.values():
            organization.plan = "free"
        world.behaviour.free_history_days = 40
    run("sync")

    assert " not included in Toggl's plan: 20" in lines_of(run("status").out)["Months"]
