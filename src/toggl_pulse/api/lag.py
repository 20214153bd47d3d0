"""How late the event loop comes to what is due: the wait that every request has before anything is done for it.

Knows nothing of what the loop does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

__all__ = ["LoopLag"]

EVERY_SECONDS = 0.1
REMEMBERED_SECONDS = 60.0


class LoopLag:
    """Sleeps a little again and again, and remembers by how much each sleep was too long."""

    def __init__(
        self,
        observe: Callable[[float], None],
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._observe = observe
        self._clock = clock
        self._sleep = sleep
        self._seen: deque[tuple[float, float]] = deque()

    def most(self) -> float:
        """The longest delay of the last minute, in seconds; safe in any thread."""
        since = self._clock() - REMEMBERED_SECONDS
        return max((late for at, late in tuple(self._seen) if at >= since), default=0.0)

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            due = self._clock() + EVERY_SECONDS
            await self._sleep(EVERY_SECONDS)
            now = self._clock()
            late = max(0.0, now - due)
            self._observe(late)
            # a later and longer delay stands for those before it
            while self._seen and self._seen[-1][1] <= late:
                self._seen.pop()
            self._seen.append((now, late))
            while self._seen[0][0] < now - REMEMBERED_SECONDS:
                self._seen.popleft()
