"""The service's image as Docker builds it, run as the compose file runs it; where an engine answers."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from e2e.processes import Output
from stack.model import ROOT

pytestmark = pytest.mark.long

MISSING = "no Docker engine answers (docker info), or it has no base image and cannot fetch one"
FENCED = ("--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--network=none", "--tmpfs=/tmp")
SECONDS = 120


def docker(*arguments: str, seconds: float = SECONDS, check: bool = True) -> str:
    done = subprocess.run(
        ["docker", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False
    )
    assert 0 == done.returncode or not check, done.stdout + done.stderr
    return done.stdout.strip() if done.returncode == 0 else ""


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    base = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8").split("FROM ")[1].split()[0]
    if shutil.which("docker") is None or not docker("info", "--format={{.ServerVersion}}", check=False):
        pytest.skip(MISSING)
    known = docker("image", "inspect", "--format={{.Id}}", base, check=False)
    if not known and not docker("pull", "--quiet", base, seconds=600, check=False):
        pytest.skip(MISSING)
    name = f"toggl-pulse-test:{uuid4().hex[:12]}"
    docker("build", "--network=host", "--tag", name, "--file", "deploy/Dockerfile", ".", seconds=1800)
    yield name
    docker("image", "rm", name)


def test_the_demo_runs_with_nothing_to_write_on_but_its_data_and_is_found_healthy(image: str) -> None:
    container = docker("run", "--detach", *FENCED, "--volume=/data", "--health-interval=2s", image, "demo")
    try:
        wait_until_healthy(container)
        assert "ready" == docker("exec", container, "toggl-pulse", "healthcheck")
        assert "10001" == docker("exec", container, "id", "-u")
        mounted = {"/data", "/tmp"}  # noqa: S108 (named, not used)
        changed = {line.split()[1] for line in docker("diff", container).splitlines()}
        assert set() == changed - mounted
    finally:
        docker("rm", "--force", "--volumes", container)


def wait_until_healthy(container: str) -> None:
    told = ["docker", "events", "--since=10m", f"--filter=container={container}", "--filter=event=health_status"]
    with subprocess.Popen(told, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as events:
        try:
            Output(events).wait_for("health_status: healthy")
        finally:
            events.terminate()


def test_init_stack_runs_in_it_before_any_secret_exists_for_whoever_calls(image: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)  # as a person's own folder
    docker(
        "run", "--rm", *FENCED, "--user=12345:12345", f"--volume={tmp_path}:/stack", "--workdir=/stack",
        "--env=TOGGL_API_TOKEN=0123456789abcdef0123456789abcdef", image, "init", "stack", "--domain=hours.example.com",
    )  # fmt: skip

    assert {12345} == {path.stat().st_uid for path in (tmp_path / ".env", *(tmp_path / "secrets").iterdir())}


def test_no_layer_holds_a_file_of_ours_that_was_not_copied_on_purpose(image: str) -> None:
    found = docker(
        "run", "--rm", *FENCED, "--entrypoint=sh", image, "-c",
        "find / -xdev \\( -name .env -o -name .git -o -name api_token -o -name conftest.py \\) 2>/dev/null || true",
    )  # fmt: skip

    assert [] == [line for line in found.splitlines() if "site-packages" not in line]
    assert "TOKEN" not in docker("history", "--no-trunc", image)
