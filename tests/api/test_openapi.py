import asyncio
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.asgi import call
from api.scene import TOKEN, SmallPulse
from toggl_pulse.app import create_app


@pytest.fixture
def document(api: TestClient) -> Any:
    return api.get("/openapi.json").json()


def test_every_route_is_described(document: Any) -> None:
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}

    assert {
        ("GET", "/"), ("GET", "/health/live"), ("GET", "/health/ready"), ("POST", "/search"), ("POST", "/metrics"),
        ("POST", "/metric-payload-options"), ("POST", "/query"), ("POST", "/variable"), ("POST", "/tag-keys"),
        ("POST", "/tag-values"), ("POST", "/annotations"), ("GET", "/status"), ("POST", "/sync"), ("GET", "/metrics"),
        ("GET", "/entries.csv"), ("GET", "/entries.json"),
    } == described  # fmt: skip


def test_every_example_is_answered(document: Any, api: TestClient) -> None:
    asked = 0
    for path, methods in document["paths"].items():
        content = methods.get("post", {}).get("requestBody", {}).get("content", {})
        if content:
            answer = api.post(path, json=content["application/json"]["example"])
            asked += 1

            assert (202 if path == "/sync" else 200) == answer.status_code, (path, answer.text)

    assert 9 == asked


def test_a_wrong_method_is_told_all_that_are_right(api: TestClient) -> None:
    assert ["GET, POST", "POST", "GET, HEAD"] == [
        api.delete(path, headers={"content-type": "application/json"}).headers["allow"]
        for path in ("/metrics", "/query", "/health/live")
    ]


def test_every_reference_leads_somewhere(document: Any) -> None:
    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["$ref"]] if "$ref" in value else []
            return own + [each for inner in value.values() for each in references(inner)]
        return [each for inner in value for each in references(inner)] if isinstance(value, list) else []

    wanted = {each.removeprefix("#/components/") for each in references(document)}
    parts = {f"{kind}/{name}" for kind, named in document["components"].items() for name in named}

    assert wanted
    assert set() == wanted - parts


def test_the_document_says_what_needs_the_token(document: Any) -> None:
    open_paths = {
        path for path, methods in document["paths"].items() for each in methods.values() if not each["security"]
    }

    assert {"/", "/health/live", "/health/ready"} == open_paths


def test_nothing_in_it_is_absolute_behind_a_prefix(pulse: SmallPulse) -> None:
    headers = [("host", "localhost"), ("authorization", f"Bearer {TOKEN}")]
    reply = asyncio.run(call(create_app(pulse), "GET", "/api/openapi.json", headers=headers, root_path="/api"))

    assert [{"url": ".", "description": "where this document is"}] == reply.json["servers"]
    assert b"localhost" not in reply.body
