import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from syrupy.assertion import SnapshotAssertion

from api.scene import NOW, RANGE, SmallPulse, fill, serving
from toggl_pulse.metrics import Contact
from toggl_pulse.mirror import Mirror

# A request as Grafana 12 sends it through the data source, with all that we do not use.
AS_GRAFANA_SENDS_IT: dict[str, Any] = {
    "app": "dashboard",
    "requestId": "SQR104",
    "timezone": "browser",
    "dashboardUID": "pulse",
    "panelId": 7,
    "panelPluginId": "timeseries",
    "range": {**RANGE, "raw": {"from": "now-3d/d", "to": "now/d"}},
    "rangeRaw": {"from": "now-3d/d", "to": "now/d"},
    "interval": "1h",
    "intervalMs": 3600000,
    "maxDataPoints": 743.5,
    "startTime": 1795435200000,
    "cacheTimeout": None,
    "scopedVars": {"__interval": {"text": "1h", "value": "1h"}, "project": {"selected": False, "text": "All"}},
    "filters": [],
    "targets": [
        {
            "datasource": {"type": "simpod-json-datasource", "uid": "pulse"},
            "editorMode": "code",
            "payload": {"group_by": "client", "interval": "day"},
            "refId": "A",
            "target": "tracked_hours",
        },
        {
            "payload": {"format": "table", "group_by": "project", "interval": "range"},
            "refId": "B",
            "target": "entry_count",
        },
        {"payload": "", "refId": "C", "target": "toggl_time_entry"},
        {"payload": {"limit": "2"}, "refId": "D", "target": "entries"},
        {"payload": {"interval": "day"}, "refId": "E", "target": "billable_share", "hide": False},
        {"refId": "F", "target": "tracked_hours", "hide": True},
        {"refId": "G", "payload": {}},
        {"refId": "H", "target": ""},
    ],
}


def labels(answer: Any) -> list[str]:
    return [series["target"] for series in answer]


def hours(answer: Any) -> dict[str, float]:
    return {series["target"]: sum(value or 0 for value, _ in series["datapoints"]) for series in answer}


def test_a_panel_is_answered_as_grafana_reads_it(api: TestClient, snapshot: SnapshotAssertion) -> None:
    answer = api.post("/query", json=AS_GRAFANA_SENDS_IT)

    assert 200 == answer.status_code
    assert snapshot == answer.json()


def test_the_heat_map_is_a_table(ask: Any) -> None:
    (table,) = ask("weekday_hour_hours")

    assert "table" == table["type"]
    assert ["weekday", "hour", "hours"] == [column["text"] for column in table["columns"]]
    assert (168, 4.75) == (len(table["rows"]), sum(row[2] for row in table["rows"]))


class Watched(Mirror):
    looks = 0

    def revision(self) -> int:
        self.looks += 1
        return super().revision()


@dataclass
class WatchedPulse(SmallPulse):
    contacts: int = 0

    def contact(self) -> Contact:
        self.contacts += 1
        return super().contact()


def test_all_targets_of_a_request_are_answered_from_one_look_at_the_mirror(tmp_path: Path) -> None:
    with Watched.open(f"sqlite:///{tmp_path}/mirror.db", clock=lambda: NOW) as mirror:
        fill(mirror)
        pulse = WatchedPulse(mirror)
        with serving(pulse) as api:
            api.post("/query", json=AS_GRAFANA_SENDS_IT)
            mirror.looks = pulse.contacts = 0
            answer = api.post("/query", json=AS_GRAFANA_SENDS_IT)

            assert {"A", "B", "C", "D", "E"} == {each["refId"] for each in answer.json()}
            assert (1, 1) == (mirror.looks, pulse.contacts)
            assert [] == api.post("/query", json={"range": RANGE, "targets": []}).json()
            assert (1, 1) == (mirror.looks, pulse.contacts)


def test_no_target_no_answer(api: TestClient) -> None:
    nothing = api.post("/query", json={"range": RANGE, "targets": []})
    only_hidden = api.post("/query", json={"range": RANGE, "targets": [{"target": "nonsense", "hide": True}]})

    assert [[], []] == [nothing.json(), only_hidden.json()]


@pytest.mark.parametrize(
    "payload", [None, {}, "", "  ", "{}", "null"[:0], {"unheard_of": {"deep": [1]}}, {"group_by": ""}]
)
def test_an_empty_payload_means_the_defaults(api: TestClient, payload: Any) -> None:
    target = {"refId": "A", "target": "tracked_hours", "payload": payload}
    answer = api.post("/query", json={"range": RANGE, "targets": [target]})

    assert {"tracked_hours": 4.75} == hours(answer.json())


def test_a_payload_may_come_as_text(api: TestClient) -> None:
    payload = json.dumps({"group_by": "project", "interval": "range", "filters": {"client": ["Acme"]}})
    target = {"refId": "A", "target": "tracked_hours", "payload": payload}
    answer = api.post("/query", json={"range": RANGE, "targets": [target]})

    assert {"Website (Acme)": 2.0, "a.b (c|d)": 1.0} == hours(answer.json())


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"filters": {"project": ["a.b (c|d)"]}}, 1.0),
        ({"filters": {"project": ["a\\.b \\(c\\|d\\)"]}}, 0.0),  # an element of a list is literal
        ({"filters": {"project": "a.b (c|d)"}}, 1.0),
        ({"filters": {"project": "a\\.b \\(c\\|d\\)"}}, 1.0),
        ({"filters": {"project": "(a\\.b \\(c\\|d\\)|Website)"}}, 4.5),
        ({"filters": {"project": [23]}}, 1.0),
        ({"filters": {"project": "23"}}, 1.0),
        ({"filters": {"project": "$__all"}}, 4.75),
        ({"filters": {"project": ["$__all"]}}, 4.75),
        ({"filters": {"project": []}}, 4.75),
        ({"filters": {"project": ""}}, 4.75),
        ({"filters": {"project": ["gone since yesterday"]}}, 0.0),
        ({"filters": {"billable": ["true"]}}, 2.0),
        ({"filters": {"billable": [True]}}, 2.0),
        ({"filters": {"client": ["Acme"], "billable": ["false"]}}, 1.0),
        ({"project": "Website", "client": "Acme"}, 2.0),  # as the query builder sends it
        ({"project": ["21", "22"]}, 3.5),
        ({"project": ["(21|22)"]}, 3.5),  # the builder's list with a variable of several values in it
        ({"project": ["(21|22)", "a\\.b \\(c\\|d\\)"]}, 4.5),
        ({"project": ["a.b (c|d)"]}, 1.0),
        ({"project": ["", "$__all"]}, 4.75),
        ({"project": [""]}, 4.75),
        ({"tag": "(deep|call)"}, 1.5),
        ({"limit": "1", "week_start": "0", "timezone": "Europe\\/Berlin", "attribution": "split"}, 4.75),
    ],
)
def test_filters_in_every_form_that_grafana_sends(ask: Any, payload: Any, expected: float) -> None:
    assert expected == sum(hours(ask(interval="range", **payload)).values())


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([{"key": "client", "operator": "=", "value": "Acme"}], 3.0),
        ([{"key": "client", "operator": "!=", "value": "Acme"}], 1.75),
        ([{"key": "project", "operator": "=~", "value": "^Web"}], 3.5),
        ([{"key": "project", "operator": "!~", "value": "^Web", "condition": ""}], 1.25),
        ([{"key": "project", "operator": "=|", "value": "a", "values": ["21", "22"]}], 3.5),
        ([{"key": "project", "operator": "!=|", "value": "a", "values": ["21", "22"]}], 1.25),
        (
            [
                {"key": "client", "operator": "=", "value": "Acme"},
                {"key": "billable", "operator": "=", "value": "true"},
            ],
            2.0,
        ),
    ],
)
@pytest.mark.parametrize("name", ["filters", "adhocFilters"])
def test_ad_hoc_filters_hold_for_every_target(api: TestClient, name: str, filters: Any, expected: float) -> None:
    target = {"refId": "A", "target": "tracked_hours", "payload": {"interval": "range"}}
    answer = api.post("/query", json={"range": RANGE, "targets": [target], name: filters})

    assert expected == sum(hours(answer.json()).values())


def test_a_target_may_be_several_metrics_of_a_variable(ask: Any) -> None:
    assert ["tracked_hours", "entry_count"] == labels(ask("(tracked_hours|entry_count)"))


def test_targets_of_one_name_are_both_answered(api: TestClient) -> None:
    target = {"refId": "A", "target": "tracked_hours"}
    answer = api.post("/query", json={"range": RANGE, "targets": [target, target]})

    assert ["A", "A"] == [series["refId"] for series in answer.json()]


def test_targets_without_a_name_get_grafanas(api: TestClient) -> None:
    answer = api.post("/query", json={"range": RANGE, "targets": [{"target": "tracked_hours"}] * 28})

    assert ["A", "B", "Z", "AA", "AB"] == [answer.json()[each]["refId"] for each in (0, 1, 25, 26, 27)]


@pytest.mark.parametrize(
    "span",
    [
        {"from": 1793574000000, "to": 1793833200000},
        {"from": "1793574000000", "to": "1793833200000"},
        {"from": "2026-11-02T00:00:00+01:00", "to": "2026-11-05T00:00:00+01:00"},
        {"from": "2026-11-01T23:00:00", "to": "2026-11-04T23:00:00"},
    ],
)
def test_a_range_may_be_written_in_several_ways(api: TestClient, span: Any) -> None:
    answer = api.post("/query", json={"range": span, "targets": [{"target": "tracked_hours"}]})

    assert {"tracked_hours": 4.75} == hours(answer.json())


def test_the_offset_of_a_range_counts(api: TestClient) -> None:
    span = {"from": "2026-11-02T08:59:59+01:00", "to": "2026-11-02T09:00:01+01:00"}
    answer = api.post("/query", json={"range": span, "targets": [{"target": "entry_count"}]})

    assert {"entry_count": 1.0} == hours(answer.json())


def test_an_empty_range_has_no_hours(api: TestClient) -> None:
    span = {"from": RANGE["from"], "to": RANGE["from"]}
    answer = api.post("/query", json={"range": span, "targets": [{"target": "tracked_hours"}]})

    assert {"tracked_hours": 0.0} == hours(answer.json())


@pytest.mark.parametrize("number", [None, 0, -5, 1e300, 10**30, 0.5, 2**63])
def test_numbers_that_grafana_works_out_are_put_right(api: TestClient, number: Any) -> None:
    body = {"range": RANGE, "targets": [{"target": "tracked_hours"}], "maxDataPoints": number, "intervalMs": number}
    answer = api.post("/query", json=body)

    assert {"tracked_hours": 4.75} == hours(answer.json())


def test_auto_keeps_to_the_points_that_fit(api: TestClient) -> None:
    def points(most: int) -> int:
        body = {"range": RANGE, "targets": [{"target": "tracked_hours"}], "maxDataPoints": most, "intervalMs": 60_000}
        return len(api.post("/query", json=body).json()[0]["datapoints"])

    assert [72, 3] == [points(100), points(10)]


def test_a_name_with_everything_in_it_comes_back_whole(ask: Any) -> None:
    assert 'Ünï 😀, "quoted"\r\nsecond line' in labels(ask(group_by="description"))


def test_gaps_can_be_asked_as_a_target(ask: Any, api: TestClient) -> None:
    body = {
        "range": {"from": "2026-11-20T00:00:00Z", "to": "2026-11-24T00:00:00Z"},
        "targets": [{"target": "sync_gaps"}],
    }
    (table,) = api.post("/query", json=body).json()

    assert ["time", "timeEnd", "title", "text", "tags"] == [column["text"] for column in table["columns"]]
    assert 3 == len(table["rows"])


def test_an_answer_is_compressed_where_that_is_understood(api: TestClient) -> None:
    body = {"range": RANGE, "targets": [{"target": "weekday_hour_hours"}]}
    packed = api.post("/query", json=body, headers={"accept-encoding": "gzip"})
    plain = api.post("/query", json=body, headers={"accept-encoding": "identity"})

    assert ("gzip", None) == (packed.headers.get("content-encoding"), plain.headers.get("content-encoding"))
    assert plain.json() == packed.json()


def test_too_many_points_in_all_are_refused(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toggl_pulse.api.grafana.MOST_POINTS", 5)
    target = {"target": "tracked_hours", "payload": {"interval": "day"}}
    fits = api.post("/query", json={"range": RANGE, "targets": [target]})
    bursts = api.post("/query", json={"range": RANGE, "targets": [target, target]})

    assert [200, 400] == [fits.status_code, bursts.status_code]
    assert "too_many_points" == bursts.json()["error"]["code"]


def test_all_series_of_an_answer_together_have_a_million_points_at_most(api: TestClient) -> None:
    hours = {"from": "2015-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}  # 96,432 of them
    target = {"refId": "A", "target": "tracked_hours", "payload": {"interval": "hour", "timezone": "UTC"}}

    answer = api.post("/query", json={"range": hours, "targets": [target] * 11})

    assert (400, "too_many_points") == (answer.status_code, answer.json()["error"]["code"])
