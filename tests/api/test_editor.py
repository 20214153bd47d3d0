from typing import Any

import pytest
from starlette.testclient import TestClient
from syrupy.assertion import SnapshotAssertion

from api.scene import RANGE
from toggl_pulse.metrics import DIMENSIONS, METRICS
from toggl_pulse.service.sync_tables import SYNC_TABLES


def test_search_lists_every_metric(api: TestClient) -> None:
    assert [*METRICS, *SYNC_TABLES] == api.post("/search", json={}).json()
    assert [*METRICS, *SYNC_TABLES] == api.post("/search").json()
    assert [*METRICS, *SYNC_TABLES] == api.post("/search", json={"target": "", "type": "timeseries"}).json()


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("tracked", ["tracked_hours"]),
        ("BILLABLE", ["billable_hours", "billable_share"]),
        ("weekday and", ["weekday_hour_hours"]),
        ("nothing like it", []),
        ("(tracked_hours|running_hours)", ["tracked_hours", "running_hours"]),
    ],
)
def test_search_is_filtered_by_its_target(api: TestClient, target: str, found: list[str]) -> None:
    assert found == api.post("/search", json={"target": target}).json()


def test_the_builder_gets_every_metric_with_its_fields(api: TestClient, snapshot: SnapshotAssertion) -> None:
    every = api.post("/metrics", json={}).json()

    assert [*METRICS, *SYNC_TABLES] == [metric["value"] for metric in every]
    assert snapshot == [metric for metric in every if metric["value"] in {"tracked_hours", "entries", "active_days"}]


def test_every_field_of_the_builder_has_choices_or_is_typed(api: TestClient) -> None:
    for metric in api.post("/metrics", json={"metric": "tracked_hours", "payload": {"group_by": "tag"}}).json():
        for field in metric["payloads"]:
            if field["type"] == "input":
                continue
            asked = {"metric": metric["value"], "name": field["name"], "payload": {}}
            choices = api.post("/metric-payload-options", json=asked).json()

            assert [{"label", "value"}] * len(choices) == [set(choice) for choice in choices]


def test_what_the_builder_offers_is_what_a_query_takes(api: TestClient) -> None:
    words = ("group_by", "interval", "attribution", "timezone", "week_start", "format", "sort", "only", "periods")
    for name in (*words, *DIMENSIONS):
        offered = api.post("/metric-payload-options", json={"name": name}).json()
        values = [choice["value"] for choice in offered][:30]
        targets = [{"target": "tracked_hours", "payload": {name: value}} for value in values]
        answer = api.post("/query", json={"range": RANGE, "targets": targets})

        assert 200 == answer.status_code, answer.text


@pytest.mark.parametrize(
    "asked",
    [
        {"payload": {"target": "project"}, "range": RANGE},
        {"payload": '{"target": "project"}'},
        {"payload": "project"},
        {"target": "project"},
    ],
)
def test_a_variable_lists_labels_with_ids(api: TestClient, asked: Any) -> None:
    assert [
        {"__text": "(no project)", "__value": "(no project)"},
        {"__text": "a.b (c|d)", "__value": "23"},
        {"__text": "Website (Acme)", "__value": "21"},
        {"__text": 'Website (O\'Brien, "Sons")', "__value": "22"},
    ] == api.post("/variable", json=asked).json()


def test_every_value_of_a_variable_filters_to_its_own_group(api: TestClient, ask: Any) -> None:
    for name in DIMENSIONS:
        for each in api.post("/variable", json={"payload": {"target": name}}).json():
            found = ask(group_by=name, filters={name: [each["__value"]]})

            assert each["__text"] in {series["target"].removesuffix(" (shared)") for series in found}


def test_a_variable_lists_what_is_no_dimension_too(api: TestClient) -> None:
    zones = api.post("/variable", json={"payload": {"target": "timezone"}}).json()

    assert ["Europe/Berlin", "UTC", "Africa/Abidjan"] == [zone["__value"] for zone in zones[:3]]
    assert {"__text": "Tracked time", "__value": "tracked_hours"} in api.post(
        "/variable", json={"payload": "metric"}
    ).json()


@pytest.mark.parametrize("payload", [{}, None, "", {"target": 7}, {"target": ""}, {"target": "colour"}, "{broken"])
def test_a_variable_that_names_nothing_is_told_so(api: TestClient, payload: Any) -> None:
    answer = api.post("/variable", json={"payload": payload})

    assert 400 == answer.status_code
    assert answer.json()["error"]["code"] in {"bad_value", "unknown_filter", "bad_json"}


def test_ad_hoc_filters_are_about_every_dimension(api: TestClient) -> None:
    assert [{"type": "string", "text": name} for name in DIMENSIONS] == api.post("/tag-keys", json={}).json()


def test_ad_hoc_values_are_texts_that_the_query_takes_back(api: TestClient) -> None:
    for key in DIMENSIONS:
        for each in api.post("/tag-values", json={"key": key}).json():
            filters = [{"key": key, "operator": "=", "value": each["text"]}]
            body = {
                "range": RANGE,
                "targets": [{"target": "entry_count", "payload": {"interval": "range"}}],
                "filters": filters,
            }
            (series,) = api.post("/query", json=body).json()

            assert ["text"] == list(each)
            assert series["datapoints"][0][0] > 0, (key, each)


def test_an_ad_hoc_key_that_is_none_is_refused(api: TestClient) -> None:
    assert "unknown_filter" == api.post("/tag-values", json={"key": "timezone"}).json()["error"]["code"]
    assert "bad_value" == api.post("/tag-values", json={}).json()["error"]["code"]
