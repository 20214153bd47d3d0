"""The simulated Toggl as a whole: an account, and what stands between it and a caller.

Credentials, hourly quotas, faults and a log of requests live here. How requests are answered, it does not know.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self

from .account import Account
from .behaviour import Behaviour
from .faults import Fault
from .quota import Bucket
from .rows import EntryRow, OrganizationRow, UserRow, WorkspaceRow
from .unfolding import Unfolding

__all__ = ["DEMO_TOKEN", "Clock", "Request", "World"]

DEMO_TOKEN = "demo-0123456789abcdef0123456789"  # noqa: S105  (opens nothing but the simulated account)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


class Request(NamedTuple):
    """One request as the simulated Toggl saw it; `bucket` is None where none was charged."""

    at: datetime
    method: str
    path: str
    query: str
    status: int
    bucket: str | None
    fault: str | None
    remaining: int | None


class World(Account):
    """A whole simulated Toggl; `clock`, `behaviour`, `faults`, `sleep` and `cut_error` may be changed at any time."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        token: str = DEMO_TOKEN,
        email: str = "demo@example.com",
        password: str = "demo password",  # noqa: S107  (as above)
        behaviour: Behaviour | None = None,
    ) -> None:
        super().__init__(clock, behaviour)
        self.token = token
        self.email = email
        self.password = password
        self.buckets: dict[str, Bucket] = {}
        self.faults: list[Fault] = []
        self.log: deque[Request] = deque(maxlen=200_000)
        self.sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
        self.cut_error: Callable[[], BaseException] = lambda: ConnectionResetError("the simulated connection broke")
        self.lock = threading.RLock()
        self.report_cache: tuple[Any, Unfolding[list[EntryRow]]] | None = None
        self.task_cache: tuple[int, dict[int, int]] | None = None
        self._rate_level = 0.0
        self._rate_at = 0.0

    @classmethod
    def empty(
        cls,
        clock: Callable[[], datetime],
        *,
        timezone: str = "Europe/Berlin",
        plan: str = "free",
        token: str = DEMO_TOKEN,
        behaviour: Behaviour | None = None,
        created_at: datetime | None = None,
    ) -> Self:
        """One user, one organisation, one workspace, and nothing tracked yet."""
        world = cls(clock, token=token, behaviour=behaviour)
        created = int((created_at or clock() - timedelta(days=365)).timestamp())
        at = created * 1_000_000
        organization = OrganizationRow(6_100_201, "Demo organization", plan, at)
        workspace = WorkspaceRow(7_412_903, organization.id, "Demo workspace", at)
        user = UserRow(
            9_041_337,
            "Demo User",
            world.email,
            timezone,
            at,
            created_at=created,
            default_workspace_id=workspace.id,
            workspace_ids=[workspace.id],
        )
        world.organizations[organization.id] = organization
        world.workspaces[workspace.id] = workspace
        world.users[user.id] = user
        world.me = user.id
        return world

    @classmethod
    def seeded(
        cls,
        now: datetime,
        *,
        seed: int = 2026,
        timezone: str = "Europe/Berlin",
        token: str = DEMO_TOKEN,
        behaviour: Behaviour | None = None,
    ) -> Self:
        """A freelancer's year up to `now`; the clock stands still at `now` until it is replaced or moved."""
        from .seed import sow

        world = cls(Clock(now), token=token, behaviour=behaviour)
        sow(world, now, seed=seed, timezone=timezone)
        return world

    @property
    def profile(self) -> UserRow:
        """The token's owner."""
        return self.users[self.me]

    def admits(self, authorization: str | None) -> bool:
        """Whether a Basic header opens the account: the token with `api_token`, or e-mail and password."""
        if authorization is None or not authorization.lower().startswith("basic "):
            return False
        try:
            text = base64.b64decode(authorization[6:], validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        return text in {f"{self.token}:api_token", f"{self.email}:{self.password}"}

    def bucket(self, name: str) -> Bucket:
        """`user` for /me…, `organization:<id>` for the rest."""
        if name == "user":
            total = self.behaviour.user_quota
        else:
            organization = self.organizations[int(name.partition(":")[2])]
            total = self.behaviour.plan_quota[organization.plan]
        bucket = self.buckets.get(name)
        if bucket is None:
            bucket = self.buckets[name] = Bucket(total, self.behaviour.quota_window)
        bucket.total = total
        return bucket

    def drain(self, name: str, count: int) -> int:
        """Spend requests of a bucket as other tools of the same user do; returns what remains."""
        bucket = self.bucket(name)
        bucket.take(self.clock().timestamp(), count)
        return bucket.remaining(self.clock().timestamp())

    def too_fast(self) -> bool:
        """Pour one request into the leaky bucket; True when it runs over."""
        limit = self.behaviour.rate_limit
        if limit is None:
            return False
        now = self.clock().timestamp()
        self._rate_level = max(0.0, self._rate_level - (now - self._rate_at) * limit)
        self._rate_at = now
        if self._rate_level + 1 > self.behaviour.rate_burst:
            return True
        self._rate_level += 1
        return False

    def tracked_by_task(self) -> dict[int, int]:
        """Seconds of live finished entries by task; counted once until anything changes."""
        if self.task_cache is None or self.task_cache[0] != self.changes:
            seconds: dict[int, int] = {}
            for row in self.entries.values():
                if row.task_id is not None and row.deleted_at is None:
                    seconds[row.task_id] = seconds.get(row.task_id, 0) + row.duration
            self.task_cache = (self.changes, seconds)
        return self.task_cache[1]

    def fault(self, kind: str, match: str = "", *, skip: int = 0, times: int | None = 1) -> Fault:
        """Queue a fault and return it, so that its other fields can be set."""
        fault = Fault(kind, match, skip, times)
        self.faults.append(fault)
        return fault
