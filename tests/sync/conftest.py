"""A small account with a bit of everything, and its mirror."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sync.scene import NOW, Scene
from toggl_pulse.demo import Clock, World
from toggl_pulse.mirror import Mirror


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


# What a server could do otherwise than a file: of the tests below, those that run on PostgreSQL without being asked to.
SHORT_ON_POSTGRESQL = tuple(
    f"{name}[postgresql]"
    for name in (
        "test_first_sync_brings_everything_and_verifies_every_month",
        "test_all_of_them_at_once_after_one_sync",
        "test_a_light_poll_spends_one_request_and_sees_edits_deletions_and_the_timer",
        "test_a_deleted_entry_that_is_revived_lives_again",
        "test_a_killed_run_is_told_as_killed_by_the_next",
        "test_only_one_run_at_a_time",
    )
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        callspec = getattr(item, "callspec", None)
        on_server = callspec is not None and callspec.params.get("database") == "postgresql"
        if on_server and item.name not in SHORT_ON_POSTGRESQL:
            item.add_marker(pytest.mark.long)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest) -> str:
    """Where the mirrors of a test live."""
    return str(request.param)


@pytest.fixture
def new_url(request: pytest.FixtureRequest, database: str) -> Iterator[Callable[[], str | None]]:
    """The address of another place for a mirror; None for the scene's own folder."""
    made: list[str] = []

    def new() -> str | None:
        if database == "sqlite":
            return None
        template = request.getfixturevalue("prepared_template")
        made.append(request.getfixturevalue("postgresql").fresh(like=template))
        return made[-1]

    yield new
    for url in made:
        request.getfixturevalue("postgresql").drop(url)


@pytest.fixture
def scene(world: World, tmp_path: Path, new_url: Callable[[], str | None]) -> Iterator[Scene]:
    scene = Scene(world, tmp_path, url=new_url())
    yield scene
    scene.close()


@pytest.fixture
def make_scene(tmp_path: Path, new_url: Callable[[], str | None]) -> Iterator[Callable[[World], Scene]]:
    scenes: list[Scene] = []

    def make(world: World) -> Scene:
        folder = tmp_path / f"scene-{len(scenes)}"
        folder.mkdir()
        scenes.append(Scene(world, folder, url=new_url()))
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
def synced(
    first_synced: tuple[datetime, Path], tmp_path: Path, request: pytest.FixtureRequest, database: str
) -> Iterator[Scene]:
    """The small account two hours after its first sync; a new process looks after it.

    On PostgreSQL the mirror has moved there from its file meanwhile.
    """
    moment, mirror = first_synced
    url = None
    if database == "sqlite":
        shutil.copy(mirror, tmp_path / "mirror.db")
    else:
        url = request.getfixturevalue("postgresql").fresh()
        with Mirror.open(f"sqlite:///{mirror}", clock=lambda: moment) as before:
            before.copy_to(url)
    scene = Scene(small_world(), tmp_path, url=url)
    scene.clock.now = moment + timedelta(hours=2)
    yield scene
    scene.close()
    if url is not None:
        request.getfixturevalue("postgresql").drop(url)
