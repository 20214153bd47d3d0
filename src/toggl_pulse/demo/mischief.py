"""What a fault makes of an answer that was ready; faults that break the connection are the simulator's own."""

from __future__ import annotations

import orjson

from .faults import Fault
from .wire import Refusal, Reply
from .world import World

__all__ = ["answer_of"]

_STATUS = {
    "400": "The request was not understood",
    "401": "",
    "403": "Incorrect username and/or password",
    "404": "Not found",
    "410": "This endpoint is gone",
    "500": "Internal Server Error",
    "502": "<html><body><h1>502 Bad Gateway</h1></body></html>",
    "503": "Service Unavailable",
}

_BODIES = {
    "empty": (b"", "application/json"),
    "html": (
        b"<!doctype html><html><head><title>Sign in to the network</title></head><body>Please sign in.</body></html>",
        "text/html; charset=utf-8",
    ),
    "null": (b"null", "application/json"),
    "empty_list": (b"[]", "application/json"),
}


def answer_of(world: World, fault: Fault, reply: Reply) -> Reply:
    """Return the faulty answer; the headers of paging go with the body they belong to, as with a real proxy."""
    if fault.kind in _STATUS:
        headers = {}
        if fault.kind == "503" and (fault.retry_after is not None or world.behaviour.retry_after):
            headers["Retry-After"] = str(fault.retry_after if fault.retry_after is not None else 60)
        return Refusal(int(fault.kind), _STATUS[fault.kind], plain=True, headers=headers).reply
    if fault.kind == "plan402":
        return Refusal(402, "This feature is not included in your current plan").reply
    if fault.kind in _BODIES:
        body, content_type = _BODIES[fault.kind]
        return Reply(200, body, content_type=content_type)
    if fault.kind == "non_json":
        return Reply(200, reply.body[: max(1, len(reply.body) * 2 // 3)] + b'{"', reply.headers)
    if fault.kind == "broken_row" and reply.status == 200:  # noqa: PLR2004
        return Reply(200, _without_first_id(reply.body), reply.headers)
    return reply


def _without_first_id(body: bytes) -> bytes:
    """Take the id off the first row, wherever the answer keeps its rows; also the one inside a row of Reports."""
    content = orjson.loads(body)
    rows = content if isinstance(content, list) else None
    if isinstance(content, dict):
        rows = content.get("time_entries") or content.get("data")
    if rows:
        first = rows[0]
        target = first["time_entries"][0] if "time_entries" in first else first
        target.pop("id", None)
    return orjson.dumps(content)
