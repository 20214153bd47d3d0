from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.scene import NOW, RANGE, SmallPulse, fill, serving
from toggl_pulse.mirror import Mirror


@pytest.fixture(scope="session")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    """One for all tests, for nothing here writes to it."""
    with Mirror.open(f"sqlite:///{tmp_path_factory.mktemp('api') / 'mirror.db'}", clock=lambda: NOW) as opened:
        fill(opened)
        yield opened


@pytest.fixture
def pulse(mirror: Mirror) -> SmallPulse:
    return SmallPulse(mirror)


@pytest.fixture
def api(pulse: SmallPulse) -> Iterator[TestClient]:
    """A client with the token."""
    with serving(pulse) as client:
        yield client


@pytest.fixture
def ask(api: TestClient) -> Callable[..., Any]:
    """POST /query with one target, its payload as keywords; the answer's list."""

    def post(target: str = "tracked_hours", **payload: Any) -> Any:
        body = {"range": RANGE, "targets": [{"refId": "A", "target": target, "payload": payload}]}
        answer = api.post("/query", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return post
