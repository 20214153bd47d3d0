"""The whole way with real processes: a simulated Toggl, `toggl-pulse sync` after each change, answers compared."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import httpx2
import pytest

from e2e.processes import TOKEN, SimulatedToggl, simulated_toggl
from e2e.warm import Nursery
from toggl_pulse.app import create_app
from toggl_pulse.service import Service
from toggl_pulse.settings import load_settings

ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC")
GROUPS = ("none", "workspace", "client", "project", "task", "tag", "user", "billable", "description")
ATTRIBUTIONS = ("start", "split")


@pytest.fixture
def toggl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedToggl]:
    with simulated_toggl(tmp_path_factory.mktemp("toggl")) as simulated:
        plenty = dict.fromkeys(("free", "starter", "premium"), 100_000)
        simulated.post("behaviour", {"user_quota": 100_000, "plan_quota": plenty})
        yield simulated


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def sync(home: Path, toggl: SimulatedToggl, nursery: Nursery) -> Callable[[], None]:
    account = {"TOGGL_API_TOKEN": TOKEN, "TOGGL_API_URL": toggl.url, "DATA_DIR": str(home / "data")}

    def go() -> None:
        done = nursery.run(home, "sync", **account)

        assert 0 == done.code
        assert done.said().startswith("done: ")

    return go


def answers(home: Path, now: datetime, start: datetime, end: datetime, zone: str) -> dict[tuple[str, str], Any]:
    """Every group-by in both attributions, asked of `/query` in one request: {(group, attribution): series}."""
    asked = [(group, attribution) for group in GROUPS for attribution in ATTRIBUTIONS]
    body = {
        "range": {"from": start.isoformat(), "to": end.isoformat()},
        "targets": [
            {
                "target": "tracked_hours",
                "refId": f"T{n}",
                "payload": {"group_by": group, "attribution": attribution, "interval": "day", "timezone": zone},
            }
            for n, (group, attribution) in enumerate(asked)
        ],
    }
    settings = load_settings(data_dir=home / "data")
    service = Service.reading(settings, clock=lambda: now)

    async def ask() -> Any:
        # the app's own lifespan, which would sync by itself, is not run
        transport = httpx2.ASGITransport(app=create_app(service))
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            answer = await client.post("/query", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    try:
        found = asyncio.run(ask())
    finally:
        service.mirror.close()
    return {key: [series for series in found if series["refId"] == f"T{n}"] for n, key in enumerate(asked)}


def as_seconds(steps: dict[str, float]) -> tuple[tuple[int, int], ...]:
    return tuple(sorted((int(at), round(hours * 3600)) for at, hours in steps.items() if round(hours * 3600)))


def assert_equal_to_truth(home: Path, toggl: SimulatedToggl, *, days: int, zones: Iterable[str]) -> None:
    """Compares to the second, whatever the groups are called: labels are tested where they are made."""
    now = datetime.now(UTC).replace(microsecond=0)
    start, end = now - timedelta(days=days), now + timedelta(days=30)
    for zone in zones:
        found = answers(home, now, start, end, zone)
        for (group, attribution), series in found.items():
            truth = toggl.get(
                "truth",
                start=start.isoformat(),
                end=end.isoformat(),
                now=now.isoformat(),
                zone=zone,
                group_by=group,
                attribution=attribution,
            )
            expected = sorted(filter(None, (as_seconds(steps) for steps in truth.values())))
            actual = sorted(
                filter(None, (as_seconds({str(at): value for value, at in one["datapoints"]}) for one in series))
            )

            assert expected, "a truth without hours proves nothing"
            assert expected == actual, (zone, group, attribution)


@pytest.mark.parametrize(
    "zones_a_change", [pytest.param(1, id="a zone a change"), pytest.param(5, id="every zone", marks=pytest.mark.long)]
)
def test_every_change_at_toggl_shows_in_every_answer_after_one_sync(
    home: Path, toggl: SimulatedToggl, sync: Callable[[], None], zones_a_change: int
) -> None:
    zones = cycle(ZONES)
    sync()
    assert_equal_to_truth(home, toggl, days=400, zones=islice(zones, zones_a_change))

    state = toggl.get("state")
    workspace = state["workspaces"][0]["id"]
    project, other = [row["id"] for row in state["projects"] if row["workspace_id"] == workspace and row["active"]][:2]
    tag, doomed = [row["id"] for row in state["tags"] if row["workspace_id"] == workspace][:2]
    client = next(row["id"] for row in state["clients"] if row["workspace_id"] == workspace)
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=20)

    created = toggl.do(
        "create_entry",
        start=start.isoformat(),
        stop=(start + timedelta(hours=9, seconds=7)).isoformat(),
        workspace_id=workspace,
        project_id=project,
        tag_ids=[tag],
        description="created",
    )["id"]
    changes: list[tuple[str, dict[str, Any]]] = [
        ("edit_entry", {"number": created, "description": "edited", "billable": True}),
        ("edit_entry", {"number": created, "tag_ids": [tag, doomed]}),
        ("edit_entry", {"number": created, "start": (start - timedelta(days=3)).isoformat(), "project_id": other}),
        ("rename_project", {"number": other, "name": 'A new name, with | and "quotes"'}),
        ("rename_client", {"number": client, "name": "Another client"}),
        ("rename_tag", {"number": tag, "name": "renamed"}),
        ("delete_tag", {"number": doomed}),
        ("delete_entry", {"number": created}),
        ("revive_entry", {"number": created}),
        ("stop_timer", {}),
        ("start_timer", {"workspace_id": workspace, "project_id": project, "description": "running"}),
        ("delete_project", {"number": project}),
    ]
    sync()
    assert_equal_to_truth(home, toggl, days=60, zones=islice(zones, zones_a_change))
    for operation, arguments in changes:
        toggl.do(operation, **arguments)
        sync()
        assert_equal_to_truth(home, toggl, days=60, zones=islice(zones, zones_a_change))
    assert_equal_to_truth(home, toggl, days=400, zones=islice(zones, zones_a_change))
