"""Which address leads where: to the service, to Grafana, elsewhere, or nowhere."""

from __future__ import annotations

import json

import pytest

from caddy.door import Door
from caddy.standin import BIG, StandIn
from e2e.processes import API_TOKEN

BEARER = {"Authorization": f"Bearer {API_TOKEN}"}


@pytest.mark.parametrize(
    ("target", "status", "to"),
    [
        ("/", 302, "/grafana/"),
        ("/grafana", 301, "/grafana/"),
        ("/ui", 301, "/ui/"),
    ],
)
def test_short_addresses_lead_on(door: Door, target: str, status: int, to: str) -> None:
    answer = door.ask(target)

    assert (status, to) == (answer.status, answer.headers["Location"])


def test_grafana_gets_its_path_as_it_was_asked(door: Door, grafana: StandIn) -> None:
    door.ask("/grafana/api/ds/query?ds_type=influxdb&name=a%2Fb", method="POST", body=b"{}")

    asked = grafana.asked[0]
    assert ("POST", "/grafana/api/ds/query?ds_type=influxdb&name=a%2Fb") == (asked.method, asked.target)
    assert b"{}" == asked.body


def test_grafana_learns_the_host_and_the_scheme_and_no_address_that_a_reader_made_up(
    door: Door, grafana: StandIn
) -> None:
    invented = dict.fromkeys(("X-Forwarded-For", "X-Real-IP"), "203.0.113.9")
    door.ask("/grafana/", {**invented, "X-Forwarded-Host": "elsewhere.example.com", "X-Forwarded-Prefix": "/else"})

    headers = grafana.asked[0].headers
    assert (door.host, door.host, "https") == (
        headers["Host"],
        headers["X-Forwarded-Host"],
        headers["X-Forwarded-Proto"],
    )
    assert (["127.0.0.1"], ["127.0.0.1"]) == (headers.get_all("X-Forwarded-For"), headers.get_all("X-Real-IP"))
    assert headers["X-Forwarded-Prefix"] is None


def test_the_service_gets_its_path_without_the_prefix(door: Door) -> None:
    answer = door.ask("/api/status?x=1", BEARER)

    assert 200 == answer.status
    assert "history" in json.loads(answer.body)


@pytest.mark.parametrize("target", ["/api", "/api/"])
def test_the_prefix_alone_is_the_connection_test_with_and_without_its_slash(door: Door, target: str) -> None:
    answer = door.ask(target)

    assert (200, {"status": "ok"}) == (answer.status, json.loads(answer.body))


def test_the_page_s_path_reaches_the_service_whole(door: Door) -> None:
    """The service knows no `/sign-in`, which it would be without its prefix."""
    answer = door.ask("/ui/sign-in")

    assert (200, "text/html; charset=utf-8") == (answer.status, answer.headers["Content-Type"])


@pytest.mark.parametrize(
    "target",
    [
        "/nowhere",
        "/apix",
        "/apix/status",
        "/api%20/status",
        "/uix",
        "/grafanax/",
        "/status",
        "/query",
        "/metrics",
        "/health/live",
        "/openapi.json",
        "/api/../status",
        "/api/%2e%2e/status",
        "/api/..%2fstatus",
        "/api%2fstatus/../../status",
        "/grafana/../status",
        "/x/../status",
        "/.env",
        "/index.html",
    ],
)
def test_anything_else_is_nowhere_however_it_is_written(door: Door, grafana: StandIn, target: str) -> None:
    """With the token, so that the service would answer if it were reached; none of these is an address of its own."""
    answer = door.ask(target, BEARER)

    assert (404, b"404 Not Found") == (answer.status, answer.body)
    assert [] == grafana.asked


@pytest.mark.parametrize(
    "target",
    [
        "//api/status",
        "/api/..;/status",
        "/api//status",
        "/x/../api/status",
        "/./api/status",
        "/API/status",
        "/api%2fstatus",
    ],
)
def test_no_way_of_writing_an_address_gets_around_the_token(door: Door, target: str) -> None:
    assert door.ask(target).status in {401, 404}


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize(
    "target",
    [
        "/grafana/api/datasources/proxy/uid/toggl-pulse/sync",
        "/grafana/api/datasources/proxy/1/sync",
        "/grafana/api/datasources/proxy/uid/toggl-pulse//sync/",
        "/grafana/api/datasources/proxy/uid/toggl-pulse/%73ync",
        "/grafana/api/datasources/proxy/uid/toggl-pulse/x/../sync",
        "/grafana/api/datasources/proxy/uid/toggl-pulse%2fsync",
        "/grafana/x/..//api/datasources/proxy/uid/toggl-pulse/sync?x",
        "/GRAFANA/API/datasources/proxy/uid/toggl-pulse/sync",
    ],
)
def test_who_sees_a_dashboard_cannot_start_a_sync_with_grafana_s_token(
    door: Door, grafana: StandIn, target: str, method: str
) -> None:
    assert 403 == door.ask(target, method=method, body=b"{}").status
    assert [] == grafana.asked


def test_what_dashboards_ask_passes(door: Door, grafana: StandIn) -> None:
    target = "/grafana/api/datasources/proxy/uid/toggl-pulse/query"

    assert 200 == door.ask(target, method="POST", body=b"{}").status
    assert [target] == [asked.target for asked in grafana.asked]


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_what_is_large_is_packed_for_who_asks_so(door: Door, grafana: StandIn, coding: str) -> None:
    answer = door.ask("/grafana/public/build/app.js", {"Accept-Encoding": coding})

    assert coding == answer.headers["Content-Encoding"]
    assert "Accept-Encoding" in (answer.headers["Vary"] or "")
    assert len(answer.body) < len(BIG) / 10


def test_who_does_not_ask_gets_it_as_it_is(door: Door, grafana: StandIn) -> None:
    answer = door.ask("/grafana/public/build/app.js")

    assert (None, BIG) == (answer.headers["Content-Encoding"], answer.body)


def test_the_service_packs_its_own_answers_and_they_are_not_packed_twice(door: Door) -> None:
    answer = door.ask("/api/openapi.json", {**BEARER, "Accept-Encoding": "gzip"})

    assert ["gzip"] == answer.headers.get_all("Content-Encoding")
