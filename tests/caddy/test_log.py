"""Caddy's log tells who asked for what and what became of it, and no secret that came along."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from caddy.conftest import PUBLIC
from caddy.door import opened
from e2e.processes import API_TOKEN

SECRET = "never-to-be-written"
HEADERS = {
    "Authorization": f"Bearer {API_TOKEN}",
    "Cookie": f"grafana_session={SECRET}",
    "X-Api-Key": SECRET,
    "X-Grafana-Id": SECRET,
    "Referer": f"https://{PUBLIC}/ui/calendar.ics?key={SECRET}",
    "User-Agent": f"reader/{SECRET}",
}
TARGETS = (
    f"/ui/calendar.ics?key={SECRET}",
    f"/api/status?token={SECRET}&auth_token={SECRET}",
    f"/api/query/{SECRET}",
    f"/grafana/login?{SECRET}",
    f"/grafana/invite/{SECRET}",
    f"/grafana//invite//{SECRET}",
    f"/grafana/public-dashboards/{SECRET}",
    f"/nowhere/at/all/{SECRET}#{SECRET}",
    f"/?key={SECRET}",
)


@pytest.mark.parametrize("down", [False, True])
def test_no_token_cookie_or_query_is_logged_whatever_becomes_of_the_request(
    tmp_path: Path, service: str, nobody: str, *, down: bool
) -> None:
    upstreams = {"SERVICE_UPSTREAM": nobody if down else service, "GRAFANA_UPSTREAM": nobody}
    with opened(tmp_path, PUBLIC, TLS="internal", **upstreams) as door:
        answered = [door.ask(target, HEADERS, plain=plain) for target in TARGETS for plain in (False, True)]
    log = door.log.read_text()

    assert SECRET not in log
    assert API_TOKEN not in log
    lines = [json.loads(line) for line in log.splitlines()]
    told = [line for line in lines if line.get("logger", "").startswith("http.log.access")]
    assert len(answered) == sum(line["status"] in {200, 301, 302, 401, 404, 502} for line in told)
    assert {"/api/status", "/grafana/login", "/nowhere/at"} < {line["request"]["uri"] for line in told}
    assert {"127.0.0.1"} == {line["request"]["remote_ip"] for line in told}


def test_the_health_check_fills_no_log(tmp_path: Path, nobody: str) -> None:
    with opened(tmp_path, PUBLIC, TLS="internal", SERVICE_UPSTREAM=nobody, GRAFANA_UPSTREAM=nobody) as door:
        answer = door.health()
    lines = [json.loads(line) for line in door.log.read_text().splitlines()]

    assert (200, b"ok") == (answer.status, answer.body)
    assert [] == [line for line in lines if "request" in line]
