"""What a fault makes of an answer that was ready; faults that break the connection are the simulator's own."""

from __future__ import annotations

import gzip
from functools import cache
from typing import Any

import orjson

from .faults import Fault
from .wire import Refusal, Reply
from .world import World

__all__ = ["answer_of"]

_OK = 200

_STATUS = {
    "400": "The request was not understood",
    "401": "",
    "403": "Incorrect username and/or password",
    "404": "Not found",
    "405": "Method Not Allowed",
    "408": "",
    "410": "This endpoint is gone",
    "413": "Payload Too Large",
    "418": "I'm a teapot",
    "500": "Internal Server Error",
    "502": "<html><body><h1>502 Bad Gateway</h1></body></html>",
    "503": "Service Unavailable",
    "504": "",
}

_JSON = "application/json"
_BODIES = {
    "plan402": (402, b'"This feature is not included in your current plan"', _JSON),
    "bare402": (402, b"", _JSON),
    "empty": (200, b"", _JSON),
    "html": (
        200,
        b"<!doctype html><html><head><title>Sign in to the network</title></head><body>Please sign in.</body></html>",
        "text/html; charset=utf-8",
    ),
    "null": (200, b"null", _JSON),
    "empty_list": (200, b"[]", _JSON),
    "object": (200, b"{}", _JSON),
    "text": (200, b'"text"', _JSON),
    "number": (200, b"7", _JSON),
}

_ELSEWHERE = "https://elsewhere.example/api/v9/me"
_APART = 1_000_000_000
_OWN = {"id", "user_id", "uid", "workspace_id", "wid", "project_id", "pid", "task_id", "tid", "client_id", "cid"}


def answer_of(world: World, fault: Fault, reply: Reply) -> Reply:
    """Return the faulty answer; the headers of paging go with the body they belong to, as with a real proxy."""
    if fault.kind in _STATUS:
        headers = {}
        if fault.kind == "503" and (fault.retry_after is not None or world.behaviour.retry_after):
            headers["Retry-After"] = str(fault.retry_after if fault.retry_after is not None else 60)
        return Refusal(int(fault.kind), _STATUS[fault.kind], plain=True, headers=headers).reply
    if fault.kind == "redirect":
        return Reply(302, headers={"Location": _ELSEWHERE})
    if fault.kind in _BODIES:
        status, body, content_type = _BODIES[fault.kind]
        return Reply(status, body, content_type=content_type)
    if fault.kind in _SPOILED and reply.status == _OK:
        return _SPOILED[fault.kind](fault, reply)
    return reply


def _half(_fault: Fault, reply: Reply) -> Reply:
    return Reply(200, reply.body[: max(1, len(reply.body) * 2 // 3)] + b'{"', reply.headers)


def _odd_status(fault: Fault, reply: Reply) -> Reply:
    return Reply(int(fault.kind), reply.body, reply.headers)


def _broken_row(_fault: Fault, reply: Reply) -> Reply:
    return Reply(200, _without_first_id(reply.body), reply.headers)


def _swapped(_fault: Fault, reply: Reply) -> Reply:
    content = orjson.loads(reply.body)
    return Reply(200, orjson.dumps({"items": content} if isinstance(content, list) else [content]), reply.headers)


def _other_account(_fault: Fault, reply: Reply) -> Reply:
    return Reply(200, orjson.dumps(_somebody_elses(orjson.loads(reply.body))), reply.headers)


def _gzip_garbage(_fault: Fault, reply: Reply) -> Reply:
    return Reply(200, b"\x1f\x8b" + reply.body, {"Content-Encoding": "gzip"})


def _gzip_bomb(fault: Fault, _reply: Reply) -> Reply:
    return Reply(200, _packed(fault.size), {"Content-Encoding": "gzip"})


_SPOILED = {
    "199": _odd_status,
    "299": _odd_status,
    "non_json": _half,
    "broken_row": _broken_row,
    "swapped": _swapped,
    "other_account": _other_account,
    "gzip_garbage": _gzip_garbage,
    "gzip_bomb": _gzip_bomb,
}
"""What is right but for one thing."""


def _somebody_elses(content: Any) -> Any:
    """The same with every id another one, and totals that differ."""
    if isinstance(content, list):
        return [_somebody_elses(item) for item in content]
    if not isinstance(content, dict):
        return content
    return {
        name: value + _APART
        if name in _OWN and type(value) is int
        else value // 2 + 17
        if name == "seconds" and "start" not in content
        else _somebody_elses(value)
        for name, value in content.items()
    }


@cache
def _packed(size: int) -> bytes:
    return gzip.compress(b" " * size)


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
