"""Who has signed in: a cookie that is signed, ends by itself, and dies with the token that it was given for.

Knows tokens and moments, not requests. Nothing is kept: what a cookie says is proved by its signature.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from itsdangerous import BadData, TimestampSigner

from toggl_pulse.errors import Unavailable

__all__ = ["LASTS", "Sessions"]

LASTS = timedelta(days=30)
_WHO = b"page"
_PAUSE = 1.0
_MOST_WAITING = 20


class Sessions:
    """Without a token everyone may come in: the service then listens on loopback alone, which the settings see to."""

    def __init__(
        self,
        token: str | None,
        secret: str | None,
        *,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.needed = token is not None
        self._clock = clock
        self._sleep = sleep
        self._waiting = 0
        self._turn = asyncio.Lock()
        self._digest = _digest(token or "")
        # both are in it: a new token ends every session, whatever signs them
        key = hmac.digest((secret or token or "").encode(), b"toggl-pulse session\0" + self._digest, "sha256")
        self._signer = _Signer(key, clock)

    def begin(self) -> str:
        """What a cookie is to say."""
        return self._signer.sign(_WHO).decode("ascii")

    def holds(self, cookie: str | None) -> bool:
        """Whether a cookie is ours and not too old."""
        if not self.needed:
            return True
        if cookie is None or not cookie.isascii():
            return False
        try:
            return self._signer.unsign(cookie, max_age=int(LASTS.total_seconds())) == _WHO
        except BadData:
            return False

    async def admits(self, token: str) -> bool:
        """Whether this is the token; the right one comes in at once."""
        if self.needed and hmac.compare_digest(_digest(token), self._digest):
            return True
        await self.turn_away()
        return False

    async def turn_away(self) -> None:
        """Keep a guesser waiting, a second each and one after the other: he gets nowhere, and keeps nobody out.

        Raises `Unavailable` where too many wait already.
        """
        if self._waiting >= _MOST_WAITING:
            raise Unavailable(
                "Too many wrong tokens have been tried; wait a moment.",
                code="too_many_guesses",
                retry_after=_MOST_WAITING,
            )
        self._waiting += 1
        try:
            async with self._turn:
                await self._sleep(_PAUSE)
        finally:
            self._waiting -= 1


class _Signer(TimestampSigner):
    """The library's, with a clock that can be handed in."""

    def __init__(self, key: bytes, clock: Callable[[], datetime]) -> None:
        super().__init__(key, salt=b"toggl-pulse", digest_method=hashlib.sha256, key_derivation="hmac")
        self._clock = clock

    def get_timestamp(self) -> int:
        return int(self._clock().timestamp())


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
