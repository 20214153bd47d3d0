"""Answers from InfluxDB: nothing that a caller sends reaches it, and every route answers as from the mirror."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from urllib3 import BaseHTTPResponse

from api.scene import NOW, RANGE, SmallPulse, fill, serving
from toggl_pulse.influx import Influx, InfluxSource
from toggl_pulse.influx.fetch import FLUX, LANE_FLUX, NO_PROJECT_FLUX
from toggl_pulse.influx.wire import Request
from toggl_pulse.metrics import DIMENSIONS, METRICS, Answers
from toggl_pulse.mirror import Mirror
from toggl_pulse.sync import Projector

MARK = "xyzzy"
HOSTILE = (
    f'{MARK}") |> drop(columns: ["_value"]) //',
    f'" or r._measurement != "{MARK}',
    f"${{{MARK}}}",
    f"{MARK}\\",
    f'{MARK}"\n|> yield(name: "x")\noption now = () => 2000-01-01T00:00:00Z',
    f"/{MARK}.*/",
)
INTERVALS = ("range", "day")


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    with Mirror.open(f"sqlite:///{tmp_path}/mirror.db", clock=lambda: NOW) as mirror:
        fill(mirror)
        yield mirror


@pytest.fixture
def sent(influx: Influx, monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Every request that goes to InfluxDB."""
    found: list[Request] = []
    stream = influx._wire.stream

    def noted(request: Request) -> AbstractContextManager[BaseHTTPResponse]:
        found.append(request)
        return stream(request)

    monkeypatch.setattr(influx._wire, "stream", noted)
    return found


def requests(text: str) -> Iterator[tuple[str, str, Any]]:
    """What a caller may send, with a text wherever one fits."""
    target: dict[str, Any] = {"refId": text, "target": "tracked_hours"}
    payloads: list[Any] = [
        {"group_by": text},
        {"interval": text},
        {"timezone": text},
        {"attribution": text},
        {"format": text},
        {text: text},
        *({"filters": {dimension: [text]}, "group_by": dimension} for dimension in DIMENSIONS),
        *({"filters": {dimension: text}} for dimension in DIMENSIONS),
    ]
    for payload in payloads:
        yield "POST", "/query", {"range": RANGE, "targets": [{**target, "payload": payload}]}
    for operator in ("=", "!=", "=~", "!~"):
        adhoc = [{"key": "description", "operator": operator, "value": text}]
        yield "POST", "/query", {"range": RANGE, "targets": [target], "adhocFilters": adhoc, "filters": adhoc}
    yield "POST", "/query", {"range": {"from": text, "to": text}, "targets": [target]}
    yield "POST", "/query", {"range": RANGE, "targets": [{**target, "target": text}]}
    yield "POST", "/search", {"target": text}
    yield "POST", "/variable", {"payload": {"target": text}, "range": RANGE}
    yield "POST", "/variable", {"payload": {"target": "description", "filters": {"tag": [text]}}, "range": RANGE}
    yield "POST", "/tag-keys", {"key": text}
    yield "POST", "/tag-values", {"key": text}
    yield "POST", "/annotations", {"range": RANGE, "annotation": {"name": text, "query": text}}
    yield "GET", "/entries.json", {"from": RANGE["from"], "to": RANGE["to"], "description": text}
    yield "GET", "/entries.csv", {"from": RANGE["from"], "to": RANGE["to"], "project": text, "timezone": text}
    yield "GET", "/status", {"x": text}


def said(client: TestClient, method: str, route: str, given: Any) -> tuple[int, bytes]:
    answer = client.get(route, params=given) if method == "GET" else client.post(route, json=given)
    return answer.status_code, answer.content


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_a_caller_sends_reaches_influxdb(
    mirror: Mirror, influx: Influx, influxdb_bucket: str, sent: list[Request], text: str
) -> None:
    Projector(mirror, influx, clock=lambda: NOW).project()
    sent.clear()
    statuses = set()
    for method, route, given in requests(text):
        pulse, plain = SmallPulse(mirror), SmallPulse(mirror)
        # read anew for each request, so that whatever could be put into a statement would be
        pulse.answers = Answers(InfluxSource(influx, mirror.points), clock=pulse.clock, contact=pulse.contact)
        with serving(pulse) as client, serving(plain) as other:
            expected, found = (said(each, method, route, given) for each in (other, client))
            assert expected == found, (route, given)
        statuses.add(found[0])

    assert {200, 400} <= statuses
    asked = [request.body for request in sent]
    assert 20 < len(asked)
    for body in asked:
        assert not isinstance(body, bytes | None)
        assert body["query"] in {FLUX, LANE_FLUX, NO_PROJECT_FLUX}
        assert MARK not in json.dumps(body)
        literals = [each["assignment"]["init"]["value"] for each in body["extern"]["body"]]
        assert [] == [
            value for value in literals if value != influxdb_bucket and not re.fullmatch(r"-?\d+|true|false", value)
        ]


def test_every_metric_is_answered_alike_from_both(mirror: Mirror, influx: Influx) -> None:
    Projector(mirror, influx, clock=lambda: NOW).project()
    pulse, plain = SmallPulse(mirror), SmallPulse(mirror)
    pulse.answers = Answers(InfluxSource(influx, mirror.points), clock=pulse.clock, contact=pulse.contact)
    with serving(pulse) as client, serving(plain) as other:
        for group_by in ("none", *DIMENSIONS):
            targets = [
                {
                    "refId": f"{metric}{interval}",
                    "target": metric,
                    "payload": {"group_by": group_by, "interval": interval},
                }
                for metric in METRICS
                for interval in INTERVALS
            ]
            body = {"range": RANGE, "targets": targets}
            assert said(other, "POST", "/query", body) == said(client, "POST", "/query", body)
        for route in ("/entries.json", "/entries.csv"):
            assert said(other, "GET", route, RANGE) == said(client, "GET", route, RANGE)
