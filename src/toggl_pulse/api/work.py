"""Does blocking work in a few threads, so that the event loop never waits, and gives up after a while.

Knows nothing of what is done.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from toggl_pulse.errors import Unavailable

__all__ = ["SECONDS_A_QUERY", "Check", "Workers"]

SECONDS_A_QUERY = 10.0

T = TypeVar("T")
Check = Callable[[], None]


class Workers:
    """A fixed number of threads; what finds none free waits, and its waiting counts as part of its time.

    A piece of work is handed a check that raises when nobody waits for it any more; it must call it now and then.
    """

    def __init__(self, threads: int = 4) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="toggl-pulse-api")

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def run(self, work: Callable[[Check], T], *, seconds: float = SECONDS_A_QUERY) -> T:
        """What `work` returns; raises `Unavailable` after `seconds`.

        It is 503 and not 4xx: nothing is wrong with the question, and on a quiet machine it may be answered.
        """
        given_up = threading.Event()

        def check() -> None:
            if given_up.is_set():
                raise _too_slow(seconds)

        timer = asyncio.timeout(seconds)
        try:
            async with timer:
                return await asyncio.get_running_loop().run_in_executor(self._pool, work, check)
        except TimeoutError:
            if not timer.expired():
                raise
            raise _too_slow(seconds) from None
        finally:
            given_up.set()

    async def stream(self, blocks: Iterator[bytes]) -> AsyncIterator[bytes]:
        """Each block as it is made, one at a time, so that a slow reader holds no thread and no memory."""
        loop = asyncio.get_running_loop()
        while (block := await loop.run_in_executor(self._pool, next, blocks, None)) is not None:
            yield block


def _too_slow(seconds: float) -> Unavailable:
    return Unavailable(
        f"The answer took longer than {seconds:g} seconds; ask for a shorter range or a larger interval.",
        code="query_timeout",
    )
