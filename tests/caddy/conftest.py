"""One Caddy, one service on demo data and one stand-in for Grafana, shared by all tests of this folder."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from caddy.door import MISSING, Door, opened, program
from caddy.standin import StandIn, stand_in
from e2e.processes import API_TOKEN, running
from postgresql import free_port

PUBLIC = "hours.example.com"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/caddy/" in item.path.as_posix():
            item.add_marker("caddy")
            item.add_marker(pytest.mark.skipif(program() is None, reason=MISSING))


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the real service listens: it knows the public name and asks for its token."""
    home = tmp_path_factory.mktemp("service")
    settings = {"API_TOKEN": API_TOKEN, "ALLOWED_HOSTS": PUBLIC, "LOG_FORMAT": "json", "DATA_DIR": str(home / "data")}
    with running(["demo", "--port", "0"], home, **settings) as (_, output):
        yield str(json.loads(output.wait_for("serve.started"))["address"]).removeprefix("http://")


@pytest.fixture(scope="session")
def grafana_server() -> Iterator[StandIn]:
    with stand_in() as server:
        yield server


@pytest.fixture
def grafana(grafana_server: StandIn) -> StandIn:
    """Has been asked nothing yet."""
    grafana_server.asked.clear()
    return grafana_server


@pytest.fixture(scope="session")
def door(tmp_path_factory: pytest.TempPathFactory, service: str, grafana_server: StandIn) -> Iterator[Door]:
    """A domain of the user's own, with a certificate that no test has to fetch."""
    upstreams = {"SERVICE_UPSTREAM": service, "GRAFANA_UPSTREAM": grafana_server.address}
    with opened(tmp_path_factory.mktemp("caddy"), PUBLIC, TLS="internal", **upstreams) as found:
        yield found


@pytest.fixture(scope="session")
def nobody() -> str:
    """An address at which nothing listens."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture(scope="session")
def local_door(tmp_path_factory: pytest.TempPathFactory, nobody: str) -> Iterator[Door]:
    """As on a machine of one's own, with all behind it down."""
    with opened(
        tmp_path_factory.mktemp("local"), "localhost", SERVICE_UPSTREAM=nobody, GRAFANA_UPSTREAM=nobody
    ) as found:
        yield found
