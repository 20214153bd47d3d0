"""Does blocking work in a few threads, so that the event loop never waits, and gives up after a while.

More than can be done is refused soon and cheaply: a queue in which everything waits until it is too late would answer
nobody. Knows nothing of what is done.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Generic, TypeVar

from toggl_pulse.errors import Unavailable

__all__ = ["SECONDS_A_QUERY", "SECONDS_TO_BEGIN", "WAITING", "Check", "Workers"]

SECONDS_A_QUERY = 10.0

SECONDS_TO_BEGIN = 10.0
"""What has not begun by then is taken out of the queue. With the time of the work itself that stays below the
30 seconds after which Grafana gives up."""

WAITING = 256
"""How much may wait for a thread; more is refused at once."""

RETRY_AFTER = 5
"""Seconds after which whoever was refused may try again."""

T = TypeVar("T")
Check = Callable[[], None]


class Workers:
    """A fixed number of threads; what finds none free waits for its turn, but not for long.

    A piece of work is handed a check that raises when nobody waits for it any more; it must call it now and then.
    """

    def __init__(self, threads: int = 4, *, waiting: int = WAITING, seconds_to_begin: float = SECONDS_TO_BEGIN) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="toggl-pulse-api")
        self._most = threads + waiting
        self._seconds_to_begin = seconds_to_begin
        self._counting = threading.Lock()
        self.pending = 0
        """What is being done, even if nobody waits for it any more, or waits."""

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def run(self, work: Callable[[Check], T], *, seconds: float = SECONDS_A_QUERY) -> T:
        """What `work` returns; raises `Unavailable` when it takes more than `seconds`, or cannot begin in time.

        It is 503 and not 4xx: nothing is wrong with the question, and on a quiet machine it may be answered.
        """
        if self.pending >= self._most:
            raise _too_busy()
        loop = asyncio.get_running_loop()
        piece = _Piece(work, seconds, loop.time)
        job = self._pool.submit(piece)
        with self._counting:
            self.pending += 1
        job.add_done_callback(self._finished)
        late = False

        def look() -> None:
            nonlocal late
            late = job.cancel()  # false once it has begun
            if not late:
                timer.reschedule((piece.began or loop.time()) + seconds)

        timer = asyncio.timeout(None)
        looking = loop.call_later(min(self._seconds_to_begin, seconds), look)
        try:
            async with timer:
                return await asyncio.wrap_future(job)
        except asyncio.CancelledError:
            if not late:
                raise
            raise _too_busy() from None
        except TimeoutError:
            if not timer.expired():
                raise
            raise _too_slow(seconds) from None
        finally:
            looking.cancel()
            piece.given_up = True

    def _finished(self, _: object) -> None:
        with self._counting:
            self.pending -= 1

    async def stream(self, blocks: Iterator[bytes]) -> AsyncIterator[bytes]:
        """Each block as it is made, one at a time, so that a slow reader holds no thread and no memory."""
        loop = asyncio.get_running_loop()
        while (block := await loop.run_in_executor(self._pool, next, blocks, None)) is not None:
            yield block

    async def begun(self, make: Callable[[Check], Iterator[bytes]]) -> AsyncIterator[bytes]:
        """As `stream`, with the first block made: what is wrong with the question is known before a status is sent."""

        def begin(check: Check) -> tuple[bytes, Iterator[bytes]]:
            blocks = make(check)
            return next(blocks), blocks

        first, rest = await self.run(begin)
        return self.stream(chain([first], rest))


class _Piece(Generic[T]):
    """Work as a thread sees it: when it began, and whether anybody still waits for it."""

    def __init__(self, work: Callable[[Check], T], seconds: float, clock: Callable[[], float]) -> None:
        self._work, self._seconds, self._clock = work, seconds, clock
        self.began: float | None = None
        self.given_up = False

    def __call__(self) -> T:
        self.began = self._clock()
        return self._work(self._check)

    def _check(self) -> None:
        if self.given_up:
            raise _too_slow(self._seconds)


def _too_slow(seconds: float) -> Unavailable:
    return Unavailable(
        f"The answer took longer than {seconds:g} seconds; ask for a shorter range or a larger interval.",
        code="query_timeout",
    )


def _too_busy() -> Unavailable:
    return Unavailable(
        "Toggl Pulse has more questions than it can answer at once; try again in a moment.",
        code="too_busy",
        retry_after=RETRY_AFTER,
    )
