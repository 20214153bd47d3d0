"""Projects & clients: numbers on the page are the interface's, tables add up, rows lead to their entries."""

from __future__ import annotations

import csv
import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin

import pytest
from starlette.testclient import TestClient

from api.scene import NOW
from toggl_pulse.mirror import Mirror
from toggl_pulse.web.views import projects
from toggl_pulse.web.words import shown
from web.reading import links_of, tables_of
from web.scene import PagePulse, browsing, rows_of, signed_in, told

SPAN = "from=2026-11-01&to=2026-11-05"
RANGE = {"from": "2026-10-31T23:00:00Z", "to": "2026-11-05T23:00:00Z"}
CLIENTS = "Clients"
FILTERS = ["", "&billable=true&project=21"]


def ask(target: str, **payload: Any) -> dict[str, Any]:
    return {"target": target, "payload": payload}


def test_three_clicks_from_the_first_page_show_this_month_s_billable_hours_of_each_client(browser: TestClient) -> None:
    first = links_of(browser.get("/ui/").text)
    second = links_of(browser.get(urljoin("http://testserver/ui/", first["Projects & clients"])).text)

    page = browser.get(urljoin("http://testserver/ui/", second["This month"])).text

    head, *rows = tables_of(page)[CLIENTS]
    column = [*map(str, head)].index("Billable")
    month = {"from": "2026-10-31T23:00:00Z", "to": "2026-11-30T23:00:00Z"}
    answer = told(browser, month, ask("billable_hours", group_by="client", interval="range"))
    expected = {each["target"]: each["datapoints"][0][0] for each in answer}
    assert expected == {row[0]: float(row[column]) for row in rows[:-1] if row[column] != "0.0"}
    assert 2.0 == expected["Acme"] == float(rows[-1][column])


@pytest.mark.parametrize(
    ("dimension", "attribution"),
    [("client", "start"), ("client", "split"), ("tag", "start"), ("user", "split"), ("description", "start")],
)
def test_tables_of_groups_hold_the_interface_s_numbers(browser: TestClient, dimension: str, attribution: str) -> None:
    page = browser.get(f"/ui/projects?{SPAN}&group={dimension}&attribution={attribution}").text
    payload = {"group_by": dimension, "interval": "range", "attribution": attribution}
    expected = {
        metric: {each["target"]: each["datapoints"][0][0] for each in told(browser, RANGE, ask(metric, **payload))}
        for metric in ("tracked_hours", "billable_hours", "billable_share", "entry_count")
    }

    _, *rows = tables_of(page)[projects.TITLES[dimension]]

    shown_rows = [row for row in rows if row[0] in {*map(_in_a_line, expected["tracked_hours"])}]
    assert len(expected["tracked_hours"]) == len(shown_rows)
    for label, hours in expected["tracked_hours"].items():
        row = next(row for row in shown_rows if row[0] == _in_a_line(label))
        share = expected["billable_share"].get(label)
        assert [hours, expected["billable_hours"].get(label, 0)] == [float(row[1]), float(row[2])]
        assert ("" if share is None else str(share)) == row[3]
        assert hours / 4.75 == float(row[4])
        assert expected["entry_count"].get(label, 0) == float(row[5])


def _in_a_line(label: str) -> str:
    return " ".join(label.split())


@pytest.mark.parametrize("filters", FILTERS)
def test_the_table_of_projects_is_the_interface_s(browser: TestClient, filters: str) -> None:
    page = browser.get(f"/ui/projects?{SPAN}{filters}").text
    chosen = {name: [value] for name, _, value in (each.partition("=") for each in filters.split("&") if each)}
    (answer,) = told(browser, RANGE, ask("project_overview", filters=chosen))
    expected = rows_of(answer)

    _, *rows = tables_of(page)["Projects with time in the range"]

    assert expected
    assert [(float(each["hours"]), each["share"], each["billable_share"], each["entries"]) for each in expected] == [
        (float(row[1]), float(row[4]), float(row[3]), float(row[5])) for row in rows[:-1]
    ]
    assert all(each["project"] in row[0] for each, row in zip(expected, rows[:-1], strict=True))
    assert float(rows[-1][1]) == pytest.approx(sum(each["hours"] for each in expected))


@pytest.mark.parametrize(
    ("group", "filters"), [("project", ""), ("client", "&tag=deep"), ("tag", "&client=12"), ("none", "&client=11")]
)
def test_every_row_leads_to_the_entries_that_it_counts(browser: TestClient, group: str, filters: str) -> None:
    page = browser.get(f"/ui/projects?{SPAN}&group={group}{filters}").text
    followed = 0

    for rows in tables_of(page).values():
        for row in rows:
            if row[0].link.startswith("entries?") and len(row) > 1 and row[1]:
                entries = browser.get(f"/ui/{row[0].link}").text
                amount = re.search('<data class="amount " value="([0-9.]+)" data-unit="hours">', entries)
                assert amount is not None
                wanted = row[-1] if ":" in row[-1] else row[1]  # the matrix says its totals as texts
                assert wanted in {amount[1], shown(float(amount[1]), "hours")}, (row, row[0].link)
                followed += 1

    assert followed >= 2


@pytest.mark.parametrize(
    ("group", "interval", "attribution"),
    [
        ("project", "day", "start"),
        ("client", "hour", "split"),
        ("none", "week", "start"),
        ("description", "month", "start"),
        ("tag", "day", "split"),
    ],
)
def test_the_matrix_holds_the_interface_s_numbers_and_its_totals(
    browser: TestClient, group: str, interval: str, attribution: str
) -> None:
    query = f"from=2026-11-02&to=2026-11-04&group={group}&interval={interval}&attribution={attribution}"
    page = browser.get(f"/ui/projects?{query}").text
    target = {"group_by": group, "attribution": attribution, "interval": interval}
    span = {"from": "2026-11-01T23:00:00Z", "to": "2026-11-04T23:00:00Z"}
    targets = [ask("tracked_hours", **each) for each in (target, {**target, "group_by": "none"})]
    answers = told(browser, span, *targets)
    series = [[value for value, _ in each["datapoints"]] for each in answers]

    name = group if group != "none" else "step"
    head, *rows, totals = tables_of(page)[f"Hours of each {name} by {interval}"]

    def words(values: list[float]) -> list[str]:
        return [shown(value, "hours") if value else "" for value in values]

    assert len(series[0]) + 2 == len(head)
    assert [[*words(each), shown(sum(each), "hours")] for each in series[:-1]] == [row[1:] for row in rows]
    assert [*words(series[-1]), shown(sum(series[-1]), "hours")] == totals[1:]


def test_a_column_of_the_matrix_leads_to_its_days(browser: TestClient) -> None:
    page = browser.get("/ui/projects?from=2026-10-28&to=2026-11-05&interval=week&client=11").text

    head = tables_of(page)["Hours of each project by week"][0]

    assert [
        {"interval=week", "client=11", "from=2026-10-28", "to=2026-11-01"},
        {"interval=week", "client=11", "from=2026-11-02", "to=2026-11-05"},
    ] == [{*each.link.removeprefix("entries?").split("&")} for each in head[1:-1]]


def test_more_columns_than_can_be_looked_at_are_left_to_the_csv(browser: TestClient) -> None:
    page = browser.get("/ui/projects?from=2026-11-01&to=2026-11-30&interval=hour").text

    assert "720 columns are too many" in page
    assert not [caption for caption in tables_of(page) if caption.startswith("Hours of each")]
    assert 721 == len(
        browser.get("/ui/data/projects/matrix.csv?from=2026-11-01&to=2026-11-30&interval=hour").text.splitlines()
    )


@pytest.mark.parametrize("group", ["project", "billable"])
def test_shares_of_the_mix_are_those_of_each_step_s_hours(browser: TestClient, group: str) -> None:
    hours = browser.get(f"/ui/data/projects/mix.json?{SPAN}&group={group}").json()
    shares = browser.get(f"/ui/data/projects/mix.json?{SPAN}&group={group}&mix=share").json()

    assert ("hours", "share") == (hours["unit"], shares["unit"])
    for step in range(len(hours["x"])):
        whole = sum(line["values"][step] for line in hours["lines"])
        wanted = [line["values"][step] / whole if whole else None for line in hours["lines"]]
        assert wanted == [pytest.approx(line["values"][step]) for line in shares["lines"]]


def test_how_the_mix_is_shown_stays_when_anything_else_is_chosen(browser: TestClient) -> None:
    page = browser.get(f"/ui/projects?{SPAN}&client=11&mix=share").text
    links = links_of(page)
    (spec,) = re.findall(r'class="spec">(.*?)</script>', page, re.DOTALL)

    assert "mix=share" in links["This month"]
    assert '<input type="hidden" name="mix" value="share">' in page
    assert "mix" not in links["Hours"]
    assert "client=11" in links["Hours"]
    assert "mix=share" in json.loads(spec)["csv"]


def test_each_table_s_csv_has_its_numbers(browser: TestClient) -> None:
    query = f"{SPAN}&group=user"
    captions = {"client": "Clients", "tag": "Tags", "group": "People", "projects": "Projects with time in the range"}
    tables = tables_of(browser.get(f"/ui/projects?{query}").text)

    for name, caption in captions.items():
        head, *lines = csv.reader(browser.get(f"/ui/data/projects/{name}.csv?{query}").text.splitlines())
        assert ["name", "hours"] == head[:2]
        assert [float(row[1]) for row in tables[caption][1:] if row[0] != "All"] == [float(line[1]) for line in lines]


def test_long_tables_say_what_they_leave_to_the_csv(browser: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projects, "MOST_ROWS", 1)
    page = browser.get(f"/ui/projects?{SPAN}").text

    assert "And 2 more, in the CSV." in page
    assert "And 3 more, in the CSV." in page
    assert 3 == len(tables_of(page)[CLIENTS])


def test_projects_that_lie_dormant_are_told_with_their_last_day(page_mirror: Mirror) -> None:
    pulse = PagePulse(page_mirror, now=NOW + timedelta(days=60))
    with browsing(pulse) as client:
        signed_in(client, pulse.api_token)
        page = client.get("/ui/projects").text
        (answer,) = told(client, RANGE, ask("dormant_projects"))
        dormant = rows_of(answer)
        (part,) = re.findall('<ul class="dormant">(.*?)</ul>', page, re.DOTALL)

        assert 3 == len(dormant)
        for row in dormant:
            assert f"{row['days_since']} days ago" in part
            link = links_of(page)[row["project"]]
            assert {"range=all", f"project={row['project_id']}"} <= {*link.partition("?")[2].split("&")}


@pytest.mark.parametrize("query", ["from=2026-01-01&to=2026-01-05", f"{SPAN}&client=nobody"])
def test_where_there_is_nothing_it_says_what_to_do(page_mirror: Mirror, query: str) -> None:
    pulse = PagePulse(page_mirror, heard=NOW)
    with browsing(pulse) as client:
        page = signed_in(client, pulse.api_token).get(f"/ui/projects?{query}").text

    assert 5 == page.count("Choose a longer range")
    assert ("take a filter out" in page) == ("client" in query)
    assert {} == tables_of(page)
