"""One demo account with its service, as a process, for all tests of the dashboards; nothing here changes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from dashboards.shelf import shelf

from boards.grafana import Json
from e2e.processes import PATIENCE, running

BOARDS: dict[str, Json] = {Path(path).stem: json.loads(text) for path, text in shelf().items()}


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    home = tmp_path_factory.mktemp("boards")
    with (
        running(["demo", "--port", "0"], home, DATA_DIR=str(home / "data")) as (_, output),
        httpx2.Client(base_url=output.address(), timeout=PATIENCE) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def now(service: httpx2.Client) -> datetime:
    return datetime.fromisoformat(service.get("/status").json()["now"]).astimezone(UTC)


@pytest.fixture(scope="session")
def ask(service: httpx2.Client) -> Callable[..., Any]:
    """POST, and the answer read; a refusal fails the test with its sentence."""

    def post(path: str, body: Json) -> Any:
        answer = service.post(path, json=body)
        assert answer.status_code == 200, f"{answer.text}\nasked: {json.dumps(body.get('targets', body))}"
        return answer.json()

    return post


@pytest.fixture(scope="session")
def options(ask: Callable[..., Any]) -> dict[str, list[str]]:
    """What every query variable of the dashboards can be: ids and words, as Grafana keeps them."""
    targets = {
        row["name"]: row["query"]["query"]
        for board in BOARDS.values()
        for row in board["templating"]["list"]
        if row["type"] == "query"
    }
    return {
        name: [str(row["__value"]) for row in ask("/variable", {"payload": {"target": target}})]
        for name, target in targets.items()
    }
