"""The small account of the interface's tests, with a whole status and a page before it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.testclient import TestClient

from api.scene import NOW, TOKEN, SmallPulse
from toggl_pulse.app import create_app
from toggl_pulse.sync import status_as_json

HTML = {"Accept": "text/html"}


@dataclass
class PagePulse(SmallPulse):
    """`heard`: when Toggl was heard last, where that is to be another moment than the mirror's."""

    heard: datetime | None = None

    def status(self) -> dict[str, Any]:
        told = status_as_json(
            self.mirror, NOW, running=self.running, next_runs={}, reserve=10, unwritable=None, projecting=False
        )
        if self.heard is not None:
            told |= {"data_as_of": self.heard.isoformat(), "seconds_behind": 0}
        return {"version": self.version, "demo": self.demo, "now": NOW.isoformat(), **told}


@contextmanager
def browsing(pulse: PagePulse, **more: Any) -> Iterator[TestClient]:
    """A browser that follows nothing by itself; its token, where there is one, is not yet given."""
    with TestClient(create_app(pulse), headers=HTML, follow_redirects=False, **more) as client:
        yield client


def signed_in(client: TestClient, token: str | None) -> TestClient:
    """The same browser with a session."""
    if token is not None:
        answer = client.post("/ui/sign-in", data={"token": token}, headers={"Sec-Fetch-Site": "same-origin"})
        assert answer.status_code == 303, answer.text
    return client


def told(client: TestClient, span: dict[str, str], *targets: dict[str, Any]) -> Any:
    """What the interface answers to the same browser."""
    answer = client.post(
        "/query", json={"range": span, "targets": list(targets)}, headers={"Authorization": f"Bearer {TOKEN}"}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def rows_of(answer: Any) -> list[dict[str, Any]]:
    """A table's rows by the names of its columns."""
    names = [column["text"] for column in answer["columns"]]
    return [dict(zip(names, row, strict=True)) for row in answer["rows"]]
