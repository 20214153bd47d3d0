"""Grafana's data frames: the same numbers as the other forms, with names, units and colours for people."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from starlette.testclient import TestClient

from api.scene import NOW, RANGE, WORKSPACE, SmallPulse, entry, fill, serving
from toggl_pulse.api.frames import COUNT, UNITS, UNITS_OF_COLUMNS, WORDS, FrameTimes, as_frames
from toggl_pulse.metrics import DIMENSIONS, METRICS, Answer, Query, Series
from toggl_pulse.mirror import Mirror
from toggl_pulse.model import Catalogue, Project, Task
from toggl_pulse.service.sync_tables import SYNC_TABLES

KINDS: dict[str, type | tuple[type, ...]] = {"time": int, "number": (int, float), "string": str, "boolean": bool}


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    with Mirror.open(f"sqlite:///{tmp_path_factory.mktemp('frames') / 'mirror.db'}", clock=lambda: NOW) as opened:
        fill(opened)
        with opened.batch() as batch:
            batch.write_catalogue(
                [
                    Project(21, WORKSPACE, "Website", 11, color="#0b83d9"),
                    Project(22, WORKSPACE, "Website", 12, color="#abc"),
                    Project(23, WORKSPACE, "a.b (c|d)", 11, color="javascript:alert(1)"),
                    Task(41, WORKSPACE, 21, "Draw"),
                ]
            )
            batch.write_entries([entry(5, "2026-11-04T11:00", 3, project_id=21, task_id=41)])
        yield opened


def answer_of(api: TestClient, target: str, **payload: Any) -> list[dict[str, Any]]:
    body = {"range": RANGE, "targets": [{"refId": "A", "target": target, "payload": payload}]}
    answer = api.post("/query", json=body)
    assert 200 == answer.status_code, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def frames(api: TestClient, target: str, **payload: Any) -> list[dict[str, Any]]:
    """Frames that are well formed: as many values in every field, each of its field's type."""
    found = answer_of(api, target, format="frame", **payload)
    for frame in found:
        assert 1 == len({len(field["values"]) for field in frame["fields"]}), frame
        for field in frame["fields"]:
            assert all(value is None or isinstance(value, KINDS[field["type"]]) for value in field["values"]), field
            assert isinstance(field["config"], dict)
    return found


@pytest.mark.parametrize("metric", [metric.slug for metric in METRICS.values() if metric.shape != "table"])
def test_a_series_has_the_same_values_in_a_frame(api: TestClient, metric: str) -> None:
    for group_by in ("none", *DIMENSIONS):
        series = answer_of(api, metric, group_by=group_by, interval="day")
        found = frames(api, metric, group_by=group_by, interval="day")

        assert [each["datapoints"] for each in series] == [
            [[value, time] for time, value in zip(*(field["values"] for field in frame["fields"]), strict=True)]
            for frame in found
        ]
        assert [(each["refId"], each["meta"]) for each in series] == [(each["refId"], each["meta"]) for each in found]
        assert [["Time", metric]] * len(found) == [[field["name"] for field in frame["fields"]] for frame in found]
        if group_by != "none":
            assert [each["target"] for each in series] == [each["name"] for each in found]


@pytest.mark.parametrize("target", [*(each.slug for each in METRICS.values() if each.shape == "table"), *SYNC_TABLES])
def test_a_table_has_the_same_cells_in_a_frame(api: TestClient, target: str) -> None:
    (table,) = answer_of(api, target)
    (frame,) = frames(api, target)

    assert [(column["text"], column["type"]) for column in table["columns"]] == [
        (field["name"], field["type"]) for field in frame["fields"]
    ]
    assert table["rows"] == [list(row) for row in zip(*(field["values"] for field in frame["fields"]), strict=True)]
    assert table.get("meta") == frame.get("meta")


def test_every_number_has_a_unit_and_every_text_is_one(api: TestClient) -> None:
    for target in (*METRICS, *SYNC_TABLES):
        for frame in frames(api, target):
            for field in frame["fields"]:
                expected = {"number": {*UNITS.values(), COUNT}, "string": {WORDS}}.get(field["type"], {None})

                assert field["config"].get("unit") in expected, (target, field["name"])


@pytest.mark.parametrize(
    ("metric", "unit"),
    [
        ("tracked_hours", "suffix:h"),
        ("billable_share", "percentunit"),
        ("active_days", "suffix:d"),
        ("toggl_time_entry", "s"),
        ("entry_count", "none"),
    ],
)
def test_a_series_has_its_metrics_unit(api: TestClient, metric: str, unit: str) -> None:
    found = frames(api, metric)

    assert unit == found[0]["fields"][1]["config"]["unit"]


def test_a_heat_map_counts_hours_by_hours_of_the_day_that_are_none(api: TestClient) -> None:
    (frame,) = frames(api, "weekday_hour_hours")

    assert {"weekday": "string", "hour": "none", "hours": "suffix:h"} == {
        field["name"]: field["config"]["unit"] for field in frame["fields"]
    }


def test_columns_of_numbers_have_units_of_their_own(api: TestClient) -> None:
    (frame,) = frames(api, "period_change")

    assert {"hours": "suffix:h", "hours_before": "suffix:h", "change": "percentunit"} == {
        field["name"]: field["config"]["unit"] for field in frame["fields"] if field["type"] == "number"
    }


def test_every_column_of_numbers_that_a_metric_promises_is_known_by_its_unit() -> None:
    promised = {name for metric in METRICS.values() for name, kind in metric.columns if kind == "number"}

    assert set() == {name for name in promised - UNITS_OF_COLUMNS.keys() if not name.endswith("hours")}


def test_headings_are_words(api: TestClient) -> None:
    (frame,) = frames(api, "sync_status")
    headings = [field["config"]["displayNameFromDS"] for field in frame["fields"]]

    assert ["Data as of", "Behind", "Last success"] == headings[:3]
    assert len(set(headings)) == len(headings)
    assert "Sync: status" == frame["name"]


def test_a_whole_is_called_by_its_title_and_has_no_labels(api: TestClient) -> None:
    (frame,) = frames(api, "tracked_hours")
    _, values = frame["fields"]

    assert ("Tracked time", "Tracked time", {}) == (
        frame["name"],
        values["config"]["displayNameFromDS"],
        values["labels"],
    )


def test_projects_have_their_colours_and_nonsense_is_none(api: TestClient) -> None:
    found = {frame["name"]: frame["fields"][1] for frame in frames(api, "tracked_hours", group_by="project")}

    assert {"Website (Acme)": {"mode": "fixed", "fixedColor": "#0b83d9"}} == {
        name: field["config"]["color"] for name, field in found.items() if "color" in field["config"]
    }
    assert {"Website (Acme)", 'Website (O\'Brien, "Sons")', "a.b (c|d)", "(no project)"} == set(found)


def test_a_task_has_its_projects_colour_and_tags_have_none(api: TestClient) -> None:
    def coloured(group_by: str) -> list[str]:
        found = frames(api, "tracked_hours", group_by=group_by)
        return [frame["name"] for frame in found if "color" in frame["fields"][1]["config"]]

    assert ["Draw"] == coloured("task")
    assert [] == [name for group in ("tag", "user", "billable", "workspace", "description") for name in coloured(group)]


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_the_id_of_a_frame_filters_to_its_own_group(api: TestClient, dimension: str) -> None:
    for frame in frames(api, "tracked_hours", group_by=dimension, interval="range"):
        labels = frame["fields"][1]["labels"]
        again = frames(api, "tracked_hours", group_by=dimension, interval="range", filters={dimension: [labels["id"]]})

        assert frame["name"] == labels[dimension]
        assert [frame["name"]] == [each["name"] for each in again if each["name"] == frame["name"]]


def test_links_from_the_rest_of_a_limit_lead_to_all(api: TestClient) -> None:
    found = frames(api, "tracked_hours", group_by="project", limit=1)

    assert [{"project": "Website (Acme)", "id": "21"}, {"project": "(other)", "id": "$__all"}] == [
        frame["fields"][1]["labels"] for frame in found
    ]


def test_an_empty_range_has_empty_frames(api: TestClient) -> None:
    span = {"from": RANGE["from"], "to": RANGE["from"]}
    targets = [
        {"target": name, "payload": {"format": "frame"}} for name in ("entries", "toggl_time_entry", "sync_gaps")
    ]
    found = api.post("/query", json={"range": span, "targets": targets}).json()

    assert {0} == {len(field["values"]) for frame in found for field in frame["fields"]}
    assert ["List of entries", "Sync: gaps"] == [frame["name"] for frame in found if len(frame["fields"]) > 2]


def test_the_other_forms_are_what_they_were_to_the_byte(api: TestClient) -> None:
    payload = {"interval": "day", "group_by": "client", "limit": 1}
    body = {"range": RANGE, "targets": [{"refId": "A", "target": "tracked_hours", "payload": payload}]}
    series = api.post("/query", json=body).content
    payload["format"] = "table"
    table = api.post("/query", json=body).content
    revision = api.get("/status").json()["mirror"]["revision"]
    meta = (
        b'"meta":{"custom":{"metric":"tracked_hours","unit":"hours","attribution":"start","interval":"day",'
        b'"revision":%d,"running":false,"notes":[]}}' % revision
    )

    assert (
        b'[{"target":"Acme","refId":"A","datapoints":[[2.0,1793574000000],[1.0,1793660400000],[3.0,1793746800000]],'
        + meta
        + b',"unit":"suffix:h"},{"target":"(other)","refId":"A","datapoints":[[1.5,1793574000000],[0.0,1793660400000],'
        b"[0.25,1793746800000]]," + meta + b',"unit":"suffix:h"}]'
    ) == series
    assert (
        b'[{"type":"table","refId":"A","columns":[{"text":"time","type":"time"},{"text":"client","type":"string"},'
        b'{"text":"tracked_hours","type":"number"}],"rows":[[1793574000000,"Acme",2.0],[1793660400000,"Acme",1.0],'
        b'[1793746800000,"Acme",3.0],[1793574000000,"(other)",1.5],[1793660400000,"(other)",0.0],'
        b'[1793746800000,"(other)",0.25]],' + meta + b"}]"
    ) == table


def test_frames_have_the_limits_of_series(api: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toggl_pulse.api.grafana.MOST_POINTS", 5)
    target = {"target": "tracked_hours", "payload": {"interval": "day", "format": "frame"}}
    bursts = api.post("/query", json={"range": RANGE, "targets": [target, target]})

    assert "too_many_points" == bursts.json()["error"]["code"]


def test_frames_and_series_can_be_asked_together(pulse: SmallPulse) -> None:
    targets = [{"target": "tracked_hours", "payload": {"format": each}} for each in ("frame", "table", "", "frame")]
    with serving(pulse) as api:
        found = api.post("/query", json={"range": RANGE, "targets": targets}).json()

    assert ["fields", "columns", "datapoints", "fields"] == [
        next(key for key in ("fields", "columns", "datapoints") if key in each) for each in found
    ]
    assert found[0]["fields"] == found[3]["fields"]


@given(
    cells=arrays.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(0, 20))),
    labels=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=4, max_size=4),
)
def test_frames_are_the_same_as_by_plain_python(cells: Any, labels: list[str]) -> None:
    times = np.arange(cells.shape[1], dtype=np.int64) * 1000
    series = tuple(Series(number, label, times, row) for number, (label, row) in enumerate(zip(labels, cells)))  # noqa: B905
    answer = Answer("tracked_hours", "hours", "start", "day", 1, series=series)
    query = Query("tracked_hours", 0, 1, ZoneInfo("UTC"), group_by="project")
    catalogue = Catalogue(projects={1: Project(1, 1, "x", color="#0b83d9")})
    found = [orjson.loads(each) for each in as_frames(query, answer, catalogue, "A", FrameTimes())]

    assert [
        {
            "name": label,
            "values": [value if math.isfinite(value) else None for value in row.tolist()],
            "color": {"mode": "fixed", "fixedColor": "#0b83d9"} if number == 1 else None,
        }
        for number, (label, row) in enumerate(zip(labels, cells))  # noqa: B905
    ] == [
        {"name": each["name"], "values": each["fields"][1]["values"], "color": each["fields"][1]["config"].get("color")}
        for each in found
    ]
    assert [times.tolist()] * len(cells) == [each["fields"][0]["values"] for each in found]


def test_times_are_made_once_for_frames_that_share_them() -> None:
    times, shared = FrameTimes(), np.array([1, 2], np.int64)

    assert times.of(shared) is times.of(shared)
