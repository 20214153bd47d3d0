"""The requests that Grafana makes of the dashboards: whatever is chosen, what was asked arrives, and is answered."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import httpx2
import pytest

from boards.answers import columns, is_empty
from boards.conftest import BOARDS
from boards.grafana import Grafana, Json, Value, asking, panels

HOSTILE = (
    'say "hi"',
    "back\\slash",
    'end\\"',
    "a.b",
    "x|y",
    "(a|b)",
    "שלום عالم",
    "\u202eevil\u202c",
    "<script>alert(1)</script>",
    "it's {a,b}",
    "$client ${__from}",
    "[[project]]",
    "line\nbreak\ttab",
    "50% & @home: x;y + 1/2 = #?~!*",
    "null",
    "",
)
FILTERS = ("workspace", "client", "project", "tag", "billable")
WORDS = ("interval", "attribution", "zone")

VARIABLES = {name: {row["name"] for row in board["templating"]["list"]} for name, board in BOARDS.items()}
EVERY = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)


def settings(options: Mapping[str, list[str]]) -> Iterator[dict[str, Value]]:
    """All, one and several of each filter; a zone and words other than the first."""
    yield {}
    yield {name: [options[name][0]] for name in ("client", "billable")}
    yield {name: options[name][1:4] for name in ("project", "tag")}
    yield {"workspace": options["workspace"], "interval": "month", "attribution": "split", "zone": "America/New_York"}


@EVERY
def test_every_panel_answers_with_data_or_says_that_it_may_be_empty(
    board: Json, ask: Callable[..., Any], now: datetime, options: dict[str, list[str]]
) -> None:
    empty = []
    for number, chosen in enumerate(settings(options)):
        grafana = Grafana(board, now, chosen=chosen, options=options)
        for panel in asking(board):
            answer = ask("/query", grafana.query(panel))
            assert isinstance(answer, list)
            if number == 0 and is_empty(panel, answer):
                empty.append(panel["title"])

    assert set() == set(empty) - MAY_BE_EMPTY


MAY_BE_EMPTY = {"Dormant projects", "Rows set aside", "Trouble", "Projected revision", "Projection lag"}
"""Of the demo, which has no trouble, no InfluxDB, and works on every project; each has a word of its own for it."""


@pytest.mark.parametrize(
    ("board", "name"),
    [
        pytest.param(BOARDS[board], name, id=f"{board} {name}")
        for board in BOARDS
        for name in FILTERS
        if name in VARIABLES[board]
    ],
)
def test_whatever_a_filter_holds_arrives_as_it_is(
    board: Json, name: str, ask: Callable[..., Any], now: datetime, options: dict[str, list[str]]
) -> None:
    """Also what no list offers: an address may carry anything."""
    for value in (*([each] for each in HOSTILE), list(HOSTILE)):
        grafana = Grafana(board, now, chosen={name: value}, options=options)
        for panel in asking(board):
            request = grafana.query(panel)
            for sent, written in zip(request["targets"], panel["targets"], strict=True):
                assert_complete(sent["payload"], written["payload"])
                filters = sent["payload"].get("filters", {})
                if f"${{{name}:json}}" in written["payload"]:
                    assert value == filters[name]
            if value == list(HOSTILE):
                assert isinstance(ask("/query", request), list)


@pytest.mark.parametrize(
    ("board", "name"),
    [
        pytest.param(BOARDS[board], name, id=f"{board} {name}")
        for board in BOARDS
        for name in WORDS
        if name in VARIABLES[board]
    ],
)
def test_a_word_that_is_none_is_refused_and_never_answered_as_if_nothing_had_been_asked(
    board: Json, name: str, service: httpx2.Client, now: datetime, options: dict[str, list[str]]
) -> None:
    refused = 0
    for value in HOSTILE:
        grafana = Grafana(board, now, chosen={name: value}, options=options)
        for panel in asking(board):
            request = grafana.query(panel)
            for sent, written in zip(request["targets"], panel["targets"], strict=True):
                assert_complete(sent["payload"], written["payload"])
            if value and any(f"${{{name}:" in target["payload"] for target in panel["targets"]):
                answer = service.post("/query", json=request)
                refused += 1
                assert 400 == answer.status_code, (value, panel["title"])
                assert answer.json()["message"]

    assert refused


def assert_complete(payload: Json, written: str) -> None:
    """It has every key that stands in the dashboard."""
    assert written == "{}" or payload
    assert set(payload) == set(keys_of(written))


def keys_of(written: str) -> list[str]:
    """A payload's keys, variables of several values read as nothing."""
    return list(json.loads(re.sub(r"\$\{\w+:json\}", "null", written)))


@EVERY
def test_everything_that_a_panel_names_is_known(board: Json, service: httpx2.Client) -> None:
    known = set(service.post("/search", json={}).json()) | {"sync_gaps"}
    keys = set(service.get("/openapi.json").json()["components"]["schemas"]["Payload"]["properties"])
    for panel in asking(board):
        for target in panel["targets"]:
            assert target["target"] in known
            assert set() == set(keys_of(target["payload"])) - keys


@EVERY
def test_every_column_that_a_panel_names_is_in_its_answer(
    board: Json, ask: Callable[..., Any], now: datetime, options: dict[str, list[str]]
) -> None:
    for panel in asking(board):
        named = set(named_columns(panel))
        if named:
            answer = ask("/query", Grafana(board, now, options=options).query(panel))
            assert set() == named - columns(panel, answer), panel["title"]


def named_columns(panel: Json) -> Iterator[str]:
    for override in panel["fieldConfig"]["overrides"]:
        if override["matcher"]["id"] == "byName":
            yield override["matcher"]["options"]
        for property_ in override["properties"]:
            if property_["id"] == "links":
                for link in property_["value"]:
                    yield from fields_in(link["url"])
    for link in panel["fieldConfig"]["defaults"].get("links") or ():
        yield from fields_in(link["url"])


def fields_in(url: str) -> Iterator[str]:
    yield from re.findall(r"\$\{__data\.fields\.(\w+)", url)


@EVERY
def test_every_bar_from_which_a_click_leads_on_has_a_filter_that_means_it(
    board: Json, ask: Callable[..., Any], now: datetime, options: dict[str, list[str]]
) -> None:
    for panel in asking(board):
        for link in panel["fieldConfig"]["defaults"].get("links") or ():
            (dimension,) = re.findall(r"var-(\w+)=\$\{__field\.labels\.id:percentencode\}", link["url"])
            answer = ask("/query", Grafana(board, now, options=options).query(panel))
            ids = [each["fields"][1]["labels"]["id"] for each in answer]
            assert ids
            assert set() == set(ids) - {*options[dimension], "$__all"}


@EVERY
def test_every_variable_and_annotation_is_answered(
    board: Json, ask: Callable[..., Any], now: datetime, options: dict[str, list[str]]
) -> None:
    grafana = Grafana(board, now, options=options)
    for row in board["templating"]["list"]:
        if row["type"] == "query":
            answer = ask("/variable", grafana.variable_request(row))
            assert [{"__text", "__value"}] * len(answer) == [set(each) for each in answer]
            assert answer, row["name"]
            current = row["current"]["value"]
            if not row.get("includeAll"):
                assert current in {each["__value"] for each in answer}
        if row["type"] == "custom":
            name = {"interval": "interval"}[row["name"]]
            words = {each["__value"] for each in ask("/variable", {"payload": {"target": name}})}
            assert set() == set(row["query"].split(",")) - words
        if row["type"] == "adhoc":
            keys = ask("/tag-keys", {"filters": []})
            assert keys
            assert all(ask("/tag-values", {"key": each["text"], "filters": []}) is not None for each in keys)
    for annotation in board["annotations"]["list"]:
        assert isinstance(ask("/query", grafana.annotation(annotation)), list)


@EVERY
def test_steps_begin_at_midnights_of_the_zone_that_grafana_shows(
    board: Json, ask: Callable[..., Any], now: datetime, options: dict[str, list[str]]
) -> None:
    """`utc` is Grafana's own word."""
    seen = 0
    for name in ("utc", "Asia/Kolkata", "America/St_Johns"):
        zone = ZoneInfo("UTC" if name == "utc" else name)
        grafana = Grafana(board, now, zone=name, options=options)
        for panel in asking(board):
            request = grafana.query(panel)
            assert {name} >= {
                each["payload"]["timezone"] for each in request["targets"] if each["payload"].get("timezone")
            }
            answer = ask("/query", request)
            if panel["type"] == "timeseries" and board["title"] != "Sync health":
                times = {at for each in answer for at in each["fields"][0]["values"]}
                assert {(0, 0)} == {(local.hour, local.minute) for local in (local_of(at, zone) for at in times)}
                seen += len(times)

    assert seen > 30 or board["title"] == "Sync health"


def local_of(at_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, zone)


def test_ad_hoc_filters_hold_in_every_panel_as_a_variable_does(
    ask: Callable[..., Any], now: datetime, options: dict[str, list[str]]
) -> None:
    board, before = BOARDS["projects"], now - timedelta(days=3)  # what runs now goes on between two questions
    client = next(each for each in ask("/variable", {"payload": {"target": "client"}}) if each["__value"].isdigit())
    chosen = Grafana(board, before, chosen={"client": [client["__value"]]}, options=options)
    typed = Grafana(
        board,
        before,
        options=options,
        adhoc=[{"key": "client", "operator": "=", "value": client["__text"], "condition": ""}],
    )
    for panel in asking(board):
        one, other = (without_revision(ask("/query", each.query(panel))) for each in (chosen, typed))
        assert one == other, panel["title"]
    for value in HOSTILE:
        for operator in ("=", "!=", "=|"):
            grafana = Grafana(
                board,
                now,
                options=options,
                adhoc=[{"key": "project", "operator": operator, "value": value, "values": [value]}],
            )
            for panel in asking(board):
                assert isinstance(ask("/query", grafana.query(panel)), list)


def without_revision(answer: list[Json]) -> list[Json]:
    return [{key: value for key, value in each.items() if key != "meta"} for each in answer]


def test_links_keep_time_zone_and_filters() -> None:
    url = "/d/x?${__url_time_range}&${workspace:queryparam}&${client:queryparam}&${tag:queryparam}"
    noon = datetime.fromisoformat("2026-11-23T12:00:00+00:00")
    chosen: dict[str, Value] = {"client": ["11", "a&b=c"], "tag": ["(no tag)"]}

    assert [
        ("from", "now-30d"),
        ("to", "now"),
        ("timezone", "Europe/Berlin"),
        ("var-workspace", "$__all"),
        ("var-client", "11"),
        ("var-client", "a&b=c"),
        ("var-tag", "(no tag)"),
    ] == parse_qsl(Grafana(BOARDS["overview"], noon, chosen=chosen).link(url).partition("?")[2])


def test_no_title_is_a_question_of_its_own() -> None:
    assert [] == [panel["title"] for board in BOARDS.values() for panel in panels(board) if "$" in panel["title"]]
