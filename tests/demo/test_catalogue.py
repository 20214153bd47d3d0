from collections.abc import Callable
from datetime import datetime, timedelta

import httpx2

from toggl_pulse.demo import World

Ask = Callable[..., httpx2.Response]


def home(world: World) -> int:
    (number,) = world.workspaces
    return number


def test_me_repeats_the_token_and_tells_the_servers_clock(world: World, ask: Ask, now: datetime) -> None:
    shown = ask("/me").json()

    assert (world.token, now) == (shown["api_token"], datetime.fromisoformat(shown["at"]))
    assert "projects" not in shown


def test_lists_without_content_are_null_in_related_data(ask: Ask) -> None:
    shown = ask("/me", with_related_data="true").json()

    assert [None] * 5 == [shown[name] for name in ("clients", "projects", "tags", "tasks", "time_entries")]
    assert 1 == len(shown["workspaces"])


def test_related_data_have_archived_projects_and_ten_local_days_of_entries(
    world: World, ask: Ask, now: datetime
) -> None:
    project = world.create_project("Old")
    world.archive_project(project.id)
    midnight = datetime.fromisoformat("2026-11-13T00:00:00+01:00")
    inside = world.create_entry(start=midnight, stop=now)
    world.create_entry(start=midnight - timedelta(seconds=1), stop=now)
    running = world.start_timer()

    shown = ask("/me", with_related_data="true").json()

    assert [(project.id, False, "archived")] == [(p["id"], p["active"], p["status"]) for p in shown["projects"]]
    assert [running.id, inside.id] == [row["id"] for row in shown["time_entries"]]


def test_archived_projects_are_shown_only_on_request(world: World, ask: Ask) -> None:
    world.archive_project(world.create_project("Old").id)

    assert [] == ask("/me/projects").json()
    assert 1 == len(ask("/me/projects", include_archived="true").json())
    assert [] == ask(f"/workspaces/{home(world)}/projects").json()
    assert 1 == len(ask(f"/workspaces/{home(world)}/projects", active="both").json())
    assert 1 == len(ask(f"/workspaces/{home(world)}/projects", active="false").json())


def test_projects_of_a_workspace_come_in_pages_of_151_at_most_200(world: World, ask: Ask) -> None:
    made = {world.create_project(f"P{n}").id for n in range(420)}
    path = f"/workspaces/{home(world)}/projects"

    first = ask(path)
    pages = [ask(path, per_page=500, page=page).json() for page in (1, 2, 3, 4)]

    assert (151, "1", "151") == (len(first.json()), first.headers["x-page"], first.headers["x-page-size"])
    assert [200, 200, 20, 0] == [len(page) for page in pages]
    assert made == {row["id"] for page in pages for row in page}


def test_deleted_rows_show_with_since_only(world: World, ask: Ask, now: datetime) -> None:
    tag, client, project = world.create_tag("t"), world.create_client("c"), world.create_project("p")
    task = world.create_task("k", project_id=project.id)
    world.clock.advance(100)  # type: ignore[attr-defined]
    world.delete_tag(tag.id)
    world.delete_client(client.id)
    world.delete_task(task.id)
    world.delete_project(project.id)
    since = int(now.timestamp()) + 100

    assert ["null", "null", "[]", "null"] == [
        ask(f"/me/{name}").text for name in ("tags", "clients", "projects", "tasks")
    ]
    assert [tag.id] == [row["id"] for row in ask("/me/tags", since=since).json() if row["deleted_at"]]
    assert [client.id] == [row["id"] for row in ask("/me/clients", since=since).json() if row["server_deleted_at"]]
    assert ["deleted"] == [row["status"] for row in ask("/me/projects", since=since).json()]
    assert [task.id] == [row["id"] for row in ask("/me/tasks", since=since).json() if row["server_deleted_at"]]


def test_clients_of_a_workspace_are_the_active_ones_unless_asked(world: World, ask: Ask) -> None:
    one, two = world.create_client("one"), world.create_client("two")
    world.archive_client(two.id)
    path = f"/workspaces/{home(world)}/clients"

    assert [one.id] == [row["id"] for row in ask(path).json()]
    assert [two.id] == [row["id"] for row in ask(path, status="archived").json()]
    assert [one.id, two.id] == [row["id"] for row in ask(path, status="both").json()]


def test_tasks_of_a_workspace_are_an_object_whose_data_may_be_null(world: World, ask: Ask, now: datetime) -> None:
    path = f"/workspaces/{home(world)}/tasks"
    empty = ask(path).json()
    project = world.create_project("P")
    task = world.create_task("T", project_id=project.id)
    world.create_entry(start=now - timedelta(hours=1), stop=now, project_id=project.id, task_id=task.id)
    full = ask(path).json()

    assert (0, None, 50) == (empty["total_count"], empty["data"], empty["per_page"])
    assert (1, 3_600_000) == (full["total_count"], full["data"][0]["tracked_seconds"])


def test_tasks_come_in_pages_and_finished_ones_on_request(world: World, ask: Ask) -> None:
    project = world.create_project("P")
    tasks = [world.create_task(f"T{n}", project_id=project.id) for n in range(60)]
    world.finish_task(tasks[0].id)
    path = f"/workspaces/{home(world)}/tasks"

    assert (59, 50) == (ask(path).json()["total_count"], len(ask(path).json()["data"]))
    assert 10 == len(ask(path, page=2, active="both").json()["data"])
    assert 59 == len(ask("/me/tasks").json())
    assert 60 == len(ask("/me/tasks", include_not_active="true").json())


def test_a_foreign_workspace_is_forbidden(ask: Ask) -> None:
    assert ask("/workspaces/1/projects").status_code == 403
    assert ask("/reports/api/v3/workspace/1/search/time_entries", {}).status_code == 403


def test_a_workspace_one_has_left_is_forbidden_too(world: World, ask: Ask) -> None:
    left = world.create_workspace("left")
    world.profile.workspace_ids.remove(left.id)

    assert ask(f"/workspaces/{left.id}/projects").status_code == 403
    assert left.id not in {row["id"] for row in ask("/me/workspaces").json()}


def test_rates_and_money_belong_to_paid_plans(world: World, ask: Ask) -> None:
    project = world.create_project("P", billable=True, rate=80.0, currency="EUR")
    path = f"/workspaces/{home(world)}/rates/project/{project.id}"
    paid = (ask(path).json()[0]["amount"], ask("/me/projects").json()[0]["rate"])

    (organization,) = world.organizations.values()
    organization.plan = "free"
    refused = ask(path)

    assert (80.0, 80.0) == paid
    assert (402, str) == (refused.status_code, type(refused.json()))
    assert "hourly limit" not in refused.text
    assert None is ask("/me/projects").json()[0]["rate"]


def test_members_are_listed_three_ways(world: World, ask: Ask) -> None:
    other = world.create_user("Colleague", "colleague@example.com", workspace_ids=[home(world)])
    (organization,) = world.organizations

    assert {world.me, other.id} == {row["id"] for row in ask(f"/workspaces/{home(world)}/users").json()}
    assert {world.me, other.id} == {row["uid"] for row in ask(f"/workspaces/{home(world)}/workspace_users").json()}
    assert {world.me, other.id} == {row["id"] for row in ask(f"/organizations/{organization}/users").json()}


def test_workspaces_and_organizations_tell_plan_and_depth(world: World, ask: Ask) -> None:
    (organization,) = world.organizations.values()
    organization.max_data_retention_days = 365

    assert ("Starter", 365) == tuple(
        ask("/me/organizations").json()[0][name] for name in ("pricing_plan_name", "max_data_retention_days")
    )
    assert (True, False) == tuple(ask("/me/workspaces").json()[0][name] for name in ("premium", "business_ws"))


def test_paginated_projects_go_by_id(world: World, ask: Ask) -> None:
    made = [world.create_project(f"P{n}").id for n in range(5)]

    first = ask("/me/projects/paginated", per_page=3).json()
    second = ask("/me/projects/paginated", per_page=3, start_project_id=first[-1]["id"] + 1).json()

    assert made == [row["id"] for row in first + second]


def test_tags_of_a_workspace_are_null_when_there_is_none_and_paged(world: World, ask: Ask) -> None:
    path = f"/workspaces/{home(world)}/tags"
    empty = ask(path).text
    for n in range(5):
        world.create_tag(f"t{n}")

    assert "null" == empty
    assert [3, 2] == [len(ask(path, per_page=3, page=page).json()) for page in (1, 2)]
