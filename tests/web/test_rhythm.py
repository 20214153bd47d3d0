"""Rhythm: its cells, times and lists are the interface's, for the range, the zone and the filters of the address."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

import pytest
from starlette.testclient import TestClient

from api.scene import NOW, entry, fill
from toggl_pulse.mirror import Mirror
from toggl_pulse.web.words import shown
from web.reading import links_of, tables_of
from web.scene import PagePulse, browsing, rows_of, signed_in, told

MONTH = "from=2026-11-01&to=2026-11-30"
RANGE = {"from": "2026-10-31T23:00:00Z", "to": "2026-11-30T23:00:00Z"}
BERLIN = ZoneInfo("Europe/Berlin")
WEEK, YEAR, OVERLAPS = "Hours of the week", "Days of a year", "Overlaps"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The small account, and beside it work that overlaps, on a Saturday evening, and of last year."""
    with Mirror.open(f"sqlite:///{tmp_path_factory.mktemp('rhythm') / 'mirror.db'}", clock=lambda: NOW) as mirror:
        fill(mirror)
        with mirror.batch() as batch:
            batch.write_entries(
                [
                    entry(11, "2026-11-18T09:00", 2, project_id=21, description="Review", billable=True),
                    entry(12, "2026-11-18T10:30", 1, project_id=22, description="Call"),
                    entry(13, "2026-11-21T18:30", 3, project_id=23, description="Saturday"),
                    entry(14, "2025-12-24T07:00", 9, project_id=21, description="Long"),
                ]
            )
        pulse = PagePulse(mirror, heard=NOW)
        with browsing(pulse) as client:
            yield signed_in(client, pulse.api_token)


def one(browser: TestClient, target: str, span: dict[str, str] = RANGE, **payload: Any) -> Any:
    (answer,) = told(browser, span, {"target": target, "payload": payload})
    return answer


def test_three_clicks_from_the_first_page_show_last_week_s_overlaps(browser: TestClient) -> None:
    first = links_of(browser.get("/ui/").text)
    second = links_of(browser.get(urljoin("http://testserver/ui/", first["Rhythm"])).text)

    page = browser.get(urljoin("http://testserver/ui/", second["Last week"])).text

    _, *rows = tables_of(page)[OVERLAPS]
    expected = rows_of(one(browser, "overlaps", {"from": "2026-11-15T23:00:00Z", "to": "2026-11-22T23:00:00Z"}))
    assert 1 == len(expected)
    assert [each["hours"] for each in expected] == [float(row[1]) for row in rows]
    assert "11:30–12:00" in rows[0][0]
    for each, row in zip(expected, rows, strict=True):
        for side, cell in (("first", row[2]), ("second", row[3])):
            assert each[f"{side}_description"] in cell
            assert each[f"{side}_project"] in cell
    assert "calendar?from=2026-11-18&to=2026-11-18" == rows[0][0].link


def test_the_overview_tells_of_overlaps_and_leads_to_them(browser: TestClient) -> None:
    page = browser.get("/ui/?range=last-week").text

    assert "rhythm?range=last-week#overlaps" == links_of(page)["Overlap"]


@pytest.mark.parametrize("filters", ["", "&client=11", "&project=21&billable=true"])
def test_the_numbers_are_the_interface_s(browser: TestClient, filters: str) -> None:
    page = browser.get(f"/ui/rhythm?{MONTH}{filters}").text
    chosen = {name: [value] for name, _, value in (each.partition("=") for each in filters.split("&") if each)}
    metrics = (
        "first_start", "last_stop", "active_days", "days_off", "evening_hours", "weekend_hours", "overlap_hours",
    )  # fmt: skip
    found = {metric: one(browser, metric, interval="range", filters=chosen)["datapoints"][0][0] for metric in metrics}

    for metric, value in found.items():
        unit = "clock" if metric in {"first_start", "last_stop"} else "days" if "days" in metric else "hours"
        assert f'value="{float(value)}" data-unit="{unit}">{shown(value, unit)}<' in page, metric


@pytest.mark.parametrize("query", ["", "&timezone=Asia/Kolkata", "&client=11&attribution=split"])
def test_hours_of_the_week_are_the_interface_s(browser: TestClient, query: str) -> None:
    zone = "Asia/Kolkata" if "Kolkata" in query else "Europe/Berlin"
    filters = {"client": ["11"]} if "client" in query else {}
    days = ZoneInfo(zone)
    span = {
        "from": datetime(2026, 11, 1, tzinfo=days).isoformat(),
        "to": datetime(2026, 12, 1, tzinfo=days).isoformat(),
    }
    answer = one(
        browser, "weekday_hour_hours", span, format="matrix", attribution="split", timezone=zone, filters=filters
    )

    _, *rows = tables_of(browser.get(f"/ui/rhythm?{MONTH}{query}").text)[WEEK]

    assert 7 == len(rows)
    assert [[row[0][:3], *row[1:]] for row in answer["rows"]] == [[row[0], *map(float, row[1:])] for row in rows]


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        (MONTH, date(2025, 12, 1), date(2026, 11, 23)),
        ("range=this-year&client=11", date(2026, 1, 1), date(2026, 12, 31)),
        ("range=last-year", date(2025, 1, 1), date(2025, 12, 31)),
    ],
)
def test_each_day_of_the_year_has_its_hours(browser: TestClient, query: str, first: date, last: date) -> None:
    filters = {"client": ["11"]} if "client" in query else {}
    span = {
        "from": datetime(first.year, first.month, first.day, tzinfo=BERLIN).isoformat(),
        "to": datetime(last.year, last.month, last.day, 23, 59, 59, tzinfo=BERLIN).isoformat(),
    }
    expected = {
        datetime.fromtimestamp(time / 1000, BERLIN).date().isoformat(): value
        for value, time in one(browser, "tracked_hours", span, interval="day", filters=filters)["datapoints"]
    }

    page = browser.get(f"/ui/rhythm?{query}").text

    _, *rows = tables_of(page)[YEAR]
    assert expected == {cell.day: float(cell) for row in rows for cell in row if cell.day}
    assert {first.isoformat(), last.isoformat()} <= expected.keys()
    lines = [*csv.reader(browser.get(f"/ui/data/rhythm/year.csv?{query}").text.splitlines())]
    assert ["day", "Tracked time"] == lines[0]
    assert expected == {day: float(value) for day, value in lines[1:]}


@pytest.mark.parametrize("interval", ["day", "week", "month"])
def test_first_starts_and_last_stops_are_the_interface_s(browser: TestClient, interval: str) -> None:
    figure = browser.get(f"/ui/data/rhythm/day.json?{MONTH}&interval={interval}").json()

    for line, metric in zip(figure["lines"], ("first_start", "last_stop"), strict=True):
        answer = one(browser, metric, interval=interval)
        assert [value for value, _ in answer["datapoints"]] == line["values"]
    assert ("clock", "spans", interval) == (figure["unit"], figure["kind"], figure["step"])


def test_evenings_and_weekends_are_the_interface_s(browser: TestClient) -> None:
    figure = browser.get(f"/ui/data/rhythm/off-hours.json?{MONTH}").json()

    for line, metric in zip(figure["lines"], ("evening_hours", "weekend_hours"), strict=True):
        answer = one(browser, metric, interval="day")
        assert [value for value, _ in answer["datapoints"]] == line["values"]
        assert any(line["values"])


def test_entries_over_midnight_and_the_longest_ones_are_listed(browser: TestClient) -> None:
    tables = tables_of(browser.get(f"/ui/rhythm?{MONTH}").text)

    payloads: dict[str, dict[str, Any]] = {
        "Entries over midnight": {"only": "over_midnight"},
        "Longest entries": {"sort": "duration", "limit": 10},
    }
    for caption, payload in payloads.items():
        expected = [each["hours"] for each in rows_of(one(browser, "entries", **payload))]
        assert expected == [float(row[-1]) for row in tables[caption][1:]]
        assert expected


@pytest.mark.parametrize("query", ["range=today", f"{MONTH}&client=nobody"])
def test_where_there_is_nothing_it_says_so(browser: TestClient, query: str) -> None:
    page = browser.get(f"/ui/rhythm?{query}").text

    assert {*tables_of(page)} <= {YEAR}
    assert 3 == page.count("None: no") + page.count("No entries in this range")
    assert 3 == page.count("Choose a longer range")
    assert ("Choose another range" in page) == ("nobody" in query)
