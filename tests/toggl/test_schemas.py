from datetime import UTC, datetime
from typing import Any

import pytest

from toggl_pulse.model import Client, Profile, Project, Tag, Task, User, Workspace
from toggl_pulse.toggl import Organization, schemas
from toggl_pulse.toggl.fields import Broken


def test_a_profile_is_read_without_its_token() -> None:
    row = {
        "id": 41,
        "api_token": "f00d",
        "email": "kim@example.com",
        "fullname": "Kim",
        "timezone": "Europe/Berlin",
        "beginning_of_week": 0,
        "default_workspace_id": 11,
        "created_at": "2019-05-02T10:20:30.123Z",
        "at": "2026-03-02T12:00:00Z",
    }

    profile = schemas.read_profile(row)

    created = datetime(2019, 5, 2, 10, 20, 30, 123000, tzinfo=UTC)
    assert profile == Profile(41, "kim@example.com", "Kim", "Europe/Berlin", 0, 11, created)


@pytest.mark.parametrize("told", [None, 7, -1])
def test_a_week_without_a_known_first_day_begins_on_monday(told: int | None) -> None:
    assert schemas.read_profile({"id": 41, "beginning_of_week": told}).week_start == 1


def test_a_workspace_is_read() -> None:
    row = {
        "id": 11,
        "organization_id": 5,
        "name": "Studio",
        "default_hourly_rate": 62.5,
        "default_currency": "EUR",
        "premium": True,
        "rounding": -1,
        "rounding_minutes": 15,
        "server_deleted_at": None,
    }

    assert schemas.read_workspace(row) == Workspace(
        11, "Studio", 5, "EUR", 6250, premium=True, rounding=-1, rounding_minutes=15
    )


def test_an_organisation_tells_its_plan_and_its_memory() -> None:
    row = {"id": 5, "name": "Studio", "pricing_plan_name": "Free", "max_data_retention_days": 0}

    assert schemas.read_organization(row) == Organization(5, "Studio", "Free", None)


def test_a_project_is_read_with_its_money_in_cents() -> None:
    row = {
        "id": 21,
        "wid": 11,
        "cid": 61,
        "name": 'Say "hi" | 🌍',
        "active": False,
        "color": "#0B83D9",
        "billable": True,
        "currency": "EUR",
        "rate": 80,
        "fixed_fee": 1200.5,
    }

    assert schemas.read_project(row) == Project(
        21,
        11,
        'Say "hi" | 🌍',
        61,
        active=False,
        color="#0b83d9",
        billable=True,
        currency="EUR",
        rate_cents=8000,
        fixed_fee_cents=120050,
    )


@pytest.mark.parametrize("color", [None, "", "red", 7, "#12345", "#1234567"])
def test_a_strange_colour_costs_only_the_colour(color: Any) -> None:
    assert schemas.read_project({"id": 1, "workspace_id": 2, "name": "x", "color": color}).color is None


@pytest.mark.parametrize("mark", [{"server_deleted_at": "2026-03-01T00:00:00Z"}, {"status": "deleted"}])
def test_a_deleted_project_is_flagged(mark: dict[str, Any]) -> None:
    assert schemas.read_project({"id": 1, "workspace_id": 2, "name": "x", **mark}).deleted


def test_clients_tasks_tags_and_users_are_read() -> None:
    gone = "2026-03-01T00:00:00Z"

    assert schemas.read_client({"id": 61, "wid": 11, "name": "Acme", "archived": True}) == Client(
        61, 11, "Acme", archived=True
    )
    assert schemas.read_task({"id": 51, "wid": 11, "pid": 21, "name": "Draft", "active": False}) == Task(
        51, 11, 21, "Draft", active=False
    )
    assert schemas.read_tag({"id": 31, "workspace_id": 11, "name": "a,b", "deleted_at": gone}) == Tag(
        31, 11, "a,b", deleted=True
    )
    assert schemas.read_user({"id": 41, "fullname": "Kim", "inactive": True}) == User(41, "Kim", active=False)


def test_a_tag_without_a_name_is_broken() -> None:
    with pytest.raises(Broken):
        schemas.read_tag({"id": 31, "workspace_id": 11, "name": None})
