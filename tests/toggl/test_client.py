from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import httpx2
import orjson
import pytest

from toggl.scene import NOW, Scene, answer, entry_row, report_row
from toggl_pulse.errors import QuotaSpent, RetryLater
from toggl_pulse.model import Project, Tag, User, Workspace
from toggl_pulse.toggl import PageToken, TogglClient, TooOld

TOLD = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def sent(scene: Scene) -> list[tuple[str, str, dict[str, str]]]:
    return [(request.method, request.url.path, dict(request.url.params)) for request in scene.requests]


def test_me_brings_the_account_in_one_request() -> None:
    data = {
        "id": 41,
        "email": "kim@example.com",
        "fullname": "Kim",
        "timezone": "Europe/Berlin",
        "beginning_of_week": 1,
        "default_workspace_id": 11,
        "api_token": "f00d",
        "workspaces": [{"id": 11, "name": "Studio", "organization_id": 5, "api_token": "f00d"}],
        "clients": None,
        "projects": [{"id": 21, "wid": 11, "name": "Website"}, {"id": 22, "wid": 11, "name": None}],
        "tags": [{"id": 31, "workspace_id": 11, "name": "deep"}],
        "time_entries": [entry_row()],
    }
    scene = Scene(answer(data))

    async def both(client: Any) -> Any:
        return await client.me(), client.bucket_of(11)

    me, bucket = scene.ask(both)

    assert sent(scene) == [("GET", "/api/v9/me", {"with_related_data": "true"})]
    assert (me.profile.timezone, me.server_time, bucket) == ("Europe/Berlin", TOLD, "organization:5")
    assert me.workspaces == (Workspace(11, "Studio", 5),)
    assert (me.projects, me.tags, me.clients, me.tasks) == (
        (Project(21, 11, "Website"),),
        (Tag(31, 11, "deep"),),
        (),
        (),
    )
    assert len(me.entries) == 1
    assert [(row.kind, row.row_id, row.reason) for row in me.set_aside] == [("project", 22, "name is missing")]


def test_me_without_related_data_asks_for_less() -> None:
    scene = Scene(answer({"id": 41}))

    me = scene.ask(lambda client: client.me(related=False))

    assert sent(scene) == [("GET", "/api/v9/me", {})]
    assert (me.profile.id, me.entries) == (41, ())


def test_the_servers_clock_is_its_date_or_the_profiles_stamp_and_only_then_ours() -> None:
    def told(reply: httpx2.Response) -> datetime:
        scene = Scene(reply)
        scene.clock.advance(7200)
        return scene.ask(lambda client: client.me()).server_time

    stamped = {"id": 41, "at": "2026-03-02T11:59:58.5Z"}

    assert told(answer(stamped)) == TOLD
    assert told(httpx2.Response(200, json=stamped)) == datetime(2026, 3, 2, 11, 59, 58, 500_000, UTC)
    assert told(httpx2.Response(200, json={"id": 41})) == NOW + timedelta(hours=2)


@pytest.mark.parametrize("data", [None, [], "hello", {}, {"id": "x"}, {"id": 41, "projects": "none"}])
def test_me_that_cannot_be_understood_is_asked_again_later(data: Any) -> None:
    with pytest.raises(RetryLater) as caught:
        Scene(answer(data)).ask(lambda client: client.me())

    assert caught.value.code == "bad_answer"


def test_changes_are_asked_by_epoch_seconds_with_names() -> None:
    scene = Scene(answer([entry_row(), entry_row(id=2, server_deleted_at="2026-03-01T12:00:00Z")]))

    found = scene.ask(lambda client: client.entries_since(NOW))

    assert sent(scene) == [("GET", "/api/v9/me/time_entries", {"since": str(int(NOW.timestamp())), "meta": "true"})]
    assert [entry.deleted_at is None for entry in found.entries] == [True, False]
    assert (found.server_time, found.truncated) == (TOLD, False)
    assert found.named == (Project(21, 11, "Website", color="#0b83d9", billable=True), User(41, "Kim"))


def test_a_window_is_asked_in_utc_with_seconds() -> None:
    scene = Scene(answer(None))
    berlin = timezone(timedelta(hours=1))
    start, end = datetime(2026, 1, 1, tzinfo=berlin), datetime(2026, 2, 1, tzinfo=berlin)

    found = scene.ask(lambda client: client.entries_between(start, end))

    asked = {"start_date": "2025-12-31T23:00:00Z", "end_date": "2026-01-31T23:00:00Z", "meta": "true"}
    assert sent(scene) == [("GET", "/api/v9/me/time_entries", asked)]
    assert found.entries == ()


def test_a_thousand_rows_mean_that_some_are_missing_broken_ones_counted() -> None:
    rows = [entry_row(id=number) for number in range(1, 1000)]

    assert not Scene(answer(rows)).ask(lambda client: client.entries_since(NOW)).truncated
    assert Scene(answer([*rows, None])).ask(lambda client: client.entries_since(NOW)).truncated


def test_without_a_date_the_servers_clock_is_the_newest_moment_it_showed() -> None:
    def undated(rows: Any) -> httpx2.Response:
        return httpx2.Response(200, json=rows)

    some = Scene(undated([entry_row(), entry_row(at="2026-03-01T08:00:00Z")]))
    none = Scene(undated([]))

    assert some.ask(lambda client: client.entries_since(NOW)).server_time == datetime(
        2026, 3, 1, 10, 30, 5, 123450, UTC
    )
    assert none.ask(lambda client: client.entries_since(NOW)).server_time == NOW


def test_a_question_beyond_the_reach_says_from_when_on_to_ask() -> None:
    scene = Scene(httpx2.Response(400, json="start_date must not be earlier than 2025-12-02"))

    with pytest.raises(TooOld) as caught:
        scene.ask(lambda client: client.entries_between(NOW - timedelta(days=200), NOW))

    assert caught.value.earliest == date(2025, 12, 2)


@pytest.mark.parametrize("reply", [answer(None), httpx2.Response(404), httpx2.Response(404, json="not found")])
def test_no_running_entry_is_none(reply: httpx2.Response) -> None:
    assert Scene(reply).ask(lambda client: client.current()) is None


def test_one_entry_is_asked_by_its_id() -> None:
    scene = Scene(answer(entry_row()))

    entry = scene.ask(lambda client: client.entry(3_730_303_299))

    assert entry is not None
    assert sent(scene) == [("GET", "/api/v9/me/time_entries/3730303299", {})]


@pytest.mark.parametrize("data", [[], "x", {"id": 1}])
def test_one_entry_that_cannot_be_read_is_asked_again_later(data: Any) -> None:
    with pytest.raises(RetryLater):
        Scene(answer(data)).ask(lambda client: client.entry(1))


def test_projects_come_with_archived_ones_from_all_pages() -> None:
    pages = [
        [{"id": n, "wid": 11, "name": f"P{n}", "active": n % 2 == 0} for n in ids] for ids in (range(1, 152), (152,))
    ]
    scene = Scene(*(answer(page, x_page_size="151") for page in pages))

    found = scene.ask(lambda client: client.projects(11))

    assert (len(found.rows), found.complete) == (152, True)
    asked = [{"active": "both", "page": str(page), "per_page": "200"} for page in (1, 2)]
    assert sent(scene) == [("GET", "/api/v9/workspaces/11/projects", params) for params in asked]


def test_a_list_with_a_broken_row_is_not_complete() -> None:
    scene = Scene(answer([{"id": 31, "workspace_id": 11, "name": "deep"}, {"id": 32}]))

    found = scene.ask(lambda client: client.tags(11))

    assert ([tag.id for tag in found.rows], len(found.set_aside), found.complete) == ([31], 1, False)


@pytest.mark.parametrize("data", [{"data": None, "total_count": 0}, {"data": []}, None, []])
def test_a_workspace_without_tasks_has_none(data: Any) -> None:
    assert Scene(answer(data)).ask(lambda client: client.tasks(11)).rows == ()


def test_tasks_come_out_of_their_object() -> None:
    data = {"data": [{"id": 51, "workspace_id": 11, "project_id": 21, "name": "Draft"}], "page": 1, "per_page": 50}

    assert [task.id for task in Scene(answer(data)).ask(lambda client: client.tasks(11)).rows] == [51]


def test_a_list_of_more_pages_than_the_quota_goes_on_where_it_was_interrupted() -> None:
    rows = [{"id": number, "workspace_id": 1, "name": f"tag {number}"} for number in range(1, 501)]
    left = iter((11, 10, 29, 28, 27))

    def reply(request: httpx2.Request) -> httpx2.Response:
        page = int(request.url.params["page"])
        return answer(rows[(page - 1) * 200 : page * 200], remaining=next(left), x_page_size="200")

    scene = Scene(reply)

    async def ask(client: TogglClient) -> list[int]:
        with pytest.raises(QuotaSpent):
            await client.tags(1)
        scene.clock.advance(3600)
        found = await client.tags(1)
        assert found.complete
        return [tag.id for tag in found.rows]

    assert list(range(1, 501)) == scene.ask(ask)
    assert ["1", "2", "3"] == [request.url.params["page"] for request in scene.requests]


def test_tasks_are_asked_page_by_page_as_long_as_their_object_says_so() -> None:
    def page(first: int, count: int) -> Any:
        rows = [{"id": n, "workspace_id": 11, "project_id": 21, "name": "x"} for n in range(first, first + count)]
        return answer({"data": rows, "per_page": 200})

    scene = Scene(page(1, 200), page(201, 199))

    assert (len(scene.ask(lambda client: client.tasks(11)).rows), len(scene.requests)) == (399, 2)


@pytest.mark.parametrize("data", ["hello", 7, {"error": "?"}])
def test_what_is_no_list_is_asked_again_later(data: Any) -> None:
    with pytest.raises(RetryLater):
        Scene(answer(data)).ask(lambda client: client.clients(11))


@pytest.mark.parametrize(
    ("name", "path", "params"),
    [
        ("changed_projects", "/api/v9/me/projects", {"include_archived": "true"}),
        ("changed_clients", "/api/v9/me/clients", {}),
        ("changed_tags", "/api/v9/me/tags", {}),
        ("changed_tasks", "/api/v9/me/tasks", {"include_not_active": "true"}),
    ],
)
def test_changes_of_the_catalogue_are_asked_by_since(name: str, path: str, params: dict[str, str]) -> None:
    scene = Scene(answer([]))

    scene.ask(lambda client: getattr(client, name)(NOW))

    assert sent(scene) == [("GET", path, {**params, "since": str(int(NOW.timestamp()))})]


@pytest.mark.parametrize(
    ("name", "path", "params"),
    [
        ("clients", "/api/v9/workspaces/11/clients", {"status": "both"}),
        ("users", "/api/v9/workspaces/11/users", {}),
    ],
)
def test_lists_in_one_piece_are_asked_whole(name: str, path: str, params: dict[str, str]) -> None:
    scene = Scene(answer([]))

    scene.ask(lambda client: getattr(client, name)(11))

    assert sent(scene) == [("GET", path, params)]


def test_a_report_is_asked_without_rounding_newest_first_for_one_person() -> None:
    scene = Scene(answer([report_row()], x_range_start="2025-03-03", x_range_end="2026-03-02T00:00:00Z"))
    first, last = date(2025, 3, 3), date(2026, 3, 2)

    page = scene.ask(lambda client: client.report_page(11, first, last, user_id=41))

    [request] = scene.requests
    assert (request.method, request.url.path) == ("POST", "/reports/api/v3/workspace/11/search/time_entries")
    assert orjson.loads(request.content) == {
        "start_date": "2025-03-03",
        "end_date": "2026-03-02",
        "user_ids": [41],
        "rounding": 0,
        "grouped": False,
        "page_size": 1000,
        "order_by": "date",
        "order_dir": "DESC",
        "enrich_response": True,
    }
    assert (len(page.entries), len(page.amounts), page.next_page) == (1, 1, None)
    assert (page.range_first, page.range_last, page.server_time) == (first, last, TOLD)


def test_the_next_page_is_asked_with_everything_that_was_given() -> None:
    scene = Scene(
        answer([report_row()], x_next_id="99", x_next_row_number="1001", x_next_timestamp="1772355600"),
        answer([report_row()]),
    )
    day = date(2026, 3, 1)

    async def both(client: Any) -> Any:
        one = await client.report_page(11, day, day, user_id=41)
        return one, await client.report_page(11, day, day, user_id=41, page=one.next_page)

    one, two = scene.ask(both)

    body = orjson.loads(scene.requests[1].content)
    assert one.next_page == PageToken(99, 1001, 1772355600)
    assert (body["first_id"], body["first_row_number"], body["first_timestamp"]) == (99, 1001, 1772355600)
    assert two.next_page is None


def test_pages_that_stand_still_are_left_for_later() -> None:
    scene = Scene(answer([report_row()], x_next_row_number="1001"))
    day = date(2026, 3, 1)

    with pytest.raises(RetryLater):
        scene.ask(lambda client: client.report_page(11, day, day, user_id=41, page=PageToken(None, 1001, None)))


def test_a_broken_report_row_is_set_aside() -> None:
    day = date(2026, 3, 1)

    page = Scene(answer([report_row(), report_row(user_id=None)])).ask(
        lambda client: client.report_page(11, day, day, user_id=41)
    )

    assert (len(page.entries), [row.reason for row in page.set_aside]) == (1, ["user_id is missing"])


@pytest.mark.parametrize(("data", "seconds"), [({"seconds": 3600, "graph": []}, 3600), ({"seconds": None}, 0)])
def test_totals_are_seconds(data: Any, seconds: int) -> None:
    scene = Scene(answer(data))
    day = date(2026, 3, 1)

    assert scene.ask(lambda client: client.report_totals(11, day, day, user_id=41)) == seconds
    assert scene.requests[0].url.path == "/reports/api/v3/workspace/11/search/time_entries/totals"
    assert orjson.loads(scene.requests[0].content)["rounding"] == 0


@pytest.mark.parametrize("data", [None, [], {}, {"seconds": "3600"}])
def test_totals_that_cannot_be_understood_are_no_zero(data: Any) -> None:
    day = date(2026, 3, 1)

    with pytest.raises(RetryLater):
        Scene(answer(data)).ask(lambda client: client.report_totals(11, day, day, user_id=41))


def test_the_quota_is_told_for_every_bucket() -> None:
    rows = [
        {"organization_id": None, "remaining": 25, "resets_in_secs": 1800, "total": 30},
        {"organization_id": 5, "remaining": -1, "resets_in_secs": 60, "total": 240},
        {"organization_id": 6, "remaining": 240, "resets_in_secs": None, "total": 240},
        {"remaining": "?"},
    ]

    buckets = Scene(answer(rows)).ask(lambda client: client.quotas())

    assert [(each.name, each.remaining, each.total) for each in buckets] == [
        ("user", 25, 30),
        ("organization:5", -1, 240),
        ("organization:6", 240, 240),
    ]
