"""What every test shares: a session that ends by looking for the simulated account's token in all it has written."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import HealthCheck, settings

from toggl_pulse.demo import DEMO_TOKEN

if TYPE_CHECKING:
    from influxdb import OwnServer
    from influxdb import Server as InfluxServer
    from postgresql import Server
    from toggl_pulse.influx import Influx

# a busy machine is no fault of the code: no test of ours passes or fails by the clock
settings.register_profile("pulse", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("pulse")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fails the run when any file that a test wrote holds the token."""
    factory = getattr(session.config, "_tmp_path_factory", None)
    base = getattr(factory, "_basetemp", None)
    if base is None:
        return
    leaks = files_with_token(Path(base))
    if leaks:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            for path in leaks:
                reporter.write_line(f"the Toggl token was written to {path}", red=True)


def files_with_token(folder: Path, *others: str) -> list[Path]:
    """The files that hold the simulated account's token, or one of the others."""
    secrets = [secret.encode() for secret in (DEMO_TOKEN, *others)]
    return [path for path in files_below(folder) if any(secret in written(path) for secret in secrets)]


def written(path: Path) -> bytes:
    """What was ever written into a file: InfluxDB's are mostly holes, and reading those would take the longest.

    A running server renames and removes files meanwhile: what is gone is nothing now, and is looked for at its end.
    """
    found: list[bytes] = []
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        end = 0
        while True:
            try:
                start = os.lseek(file.fileno(), end, os.SEEK_DATA)
            except OSError:  # no more of it
                return b"".join(found)
            end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            found.append(os.pread(file.fileno(), end - start, start))
    return b""


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """One PostgreSQL server for all tests of this process; skips where there is none."""
    # imported by those who use it: the driver takes a while
    from postgresql import MISSING, GivenServer, OwnServer, programs

    given, found = os.environ.get("DATABASE_TEST_URL"), programs()
    if given:
        server: Server = GivenServer(given)
    elif found:
        server = OwnServer(found)
    else:
        pytest.skip(MISSING)
    yield server
    leaks = files_with_token(server.folder) if isinstance(server, OwnServer) else []
    server.close()
    assert [] == leaks, "the Toggl token was written to PostgreSQL"


@pytest.fixture(scope="session")
def prepared_template(postgresql: Server) -> str | None:
    """A database with the tables of an empty mirror; copying it is quicker than making tables. None: no copying."""
    return postgresql.template()


@pytest.fixture(scope="session")
def emptied_urls() -> list[str]:
    """Mirrors that earlier tests have left, with nothing in them."""
    return []


@pytest.fixture
def prepared_url(postgresql: Server, prepared_template: str | None, emptied_urls: list[str]) -> Iterator[str]:
    """A mirror of this test's own with nothing in it."""
    url = emptied_urls.pop() if emptied_urls else postgresql.fresh(like=prepared_template)
    yield url
    if postgresql.emptied(url):
        emptied_urls.append(url)
    else:
        postgresql.drop(url)


@pytest.fixture
def postgresql_url(postgresql: Server) -> Iterator[str]:
    """An empty database of this test's own."""
    url = postgresql.fresh()
    yield url
    postgresql.drop(url)


@pytest.fixture(scope="session")
def influxdb() -> Iterator[InfluxServer]:
    """One InfluxDB server for all tests of this process, to be left running; skips where there is none."""
    from influxdb import MISSING, GivenServer, OwnServer, program

    given, found = os.environ.get("INFLUXDB_TEST_URL"), program()
    if given:
        server: InfluxServer = GivenServer(given)
    elif found:
        server = OwnServer(found)
    else:
        pytest.skip(MISSING)
    yield server
    if isinstance(server, OwnServer):
        server.kill()
    leaks = tokens_in_influxdb(server)
    server.close()
    assert [] == leaks, "a token was written to InfluxDB"


@pytest.fixture
def influxdb_bucket(influxdb: InfluxServer) -> Iterator[str]:
    """The name of an empty bucket of this test's own."""
    name = influxdb.fresh()
    yield name
    leaks = tokens_in_influxdb(influxdb)
    influxdb.drop(name)
    assert [] == leaks, "a token was written to InfluxDB"


@pytest.fixture
def own_influxdb() -> Iterator[OwnServer]:
    """A server of this test's own, to be stopped, killed and started again; skips where there is no program."""
    from influxdb import MISSING_PROGRAM, OwnServer, program

    if (found := program()) is None:
        pytest.skip(MISSING_PROGRAM)
    server = OwnServer(found)
    yield server
    server.kill()
    leaks = tokens_in_influxdb(server)
    server.close()
    assert [] == leaks, "a token was written to InfluxDB"


def tokens_in_influxdb(server: InfluxServer) -> list[Path]:
    """Where a server of ours wrote Toggl's token or our own; texts are packed there, but the first one stands whole."""
    from e2e.processes import API_TOKEN, TOKEN
    from influxdb import OwnServer

    return files_with_token(server.folder, TOKEN, API_TOKEN) if isinstance(server, OwnServer) else []


@pytest.fixture
def influx(influxdb: InfluxServer, influxdb_bucket: str) -> Iterator[Influx]:
    """A client as the service has it, with a token for one bucket; pauses between attempts need not pass."""
    from toggl_pulse.influx import Influx

    token = influxdb.service_token(influxdb_bucket)
    client = Influx(influxdb.url, token, influxdb.org, influxdb_bucket, sleep=lambda _: None)
    yield client
    client.close()


NEEDED = {
    "postgresql": {"postgresql", "postgresql_url", "prepared_url"},
    "influxdb": {"influx", "influxdb", "influxdb_bucket", "own_influxdb"},
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks every test that asks for a server by name; parametrised ones carry the mark on their parameter."""
    for item in items:
        for mark, fixtures in NEEDED.items():
            if fixtures & set(getattr(item, "fixturenames", ())):
                item.add_marker(mark)


@pytest.fixture
def logs_as_they_were() -> Iterator[None]:
    """For a test that configures logging."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
