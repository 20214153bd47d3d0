from collections.abc import Callable
from datetime import datetime

import httpx2
import pytest

from toggl_pulse.demo import World, truth
from toggl_pulse.demo.control import OPERATIONS

Ask = Callable[..., httpx2.Response]


def test_operations_change_the_world_as_its_methods_do(world: World, ask: Ask) -> None:
    project = ask("/_control/do/create_project", {"name": "P"}).json()
    entry = ask(
        "/_control/do/create_entry",
        {
            "start": "2026-11-20T10:00:00Z",
            "stop": "2026-11-20T11:30:00+00:00",
            "project_id": project["id"],
            "tags": ["a"],
        },
    ).json()
    ask("/_control/do/edit_entry", {"number": entry["id"], "description": "edited"})

    row = world.entries[entry["id"]]

    assert (5400, "edited", project["id"]) == (row.duration, row.description, row.project_id)


def test_every_operation_named_exists(world: World) -> None:
    assert [] == [name for name in OPERATIONS if not callable(getattr(world, name, None))]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/_control/do/edit_entry", {"number": 1}, 400),
        ("/_control/do/create_entry", {}, 400),
        ("/_control/do/__init__", {}, 404),
        ("/_control/fault", {"kind": "earthquake"}, 400),
        ("/_control/behaviour", {"mood": "good"}, 400),
        ("/_control/nothing", {}, 404),
    ],
)
def test_mistakes_are_told(ask: Ask, path: str, body: dict[str, object], status: int) -> None:
    assert status == ask(path, body).status_code


def test_faults_quota_behaviour_and_clock_are_in_reach(world: World, ask: Ask) -> None:
    ask("/_control/fault", {"kind": "500", "times": 2})
    assert 500 == ask("/me").status_code
    ask("/_control/calm", {})
    assert 200 == ask("/me").status_code
    ask("/_control/behaviour", {"user_quota": 30})
    assert {"remaining": 8} == ask("/_control/drain", {"bucket": "user", "count": 20}).json()
    ask("/_control/clock", {"now": "2026-11-24T00:00:00Z", "advance": 5})

    assert datetime.fromisoformat("2026-11-24T00:00:05+00:00") == world.clock()


def test_truth_state_and_log_can_be_read(world: World, ask: Ask, now: datetime) -> None:
    start, end = datetime.fromisoformat("2026-11-20T00:00:00+01:00"), now
    row = world.create_entry(start=start, stop=now)
    ask("/me")

    told = ask("/_control/truth", start=start.isoformat(), end=end.isoformat(), zone="Europe/Berlin", group_by="tag")
    state = ask("/_control/state").json()

    expected = truth(world, start=start, end=end, zone="Europe/Berlin", group_by="tag")
    assert {str(key): {str(at): value for at, value in steps.items()} for key, steps in expected.items()} == told.json()
    assert ([row.id], world.me) == ([entry["id"] for entry in state["entries"]], state["me"])
    assert ["/api/v9/me"] == [request["path"] for request in ask("/_control/log").json()]
