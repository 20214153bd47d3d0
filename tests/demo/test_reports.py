from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from toggl_pulse.demo import World

Ask = Callable[..., httpx2.Response]
Search = Callable[..., httpx2.Response]
HOUR = timedelta(hours=1)


@pytest.fixture
def search(world: World, ask: Ask) -> Search:
    (home,) = world.workspaces

    def search(tail: str = "", **body: Any) -> httpx2.Response:
        return ask(f"/reports/api/v3/workspace/{home}/search/time_entries{tail}", body)

    return search


def ids(answer: httpx2.Response) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [entry["id"] for row in answer.json() for entry in row["time_entries"]]


MONTH = {"start_date": "2026-11-01", "end_date": "2026-11-30", "rounding": 0}


def test_each_row_holds_one_entry_in_the_shape_of_reports(world: World, search: Search, now: datetime) -> None:
    project = world.create_project("P", billable=True, rate=90.0, currency="EUR")
    row = world.create_entry(start=now - HOUR, stop=now, project_id=project.id, tags=["a"], description=None)

    assert [
        {
            "user_id": world.me,
            "username": "Demo User",
            "project_id": project.id,
            "task_id": None,
            "billable": True,
            "description": "",
            "tag_ids": list(row.tag_ids),
            "billable_amount_in_cents": 9000,
            "hourly_rate_in_cents": 9000,
            "currency": "EUR",
            "time_entries": [
                {
                    "id": row.id,
                    "seconds": 3600,
                    "start": "2026-11-23T14:30:00+01:00",
                    "stop": "2026-11-23T15:30:00+01:00",
                    "at": "2026-11-23T14:30:00+00:00",
                    "at_tz": "2026-11-23T15:30:00+01:00",
                }
            ],
            "row_number": 1,
        }
    ] == search(**MONTH, grouped=False).json()


def test_pages_follow_the_headers_to_the_last_one_which_has_none(world: World, search: Search, now: datetime) -> None:
    made = [world.create_entry(start=now - n * HOUR, stop=now) for n in range(120)]
    found: list[int] = []
    body: dict[str, Any] = {}
    while True:
        answer = search(**MONTH, **body)
        found += ids(answer)
        if "x-next-row-number" not in answer.headers:
            break
        body = {"first_row_number": int(answer.headers["x-next-row-number"])}

    assert [row.id for row in made] == found
    assert "50" == answer.headers["x-page-size"]
    assert not {"x-next-id", "x-next-timestamp"} & set(answer.headers)


@pytest.mark.parametrize(("paging", "lost"), [("row_number", 1), ("id", 0)])
def test_rows_shift_between_pages_unless_paging_goes_by_id(
    world: World, search: Search, now: datetime, paging: Any, lost: int
) -> None:
    world.behaviour.reports_paging = paging
    made = [world.create_entry(start=now - n * HOUR, stop=now) for n in range(10)]
    first = search(**MONTH, page_size=5)
    world.delete_entry(made[0].id)

    second = search(
        **MONTH,
        page_size=5,
        first_row_number=int(first.headers["x-next-row-number"]),
        first_id=int(first.headers["x-next-id"]),
        first_timestamp=int(first.headers["x-next-timestamp"]),
    )

    assert lost == len({row.id for row in made} - set(ids(first)) - set(ids(second)))


def test_a_page_has_no_more_rows_than_the_most(world: World, search: Search, now: datetime) -> None:
    world.behaviour.max_page_size = 7
    for _ in range(10):
        world.create_entry(start=now, stop=now)

    answer = search(**MONTH, page_size=1000)

    assert (7, "7", "8") == (len(ids(answer)), answer.headers["x-page-size"], answer.headers["x-next-row-number"])


@pytest.mark.parametrize(("rule", "seconds"), [(0, 900), (1, 1800), (-1, 900)])
def test_rounding_is_on_by_preference_and_off_only_when_said(
    world: World, search: Search, now: datetime, rule: int, seconds: int
) -> None:
    (workspace,) = world.workspaces.values()
    workspace.rounding, workspace.rounding_minutes = rule, 15
    world.create_entry(start=now, stop=now + timedelta(seconds=1000))
    span = {"start_date": "2026-11-23", "end_date": "2026-11-23"}

    assert seconds == search("", **span).json()[0]["time_entries"][0]["seconds"]
    assert seconds == search("/totals", **span).json()["seconds"]
    assert 1000 == search("", **span, rounding=0).json()[0]["time_entries"][0]["seconds"]
    assert 1000 == search("/totals", **span, rounding=0).json()["seconds"]


def test_both_days_are_inclusive_and_local(world: World, search: Search) -> None:
    # Berlin: the 20th begins at 23:00 UTC of the 19th
    before = datetime(2026, 11, 19, 22, 59, 59, tzinfo=UTC)
    first = world.create_entry(start=before + timedelta(seconds=1), stop=before + HOUR)
    last = world.create_entry(start=before + timedelta(days=2), stop=before + timedelta(days=3))
    world.create_entry(start=before, stop=before + HOUR)
    world.create_entry(start=before + timedelta(days=2, seconds=1), stop=before + timedelta(days=3))

    assert [last.id, first.id] == ids(search(start_date="2026-11-20", end_date="2026-11-21"))


def test_days_are_those_of_each_entrys_own_user(world: World, search: Search) -> None:
    other = world.create_user("Colleague", "colleague@example.com", workspace_ids=list(world.workspaces))
    other.timezone = "Pacific/Auckland"
    moment = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
    world.create_entry(start=moment, stop=moment)
    theirs = world.create_entry(start=moment, stop=moment, user_id=other.id)

    assert [theirs.id] == ids(search(start_date="2026-11-20", end_date="2026-11-20"))
    assert [] == ids(search(start_date="2026-11-20", end_date="2026-11-20", user_ids=[world.me]))


def test_the_day_of_another_zone_ends_at_its_own_midnight(world: World, search: Search) -> None:
    other = world.create_user("Colleague", "colleague@example.com", workspace_ids=list(world.workspaces))
    other.timezone = "Pacific/Auckland"
    midnight = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
    world.create_entry(start=midnight, stop=midnight, user_id=other.id)
    last = world.create_entry(start=midnight - timedelta(seconds=1), stop=midnight, user_id=other.id)

    assert [last.id] == ids(search(start_date="2026-11-20", end_date="2026-11-20"))


def test_without_an_end_seven_days_are_shown(search: Search) -> None:
    answer = search(start_date="2026-11-01")

    assert ("2026-11-01", "2026-11-07") == (answer.headers["x-range-start"], answer.headers["x-range-end"])


def test_more_than_366_days_are_refused_cut_or_empty(world: World, search: Search, now: datetime) -> None:
    row = world.create_entry(start=now - timedelta(days=400), stop=now)
    span = {"start_date": "2025-10-01", "end_date": "2026-11-23"}

    refused = search(**span)
    world.behaviour.long_range = "clamp"
    cut = search(**span)
    world.behaviour.long_range = "empty"
    empty = search(**span)

    assert (400, str) == (refused.status_code, type(refused.json()))
    assert ([row.id], "2026-10-01") == (ids(cut), cut.headers["x-range-end"])
    assert [] == ids(empty)
    assert search(start_date="2025-11-23", end_date="2026-11-23").status_code == 200


def test_a_running_entry_is_left_out_unless_the_behaviour_says_otherwise(world: World, search: Search) -> None:
    row = world.start_timer()
    world.clock.advance(60)  # type: ignore[attr-defined]
    assert [] == ids(search(**MONTH))
    assert 0 == search("/totals", **MONTH).json()["seconds"]

    world.behaviour.reports_running = True
    (shown,) = search(**MONTH).json()

    assert (row.id, None, 60) == tuple(shown["time_entries"][0][name] for name in ("id", "stop", "seconds"))
    assert 60 == search("/totals", **MONTH).json()["seconds"]


def test_deleted_entries_are_gone(world: World, search: Search, now: datetime) -> None:
    world.delete_entry(world.create_entry(start=now - HOUR, stop=now).id)

    assert ([], 0) == (ids(search(**MONTH)), search("/totals", **MONTH).json()["seconds"])


def test_a_change_between_two_equal_questions_is_seen(world: World, search: Search, now: datetime) -> None:
    row = world.create_entry(start=now - HOUR, stop=now)
    assert [row.id] == ids(search(**MONTH))

    world.edit_entry(row.id, description="new text")

    assert "new text" == search(**MONTH).json()[0]["description"]


def test_totals_sum_what_the_search_lists(world: World, search: Search, now: datetime) -> None:
    project = world.create_project("P", billable=True, rate=60.0, currency="USD")
    for n in range(30):
        world.create_entry(start=now - n * HOUR, stop=now, project_id=project.id if n % 2 else None)
    rows = search(**MONTH).json()

    totals = search("/totals", **MONTH).json()

    assert sum(row["time_entries"][0]["seconds"] for row in rows) == totals["seconds"]
    assert sum(row["billable_amount_in_cents"] or 0 for row in rows) == totals["billable_amount_in_cents"]
    assert totals["seconds"] == sum(day["seconds"] for day in totals["graph"])
    assert (30, 2) == (len(totals["graph"]), totals["tracked_days"])


def test_filters_take_null_for_without(world: World, search: Search, now: datetime) -> None:
    client = world.create_client("C")
    project = world.create_project("P", client_id=client.id)
    one = world.create_entry(start=now, stop=now + HOUR, project_id=project.id, tags=["a"], description="Alpha")
    two = world.create_entry(start=now - HOUR, stop=now - HOUR, billable=True)

    def found(**body: Any) -> list[int]:
        return ids(search(**MONTH, **body))

    assert [one.id] == found(project_ids=[project.id]) == found(client_ids=[client.id]) == found(description="alp")
    assert [two.id] == found(project_ids=[None]) == found(tag_ids=[None]) == found(billable=True)
    assert [one.id] == found(tag_ids=list(one.tag_ids)) == found(min_duration_seconds=1)
    assert [two.id] == found(max_duration_seconds=0) == found(time_entry_ids=[two.id])


def test_grouped_rows_hold_all_like_entries(world: World, search: Search, now: datetime) -> None:
    for n in range(3):
        world.create_entry(start=now - n * HOUR, stop=now, description="same")
    world.create_entry(start=now, stop=now, description="other")

    rows = search(**MONTH, grouped=True).json()

    assert [1, 3] == sorted(len(row["time_entries"]) for row in rows)


def test_enriched_rows_carry_names_and_hidden_amounts_are_null(world: World, search: Search, now: datetime) -> None:
    client = world.create_client("C")
    project = world.create_project("P", client_id=client.id, billable=True, rate=10.0)
    world.create_entry(start=now, stop=now + HOUR, project_id=project.id, tags=["a"])

    (row,) = search(**MONTH, enrich_response=True, hide_amounts=True).json()

    assert ("C", "P", ["a"], None) == tuple(
        row[name] for name in ("client_name", "project_name", "tag_names", "billable_amount_in_cents")
    )


def test_a_free_plan_may_end_history_with_a_402_that_is_not_the_quota(world: World, search: Search) -> None:
    world.behaviour.free_history_days = 365
    assert search(**MONTH | {"start_date": "2025-11-30"}).status_code == 200

    next(iter(world.organizations.values())).plan = "free"
    refused = search(**MONTH | {"start_date": "2025-11-22", "end_date": "2025-11-23"})

    assert (402, str) == (refused.status_code, type(refused.json()))
    assert int(refused.headers["x-toggl-quota-remaining"]) > 0


@pytest.mark.parametrize(
    "body",
    [
        {"start_date": "soon"},
        {"start_date": 5},
        {"start_date": "2026-11-02", "end_date": "2026-11-01"},
        {"start_date": "2026-11-02", "page_size": 0},
        {"start_date": "2026-11-02", "page_size": "50"},
        {"start_date": "2026-11-02", "order_by": "colour"},
        {"start_date": "2026-11-02", "user_ids": "me"},
        {"start_date": "2026-11-02", "rounding_minutes": 7},
    ],
)
def test_a_wrong_body_is_refused(search: Search, body: dict[str, Any]) -> None:
    assert search(**body).status_code == 400


@pytest.mark.parametrize(("order", "expected"), [("ASC", [2, 1, 0]), ("DESC", [0, 1, 2])])
def test_rows_come_in_the_order_asked(
    world: World, search: Search, now: datetime, order: str, expected: list[int]
) -> None:
    made = [world.create_entry(start=now - n * HOUR, stop=now) for n in range(3)]

    assert [made[n].id for n in expected] == ids(search(**MONTH, order_by="date", order_dir=order))
