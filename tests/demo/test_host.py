"""The simulated Toggl behind a real socket."""

import asyncio
import subprocess
import sys
from datetime import datetime, timedelta

import httpx2
import pytest

from toggl_pulse.demo import Host, Loopback, World


@pytest.fixture
def auth(world: World) -> tuple[str, str]:
    return (world.token, "api_token")


def test_a_thread_answers_with_the_worlds_clock(world: World, auth: tuple[str, str]) -> None:
    with Loopback(world) as served:
        answer = httpx2.get(f"{served.url}/api/v9/me", auth=auth)

    assert (200, "Mon, 23 Nov 2026 14:30:00 GMT") == (answer.status_code, answer.headers["date"])
    assert served.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("kind", ["cut", "cut_body", "lost"])
def test_a_cut_is_a_broken_connection(world: World, auth: tuple[str, str], kind: str) -> None:
    world.fault(kind)

    with Loopback(world) as served, httpx2.Client(auth=auth) as client:
        with pytest.raises(httpx2.RemoteProtocolError):
            client.get(f"{served.url}/api/v9/me")
        assert 200 == client.get(f"{served.url}/api/v9/me").status_code


def test_no_credentials_are_a_401_with_an_empty_body(world: World) -> None:
    with Loopback(world) as served:
        answer = httpx2.get(f"{served.url}/api/v9/me")

    assert (401, b"", "true") == (answer.status_code, answer.content, answer.headers["x-authorization-missing"])


def test_control_is_off_unless_asked_for(world: World, auth: tuple[str, str]) -> None:
    with Loopback(world) as closed:
        assert 404 == httpx2.get(f"{closed.url}/_control/state", auth=auth).status_code
    with Loopback(world, control=True) as opened:
        assert 200 == httpx2.get(f"{opened.url}/_control/state").status_code


def test_the_event_loop_can_host_it(world: World, auth: tuple[str, str]) -> None:
    async def scene() -> int:
        host = Host(world)
        url = await host.start()
        async with httpx2.AsyncClient(auth=auth) as client:
            answer = await client.get(f"{url}/api/v9/me")
        await host.stop()
        return answer.status_code

    assert 200 == asyncio.run(scene())


def test_it_runs_as_a_process_of_its_own(now: datetime) -> None:
    command = [sys.executable, "-m", "toggl_pulse.demo", "--control", "--token", "t" * 32, "--now", now.isoformat()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            me = httpx2.get(
                f"{url}/api/v9/me", params={"with_related_data": "true"}, auth=("t" * 32, "api_token")
            ).json()
            truth = httpx2.get(
                f"{url}/_control/truth",
                params={
                    "start": (now - timedelta(days=30)).isoformat(),
                    "end": now.isoformat(),
                    "zone": "Europe/Berlin",
                    "interval": "range",
                },
            ).json()
        finally:
            process.terminate()
        errors = process.stderr.read() if process.stderr else ""

    assert ("Demo User", "") == (me["fullname"], errors)
    assert 80 < next(iter(truth["all"].values())) < 220
