"""Routes under `/_control/` by which a test plays the user of Toggl, other tools and bad weather from outside."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from .faults import Fault
from .wire import Refusal, Reply, reply_json
from .world import Clock, World

__all__ = ["control"]

OPERATIONS = frozenset({
    "archive_client", "archive_project", "create_client", "create_entry", "create_project", "create_tag",
    "create_task", "delete_client", "delete_entry", "delete_project", "delete_tag", "delete_task", "edit_entry",
    "edit_project", "finish_task", "rename_client", "rename_project", "rename_tag", "rename_task", "revive_entry",
    "start_timer", "stop_timer",
})  # fmt: skip

_MOMENTS = {"start", "stop"}


def control(world: World, method: str, path: str, query: dict[str, str], body: bytes) -> Reply:
    """Answer one control request; a mistake in it is a 400 with a sentence."""
    try:
        content = orjson.loads(body) if body else {}
        return _control(world, f"{method} {path.removeprefix('/_control')}", query, content)
    except (KeyError, TypeError, ValueError) as error:
        return Refusal(400, f"{type(error).__name__}: {error}").reply


def _control(world: World, route: str, query: dict[str, str], content: dict[str, Any]) -> Reply:
    match route.split("/"):
        case ["POST ", "do", name] if name in OPERATIONS:
            return reply_json(asdict(getattr(world, name)(**_arguments(content))))
        case ["POST ", "fault"]:
            world.faults.append(Fault(**content))
            return reply_json({"waiting": len(world.faults)})
        case ["POST ", "calm"]:
            world.faults.clear()
            return reply_json({"waiting": 0})
        case ["POST ", "drain"]:
            return reply_json({"remaining": world.drain(content["bucket"], content["count"])})
        case ["POST ", "behaviour"]:
            for name, value in content.items():
                if not hasattr(world.behaviour, name):
                    raise ValueError(f"there is no behaviour {name}")
                setattr(world.behaviour, name, value)
            return reply_json(asdict(world.behaviour))
        case ["POST ", "clock"]:
            if not isinstance(world.clock, Clock):
                world.clock = Clock(world.clock())
            world.clock.now += timedelta(seconds=content.get("advance", 0))
            if "now" in content:
                world.clock.now = datetime.fromisoformat(content["now"]).astimezone(UTC)
            return reply_json({"now": world.clock.now.isoformat()})
        case ["GET ", "state"]:
            return reply_json(_state(world))
        case ["GET ", "log"]:
            return reply_json([request._asdict() for request in list(world.log)[int(query.get("skip", "0")) :]])
        case ["GET ", "truth"]:
            from .truth import truth

            answer = truth(
                world,
                start=datetime.fromisoformat(query["start"]),
                end=datetime.fromisoformat(query["end"]),
                zone=query["zone"],
                group_by=query.get("group_by", "none"),
                interval=query.get("interval", "day"),
                attribution=query.get("attribution", "start"),
                metric=query.get("metric", "tracked_hours"),
            )
            return reply_json(
                {str(key): {str(at): value for at, value in steps.items()} for key, steps in answer.items()}
            )
        case _:
            return Refusal(404, "There is no such control route").reply


def _arguments(content: dict[str, Any]) -> dict[str, Any]:
    """`number` is the id of the row to change; `start` and `stop` are RFC 3339 texts."""
    return {
        name: datetime.fromisoformat(value) if name in _MOMENTS and isinstance(value, str) else value
        for name, value in content.items()
    }


def _state(world: World) -> dict[str, Any]:
    """Return every row, deleted ones included, plainly."""
    tables = ("organizations", "workspaces", "clients", "projects", "tasks", "tags", "users", "entries")
    shown: dict[str, Any] = {name: [asdict(row) for row in getattr(world, name).values()] for name in tables}
    return shown | {"me": world.me, "now": world.clock().isoformat()}
