"""What the panels show is what the slow reference says of the same entries, whatever is chosen."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import httpx2
import pytest

from boards.answers import Frame, by_step, custom, frames, shown
from boards.conftest import BOARDS
from boards.grafana import Grafana, Json, Value, asking, iso, milliseconds
from boards.test_requests import settings
from metrics import reference, reference_tables
from metrics.reference import Question
from metrics.sources import Row
from toggl_pulse.metrics import METRICS
from toggl_pulse.model import NO_ID, Catalogue, Client, Project, Tag, Task, User, Workspace

Told = tuple[list[Row], Catalogue]


@pytest.fixture(scope="session")
def told(service: httpx2.Client) -> Told:
    """The demo's entries and names as the export tells them."""
    entries: list[Json] = service.get("/entries.json").json()
    catalogue = Catalogue(
        workspaces={e["workspace_id"]: Workspace(e["workspace_id"], e["workspace"]) for e in entries},
        clients={
            e["client_id"]: Client(e["client_id"], e["workspace_id"], e["client"]) for e in entries if e["client_id"]
        },
        projects={
            e["project_id"]: Project(e["project_id"], e["workspace_id"], e["project"], e["client_id"])
            for e in entries
            if e["project_id"]
        },
        tasks={
            e["task_id"]: Task(e["task_id"], e["workspace_id"], e["project_id"], e["task"])
            for e in entries
            if e["task_id"]
        },
        tags={
            number: Tag(number, e["workspace_id"], name)
            for e in entries
            for number, name in zip(e["tag_ids"], e["tags"], strict=True)
        },
        users={e["user_id"]: User(e["user_id"], e["user"]) for e in entries},
    )
    return [row_of(each) for each in entries], catalogue


def row_of(entry: Json) -> Row:
    start, stop = (entry[side] and round(datetime.fromisoformat(entry[side]).timestamp()) for side in ("start", "stop"))
    return Row(
        entry["id"],
        start,
        stop,
        entry["seconds"],
        entry["workspace_id"],
        entry["project_id"] or NO_ID,
        entry["task_id"] or NO_ID,
        entry["user_id"],
        entry["billable"],
        tuple(entry["tag_ids"]),
        entry["description"],
    )


def question_of(target: Json, request: Json, interval: str) -> Question:
    """What was really sent, in the reference's words."""
    payload = target["payload"]
    filters = [*payload.get("filters", {}).items(), *((key, payload[key]) for key in ("billable",) if key in payload)]
    start, end = (datetime.fromisoformat(request["range"][side]) for side in ("from", "to"))
    return Question(
        metric=target["target"],
        start_ms=milliseconds(start),
        end_ms=milliseconds(end),
        zone=ZoneInfo("UTC" if payload["timezone"] == "utc" else payload["timezone"]),
        interval=interval,
        group_by=payload.get("group_by", "none"),
        attribution=payload.get("attribution", "start"),
        limit=payload.get("limit"),
        conditions=tuple((dimension, "one_of", tuple(values)) for dimension, values in filters if values is not None),
    )


SLOW = {"first_start", "last_stop"}
"""The reference looks at every minute for these: a week will do."""


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_every_series_is_what_the_reference_says(
    board: Json, ask: Callable[..., Any], now: datetime, options: dict[str, list[str]], told: Told
) -> None:
    """Of a range that is over: what runs changes from one question to the next."""
    seen = 0
    for chosen in settings(options):
        grafana = Grafana(board, now - timedelta(days=3), chosen=chosen, options=options)
        for panel in asking(board):
            request = grafana.query(panel)
            for target in request["targets"]:
                metric = METRICS.get(target["target"])
                if metric is None or metric.shape != "series":
                    continue
                asked = {**request, "targets": [target]}
                if target["target"] in SLOW:
                    asked["range"] = {**request["range"], "from": iso(grafana.now - timedelta(days=8))}
                answer = ask("/query", asked)
                if not answer:
                    continue
                question = replace(
                    question_of(target, asked, custom(answer)["interval"]), horizon=round(now.timestamp())
                )
                expected = reference.answer(question, *told)
                assert in_order(tuple(each.items()) for each in expected.values()) == in_order(
                    map(by_step, values_of(answer))
                ), (panel["title"], chosen)
                seen += 1

    assert seen > 10 or board["title"] == "Sync health"


def values_of(answer: list[Json]) -> list[dict[str, list[Any]]]:
    """A table's rows as a series a group; the group's own column is left out."""
    (first, *_) = answer
    if "columns" not in first:
        return frames(answer)
    group = next((column["text"] for column in first["columns"] if column["type"] == "string"), None)
    (frame,) = frames(answer)
    value = list(frame)[-1]
    if group is None:
        return [frame]
    return [
        {
            "time": [at for at, name in zip(frame["time"], frame[group], strict=True) if name == each],
            "value": [number for number, name in zip(frame[value], frame[group], strict=True) if name == each],
        }
        for each in dict.fromkeys(frame[group])
    ]


def in_order(series: Iterable[tuple[tuple[int, float | None], ...]]) -> list[list[tuple[int, float | None]]]:
    """Without names: labels are tested where they are made. Rounded far below a second."""
    rounded = [[(at, value if value is None else round(value, 7)) for at, value in each] for each in series]
    return sorted(rounded, key=repr)


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_tables_are_what_the_reference_says(
    board: Json, ask: Callable[..., Any], now: datetime, options: dict[str, list[str]], told: Told
) -> None:
    checks: dict[str, Callable[[Question, Json, Frame, Told], None]] = {
        "entries": check_entries,
        "project_overview": check_projects,
        "weekday_hour_hours": check_week,
        "period_change": check_changes,
    }
    seen = 0
    for chosen in settings(options):
        grafana = Grafana(board, now - timedelta(days=3), chosen=chosen, options=options)
        for panel in asking(board):
            request = grafana.query(panel)
            for target in request["targets"]:
                if target["target"] in checks:
                    question = replace(question_of(target, request, "range"), horizon=round(now.timestamp()))
                    (frame,) = frames(ask("/query", request))
                    checks[target["target"]](question, target["payload"], frame, told)
                    seen += 1

    assert seen >= len(list(settings(options))) or board["title"] == "Sync health"


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_a_rounded_range_which_ends_a_millisecond_early_is_the_whole_month(
    board: Json, ask: Callable[..., Any], now: datetime, options: dict[str, list[str]]
) -> None:
    """Grafana's “Last month” ends at 23:59:59.999; every panel says of it what it says up to midnight."""
    zone = ZoneInfo(Grafana(board, now).zone)
    end = now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    start = (end - timedelta(days=1)).replace(day=1)
    grafana = Grafana(board, end - timedelta(milliseconds=1), options=options, start=start)

    for panel in asking(board):
        request = grafana.query(panel)
        exact = {**request, "range": {**request["range"], "to": iso(end)}}
        for target in request["targets"]:
            if target["target"] in METRICS:
                told, whole = (frames(ask("/query", {**each, "targets": [target]})) for each in (request, exact))
                assert len(whole) == len(told)
                for one, other in zip(whole, told, strict=True):
                    assert one == {
                        name: pytest.approx(values, rel=1e-6) if number_like(values) else values
                        for name, values in other.items()
                    }, panel["title"]


def number_like(values: list[Any]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def check_entries(question: Question, payload: Json, frame: Frame, told: Told) -> None:
    expected = reference_tables.entries(question, payload.get("sort", "start"), payload.get("only", "all"), *told)

    assert [str(row.id) for row in expected] == frame["Id"]
    assert [row.duration / 3600 for row in expected] == pytest.approx(frame["Hours"])


def check_projects(question: Question, payload: Json, frame: Frame, told: Told) -> None:
    """But for when a project was last worked on, which goes on with what runs."""
    expected = reference_tables.overview(question, *told)
    names = ("Hours", "Share", "Billable share", "Entries", "Hours before", "Change")
    found = zip(*(frame[name] for name in names), strict=True)
    ids = [int(each) if each else NO_ID for each in frame["Project id"]]

    assert {project: close(row[: len(names)]) for project, row in expected.items()} == {
        project: close(row) for project, row in zip(ids, found, strict=True)
    }


def check_week(question: Question, payload: Json, frame: Frame, told: Told) -> None:
    (slots,) = reference.heat_map(question, *told).values()

    assert "matrix" == payload["format"]
    assert slots == pytest.approx(
        {
            (day, hour): hours
            for hour in range(24)
            for day, hours in zip(frame["weekday"], frame[f"{hour:02}:00"], strict=True)
            if hours
        }
    )


def check_changes(question: Question, payload: Json, frame: Frame, told: Told) -> None:
    """Within a minute: what runs has gone on since the entries were read."""
    expected = reference_tables.changes(question, tuple(payload["periods"]), *told)

    assert [row[1:3] for row in expected] == [
        pytest.approx(pair, abs=1 / 60) for pair in zip(frame["hours"], frame["hours_before"], strict=True)
    ]


def close(row: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(value if value is None else round(value, 7) for value in row)


def test_the_share_of_a_client_is_its_billable_share(
    ask: Callable[..., Any], now: datetime, options: dict[str, list[str]]
) -> None:
    """Divided by Grafana there, by the service here."""
    grafana = Grafana(BOARDS["billing"], now - timedelta(days=3), options=options)
    panel = next(each for each in asking(BOARDS["billing"]) if each["title"] == "Clients")
    request = grafana.query(panel)
    (table,) = shown(panel, ask("/query", request))
    asked = {**request["targets"][0], "target": "billable_share"}
    (shares,) = frames(ask("/query", {**request, "targets": [asked]}))

    expected = dict(zip(shares["client"], shares["billable_share"], strict=True))
    assert expected
    assert expected == pytest.approx(
        {client: value or 0.0 for client, value in zip(table["client"], table["share"], strict=True)}
    )


def test_the_csv_holds_the_entries_of_the_table_beside_it(
    service: httpx2.Client, ask: Callable[..., Any], now: datetime, options: dict[str, list[str]]
) -> None:
    """The address leads through Grafana's proxy of the data source, which adds the token."""
    board = BOARDS["billing"]
    panel = next(each for each in asking(board) if each["title"] == "To invoice")
    found = 0
    strange: dict[str, Value] = {"project": ['nobody\'s "project" & more'], "client": options["client"][:2]}
    for chosen in (*settings(options), strange):
        grafana = Grafana(board, now - timedelta(days=3), chosen=chosen, options=options)
        (frame,) = frames(ask("/query", grafana.query(panel)))
        (url,) = {link["url"] for link in (*panel["links"], board["links"][1])}
        address = grafana.link(url)
        proxy = "/api/datasources/proxy/uid/toggl-pulse"
        assert address.startswith(f"{proxy}/entries.csv?")
        answer = service.get(address.removeprefix(proxy))
        assert answer.status_code == 200, answer.text
        rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
        assert list(reversed(frame["Id"])) == [row["id"] for row in rows]
        found += len(rows)

    assert found > 100


def test_a_click_on_a_project_leads_to_its_hours(
    ask: Callable[..., Any], now: datetime, options: dict[str, list[str]]
) -> None:
    board, there = BOARDS["billing"], BOARDS["projects"]
    panel = next(each for each in asking(board) if each["title"] == "To invoice")
    grafana = Grafana(board, now - timedelta(days=3), options=options)
    (frame,) = frames(ask("/query", grafana.query(panel)))
    url = next(
        link["url"]
        for override in panel["fieldConfig"]["overrides"]
        if override["matcher"]["options"] == "project"
        for property_ in override["properties"]
        if property_["id"] == "links"
        for link in property_["value"]
    )
    for project in set(frame["Project"]):
        address = grafana.link(url, {"__data.fields.project": project})
        given = [(key, value) for key, value in parse_qsl(address.partition("?")[2]) if key == "var-project"]
        assert [("var-project", project)] == given
        opened = Grafana(there, grafana.now, chosen={"project": [project], "billable": ["true"]}, options=options)
        opened.start = grafana.range[0]
        total = next(each for each in asking(there) if each["title"] == "Tracked")
        ((hours,),) = [each[list(each)[-1]] for each in frames(ask("/query", opened.query(total)))]
        assert pytest.approx(hours) == sum(
            length for name, length in zip(frame["Project"], frame["Hours"], strict=True) if name == project
        )


@pytest.mark.parametrize(
    ("days", "interval"), [(2, "day"), (31, "day"), (61, "day"), (90, "week"), (300, "week"), (900, "month")]
)
def test_steps_follow_the_length_of_the_range(
    days: int, interval: str, ask: Callable[..., Any], now: datetime, options: dict[str, list[str]]
) -> None:
    """On a telephone as on a wide screen."""
    board = BOARDS["overview"]
    panel = next(each for each in asking(board) if each["title"] == "Hours by project")
    for width in (360, 2560):
        grafana = Grafana(board, now, width=width, options=options, start=now - timedelta(days=days))
        assert interval == custom(ask("/query", grafana.query(panel)))["interval"]
