"""A small account at a simulated Toggl, its mirror as one sync leaves it, and the command line in this process."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.scene import Ran, Run
from toggl_pulse.cli import main
from toggl_pulse.demo import DEMO_TOKEN, Clock, Loopback, World
from toggl_pulse.service import Service, utc_now
from toggl_pulse.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder to work in, and no setting of this machine's."""
    for name in Settings.model_fields:
        for variable in (name.upper(), f"{name.upper()}_FILE"):
            monkeypatch.delenv(variable, raising=False)
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def any_verb_may_configure_logs(logs_as_they_were: None) -> None:
    """Every verb does."""


def small_world(now: datetime) -> World:
    """Today's, yesterday's and older entries in two projects, one with a client; two tags; a running timer."""
    world = World.empty(Clock(now - timedelta(days=100)), plan="premium", created_at=now - timedelta(days=100))
    world.behaviour.user_quota = 100_000
    clock = world.clock
    assert isinstance(clock, Clock)
    acme = world.create_client("Acme")
    site = world.create_project("Site", client_id=acme.id, billable=True)
    garden = world.create_project("Garden [bold]red[/bold]")
    for number in range(40):
        clock.now = now - timedelta(days=2 * (39 - number), hours=6)
        world.create_entry(
            start=clock.now - timedelta(hours=2),
            stop=clock.now - timedelta(hours=1, seconds=number),
            description=f"private text {number}",
            project_id=site.id if number % 2 else garden.id,
            billable=bool(number % 2),
            tags=("deep", "calm")[: number % 3],
        )
    clock.now = now - timedelta(minutes=10)
    world.start_timer(description="private running text", project_id=site.id)
    world.clock = utc_now
    return world


@pytest.fixture
def world() -> World:
    return small_world(datetime.now(UTC).replace(microsecond=0))


@pytest.fixture
def toggl(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """The account behind the settings."""
    with Loopback(world) as loopback:
        monkeypatch.setenv("TOGGL_API_URL", loopback.url)
        monkeypatch.setenv("TOGGL_API_TOKEN", DEMO_TOKEN)
        yield loopback


@pytest.fixture(scope="session")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that one sync of the small account leaves."""
    folder = tmp_path_factory.mktemp("synced")
    with Loopback(small_world(datetime.now(UTC).replace(microsecond=0))) as loopback:
        settings = load_settings(data_dir=folder, toggl_api_url=loopback.url, toggl_api_token=DEMO_TOKEN)

        async def once() -> str:
            # a few seconds ago: times that are told in whole seconds are then other ones, however quick the machine
            service = Service(settings, clock=lambda: datetime.now(UTC) - timedelta(seconds=5))
            try:
                return (await service.sync("request")).outcome
            finally:
                await service.stop()

        assert asyncio.run(once()) == "done"
    return folder


@pytest.fixture
def filled(home: Path, synced: Path) -> Path:
    """A mirror of its own for the test, and no Toggl to ask."""
    shutil.copytree(synced, home / "data")
    return home / "data"


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """The command line in this process: its exit code and what it printed."""

    def call(*arguments: str) -> Ran:
        capsysbinary.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        printed = capsysbinary.readouterr()
        code = ended.value.code
        return Ran(code if isinstance(code, int) else 0, printed.out.decode(), printed.err.decode())

    return call


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between attempts need not pass."""

    async def at_once(_: float) -> None:
        """The next attempt comes now."""

    defaults = Service.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "sleep", at_once)
