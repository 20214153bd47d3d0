import asyncio
import json
import shlex
import signal
import socket
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from cli.scene import Run
from e2e.processes import PATIENCE, running
from toggl_pulse.cli.serve import _ProgressLog, greeting, sample
from toggl_pulse.demo import DEMO_TOKEN, Loopback, World
from toggl_pulse.service import Service
from toggl_pulse.settings import load_settings
from toggl_pulse.sync import Progress

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize("verb", ["serve", "demo"])
def test_a_port_that_is_taken_is_one_sentence(run: Run, monkeypatch: pytest.MonkeyPatch, home: Path, verb: str) -> None:
    monkeypatch.setenv("TOGGL_API_TOKEN", DEMO_TOKEN)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = run(verb, "--port", str(port))

    assert (
        1,
        "",
        f"toggl-pulse: Cannot listen on 127.0.0.1 port {port}: address already in use; set HOST or PORT.\n",
    ) == ran
    assert not (home / "data").exists()


def test_a_host_that_is_none_is_one_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "no such host")
    monkeypatch.setenv("API_TOKEN", "needed-beyond-loopback")

    ran = run("serve")

    assert (1, "") == (ran.code, ran.out)
    assert ran.err.startswith("toggl-pulse: Cannot listen on no such host port 8000: ")
    assert len(ran.err.splitlines()) == 1


def test_without_credentials_it_ends_with_a_sentence(run: Run) -> None:
    ran = run("serve", "--port", "0")

    assert (4, "") == (ran.code, ran.out)
    assert ran.err.startswith("toggl-pulse: There are no Toggl credentials: ")
    assert len(ran.err.splitlines()) == 1


def test_a_second_demo_in_one_folder_ends_with_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Service(load_settings(), demo=True)
    try:
        ran = run("demo", "--port", "0")
    finally:
        asyncio.run(first.stop())

    assert (1, "", "toggl-pulse: Another demo uses this DATA_DIR; stop it, or set another DATA_DIR.\n") == ran


def test_ended_in_the_middle_of_a_sync_it_stops_at_once_and_the_sync_goes_on(
    run: Run, toggl: Loopback, world: World, home: Path
) -> None:
    reached = threading.Event()

    async def sleep(_: float) -> None:
        reached.set()
        await asyncio.sleep(PATIENCE)

    world.sleep = sleep
    world.fault("slow", "/me/time_entries.start_date")
    where = {"TOGGL_API_URL": toggl.url, "TOGGL_API_TOKEN": DEMO_TOKEN, "DATA_DIR": str(home / "data")}
    with running(["serve", "--port", "0"], home, **where) as (process, output):
        address = output.wait_for("address   ").split()[1]
        assert reached.wait(PATIENCE)
        process.send_signal(signal.SIGTERM)
        code = process.wait(10)
        printed = output.rest()

    assert code in {0, -signal.SIGTERM}
    assert "Traceback" not in printed
    assert DEMO_TOKEN not in printed
    assert f'"address": "{address}"' in printed
    assert '"event": "serve.stopped"' in printed
    told = json.loads(run("status", "--json").out)
    assert [("start", "partly", "It was stopped before it was done.")] == [
        (one["reason"], one["outcome"], one["why"]) for one in told["sync"]["runs"]
    ]
    assert run("sync").out.endswith("History: complete.\n")


def service_of(filled: Path, **settings: object) -> Service:
    return Service.reading(load_settings(data_dir=filled, **settings), clock=lambda: NOW)


def test_the_greeting_says_whose_data_how_far_and_what_to_try(filled: Path, home: Path) -> None:
    whole, empty = service_of(filled), service_of(home / "empty")
    try:
        said = greeting(whole, "http://127.0.0.1:8000")

        assert "Toggl Pulse serves your Toggl account, whole history included." in said
        assert "\n  page      http://127.0.0.1:8000/ui/\n  address   http://127.0.0.1:8000\n" in said
        assert f"  {sample(whole, 'http://127.0.0.1:8000')}" in said.splitlines()
        assert "as\nToggl's hourly quota allows" in greeting(empty, "http://127.0.0.1:8000")
    finally:
        whole.mirror.close()
        empty.mirror.close()


def test_the_printed_command_asks_for_thirty_days_and_leaves_the_token_to_the_environment(filled: Path) -> None:
    service = service_of(filled, api_token="secret-api-token")
    try:
        words = shlex.split(sample(service, "http://127.0.0.1:8000"))
    finally:
        service.mirror.close()

    body = json.loads(words[words.index("-d") + 1])
    assert ["curl", "-s", "http://127.0.0.1:8000/query"] == words[:3]
    assert "Authorization: Bearer $API_TOKEN" in words
    assert {"from": "2026-10-24T12:00:00Z", "to": "2026-11-23T12:00:00Z"} == body["range"]


def test_the_log_tells_each_step_of_the_history_once_and_when_it_goes_on() -> None:
    with structlog.testing.capture_logs() as lines:
        tell = _ProgressLog()
        for stage, done in (("account", 0), ("recent", 1), ("recent", 1), ("history", 2), ("changes", 2)):
            tell(Progress(stage, done, 5, "2 years of history left"))
        tell(Progress("waiting", 2, 5, "2 years of history left", NOW + timedelta(hours=1)))

    assert [
        {"event": "sync.progress", "done": 1, "total": 5, "left": "2 years of history left", "log_level": "info"},
        {"event": "sync.progress", "done": 2, "total": 5, "left": "2 years of history left", "log_level": "info"},
        {
            "event": "sync.waits",
            "left": "2 years of history left",
            "goes_on_at": "2026-11-23T13:00:00Z",
            "log_level": "info",
        },
    ] == lines
