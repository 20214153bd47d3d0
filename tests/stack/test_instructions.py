"""What README and operations.md tell about the stack names files, services, volumes and secrets that there are."""

from __future__ import annotations

import re

from stack.model import ROOT, Model
from toggl_pulse import __version__
from toggl_pulse.cli.stack_secrets import SECRETS

README = (ROOT / "README.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def blocks(text: str) -> list[list[str]]:
    return [block.strip().splitlines() for block in re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)]


def test_five_commands_lead_from_nothing_to_grafana_and_two_to_the_demo() -> None:
    account, demo = blocks(README)

    assert len(account) <= 5
    assert [True] * 4 == [
        account[0].startswith("git clone "),
        "deploy/Dockerfile" in account[1] and account[1].startswith("docker build "),
        account[2].endswith(" init stack"),
        account[3].startswith("docker compose up -d"),
    ]
    assert len(demo) <= 2
    assert demo[0].startswith("docker compose -f compose.yaml -f compose.demo.yaml up -d")


def test_the_version_of_our_image_is_the_program_s_wherever_it_is_told() -> None:
    texts = [README, OPERATIONS, *((ROOT / name).read_text("utf-8") for name in ("compose.yaml", "compose.demo.yaml"))]

    told = {tag for text in texts for tag in re.findall(r"toggl-pulse(?:-[a-z]+)?:(\d[\w.]*)", text)}
    assert {__version__} == told


def test_secrets_that_are_named_are_made_by_init() -> None:
    named = set(re.findall(r"secrets/([a-z_]+)", README + OPERATIONS)) - {"service", "grafana", "admin"}

    assert {secret.name for secret in SECRETS} == named


def test_volumes_that_are_named_exist(models: dict[str, Model]) -> None:
    known = {volume["name"] for model in models.values() for volume in model["volumes"].values()}

    named = set(re.findall(r"toggl-pulse_[a-z-]+", OPERATIONS))
    assert {"toggl-pulse_influxdb-data", "toggl-pulse_grafana-data"} == named
    assert named <= known


def test_services_that_are_named_exist(models: dict[str, Model]) -> None:
    known = {name for model in models.values() for name in model["services"]}
    called = re.findall(
        r"docker compose (up|stop|start|exec|run|cp)(?: -[\w-]+(?:=\w+)?)*((?: [a-z][a-z-]*)+)",
        OPERATIONS.replace("\n", "\n. "),
    )
    named = {
        name
        for verb, words in called
        for name in (words.split() if verb in {"up", "stop", "start"} else words.split()[:1])
    }

    assert {"toggl-pulse", "grafana", "bootstrap", "postgresql"} <= named
    assert set() == named - known


def test_what_is_inside_caddy_s_image_is_changed_by_building_it_and_certificates_come_by_a_mount() -> None:
    copied = re.findall(r"^COPY .*?(\S+) \S+$", (ROOT / "deploy/caddy/Dockerfile").read_text("utf-8"), re.MULTILINE)
    paths = re.findall(r"`TLS=(/\S+) (/\S+)`", OPERATIONS)
    (mounted,) = re.findall(r"caddy:\n    volumes: \[\"[\w/]+:([\w/]+):ro\"\]", OPERATIONS)

    assert ["Caddyfile"] == copied
    assert "after a change of the file: `docker compose up -d --build caddy`" in OPERATIONS
    assert {mounted} == {path.rpartition("/")[0] for pair in paths for path in pair}


def test_the_table_of_services_tells_the_limits_that_hold(models: dict[str, Model]) -> None:
    told = dict(re.findall(r"^\| `([a-z-]+)` \|.*\| (\d+) MiB \|$", OPERATIONS, re.MULTILINE))
    limits = {name: str(int(service["mem_limit"]) // 2**20) for name, service in models["plain"]["services"].items()}

    assert limits == {name: told[name] for name in limits}
