"""Before the service stands its token, before everything a limit on bodies, and what fails behind tells no address."""

from __future__ import annotations

import base64
import json

import pytest

from caddy.door import Door
from caddy.standin import StandIn
from e2e.processes import API_TOKEN
from toggl_pulse.api.limits import MAX_BODY

BEARER = {"Authorization": f"Bearer {API_TOKEN}"}
JSON = {"Content-Type": "application/json"}
MOST_FOR_GRAFANA = 10 * 1024 * 1024
LOOKED_AT = 256 * 1024 + 1
"""So much of a body does Go's server throw away before it closes a connection, in case that there is no more."""

QUESTION = json.dumps(
    {
        "range": {"from": "2006-01-02T00:00:00Z", "to": "2100-01-01T00:00:00Z"},
        "targets": [{"target": "entries", "refId": "A", "payload": {"limit": 1}}],
    }
).encode()


def test_the_token_opens_the_service(door: Door) -> None:
    answer = door.ask("/api/query", {**BEARER, **JSON}, method="POST", body=QUESTION)

    assert 200 == answer.status
    assert "table" == json.loads(answer.body)[0]["type"]


@pytest.mark.parametrize(
    "given", [{}, {"Authorization": "Bearer wrong-token-0123456789"}, {"Cookie": f"token={API_TOKEN}"}]
)
@pytest.mark.parametrize(("target", "method"), [("/api/query", "POST"), ("/api/status", "GET"), ("/api/sync", "POST")])
def test_without_it_or_with_another_nothing_is_told(
    door: Door, given: dict[str, str], target: str, method: str
) -> None:
    answer = door.ask(target, {**given, **JSON}, method=method, body=b"{}" if method == "POST" else None)

    assert (401, "unauthorized") == (answer.status, json.loads(answer.body)["error"]["code"])
    assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_a_browser_may_give_it_as_a_password_for_a_download_only(door: Door) -> None:
    basic = {"Authorization": "Basic " + base64.b64encode(f"me:{API_TOKEN}".encode()).decode()}
    download = "/api/entries.csv?from=2026-11-01&to=2026-11-02"

    assert (200, 401) == (door.ask(download, basic).status, door.ask(download).status)
    assert 401 == door.ask("/api/query", {**basic, **JSON}, method="POST", body=QUESTION).status


def test_health_needs_no_token_and_says_no_more(door: Door) -> None:
    answer = door.ask("/api/health/live")

    assert (200, {"status": "ok"}) == (answer.status, json.loads(answer.body))


@pytest.mark.parametrize(
    "target",
    ["/api/health/ready", "/api/health/ready/", "/api//health/ready", "//api/health/%72eady", "/api/x/../health/ready"],
)
def test_whether_it_can_reach_its_data_is_told_to_nobody_outside(door: Door, target: str) -> None:
    assert (404, b"404 Not Found") == ((answer := door.ask(target)).status, answer.body)


@pytest.mark.parametrize(
    ("target", "most"), [("/api/query", MAX_BODY), ("/ui/", MAX_BODY), ("/grafana/api/x", MOST_FOR_GRAFANA)]
)
def test_a_body_that_says_it_is_too_large_is_refused_before_it_has_come(
    door: Door, grafana: StandIn, target: str, most: int
) -> None:
    part = b" " * LOOKED_AT

    assert 413 == door.ask(target, {**BEARER, **JSON}, method="POST", body=part, announced=most + 1).status
    assert [] == grafana.asked


@pytest.mark.parametrize(("target", "most"), [("/api/query", MAX_BODY), ("/grafana/api/x", MOST_FOR_GRAFANA)])
def test_a_body_that_turns_out_to_be_too_large_is_cut_off(door: Door, grafana: StandIn, target: str, most: int) -> None:
    body = b" " * (most + 1)

    assert 413 == door.ask(target, {**BEARER, **JSON}, method="POST", body=body, chunked=True).status
    assert [] == grafana.asked


def test_a_body_as_large_as_the_service_reads_passes(door: Door) -> None:
    body = QUESTION + b" " * (MAX_BODY - len(QUESTION))

    assert 200 == door.ask("/api/query", {**BEARER, **JSON}, method="POST", body=body).status


def test_a_dashboard_of_megabytes_can_be_saved(door: Door, grafana: StandIn) -> None:
    target = "/grafana/api/dashboards/db"

    assert 200 == door.ask(target, method="POST", body=b" " * MOST_FOR_GRAFANA).status
    assert [MOST_FOR_GRAFANA] == [len(asked.body) for asked in grafana.asked]


@pytest.mark.parametrize("target", ["/grafana/", "/api/status", "/ui/"])
def test_what_is_down_is_said_to_be_down_and_not_where_it_is(local_door: Door, nobody: str, target: str) -> None:
    answer = local_door.ask(target)

    assert (502, b"502 Bad Gateway") == (answer.status, answer.body)
    assert nobody.rpartition(":")[2] not in str(answer.headers)


def test_a_head_may_be_long_but_not_of_any_length(door: Door, grafana: StandIn) -> None:
    assert 200 == door.ask("/grafana/explore?" + "x" * 30_000).status
    grafana.asked.clear()

    assert 431 == door.ask("/grafana/explore?" + "x" * 40_000).status
    assert [] == grafana.asked
