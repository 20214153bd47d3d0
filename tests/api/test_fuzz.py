"""Requests that no program would send: whatever comes, the answer is one of ours, and a bug is never found this way."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.asgi import call
from api.scene import RANGE, TOKEN, SmallPulse, serving
from toggl_pulse.app import create_app
from toggl_pulse.metrics import DIMENSIONS
from toggl_pulse.mirror import Mirror

POSTS = (
    "/search",
    "/metrics",
    "/metric-payload-options",
    "/query",
    "/variable",
    "/tag-keys",
    "/tag-values",
    "/annotations",
)
REFUSALS = {400, 401, 403, 404, 405, 408, 409, 413, 421}
NEVER_SAID = (TOKEN.encode(), b"Traceback", b"site-packages", b"toggl_pulse/", b"mirror.db", b"/home", b"Error:")
SHORT, LONG = 15, 2_000
HEADERS = [("host", "localhost"), ("authorization", f"Bearer {TOKEN}"), ("content-type", "application/json")]


def tries(request: pytest.FixtureRequest) -> settings:
    return settings(max_examples=request.param, derandomize=True, database=None)


@pytest.fixture(params=[SHORT, pytest.param(LONG, marks=pytest.mark.long)])
def effort(request: pytest.FixtureRequest) -> settings:
    return tries(request)


@pytest.fixture(scope="module")
def app(mirror: Mirror) -> FastAPI:
    return create_app(SmallPulse(mirror))


@pytest.fixture(scope="module")
def client(mirror: Mirror) -> Iterator[TestClient]:
    with serving(SmallPulse(mirror)) as opened:
        yield opened


def well_refused(status: int, body: bytes, *, fine: bool = True) -> None:
    """Answered, or refused in the one shape; nothing private in it."""
    if status not in {200, 202}:
        assert status in REFUSALS, (status, body)
        error = json.loads(body)["error"]
        assert {
            "message": error["message"],
            "error": {"code": error["code"], "message": error["message"]},
        } == json.loads(body)
    else:
        assert fine
    assert [] == [word for word in NEVER_SAID if word in body]


ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 2**31, 2**53 + 1, 2**63, 2**64, 10**40, -(10**40), 0.5, 1e308, -0.0]),
    st.sampled_from([float("nan"), float("inf"), float("-inf")]),
    st.text(st.characters(), max_size=12),
    st.sampled_from(
        [
            "\ud800", "a\udfff", "\x00", "$__all", "(a|b)", r"a\.b", "", " ", "(" * 300, "x" * 5_000, "0000-01-01",
            "10000-01-01T00:00:00Z", "2016-12-31T23:59:60Z", "2026-11-01T24:00:00Z", "2026-11-01T00:00:00+23:59",
            "2026-11-01T00:00:00-24:00", "2026-11-01T00:00:00+99:99", "2026-W01-1", "20261101", "99999999999999999999",
            "-1", "1793487600000", "٢٠٢٦-11-01", "2026-02-30", "tracked_hours", "entries", "project", "tag",
            "day", "UTC", "frame", "table",
        ]
    ),
)  # fmt: skip
NAMES = st.sampled_from(
    [
        "range", "from", "to", "targets", "target", "payload", "filters", "adhocFilters", "key", "operator", "value",
        "values", "name", "metric", "group_by", "interval", "timezone", "limit", "week_start", "format",
        "refId", "hide",
        "intervalMs", "maxDataPoints", "attribution", *DIMENSIONS, "__proto__", "",
    ]
)  # fmt: skip
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=15,
)
TARGETS = st.fixed_dictionaries(
    {
        "target": st.sampled_from(
            ["tracked_hours", "entries", "active_days", "toggl_time_entry", "period_change", "sync_runs", "sync_status"]
        )
    },
    optional={"payload": st.dictionaries(NAMES, VALUES, max_size=5), "refId": VALUES, "hide": VALUES},
)
BODIES = st.one_of(
    st.dictionaries(NAMES, VALUES, max_size=6),
    st.fixed_dictionaries({"range": st.just(RANGE), "targets": st.lists(TARGETS | VALUES, max_size=3)}),
    st.fixed_dictionaries({"range": st.fixed_dictionaries({"from": ATOMS, "to": ATOMS}), "targets": st.just([])}),
    st.fixed_dictionaries({"name": ATOMS, "key": ATOMS, "payload": VALUES, "target": ATOMS}),
    VALUES,
)


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """A body as JSON text, now and then no JSON any more."""
    text = json.dumps(draw(BODIES), ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    how = draw(st.sampled_from(["whole", "whole", "whole", "twice", "cut", "torn", "deep", "filled"]))
    place = draw(st.integers(0, len(text)))
    if how == "twice" and text.startswith(b"{") and text != b"{}":
        return text[:-1] + b"," + text[1:]
    return {
        "cut": text[:place],
        "torn": text[:place] + draw(st.binary(max_size=4)) + text[place:],
        "deep": b'{"payload":' * (place * 40) + text + b"}" * (place * 40),
        "filled": text.replace(b":", b":\n\t "),
    }.get(how, text)


def test_no_body_is_a_bug(client: TestClient, effort: settings) -> None:
    @effort
    @given(path=st.sampled_from(POSTS), body=texts())
    def each(path: str, body: bytes) -> None:
        answer = client.post(path, content=body, headers={"content-type": "application/json"})
        well_refused(answer.status_code, answer.content)

    each()


def test_no_query_of_an_export_is_a_bug(app: FastAPI, effort: settings) -> None:
    names = st.sampled_from(["from", "to", "timezone", "attribution", "spreadsheet_safe", *DIMENSIONS, "", "x", "%00"])
    values = ATOMS.map(lambda value: str(value).encode("utf-8", "surrogatepass")) | st.binary(max_size=12)
    quoted = values.map(lambda value: b"".join(b"%%%02x" % byte for byte in value)) | values

    @effort
    @given(
        path=st.sampled_from(["/entries.csv", "/entries.json"]),
        query=st.lists(st.tuples(names, quoted), max_size=5),
        more=st.binary(max_size=8),
    )
    def each(path: str, query: list[tuple[str, bytes]], more: bytes) -> None:
        text = b"&".join(name.encode() + b"=" + value for name, value in query) + more
        reply = asyncio.run(call(app, "GET", path, headers=HEADERS, query=text, stays=True))
        if reply.status == 200 and path == "/entries.json":
            assert isinstance(reply.json, list)
        well_refused(reply.status, b"" if reply.status == 200 else reply.body)

    each()


RAW = st.binary(max_size=30) | st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace"))
AUTHORIZATIONS = st.one_of(
    RAW,
    RAW.map(lambda text: b"Bearer " + text),
    RAW.map(lambda text: b"Basic " + text),
    RAW.map(lambda text: b"Basic " + base64.b64encode(text)),
    RAW.map(lambda text: b"Basic " + base64.b64encode(text + b":" + text)),
    st.sampled_from(
        [b"", b"Bearer", b"bearer  " + TOKEN[:-1].encode(), b"Bearer " + TOKEN.upper().encode(),
         b"Bearer " + b"x" * 20_000,
         b"Negotiate " + TOKEN.encode(), TOKEN.encode(), b"Basic " + base64.b64encode(TOKEN.encode() + b":")]
    ),
)  # fmt: skip
HOSTS = st.one_of(
    RAW, st.sampled_from([b"localhost", b"LOCALHOST.:80", b"localhost:99999999", b"[::1]", b"127.0.0.1",
    b"evil@localhost",
                          b"localhost\r\nx: y", b"localhost/..", b"\xff"])
)  # fmt: skip
OTHERS = st.tuples(
    st.sampled_from(
        [
            "origin", "x-forwarded-host", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-prefix",
            "forwarded", "range",
            "accept-encoding", "content-type", "content-encoding", "content-length", "transfer-encoding",
            "sec-fetch-site",
            "cookie", "expect", "if-none-match", "accept", "x-http-method-override", "te", "connection",
        ]
    ),
    RAW | st.sampled_from([b"null", b"gzip", b"gzip;q=0", b"http://[", b"application/json", b"999999999999",
    b"-1", b"*"]),
)  # fmt: skip
METHODS = st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "get", "X"])
PATHS = st.one_of(
    st.sampled_from([*POSTS, "/", "/status", "/sync", "/entries.csv", "/openapi.json", "/health/live"]),
    st.sampled_from(
        ["", "//", "/..", "/../status", "/./status", "//status", "/status//", "/%2fstatus", "/status%00", "/status\x00",
         "/status\r\nx: y", "/status;x", "/STATUS", "/api", "/api/", "/api/status", "/apistatus", "/api//status",
         "/health/live/../../status", "/health/live%2f..%2fstatus", "/entries.csv/", "/\ud800", "*", "status",
         "http://localhost/status"]
    ),
    st.text(max_size=15).map(lambda text: "/" + text),
)  # fmt: skip


def test_no_headers_and_no_path_open_anything_or_break_anything(app: FastAPI, effort: settings) -> None:
    @effort
    @given(
        method=METHODS,
        path=PATHS,
        root=st.sampled_from(["", "/api", "/api/"]),
        host=st.lists(HOSTS, max_size=2) | st.just([b"localhost"]),
        authorization=st.lists(AUTHORIZATIONS, max_size=2),
        others=st.lists(OTHERS, max_size=4),
        body=st.sampled_from([b"", b"{}", b"[]", b"\x1f\x8b\x08"]),
    )
    def each(
        method: str,
        path: str,
        root: str,
        host: list[bytes],
        authorization: list[bytes],
        others: list[tuple[str, bytes]],
        body: bytes,
    ) -> None:
        headers: list[tuple[str, str | bytes]] = [("host", value) for value in host]
        headers += [("authorization", value) for value in authorization] + list(others)
        reply = asyncio.run(call(app, method, path, headers=headers, root_path=root, body=[body], stays=True))
        public = path.removeprefix(root.rstrip("/")) in {"", "/", "/health/live", "/health/ready"}

        well_refused(reply.status, reply.body, fine=public)
        if host != [b"localhost"] and len(host) != 1:
            assert 400 == reply.status

    each()


def test_nothing_but_the_token_opens_the_door(app: FastAPI, effort: settings) -> None:
    @effort
    @given(
        method=st.sampled_from(["GET", "HEAD", "POST"]), authorization=st.lists(AUTHORIZATIONS, min_size=1, max_size=2)
    )
    def each(method: str, authorization: list[bytes]) -> None:
        headers: list[tuple[str, str | bytes]] = [("host", "localhost")]
        headers += [("authorization", value) for value in authorization]
        reply = asyncio.run(call(app, method, "/status", headers=headers, stays=True))

        assert 401 == reply.status
        well_refused(reply.status, reply.body)

    each()


def test_no_header_beside_the_token_makes_an_answer_a_bug(app: FastAPI, effort: settings) -> None:
    """The door is open here, so that routes are reached with every odd header and path."""

    @effort
    @given(method=METHODS, path=PATHS, others=st.lists(OTHERS, max_size=4), root=st.sampled_from(["", "/api"]))
    def each(method: str, path: str, others: list[tuple[str, bytes]], root: str) -> None:
        headers: list[tuple[str, str | bytes]] = [("host", "localhost"), ("authorization", f"Bearer {TOKEN}"), *others]
        reply = asyncio.run(call(app, method, path, headers=headers, root_path=root, body=[b"{}"], stays=True))
        if dict(others).keys() & {"accept-encoding"} and reply.headers.get("content-encoding") == "gzip":
            return
        well_refused(reply.status, b"" if reply.status == 200 else reply.body)

    each()
