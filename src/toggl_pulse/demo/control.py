"""Routes under `/_control/` by which a test plays the user of Toggl, other tools and bad weather from outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from .faults import Fault
from .truth import truth
from .wire import Refusal, Reply, reply_json
from .world import Clock, World

__all__ = ["OPERATIONS", "control"]

OPERATIONS = frozenset({
    "archive_client", "archive_project", "create_client", "create_entry", "create_project", "create_tag",
    "create_task", "create_workspace", "delete_client", "delete_entry", "delete_project", "delete_tag", "delete_task",
    "edit_entry", "edit_project", "finish_task", "rename_client", "rename_project", "rename_tag", "rename_task",
    "revive_entry", "start_timer", "stop_timer",
})  # fmt: skip
"""What `POST /_control/do/<operation>` may call, with the arguments of the world's method as a JSON object."""

_MOMENTS = {"start", "stop"}
_TABLES = ("organizations", "workspaces", "clients", "projects", "tasks", "tags", "users", "entries")


def control(world: World, method: str, path: str, query: dict[str, str], body: bytes) -> Reply:
    """Answer one control request; a mistake in it is a 400 with a sentence.

    POST do/<operation>, fault, calm, drain, behaviour, clock; GET state, log, truth.
    """
    name, _, operation = path.removeprefix("/_control/").partition("/")
    try:
        content = orjson.loads(body) if body else {}
        if (method, name) == ("POST", "do") and operation in OPERATIONS:
            return reply_json(asdict(getattr(world, operation)(**_arguments(content))))
        post, get = _POST.get(name), _GET.get(name)
        if method == "POST" and post is not None:
            return reply_json(post(world, content))
        if method == "GET" and get is not None:
            return reply_json(get(world, query))
    except (KeyError, TypeError, ValueError) as error:
        return Refusal(400, f"{type(error).__name__}: {error}").reply
    return Refusal(404, "There is no such control route").reply


def _arguments(content: dict[str, Any]) -> dict[str, Any]:
    """`start` and `stop` come as RFC 3339 texts."""
    return {
        name: datetime.fromisoformat(value) if name in _MOMENTS and isinstance(value, str) else value
        for name, value in content.items()
    }


def _fault(world: World, content: dict[str, Any]) -> dict[str, Any]:
    world.faults.append(Fault(**content))
    return {"waiting": len(world.faults)}


def _calm(world: World, _: dict[str, Any]) -> dict[str, Any]:
    world.faults.clear()
    return {"waiting": 0}


def _drain(world: World, content: dict[str, Any]) -> dict[str, Any]:
    return {"remaining": world.drain(content["bucket"], content["count"])}


def _behaviour(world: World, content: dict[str, Any]) -> dict[str, Any]:
    for name, value in content.items():
        if not hasattr(world.behaviour, name):
            raise ValueError(f"there is no behaviour {name}")
        setattr(world.behaviour, name, value)
    return asdict(world.behaviour)


def _clock(world: World, content: dict[str, Any]) -> dict[str, Any]:
    """Make the clock stand still, at `now` if given, and move it by `advance` seconds."""
    if not isinstance(world.clock, Clock):
        world.clock = Clock(world.clock())
    if "now" in content:
        world.clock.now = datetime.fromisoformat(content["now"]).astimezone(UTC)
    world.clock.now += timedelta(seconds=content.get("advance", 0))
    return {"now": world.clock.now.isoformat()}


def _state(world: World, _: dict[str, str]) -> dict[str, Any]:
    """Return every row, deleted ones included, plainly."""
    shown: dict[str, Any] = {name: [asdict(row) for row in getattr(world, name).values()] for name in _TABLES}
    return shown | {"me": world.me, "now": world.clock().isoformat()}


def _log(world: World, query: dict[str, str]) -> list[dict[str, Any]]:
    return [request._asdict() for request in list(world.log)[int(query.get("skip", "0")) :]]


def _truth(world: World, query: dict[str, str]) -> dict[str, dict[str, float]]:
    """Return `truth` with its arguments as query parameters; keys become texts."""
    answer = truth(
        world,
        start=datetime.fromisoformat(query["start"]),
        end=datetime.fromisoformat(query["end"]),
        zone=query["zone"],
        group_by=query.get("group_by", "none"),
        interval=query.get("interval", "day"),
        attribution=query.get("attribution", "start"),
        metric=query.get("metric", "tracked_hours"),
        now=datetime.fromisoformat(query["now"]) if "now" in query else None,
    )
    return {str(key): {str(moment): value for moment, value in steps.items()} for key, steps in answer.items()}


_POST: dict[str, Callable[[World, dict[str, Any]], dict[str, Any]]] = {
    "fault": _fault,
    "calm": _calm,
    "drain": _drain,
    "behaviour": _behaviour,
    "clock": _clock,
}
_GET: dict[str, Callable[[World, dict[str, str]], Any]] = {"state": _state, "log": _log, "truth": _truth}
