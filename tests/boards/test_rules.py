"""What every dashboard must be, whatever it shows: complete, well laid out, at home in the stack."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from dashboards.shelf import shelf

from boards.conftest import BOARDS
from boards.grafana import HANDLED, Json, panels

FOLDER = Path(__file__).parents[2] / "deploy/grafana/dashboards"
KINDS = {"text", "stat", "table", "timeseries", "bargauge", "gauge", "heatmap", "state-timeline", "row"}
SOURCES = {"toggl-pulse": "simpod-json-datasource", "toggl-pulse-influxdb": "influxdb"}

EVERY = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)


def test_the_files_that_grafana_reads_are_what_the_builders_make() -> None:
    kept = {str(path.relative_to(FOLDER)): path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.json")}

    assert sorted(shelf()) == sorted(kept)
    assert [] == [path for path, text in shelf().items() if kept[path] != text], "run `make dashboards`"


def test_uids_and_titles_are_their_own() -> None:
    uids = [board["uid"] for board in BOARDS.values()]

    assert [f"toggl-pulse-{name}" for name in BOARDS] == uids
    assert len(BOARDS) == len({board["title"] for board in BOARDS.values()})


@EVERY
def test_a_dashboard_has_no_number_nothing_to_fill_in_and_cannot_be_edited_in_place(board: Json) -> None:
    assert board["id"] is None
    assert board["schemaVersion"] == 42
    assert not {"__inputs", "__requires", "__elements"} & board.keys()
    assert board["editable"] is False
    assert board["tags"] == ["toggl-pulse"]


@EVERY
def test_times_are_shown_and_weeks_begin_as_said(board: Json) -> None:
    assert "browser" == board["timezone"]
    assert "monday" == board["weekStart"]
    assert re.fullmatch(r"now-\d+[dMy]", board["time"]["from"])
    assert re.fullmatch(r"\d+[ms]", board["refresh"])


@EVERY
def test_the_other_dashboards_are_linked_with_time_and_filters_kept(board: Json) -> None:
    link = board["links"][0]

    assert ("dashboards", ["toggl-pulse"]) == (link["type"], link["tags"])
    assert link["keepTime"]
    assert link["includeVars"]


@EVERY
def test_every_panel_says_what_it_counts_has_a_unit_and_a_word_for_nothing(board: Json) -> None:
    for panel in panels(board):
        assert len(panel["description"]) > 20, panel["title"]
        assert panel["title"]
        if panel["type"] != "text":
            defaults = panel["fieldConfig"]["defaults"]
            assert defaults["unit"], panel["title"]
            assert defaults["noValue"], panel["title"]


@EVERY
def test_panels_are_of_grafana_s_core_and_have_numbers_of_their_own(board: Json) -> None:
    every = [*board["panels"], *(inner for outer in board["panels"] for inner in outer.get("panels") or ())]

    assert set() == {panel["type"] for panel in every} - KINDS
    assert len(every) == len({panel["id"] for panel in every})
    assert len(every) == len({(panel["type"] == "row", panel["title"]) for panel in every})


@EVERY
def test_panels_fill_the_grid_and_none_lies_on_another(board: Json) -> None:
    taken: dict[tuple[int, int], Any] = {}
    for panel in board["panels"]:
        at = panel["gridPos"]
        for column, line in itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])):
            assert (column, line) not in taken, f"{panel['title']} lies on {taken[column, line]}"
            taken[column, line] = panel["title"]
        assert at["x"] + at["w"] <= 24
        assert at["w"] >= 4, "too narrow to read at 1280 pixels"

    assert 24 * (max(line for _, line in taken) + 1) == len(taken), "a hole"


@EVERY
def test_data_sources_are_those_of_the_stack(board: Json) -> None:
    asked = [
        each["datasource"]
        for each in (
            *panels(board),
            *(target for panel in panels(board) for target in panel.get("targets") or ()),
            *board["annotations"]["list"],
            *(row for row in board["templating"]["list"] if row["type"] in {"query", "adhoc"}),
        )
        if each.get("type") != "text"
    ]

    assert asked
    assert [] == [source for source in asked if SOURCES.get(source["uid"]) != source["type"]]


@EVERY
def test_variables_are_of_kinds_that_the_plugin_knows(board: Json) -> None:
    """It fails every panel over any other."""
    assert set() == {row["type"] for row in board["templating"]["list"]} - {*HANDLED, "adhoc"}


@EVERY
def test_all_of_a_filter_is_no_filter_and_nothing_can_be_typed_into_a_word(board: Json) -> None:
    for row in board["templating"]["list"]:
        if row["type"] in {"query", "custom"}:
            assert row["allowCustomValue"] is False
        if row.get("multi"):
            assert ("null", ["$__all"]) == (row["allValue"], row["current"]["value"])


@EVERY
def test_filters_survive_the_way_through_every_dashboard(board: Json) -> None:
    """A link carries only what its dashboard has, seen or not."""
    names = {row["name"] for row in board["templating"]["list"]}

    assert {"workspace", "client", "project", "tag", "billable"} <= names


@EVERY
def test_links_of_panels_lead_to_dashboards_that_there_are(board: Json) -> None:
    uids = {each["uid"] for each in BOARDS.values()}
    for url in addresses(board):
        found = re.fullmatch(r"/d/([\w-]+)\?(.*)", url)
        if found is None:
            assert url.startswith("/api/datasources/proxy/uid/toggl-pulse/"), url
            continue
        assert found[1] in uids
        target = next(each for each in BOARDS.values() if each["uid"] == found[1])
        names = {row["name"] for row in target["templating"]["list"]}
        for part in found[2].split("&"):
            word = re.fullmatch(r"\$\{(\w+):queryparam\}|\$\{__url_time_range\}|var-(\w+)=.+", part)
            assert word is not None, part
            assert {word[1], word[2]} <= {None, *names}, part


@EVERY
def test_a_click_on_a_bar_of_a_ranking_leads_on(board: Json) -> None:
    rankings = [panel for panel in panels(board) if panel["type"] == "bargauge"]

    assert [] == [panel["title"] for panel in rankings if not panel["fieldConfig"]["defaults"].get("links")]


@EVERY
def test_every_panel_whose_filters_count_leads_on(board: Json) -> None:
    asking = [panel for panel in panels(board) if panel["type"] != "text" and board["title"] != "Sync health"]

    assert [] == [
        panel["title"]
        for panel in asking
        if not (panel.get("links") or panel["fieldConfig"]["defaults"].get("links"))
        and not any(each["id"] == "links" for by in panel["fieldConfig"]["overrides"] for each in by["properties"])
    ]


def addresses(board: Json) -> list[str]:
    """Every address that a panel or one of its fields leads to, and the dashboard's own."""
    found = [link["url"] for link in board["links"] if link["type"] == "link"]
    for panel in panels(board):
        found += [link["url"] for link in panel.get("links") or ()]
        config = panel.get("fieldConfig") or {"defaults": {}, "overrides": []}
        found += [link["url"] for link in config["defaults"].get("links") or ()]
        found += [
            link["url"]
            for each in config["overrides"]
            for property_ in each["properties"]
            if property_["id"] == "links"
            for link in property_["value"]
        ]
    return found
