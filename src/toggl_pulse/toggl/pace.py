"""Politeness: about one request a second with a small burst; knows no HTTP.

Toggl's archived developer notes name one request a second per token and address as safe.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

__all__ = ["Pace"]


class Pace:
    """Hands out slots: after a burst, one each `1 / per_second` seconds by the given clock."""

    def __init__(
        self,
        per_second: float,
        burst: int,
        *,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._gap = timedelta(seconds=1 / per_second)
        self._slack = self._gap * (burst - 1)
        self._clock = clock
        self._sleep = sleep
        self._next: datetime | None = None
        self._waiting = 0

    async def slot(self) -> None:
        """Wait for the next slot. A clock that jumps back costs at most a burst, never its whole jump."""
        now = self._clock()
        ahead = now if self._next is None else max(self._next, now)
        if ahead - now > self._slack + self._gap * (self._waiting + 1):
            ahead = now
        self._next = ahead + self._gap
        wait = (ahead - now - self._slack).total_seconds()
        if wait > 0:
            self._waiting += 1
            try:
                await self._sleep(wait)
            finally:
                self._waiting -= 1
