import asyncio
import json
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.scene import Run
from e2e.processes import PATIENCE, environment
from toggl_pulse.cli.sync import summary
from toggl_pulse.demo import DEMO_TOKEN, Loopback, World
from toggl_pulse.errors import RetryLater
from toggl_pulse.mirror import Mirror
from toggl_pulse.service import utc_now
from toggl_pulse.sync import RunReport


def mirror_of(home: Path) -> Mirror:
    return Mirror.open(f"sqlite:///{home / 'data' / 'mirror.db'}", clock=utc_now)


def test_a_sync_says_what_it_brought_and_a_second_one_brings_nothing(run: Run, toggl: Loopback) -> None:
    first, second = run("sync"), run("sync")

    assert (0, "", 0, "") == (first.code, first.err, second.code, second.err)
    assert first.out.startswith("done: 4")
    assert first.out.endswith("\nHistory: complete.\n")
    assert second.out.startswith("done: 0 new, 0 changed, 0 deleted, ")


def test_json_is_the_run_and_nothing_else(run: Run, toggl: Loopback) -> None:
    ran = run("sync", "--json")

    told = json.loads(ran.out)
    assert (0, "") == (ran.code, ran.err)
    assert ("done", "request", "complete", None) == tuple(
        told[name] for name in ("outcome", "reason", "history", "goes_on_at")
    )


@pytest.mark.usefixtures("no_pauses")
def test_toggl_out_of_reach_is_a_failure(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOGGL_API_TOKEN", DEMO_TOKEN)
    monkeypatch.setenv("TOGGL_API_URL", "http://127.0.0.1:9")

    ran = run("sync")

    assert (1, "") == (ran.code, ran.err)
    assert ran.out.startswith("failed: 0 new")
    assert "Toggl cannot be reached" in ran.out


def test_a_refused_token_is_the_users_to_mend(run: Run, toggl: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOGGL_API_TOKEN", "another-token-0123456789")

    ran = run("sync")

    assert ran.code == 4
    assert "Toggl refuses the credentials (status 403); check TOGGL_API_TOKEN" in ran.out
    assert "another-token" not in ran.said


def test_no_credentials_is_the_users_to_mend(run: Run) -> None:
    ran = run("sync")

    assert (4, "") == (ran.code, ran.out)
    assert ran.err.startswith("toggl-pulse: There are no Toggl credentials: set TOGGL_API_TOKEN ")


def test_another_accounts_mirror_is_the_users_to_move(run: Run, toggl: Loopback, home: Path) -> None:
    with mirror_of(home) as mirror:
        mirror.claim("toggl", 1)

    ran = run("sync")

    assert ran.code == 4
    assert "holds the Toggl account 1, not the Toggl account 9041337" in ran.out


def test_a_spent_quota_is_partly_and_says_when_it_goes_on(run: Run, toggl: Loopback, world: World) -> None:
    world.behaviour.user_quota = 30
    with world.lock:
        world.drain("user", 17)

    ran = run("sync")

    assert (3, "") == (ran.code, ran.err)
    assert ran.out.startswith("partly: ")
    assert "it goes on at 20" in ran.out
    assert "left.\nSync again after 20" in ran.out
    again = run("sync", "--json")
    told = json.loads(again.out)
    assert (3, "partly") == (again.code, told["outcome"])
    assert datetime.fromisoformat(told["goes_on_at"]) > datetime.now(UTC) + timedelta(minutes=50)


def test_the_reserve_is_spent_only_when_asked_for(run: Run, toggl: Loopback, world: World) -> None:
    world.behaviour.user_quota = 30
    with world.lock:
        world.drain("user", 17)
    run("sync")
    before = world.bucket("user").remaining(world.clock().timestamp())

    kept = run("sync")
    spent = run("sync", "--use-reserve")

    assert before >= 10
    assert kept.code == 3
    assert spent.out.startswith(("done", "partly"))
    assert world.bucket("user").remaining(world.clock().timestamp()) < 10


def test_while_another_process_syncs_it_waits_then_says_so(run: Run, toggl: Loopback, home: Path) -> None:
    with mirror_of(home) as mirror, mirror.lock():
        ran = run("sync", "--wait", "0")

    assert (1, "", "toggl-pulse: Another process is syncing; try again when it is done.\n") == ran


def test_it_goes_on_as_soon_as_the_other_process_is_done(run: Run, toggl: Loopback, home: Path) -> None:
    with mirror_of(home) as mirror:
        lock = mirror.lock()
        lock.__enter__()
        later = threading.Timer(0.3, lock.__exit__, (None, None, None))
        later.start()
        ran = run("sync", "--wait", "30")
        later.join()

    assert ran.code == 0
    assert ran.out.startswith("done: ")


def test_stopping_it_loses_nothing(run: Run, toggl: Loopback, world: World, home: Path) -> None:
    """Ctrl-C in the middle of a request: a sentence, the shell's usual code, and a mirror that goes on."""
    reached = threading.Event()

    async def sleep(_: float) -> None:
        reached.set()
        await asyncio.sleep(PATIENCE)

    world.sleep = sleep
    world.fault("slow", "/me/time_entries.start_date")
    with subprocess.Popen(
        [sys.executable, "-m", "toggl_pulse", "sync"],
        env=environment(home, TOGGL_API_URL=toggl.url, TOGGL_API_TOKEN=DEMO_TOKEN, DATA_DIR=str(home / "data")),
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert reached.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)

    assert (130, "") == (process.returncode, out)
    assert err == "Stopped. What was read is kept, and the next sync goes on from there.\n"
    with mirror_of(home) as mirror:
        assert [("partly", "It was stopped before it was done.")] == [(r.outcome, r.why) for r in mirror.runs()]
    again = run("sync")
    assert (0, True) == (again.code, again.out.endswith("History: complete.\n"))
    with mirror_of(home) as mirror:
        assert mirror.counts().entries == 41


def test_one_of_anything_is_singular() -> None:
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    run = RunReport(1, "request", now, now + timedelta(seconds=2), "failed", "It is down.", requests=1)

    assert summary(run, "nothing").splitlines() == [
        "failed: 0 new, 0 changed, 0 deleted, 0 unchanged rows; 1 request in 2.0 s",
        "It is down.",
    ]


def test_what_waits_says_so_in_this_machines_time() -> None:
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    wait = now + timedelta(hours=1)
    error = RetryLater("Later.", at=wait)
    run = RunReport(1, "request", now, now, "partly", "Later.", set_aside=3, error=error, waits_until=wait)

    lines = summary(run, "2 years").splitlines()

    assert lines[0].endswith("unchanged rows, 3 set aside; 0 requests in 0.0 s")
    assert lines[2:] == [
        "History: 2 years.",
        f"Sync again after {wait.astimezone():%Y-%m-%d %H:%M} local time; `toggl-pulse serve` does so by itself.",
    ]
