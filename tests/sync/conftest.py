"""A small account with a bit of everything, and its mirror."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sync.scene import NOW, Scene
from toggl_pulse.demo import Clock, World


@pytest.fixture
def world() -> World:
    return small_world()


def small_world() -> World:
    """Two and a half years, three entries a month, one project with a client, two tags."""
    world = World.empty(Clock(NOW - timedelta(days=900)), plan="starter", created_at=NOW - timedelta(days=900))
    clock = world.clock
    assert isinstance(clock, Clock)
    client = world.create_client("Acme")
    project = world.create_project("Site", client_id=client.id, billable=True)
    task = world.create_task("Design", project_id=project.id)
    for number in range(90):
        clock.now = NOW - timedelta(days=899 - 10 * number)
        world.create_entry(
            start=clock.now - timedelta(hours=3),
            stop=clock.now - timedelta(hours=1, seconds=number),
            description=f"text {number}" if number % 7 else None,
            project_id=project.id if number % 3 else None,
            task_id=task.id if number % 6 == 1 else None,
            tags=("deep", "calm")[: number % 3],
        )
    clock.now = NOW
    world.start_timer(description="now", project_id=project.id)
    clock.advance(600)
    return world


@pytest.fixture
def scene(world: World, tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(world, tmp_path)
    yield scene
    scene.close()


@pytest.fixture
def make_scene(tmp_path: Path) -> Iterator[Callable[[World], Scene]]:
    scenes: list[Scene] = []

    def make(world: World) -> Scene:
        folder = tmp_path / f"scene-{len(scenes)}"
        folder.mkdir()
        scenes.append(Scene(world, folder))
        return scenes[-1]

    yield make
    for scene in scenes:
        scene.close()


@pytest.fixture(scope="session")
def first_synced(tmp_path_factory: pytest.TempPathFactory) -> tuple[datetime, Path]:
    """A mirror after the first sync of the small account, and the moment of it; made once."""
    scene = Scene(small_world(), tmp_path_factory.mktemp("first"))
    assert scene.sync("start").outcome == "done"
    kept = tmp_path_factory.mktemp("copy") / "mirror.db"
    scene.mirror.backup(kept)
    scene.close()
    return scene.clock(), kept


@pytest.fixture
def synced(first_synced: tuple[datetime, Path], tmp_path: Path) -> Iterator[Scene]:
    """The small account two hours after its first sync; a new process looks after it."""
    moment, mirror = first_synced
    shutil.copy(mirror, tmp_path / "mirror.db")
    scene = Scene(small_world(), tmp_path)
    scene.clock.now = moment + timedelta(hours=2)
    yield scene
    scene.close()
