import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import orjson
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.asgi import call
from api.scene import NOW, RANGE, TOKEN, SmallPulse, serving
from toggl_pulse.api.errors import error_body
from toggl_pulse.app import create_app
from toggl_pulse.errors import NeedsUser, PulseError, QuotaSpent, Unavailable
from toggl_pulse.mirror import Mirror


def shape(answer: Any) -> tuple[int, str]:
    """Status and code; fails where the answer is not the one error shape."""
    body = answer.json()
    assert {"message": body["error"]["message"], "error": body["error"]} == body
    assert {"code", "message"} == body["error"].keys()
    assert "application/json" == answer.headers["content-type"]
    return answer.status_code, body["error"]["code"]


def test_an_unknown_address_and_a_wrong_method_have_the_one_shape(api: TestClient) -> None:
    wrong = api.get("/query")

    assert (404, "not_found") == shape(api.get("/nothing/here"))
    assert (405, "method_not_allowed") == shape(wrong)
    assert "POST" == wrong.headers["allow"]
    assert [404, 404] == [api.get(path).status_code for path in ("/docs", "/redoc")]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b'{"range": NaN}',
        b'{"maxDataPoints": Infinity}',
        b'{"a": 1e999}',
        b'{"target": "\\ud800"}',
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b"\x1f\x8b\x08\x00",
        b"[]",
        b'"text"',
        b"null",
        b"1",
    ],
)
def test_a_body_that_is_no_json_object_is_refused_everywhere(api: TestClient, body: bytes) -> None:
    for path in ("/query", "/search", "/metrics", "/metric-payload-options", "/variable", "/tag-keys", "/tag-values"):
        answer = api.post(path, content=body, headers={"content-type": "application/json"})

        assert (400, "bad_json") == shape(answer), path


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"range": None}, "bad_value", "`range`"),
        ({"range": {}}, "bad_value", "`range.from` is missing"),
        ({"range": "now"}, "bad_value", "`range`"),
        ({"range": {"from": True, "to": False}}, "bad_value", "`range.from`"),
        ({"range": {"from": [], "to": {}}}, "bad_value", "`range.from`"),
        ({"range": {"from": "yesterday", "to": RANGE["to"]}}, "bad_range", "`range.from`"),
        ({"range": {"from": "", "to": RANGE["to"]}}, "bad_range", "`range.from`"),
        ({"range": {"from": RANGE["to"], "to": RANGE["from"]}}, "bad_range", "before"),
        ({"range": {"from": "1999-01-01T00:00:00Z", "to": RANGE["to"]}}, "bad_range", "2006"),
        ({"range": {"from": RANGE["from"], "to": "2102-01-01T00:00:00Z"}}, "bad_range", "2100"),
        ({"range": {"from": -1e300, "to": 1e300}}, "bad_range", "2006"),
        ({"range": {"from": "0001-01-01T00:00:00+14:00", "to": "9999-12-31T23:59:59-14:00"}}, "bad_range", "2006"),
        ({"targets": None}, "bad_value", "`targets`"),
        ({"targets": {}}, "bad_value", "`targets`"),
        ({"targets": ["tracked_hours"]}, "bad_value", "`targets[0]`"),
        ({"targets": [{"target": 7}]}, "bad_value", "`targets[0].target`"),
        ({"targets": [{"target": "tracked_hours", "refId": 7}]}, "bad_value", "`targets[0].refId`"),
        ({"targets": [{"target": "tracked_hours", "hide": "no"}]}, "bad_value", "`targets[0].hide`"),
        ({"targets": [{"target": "tracked_hours", "payload": [1]}]}, "bad_value", "`targets[0].payload`"),
        ({"targets": [{"target": "tracked_hours", "payload": "{"}]}, "bad_json", "`targets[0].payload`"),
        ({"targets": [{"target": "tracked_hours", "payload": "[]"}]}, "bad_value", "`targets[0].payload`"),
        ({"targets": [{"target": "tracked_hours"}] * 51}, "bad_value", "50"),
        ({"targets": [{"target": "x", "hide": True}] * 51}, "bad_value", "`targets`"),
        ({"targets": [{"target": "(" + "|".join(["tracked_hours"] * 51) + ")"}]}, "bad_value", "50"),
        ({"targets": [{"target": "hours"}]}, "unknown_metric", "“hours”"),
        ({"targets": [{"target": "tracked_hours", "payload": {"group_by": "colour"}}]}, "unknown_group", "group_by"),
        ({"targets": [{"target": "tracked_hours", "payload": {"group_by": ["tag"]}}]}, "unknown_group", "group_by"),
        ({"targets": [{"target": "tracked_hours", "payload": {"interval": "2d"}}]}, "unknown_interval", "interval"),
        ({"targets": [{"target": "tracked_hours", "payload": {"timezone": "Mars"}}]}, "unknown_timezone", "Mars"),
        ({"targets": [{"target": "tracked_hours", "payload": {"timezone": "../x"}}]}, "unknown_timezone", "zone"),
        ({"targets": [{"target": "tracked_hours", "payload": {"timezone": 1}}]}, "unknown_timezone", "zone"),
        ({"targets": [{"target": "tracked_hours", "payload": {"attribution": "x"}}]}, "bad_value", "attribution"),
        ({"targets": [{"target": "tracked_hours", "payload": {"format": "xml"}}]}, "bad_value", "format"),
        ({"targets": [{"target": "tracked_hours", "payload": {"format": {}}}]}, "bad_value", "format"),
        ({"targets": [{"target": "tracked_hours", "payload": {"limit": 0}}]}, "bad_value", "limit"),
        ({"targets": [{"target": "tracked_hours", "payload": {"limit": "many"}}]}, "bad_value", "limit"),
        ({"targets": [{"target": "tracked_hours", "payload": {"week_start": 9}}]}, "bad_value", "week_start"),
        (
            {"targets": [{"target": "tracked_hours", "payload": {"filters": {"colour": []}}}]},
            "unknown_filter",
            "colour",
        ),
        ({"targets": [{"target": "tracked_hours", "payload": {"filters": [1]}}]}, "bad_value", "filters"),
        ({"targets": [{"target": "tracked_hours", "payload": {"filters": {"tag": {}}}}]}, "bad_value", "filter"),
        ({"filters": [{"key": "project", "operator": "=~", "value": "("}]}, "bad_regex", "regular expression"),
        ({"filters": [{"key": "project", "operator": "<", "value": "a"}]}, "bad_value", "operator"),
        ({"filters": [{"key": "colour", "operator": "=", "value": "a"}]}, "unknown_filter", "colour"),
        ({"filters": {"key": "project"}}, "bad_value", "`filters`"),
        ({"filters": [None]}, "bad_value", "`filters[0]`"),
        ({"intervalMs": "fast"}, "bad_value", "`intervalMs`"),
        ({"maxDataPoints": True}, "bad_value", "`maxDataPoints`"),
        ({"maxDataPoints": {}}, "bad_value", "`maxDataPoints`"),
        (
            {
                "range": {"from": "2010-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
                "targets": [{"target": "tracked_hours", "payload": {"interval": "hour"}}],
            },
            "too_many_points",
            "100,000",
        ),
    ],
)
def test_what_cannot_be_answered_gets_one_sentence(api: TestClient, change: Any, code: str, words: str) -> None:
    answer = api.post("/query", json={"range": RANGE, "targets": [{"target": "tracked_hours"}], **change})

    assert (400, code) == shape(answer)
    assert words in answer.json()["message"]


def test_a_hostile_pattern_takes_no_time(ask: Any, api: TestClient) -> None:
    filters = [{"key": "description", "operator": "=~", "value": "(a+)+$"}]
    answer = api.post("/query", json={"range": RANGE, "targets": [{"target": "tracked_hours"}], "filters": filters})

    assert 200 == answer.status_code


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
payload_keys = st.sampled_from(
    ["group_by", "interval", "timezone", "attribution", "filters", "format", "limit", "week_start", "project", "tag"]
)
targets = st.fixed_dictionaries(
    {"target": st.sampled_from(["tracked_hours", "entries", "billable_share", "weekday_hour_hours"]) | json_values},
    optional={"payload": st.dictionaries(payload_keys, json_values, max_size=4) | json_values, "refId": json_values},
)
requests = st.fixed_dictionaries(
    {"range": st.just(RANGE) | st.fixed_dictionaries({"from": json_values, "to": json_values})},
    optional={
        "targets": st.lists(targets, max_size=3) | json_values,
        "filters": st.lists(st.dictionaries(st.sampled_from(["key", "operator", "value", "values"]), json_values)),
        "maxDataPoints": json_values,
        "intervalMs": json_values,
        "scopedVars": json_values,
    },
)


@pytest.fixture(scope="module")
def shared_api(mirror: Mirror) -> Iterator[TestClient]:
    with serving(SmallPulse(mirror)) as client:
        yield client


@given(body=requests)
def test_no_request_is_a_bug(shared_api: TestClient, body: Any) -> None:
    answer = shared_api.post("/query", content=json.dumps(body), headers={"content-type": "application/json"})

    assert (200 == answer.status_code and isinstance(answer.json(), list)) or 400 == shape(answer)[0]


@contextmanager
def broken(pulse: SmallPulse, error: Exception) -> Iterator[TestClient]:
    def status() -> dict[str, Any]:
        raise error

    pulse.status = status  # type: ignore[method-assign]
    with serving(pulse) as client:
        yield client


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Unavailable("The mirror cannot be read."), 503, "unavailable"),
        (NeedsUser("The disk is full."), 503, "needs_user"),
    ],
)
def test_trouble_outside_is_503(pulse: SmallPulse, error: PulseError, status: int, code: str) -> None:
    with broken(pulse, error) as client:
        assert (status, code) == shape(client.get("/status"))


def test_trouble_that_passes_says_when(pulse: SmallPulse) -> None:
    at = NOW + timedelta(seconds=90)
    with broken(pulse, QuotaSpent("The quota is spent.", at=at, bucket="user")) as client:
        answer = client.get("/status")

    assert (503, "quota_spent") == shape(answer)
    assert "90" == answer.headers["retry-after"]


def test_a_bug_is_500_without_a_trace_and_logged_once(pulse: SmallPulse) -> None:
    with structlog.testing.capture_logs() as logged, broken(pulse, ValueError("secret /home/ada")) as client:
        answer = client.get("/status?project=Acme")

    assert (500, "internal_error") == shape(answer)
    assert "nosniff" == answer.headers["x-content-type-options"]
    for private in ("secret", "ada", "Traceback", "ValueError", TOKEN):
        assert private not in answer.text
    assert [("request_failed", "/status")] == [(line["event"], line["path"]) for line in logged]


def test_the_token_is_asked_for_before_anything_else_is_said(pulse: SmallPulse) -> None:
    with serving(pulse, raise_server_exceptions=False) as client:
        client.headers.pop("Authorization")
        answers = [
            client.get("/nothing"),
            client.get("/query"),
            client.get("/openapi.json"),
            client.get("/metrics"),
            client.get("/entries.csv"),
            client.post("/query", content=b"{"),
            client.post("/sync"),
            client.request("OPTIONS", "/query"),
        ]

    assert [(401, "unauthorized")] * len(answers) == [shape(answer) for answer in answers]
    assert [] == [word for word in pulse.asked if word == "sync"]


def test_an_error_of_a_guard_has_the_security_headers(pulse: SmallPulse) -> None:
    reply = asyncio.run(call(create_app(pulse), headers=[("host", "evil.example")]))

    assert (421, "nosniff", "no-store") == (
        reply.status,
        reply.headers["x-content-type-options"],
        reply.headers["cache-control"],
    )


def test_a_sentence_with_a_lone_surrogate_can_be_sent() -> None:
    assert "a?b" == orjson.loads(error_body("code", "a\ud800b"))["message"]
