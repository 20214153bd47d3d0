"""What `make run` starts, as a process: demo without credentials, the account with them, and never both."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from e2e.processes import PATIENCE, TOKEN, pulse, running, simulated_toggl
from toggl_pulse.demo import World, truth

CURL = shutil.which("curl")
API_TOKEN = "api-token-0123456789"


def run_as_printed(command: str, **environment: str) -> list[dict[str, Any]]:
    """A shell runs the command exactly as it stands on the screen."""
    done = subprocess.run(
        ["sh", "-c", command],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", **environment},
    )
    return list(json.loads(done.stdout))


def seeded_hours(seeded_at: datetime, command: str) -> dict[str, float]:
    """Hours by project name from the simulated rows themselves, for the range that stands in the command."""
    body = json.loads(command.partition(" -d '")[2].removesuffix("'"))
    start, end = (datetime.fromisoformat(body["range"][side]) for side in ("from", "to"))
    world = World.seeded(seeded_at)
    found = truth(world, start=start, end=end, zone="UTC", group_by="project", interval="range", now=seeded_at)
    running = world.running()
    assert running is not None
    return {str(key): sum(steps.values()) for key, steps in found.items() if key != running.project_id}


@pytest.mark.skipif(CURL is None, reason="curl is not installed")
def test_without_credentials_the_printed_command_answers_with_the_seeded_years_hours(tmp_path: Path) -> None:
    before = datetime.now(UTC)
    with running(["serve", "--or-demo", "--port", "0"], tmp_path, DATA_DIR=str(tmp_path / "data")) as (_, output):
        command = output.wait_for("curl ").strip()
        answered = run_as_printed(command)
        said = "\n".join(output.lines)

    assert "DEMO data" in said
    assert "TOGGL_API_TOKEN" in said
    # the demo's world was seeded between these two moments; only at a midnight can they differ
    possible = [sorted(seeded_hours(at, command).values()) for at in (before, datetime.now(UTC))]
    actual = sorted(series["datapoints"][0][0] for series in answered)
    timer = next(hours for hours in actual if not any(hours == pytest.approx(one) for one in possible[0]))
    actual.remove(timer)
    assert any(actual == pytest.approx(hours) for hours in possible)
    assert len(actual) > 5


@pytest.mark.skipif(CURL is None, reason="curl is not installed")
def test_with_a_token_the_printed_command_takes_it_from_the_environment(tmp_path: Path) -> None:
    with running(["demo", "--port", "0"], tmp_path, DATA_DIR=str(tmp_path / "data"), API_TOKEN=API_TOKEN) as (
        _,
        output,
    ):
        command = output.wait_for("curl ").strip()
        answered = run_as_printed(command, API_TOKEN=API_TOKEN)

        assert API_TOKEN not in command
        assert len(answered) > 5
        with pytest.raises((KeyError, AttributeError, TypeError, AssertionError)):
            assert isinstance(run_as_printed(command)[0], dict)


def test_demo_data_and_an_account_never_meet(tmp_path: Path) -> None:
    """First without credentials, then with: the same folder, and only the account shows."""
    everything = {"range": {"from": "2006-01-02T00:00:00Z", "to": "2100-01-01T00:00:00Z"}}
    question = {**everything, "targets": [{"target": "entries", "refId": "A"}]}

    def entries(output: Any) -> list[Any]:
        address = output.address()
        answer = httpx2.post(f"{address}/query", json=question, timeout=PATIENCE)
        return list(answer.json()[0]["rows"])

    with running(["serve", "--or-demo", "--port", "0"], tmp_path, DATA_DIR=str(tmp_path / "data")) as (_, output):
        assert len(entries(output)) > 3000

    with simulated_toggl(tmp_path, "--empty") as toggl:
        start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=5)
        toggl.do(
            "create_entry", start=start.isoformat(), stop=(start + timedelta(hours=1)).isoformat(), description="mine"
        )
        account = {"TOGGL_API_TOKEN": TOKEN, "TOGGL_API_URL": toggl.url, "DATA_DIR": str(tmp_path / "data")}
        assert pulse(tmp_path, "sync", **account).returncode == 0
        with running(["serve", "--or-demo", "--port", "0"], tmp_path, **account) as (_, output):
            rows = entries(output)
            said = "\n".join(output.lines)

    assert len(rows) == 1
    assert "mine" in rows[0]
    assert "DEMO" not in said


def test_a_mirror_of_the_demo_refuses_an_account(tmp_path: Path) -> None:
    with running(["demo", "--port", "0"], tmp_path, DATA_DIR=str(tmp_path / "data")) as (_, output):
        output.address()
    with simulated_toggl(tmp_path) as toggl:
        refused = pulse(
            tmp_path,
            "sync",
            TOGGL_API_TOKEN=TOKEN,
            TOGGL_API_URL=toggl.url,
            DATABASE_URL=f"sqlite:///{tmp_path / 'data' / 'demo' / 'mirror.db'}",
        )

    assert refused.returncode == 4
    assert "holds" in refused.stdout + refused.stderr
