"""The simulated Toggl as an ASGI app: who may enter, what a request costs, which fault it meets, who answers it.

It speaks raw ASGI, because proofs send tens of thousands of requests through it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

import orjson

from . import catalogue, reports, track
from .control import control as control_route
from .faults import Fault, next_fault
from .mischief import answer_of
from .wire import Call, Refusal, Reply
from .world import Request, World

__all__ = ["create_simulator"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Handler = Callable[[Call], Reply]

_EXACT: dict[tuple[str, str], Handler] = {
    ("GET", "/api/v9/me"): catalogue.me,
    ("GET", "/api/v9/me/time_entries"): track.time_entries,
    ("GET", "/api/v9/me/time_entries/current"): track.current_entry,
    ("GET", "/api/v9/me/projects"): catalogue.my_projects,
    ("GET", "/api/v9/me/projects/paginated"): catalogue.my_projects_paginated,
    ("GET", "/api/v9/me/clients"): catalogue.my_clients,
    ("GET", "/api/v9/me/tags"): catalogue.my_tags,
    ("GET", "/api/v9/me/tasks"): catalogue.my_tasks,
    ("GET", "/api/v9/me/workspaces"): catalogue.my_workspaces,
    ("GET", "/api/v9/me/organizations"): catalogue.my_organizations,
    ("GET", "/api/v9/me/quota"): catalogue.my_quota,
}

_NUMBERED: tuple[tuple[str, re.Pattern[str], Handler], ...] = tuple(
    (method, re.compile(pattern), handler)
    for method, pattern, handler in (
        ("GET", r"/api/v9/me/time_entries/(\d+)", track.single_entry),
        ("GET", r"/api/v9/workspaces/(\d+)/projects", catalogue.workspace_projects),
        ("GET", r"/api/v9/workspaces/(\d+)/clients", catalogue.workspace_clients),
        ("GET", r"/api/v9/workspaces/(\d+)/tags", catalogue.workspace_tags),
        ("GET", r"/api/v9/workspaces/(\d+)/tasks", catalogue.workspace_tasks),
        ("GET", r"/api/v9/workspaces/(\d+)/users", catalogue.workspace_users),
        ("GET", r"/api/v9/workspaces/(\d+)/workspace_users", catalogue.workspace_workspace_users),
        ("GET", r"/api/v9/workspaces/(\d+)/rates/(?:workspace|project|task|user)/(\d+)", catalogue.workspace_rates),
        ("GET", r"/api/v9/organizations/(\d+)/users", catalogue.organization_users),
        ("POST", r"/reports/api/v3/workspace/(\d+)/search/time_entries", reports.search),
        ("POST", r"/reports/api/v3/workspace/(\d+)/search/time_entries/totals", reports.totals),
    )
)

_OWNED = re.compile(r"/(?:api/v9/workspaces|api/v9/organizations|reports/api/v3/workspace)/(\d+)")
_MOST_BODY = 1 << 20


def create_simulator(world: World, *, control: bool = False) -> App:
    """Return an ASGI app with Toggl's routes; `control` adds `/_control/…`, by which tests play the user of Toggl."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        body = await _read(receive)
        if control and scope["path"].startswith("/_control/"):
            with world.lock:
                reply = control_route(world, scope["method"], scope["path"], _query(scope), body)
            await _send(world, send, reply)
            return
        await _answer(world, scope, body, send)

    return app


async def _answer(world: World, scope: Scope, body: bytes, send: Send) -> None:
    method, path = scope["method"], scope["path"]
    query = scope["query_string"].decode()
    fault: Fault | None = None
    bucket: str | None = None
    try:
        _authenticate(world, scope)
        fault = next_fault(world.faults, f"{method} {path}?{query}")
        _hold_up(world, fault)
        bucket = _charge(world, path, fault)
        reply = _route(world, method, path, scope, body)
    except Refusal as refusal:
        reply = refusal.reply
    except BaseException:
        _note(world, method, path, query, 0, bucket, fault)
        raise
    if fault is not None:
        reply = answer_of(world, fault, reply)
    if bucket is not None and world.behaviour.headers:
        now = world.clock().timestamp()
        if fault is None or fault.kind != "no_quota":
            reply.headers["X-Toggl-Quota-Remaining"] = str(world.bucket(bucket).remaining(now))
            reply.headers["X-Toggl-Quota-Resets-In"] = str(world.bucket(bucket).resets_in(now))
        if fault is not None and fault.kind == "odd_quota":
            reply.headers |= {"X-Toggl-Quota-Remaining": "nan", "X-Toggl-Quota-Resets-In": "soon"}
    _note(world, method, path, query, reply.status, bucket, fault)
    if fault is not None and fault.kind == "slow":
        await world.sleep(fault.seconds)
    if fault is not None and fault.kind == "lost":
        raise world.cut_error()
    await _send(world, send, reply, fault)


def _authenticate(world: World, scope: Scope) -> None:
    header = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"), None)
    if header is None:
        refusal = Refusal(world.behaviour.no_credentials_status, "", plain=True)
        refusal.reply.headers["X-Authorization-Missing"] = "true"
        raise refusal
    if not world.admits(header):
        raise Refusal(world.behaviour.bad_credentials_status, "Incorrect username and/or password", plain=True)


def _charge(world: World, path: str, fault: Fault | None) -> str | None:
    """Take the request from its bucket and return the bucket's name; beyond the limit refuse with 402."""
    if path.startswith("/api/v9/me"):
        name = "user"
    else:
        owned = _OWNED.match(path)
        if owned is None:
            return None
        number = int(owned[1])
        if "/organizations/" not in path:
            workspace = world.workspaces.get(number)
            number = workspace.organization_id if workspace else 0
        if number not in world.organizations:
            raise Refusal(403, "User does not have access to this workspace")
        name = f"organization:{number}"
    bucket = world.bucket(name)
    now = world.clock().timestamp()
    if fault is not None and fault.kind == "quota402":
        bucket.take(now, max(0, bucket.remaining(now)))
    free = path == "/api/v9/me/quota" and not world.behaviour.quota_counted
    if not free and not bucket.take(now):
        seconds = bucket.resets_in(now)
        sentence = f"You have hit your hourly limit for API calls. The quota will reset in {seconds} seconds."
        headers = {}
        if world.behaviour.headers:
            headers["X-Toggl-Quota-Remaining"] = str(bucket.remaining(now))
            headers["X-Toggl-Quota-Resets-In"] = str(seconds)
        raise Refusal(402, sentence, plain=True, headers=headers)
    return name


def _route(world: World, method: str, path: str, scope: Scope, body: bytes) -> Reply:
    handler = _EXACT.get((method, path))
    ids: tuple[int, ...] = ()
    if handler is None:
        for wanted, pattern, candidate in _NUMBERED:
            found = pattern.fullmatch(path)
            if found and wanted == method:
                handler, ids = candidate, tuple(map(int, found.groups()))
                break
        else:
            raise Refusal(404, "404 page not found", plain=True)
    if ids and "/workspace" in path and ids[0] not in world.profile.workspace_ids:
        raise Refusal(403, "User does not have access to this workspace")
    content: Any = None
    if body:
        try:
            content = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise Refusal(400, "JSON is not valid") from None
    with world.lock:
        return handler(Call(world, path, _query(scope), content, ids))


def _hold_up(world: World, fault: Fault | None) -> None:
    """Refuse what comes too fast, and break connections, before anything is charged."""
    if fault is not None and fault.kind == "cut":
        raise world.cut_error()
    if not world.too_fast() and (fault is None or fault.kind != "429"):
        return
    headers = {}
    seconds = fault.retry_after if fault is not None else None
    if seconds is None and world.behaviour.retry_after:
        seconds = 60
    if seconds is not None:
        headers["Retry-After"] = str(seconds)
    raise Refusal(429, "Too Many Requests", plain=True, headers=headers)


def _note(
    world: World, method: str, path: str, query: str, status: int, bucket: str | None, fault: Fault | None
) -> None:
    moment = world.clock()
    remaining = world.bucket(bucket).remaining(moment.timestamp()) if bucket is not None else None
    kind = fault.kind if fault is not None else None
    world.log.append(Request(moment, method, path, query, status, bucket, kind, remaining))


def _query(scope: Scope) -> dict[str, str]:
    return dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        part = message.get("body", b"")
        size += len(part)
        if size <= _MOST_BODY:
            parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


async def _send(world: World, send: Send, reply: Reply, fault: Fault | None = None) -> None:
    date = format_datetime(world.clock().replace(microsecond=0), usegmt=True)
    headers = [(b"content-type", reply.content_type.encode()), (b"date", date.encode())]
    length = len(reply.body)
    if fault is not None and fault.kind in {"huge", "wrong_length"}:
        length = fault.size if fault.kind == "huge" else length + 1
    headers.append((b"content-length", str(length).encode()))
    headers += [(name.lower().encode(), value.encode()) for name, value in reply.headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if fault is not None and fault.kind in {"cut_body", "stall", "wrong_length"}:
        share = reply.body if fault.kind == "wrong_length" else reply.body[: len(reply.body) // 2]
        await send({"type": "http.response.body", "body": share, "more_body": True})
        if fault.kind == "stall":
            await world.sleep(fault.seconds)
        raise world.cut_error()
    if fault is not None and fault.kind == "huge":
        block = b" " * (1 << 20)
        for sent in range(0, length, len(block)):
            await send({"type": "http.response.body", "body": block[: length - sent], "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({"type": "http.response.body", "body": reply.body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
