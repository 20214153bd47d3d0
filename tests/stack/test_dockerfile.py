"""The service's image: what goes into it, and its steps carried out in an empty tree; no Docker is needed.

What stands in for a container: absolute paths are moved below a folder, and no user is made. All else is what the
Dockerfile says. Where a Docker engine answers, `test_image.py` builds the image itself.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.processes import PATIENCE, Output, environment
from postgresql import free_port
from stack.dockerfile import Stage, Step, allowed, stages
from stack.model import ROOT, Model

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
OURS = re.compile(r"(?<![\w./:=*-])/(opt|build|data|bootstrap|run)(?=[/\s]|$)")
"""Paths that the steps use; what belongs to the system stays the system's."""


@pytest.fixture(scope="module")
def build() -> Stage:
    return stages(DOCKERFILE)[0]


@pytest.fixture(scope="module")
def image() -> Stage:
    return stages(DOCKERFILE)[1]


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty folder that any user may enter; not among pytest's, for our sources hold the demo's made-up token."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def context(folder: Path) -> Path:
    """What a builder gets of the repository: what `.dockerignore` lets through."""
    kept, dropped = allowed(ROOT / ".dockerignore")
    folder.mkdir()
    for name in kept:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(*dropped))
        else:
            shutil.copy2(ROOT / name, folder / name)
    return folder


def test_there_are_two_stages_of_one_pinned_image(build: Stage, image: Stage) -> None:
    assert 2 == len(stages(DOCKERFILE))
    assert build.image == image.image
    assert re.fullmatch(r"python:3\.(1[2-9])\.\d+-slim-[a-z]+(@sha256:[0-9a-f]{64})?", image.image)


def test_what_is_installed_is_locked_by_hashes(build: Stage) -> None:
    installs = [step.rest for step in build.all("RUN") if "pip install" in step.rest]

    assert "--require-hashes" in installs[0]
    assert "--only-binary=:all:" in installs[0]
    assert ["--no-deps", "--no-build-isolation"] == re.findall(r"--no-[a-z-]+", installs[1])
    assert 2 == len(installs)


def test_the_builder_gets_what_it_copies_and_nothing_else(build: Stage) -> None:
    copied = {word for step in build.all("COPY") for word in step.words()[:-1]}

    assert copied == allowed(ROOT / ".dockerignore")[0]
    assert {name for name in copied if not (ROOT / name).exists()} == set()
    assert not copied & {".", ".env", ".git", ".venv", "secrets", "tests"}


def test_the_image_has_the_environment_alone_and_a_user_without_rights(image: Stage) -> None:
    (copy,) = image.all("COPY")
    (user,) = image.all("USER")
    variables = image.all("ENV")[0].variables()

    assert ["--from=build", "/opt/toggl-pulse", "/opt/toggl-pulse"] == copy.words()
    assert "10001:10001" == user.rest
    assert image.steps.index(user) > max(image.steps.index(step) for step in image.all("RUN"))
    assert ("1", "/data") == (variables["PYTHONDONTWRITEBYTECODE"], variables["DATA_DIR"])
    assert [] == [name for name in variables if re.search("TOKEN|PASSWORD|SECRET", name)]


def test_the_image_is_asked_how_it_is_as_the_compose_file_asks(image: Stage, models: dict[str, Model]) -> None:
    (check,) = image.all("HEALTHCHECK")
    asked = models["plain"]["services"]["toggl-pulse"]["healthcheck"]["test"]

    assert ["CMD", *json.loads(check.rest.partition(" CMD ")[2])] == asked
    assert ["toggl-pulse"] == image.all("ENTRYPOINT")[0].words()
    assert ["serve"] == image.all("CMD")[0].words()


def test_every_volume_of_the_service_is_mounted_over_a_folder_that_its_user_owns(image: Stage, model: Model) -> None:
    made = {
        path
        for step in image.all("RUN")
        for command in step.rest.split("&&")
        if "install -d -o 10001 -g 10001" in command
        for path in command.split()
        if path.startswith("/")
    }

    for name in {"toggl-pulse", "bootstrap", "secrets"} & set(model["services"]):
        for mount in model["services"][name]["volumes"]:
            assert mount["target"] in made, (name, mount["target"])


def test_a_package_built_from_what_the_builder_gets_is_whole(place: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "flit_core.wheel", "--outdir", str(place)],
        cwd=context(place / "context"),
        check=True,
        capture_output=True,
        timeout=PATIENCE,
    )

    (wheel,) = place.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("toggl_pulse/")}
    source = ROOT / "src"
    files = {
        str(path.relative_to(source))
        for path in (source / "toggl_pulse").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files == packed


class Tree:
    """An empty tree in which steps are carried out."""

    def __init__(self, root: Path, files: Path) -> None:
        self.root = root
        self.files = files
        self.folder = root
        self.variables: dict[str, str] = {}

    def below(self, text: str) -> str:
        return OURS.sub(lambda found: f"{self.root}{found[0]}", text)

    def carry_out(self, step: Step) -> None:
        if step.word == "ENV":
            self.variables |= {name: self.below(value) for name, value in step.variables().items()}
        elif step.word == "WORKDIR":
            self.folder = Path(self.below(step.rest))
            self.folder.mkdir(parents=True, exist_ok=True)
        elif step.word == "COPY":
            self.copy(step.words())
        elif step.word == "RUN":
            self.run(step.rest)

    def copy(self, words: list[str]) -> None:
        if words[0].startswith("--from"):
            assert words[1] == words[2], "the stages share one tree"
            return
        *sources, target = words
        for name in sources:
            source, place = self.files / name, self.folder / target
            if source.is_dir():
                shutil.copytree(source, place, dirs_exist_ok=True)
            else:
                shutil.copy2(source, place / name if target.endswith("/") else place)

    def run(self, command: str) -> None:
        done = subprocess.run(
            ["/bin/sh", "-ec", self.below(command)],
            cwd=self.folder,
            env={**os.environ, **self.variables},
            capture_output=True,
            text=True,
            timeout=1200,
            check=False,
        )
        assert 0 == done.returncode, f"{command}\n{done.stdout}{done.stderr}"


@pytest.mark.long
@pytest.mark.skipif(
    os.geteuid() != 0, reason="the Dockerfile's steps give folders to another user, which only root may"
)
def test_the_steps_carried_out_make_a_service_that_passes_its_health_check(
    build: Stage, image: Stage, place: Path
) -> None:
    tree = Tree(place / "root", context(place / "context"))
    tree.root.mkdir()
    for step in build.steps:
        tree.carry_out(step)
        tree.variables.pop("PIP_NO_CACHE_DIR", None)  # what this machine has need not come through the network again
    for step in image.steps:
        users = re.sub(r"^groupadd .*?&& useradd .*? && ", "", step.rest) if step.word == "RUN" else step.rest
        tree.carry_out(Step(step.word, users))

    assert (10001, 0o700) == ((data := (tree.root / "data").stat()).st_uid, data.st_mode & 0o7777)
    programs = {path.name for path in (tree.root / "opt/toggl-pulse/bin").iterdir()}
    assert "toggl-pulse" in programs
    assert not programs & {"pip", "pip3", "flit"}
    serves_the_demo(tree, image)


def serves_the_demo(tree: Tree, image: Stage) -> None:
    """As the image's user, where that one may run this machine's Python at all; it writes in its data alone."""
    (entry,) = image.all("ENTRYPOINT")
    python = (tree.root / "opt/toggl-pulse/bin/python3").resolve()
    for_all = all(folder.stat().st_mode & 0o001 for folder in (python, *python.parents))
    who: dict[str, Any] = {"user": 10001, "group": 10001, "extra_groups": []} if for_all else {}
    port = str(free_port())
    variables = {
        **environment(tree.root / "data", PORT=port),
        **{name: value for name, value in tree.variables.items() if name != "PATH"},
        "PATH": f"{tree.root}/opt/toggl-pulse/bin:{os.environ['PATH']}",
    }
    before = listing(tree.root / "opt")
    with subprocess.Popen(
        [*entry.words(), "demo"],
        cwd=tree.root / "data",
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **who,
    ) as process:
        output = Output(process)
        output.wait_for("curl ")
        asked = subprocess.run(
            json.loads(image.all("HEALTHCHECK")[0].rest.partition(" CMD ")[2]),
            cwd=tree.root / "data",
            env=variables,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            **who,
        )
        process.terminate()
        process.wait(PATIENCE)
    assert (0, "ready\n") == (asked.returncode, asked.stdout), asked.stderr
    assert before == listing(tree.root / "opt"), "the program wrote beside itself"


def listing(folder: Path) -> set[tuple[str, int]]:
    return {(str(path), path.lstat().st_mtime_ns) for path in folder.rglob("*")}
