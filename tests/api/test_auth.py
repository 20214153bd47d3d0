import asyncio
import base64

import pytest

from api.asgi import Reply, call, echo
from toggl_pulse.api import SameOrigin, TokenCheck

TOKEN = "correct-horse-battery-staple"
GUARDED = TokenCheck(echo, TOKEN, {"/", "/health/live"})
JUDGED = SameOrigin(echo, {"/query"})


def with_header(value: str | bytes, method: str = "GET", path: str = "/status") -> Reply:
    return asyncio.run(call(GUARDED, method, path, headers=[("authorization", value)]))


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("value", [f"Bearer {TOKEN}", f"bearer   {TOKEN} ", basic("", TOKEN), basic("me", TOKEN)])
def test_the_token_opens(value: str) -> None:
    assert with_header(value).status == 200


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}",
        f"Token {TOKEN}",
        TOKEN,
        "Basic !!!",
        "Basic " + base64.b64encode(TOKEN.encode()).decode(),
        basic(TOKEN, ""),
        basic(TOKEN, "api_token"),
        "Bearer \xff\xfe",
    ],
)
def test_anything_else_does_not(value: str) -> None:
    reply = with_header(value)

    assert (reply.status, reply.code) == (401, "unauthorized")
    assert TOKEN not in reply.body.decode()


def test_two_authorizations_are_none() -> None:
    both = [("authorization", f"Bearer {TOKEN}"), ("authorization", f"Bearer {TOKEN}")]

    assert asyncio.run(call(GUARDED, "GET", "/status", headers=both)).status == 401


def test_basic_opens_downloads_but_no_post() -> None:
    assert with_header(basic("me", TOKEN), "POST", "/query").status == 401
    assert with_header(basic("me", TOKEN), "GET", "/entries.csv").status == 200


def test_the_challenge_offers_basic_only_where_it_would_help() -> None:
    get, post = (asyncio.run(call(GUARDED, method, "/x")).headers["www-authenticate"] for method in ("GET", "POST"))

    assert 'Bearer realm="toggl-pulse", Basic realm="toggl-pulse", charset="UTF-8"' == get
    assert 'Bearer realm="toggl-pulse"' == post


@pytest.mark.parametrize("path", ["/", "/health/live"])
def test_health_needs_no_token(path: str) -> None:
    assert asyncio.run(call(GUARDED, "GET", path)).status == 200


@pytest.mark.parametrize("path", ["//", "/health/live/", "/health/live/../../status", "/%2e", "", "/HEALTH/live"])
def test_what_only_resembles_health_needs_it(path: str) -> None:
    assert asyncio.run(call(GUARDED, "GET", path)).status == 401


def test_health_is_found_behind_a_prefix() -> None:
    assert asyncio.run(call(GUARDED, "GET", "/api/health/live", root_path="/api")).status == 200
    assert asyncio.run(call(GUARDED, "GET", "/api/status", root_path="/api")).status == 401
    assert asyncio.run(call(GUARDED, "GET", "/apihealth/live", root_path="/api")).status == 401


def test_without_a_token_everything_is_open() -> None:
    assert asyncio.run(call(TokenCheck(echo, None, ()), "POST", "/sync")).status == 200


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/sync", {}, 403),
        ("/sync", {"content-type": "application/json"}, 200),
        ("/sync", {"content-type": "Application/JSON; charset=utf-8"}, 200),
        ("/sync", {"content-type": "text/plain; x=application/json"}, 403),
        ("/sync", {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}, 200),
        ("/sync", {"sec-fetch-site": "same-site"}, 403),
        ("/sync", {"sec-fetch-site": "cross-site", "origin": "http://localhost:8000"}, 403),
        ("/sync", {"origin": "http://localhost:8000"}, 200),
        ("/sync", {"origin": "https://localhost:8000"}, 200),
        ("/sync", {"origin": "http://localhost"}, 403),
        ("/sync", {"origin": "http://evil.example"}, 403),
        ("/sync", {"origin": "null"}, 403),
        ("/sync", {"origin": "http://[broken"}, 403),
        ("/query", {}, 200),
        ("/query", {"content-type": "text/plain"}, 200),
        ("/query", {"content-type": "text/plain", "origin": "http://evil.example"}, 403),
        ("/query", {"content-type": "text/plain", "sec-fetch-site": "cross-site"}, 403),
    ],
)
def test_a_change_needs_json_or_the_same_origin(path: str, headers: dict[str, str], status: int) -> None:
    reply = asyncio.run(call(JUDGED, "POST", path, headers=[("host", "localhost:8000"), *headers.items()]))

    assert reply.status == status
    assert status == 200 or reply.code == "cross_site"


def test_a_default_port_is_the_same_origin_written_or_not() -> None:
    headers = [("host", "pulse.example.org"), ("origin", "https://pulse.example.org:443")]

    assert asyncio.run(call(JUDGED, "POST", "/sync", headers=headers)).status == 200


def test_reading_by_get_is_never_judged() -> None:
    assert asyncio.run(call(JUDGED, "GET", "/status", headers=[("origin", "http://evil.example")])).status == 200


def test_an_empty_token_opens_nothing() -> None:
    nobody = TokenCheck(echo, "", ())

    assert 401 == asyncio.run(call(nobody, "GET", "/status")).status
