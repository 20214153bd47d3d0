"""A client with everything around it made of data: a clock that sleeping moves, a quota store, scripted replies."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx2
import orjson

from toggl_pulse.model import QuotaBucket
from toggl_pulse.toggl import Credentials, Quota, RequestNote, TogglClient

T = TypeVar("T")

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TOKEN = "f00dfacef00dfacef00dfacef00dface"
URL = "https://toggl.test"

Reply = httpx2.Response | Exception | Callable[[httpx2.Request], httpx2.Response]


class Clock:
    def __init__(self, now: datetime = NOW) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)


class MemoryQuota:
    def __init__(self, buckets: Iterable[QuotaBucket] = ()) -> None:
        self.buckets = {bucket.name: bucket for bucket in buckets}

    def load_quota(self) -> Iterable[QuotaBucket]:
        return list(self.buckets.values())

    def save_quota(self, bucket: QuotaBucket) -> None:
        self.buckets[bucket.name] = bucket


class Scene:
    """Replies are given out in order; the last one stays. `requests` holds what was sent."""

    def __init__(
        self,
        *replies: Reply,
        transport: httpx2.AsyncBaseTransport | None = None,
        reserve: int = 10,
        clock: Clock | None = None,
        buckets: Iterable[QuotaBucket] = (),
        url: str = URL,
        credentials: Credentials | None = None,
        **options: Any,
    ) -> None:
        self.url = url
        self.credentials = credentials or Credentials.token(TOKEN)
        self.clock = clock or Clock()
        self.store = MemoryQuota(buckets)
        self.quota = Quota(self.store, reserve=reserve, clock=self.clock)
        self.replies = list(replies)
        self.requests: list[httpx2.Request] = []
        self.notes: list[RequestNote] = []
        self.options: dict[str, Any] = {"jitter": lambda: 0.0, "pace": 1000.0, **options}
        self.transport = transport or httpx2.MockTransport(self._reply)

    def client(self) -> TogglClient:
        return TogglClient(
            self.url,
            self.credentials,
            quota=self.quota,
            clock=self.clock,
            sleep=self.clock.sleep,
            transport=self.transport,
            on_request=self.notes.append,
            **self.options,
        )

    def ask(self, question: Callable[[TogglClient], Awaitable[T]]) -> T:
        async def asked() -> T:
            async with self.client() as client:
                return await question(client)

        return asyncio.run(asked())

    def _reply(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, httpx2.Response) else reply(request)


def answer(data: Any = None, *, remaining: int | None = 25, resets_in: int = 1800, **headers: str) -> httpx2.Response:
    """A 200 as Toggl sends it, with its clock and the quota's headers."""
    told = {"Date": "Mon, 02 Mar 2026 12:00:00 GMT", **{name.replace("_", "-"): text for name, text in headers.items()}}
    if remaining is not None:
        told |= {"X-Toggl-Quota-Remaining": str(remaining), "X-Toggl-Quota-Resets-In": str(resets_in)}
    return httpx2.Response(200, content=orjson.dumps(data), headers=told)


def bucket(
    name: str = "user", remaining: int = 20, *, resets_in: float = 1800, age: float = 0, total: int | None = None
) -> QuotaBucket:
    return QuotaBucket(name, remaining, NOW + timedelta(seconds=resets_in), NOW - timedelta(seconds=age), total)


def entry_row(**changes: Any) -> dict[str, Any]:
    """An entry as `/me/time_entries?meta=true` shows it."""
    return {
        "id": 3_730_303_299,
        "workspace_id": 11,
        "project_id": 21,
        "task_id": None,
        "billable": True,
        "start": "2026-03-01T09:00:00+00:00",
        "stop": "2026-03-01T10:30:00+00:00",
        "duration": 5400,
        "description": "Plan the week",
        "tags": ["deep"],
        "tag_ids": [31],
        "duronly": True,
        "at": "2026-03-01T10:30:05.12345Z",
        "server_deleted_at": None,
        "user_id": 41,
        "uid": 41,
        "wid": 11,
        "pid": 21,
        "project_name": "Website",
        "project_color": "#0B83D9",
        "project_active": True,
        "project_billable": True,
        "user_name": "Kim",
        "permissions": None,
    } | changes


def report_row(**changes: Any) -> dict[str, Any]:
    """A row of the detailed report with `grouped` false."""
    return {
        "user_id": 41,
        "username": "Kim",
        "project_id": 21,
        "task_id": None,
        "billable": True,
        "description": "Plan the week",
        "tag_ids": [31],
        "billable_amount_in_cents": 7500,
        "hourly_rate_in_cents": 5000,
        "currency": "EUR",
        "time_entries": [
            {
                "id": 3_730_303_299,
                "seconds": 5400,
                "start": "2026-03-01T10:00:00+01:00",
                "stop": "2026-03-01T11:30:00+01:00",
                "at": "2026-03-01T10:30:05+00:00",
                "at_tz": "2026-03-01T11:30:05+01:00",
            }
        ],
        "row_number": 1,
    } | changes
