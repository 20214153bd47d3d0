import json
from datetime import timedelta
from pathlib import Path

import pytest

from cli.scene import PRIVATE, Run
from toggl_pulse.demo import DEMO_TOKEN, Loopback, World
from toggl_pulse.service import utc_now


def assert_fit_for_a_bug_report(said: str, home: Path) -> None:
    for private in (*PRIVATE, DEMO_TOKEN, str(home), str(Path.home()), "127.0.0.1"):
        assert private not in said


def test_all_is_well_after_a_sync_and_nothing_private_is_told(run: Run, toggl: Loopback, home: Path) -> None:
    run("sync")

    ran = run("doctor")

    assert (0, "") == (ran.code, ran.err)
    marks = {line.split()[1]: line.split()[0] for line in ran.out.splitlines()[1:]}
    assert {"schedule", "mirror", "contact", "history", "token", "clock", "quota", "reach"} <= set(marks)
    assert "NO" not in marks.values()
    assert "ok" == marks["token"] == marks["clock"] == marks["schedule"]
    assert_fit_for_a_bug_report(ran.said, home)


def test_it_spends_six_requests_at_most(run: Run, filled: Path, toggl: Loopback, world: World) -> None:
    run("doctor")

    assert 1 < len(world.log) <= 6


def test_a_refused_token_is_the_users_to_mend(
    run: Run, filled: Path, toggl: Loopback, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOGGL_API_TOKEN", "another-token-0123456789")

    ran = run("doctor")

    assert 4 == ran.code
    assert "NO  token            Toggl refuses the credentials (status 403)" in ran.out
    assert "another-token" not in ran.said
    assert_fit_for_a_bug_report(ran.said, home)


def test_without_credentials_the_rest_is_checked_all_the_same(run: Run, filled: Path) -> None:
    ran = run("doctor")

    assert 4 == ran.code
    assert "ok  mirror " in ran.out
    assert "NO  token            There are no Toggl credentials" in ran.out


def test_a_clock_that_is_off_is_found(
    run: Run, filled: Path, toggl: Loopback, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.clock = lambda: utc_now() + timedelta(minutes=7)

    ran = run("doctor")

    assert 1 == ran.code
    assert "NO  clock            This machine's clock is 4" in ran.out
    assert " s behind Toggl's" in ran.out


@pytest.mark.usefixtures("no_pauses", "filled")
def test_toggl_out_of_reach_is_no_success(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOGGL_API_TOKEN", DEMO_TOKEN)
    monkeypatch.setenv("TOGGL_API_URL", "http://127.0.0.1:9")

    ran = run("doctor")

    assert 1 == ran.code
    assert "?   token            Toggl cannot be reached" in ran.out
    assert_fit_for_a_bug_report(ran.said, home)


def test_json_has_every_check(run: Run, filled: Path, toggl: Loopback) -> None:
    told = json.loads(run("doctor", "--json").out)

    assert told["versions"].startswith("toggl-pulse ")
    assert {"name", "ok", "sentence"} == set(told["checks"][0])
    assert "token" in {check["name"] for check in told["checks"]}
