"""How long a connection may keep the service waiting, how many there may be, and how much may lie unread.

The server's own protocol (uvicorn's on h11) waits for ever for a head to be finished and for an answer to be read;
this one looks at itself now and then. Bodies are the application's affair. Knows no routes and no tokens.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from toggl_pulse.api.errors import error_body
from toggl_pulse.api.limits import SECURITY_HEADERS

__all__ = ["Connection", "Patience", "patient"]

MAX_HEAD = 16 * 1024
"""Bytes of a request's line and headers; the parser's own limit."""

PROGRESS = 16 * 1024
"""Bytes that a reader must take within `stall_seconds`."""

_HEAD_TOO_LARGE = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE

# what strangers send must not fill the log; only bugs are told
_quiet = logging.getLogger("uvicorn.error.connection")
_quiet.setLevel(logging.ERROR)


@dataclass(frozen=True)
class Patience:
    """The limits, in seconds and bytes.

    `head_seconds` is for all of a request's line and headers, from the connection's or the head's first moment, and
    for the rest of a body that nobody reads any more. `stall_seconds` is how long a reader may take nothing of what
    is being sent. `surplus` is how much of an unread body is thrown away before the connection is closed.
    """

    head_seconds: float = 10.0
    stall_seconds: float = 60.0
    connections: int = 500
    unsent: int = 256 * 1024 * 1024
    surplus: int = 1024 * 1024

    @property
    def step(self) -> float:
        """Seconds between two looks."""
        return min(self.head_seconds, self.stall_seconds) / 4


def patient(patience: Patience) -> type[asyncio.Protocol]:
    """The protocol with these limits, for `uvicorn.Config(http=…)`."""
    made: Callable[..., asyncio.Protocol] = partial(Connection, patience=patience)
    return cast("type[asyncio.Protocol]", made)


class Connection(H11Protocol):
    def __init__(self, *args: Any, patience: Patience, **more: Any) -> None:
        super().__init__(*args, **more)
        self.patience = patience
        self.logger = _quiet
        self._look_again: asyncio.TimerHandle | None = None
        self._rests_since = self.loop.time()
        self._waits_since: float | None = self._rests_since
        self._surplus = 0
        self._unsent: tuple[float, int] | None = None

    # --- what the server calls ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._look_again = self.loop.call_later(self.patience.step, self._look)
        others = self._others()
        if len(others) >= self.patience.connections:
            # who is new mostly has a question; who has said or taken nothing for the longest has the least claim
            waiting = [(claim, number) for number, other in enumerate(others) if (claim := other.claim()) is not None]
            if waiting:
                others[min(waiting)[1]].transport.abort()
            else:
                self._refuse(
                    HTTPStatus.SERVICE_UNAVAILABLE, "too_busy", "There are too many connections; try again in a moment."
                )

    def connection_lost(self, exc: Exception | None) -> None:
        if self._look_again is not None:
            self._look_again.cancel()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def data_received(self, data: bytes) -> None:
        # in pieces, or a head that arrives at once would pass by the parser's limit on unfinished ones
        while data and self.rests and self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            piece, data = data[:MAX_HEAD], data[MAX_HEAD:]
            super().data_received(piece)
        if data and not self.transport.is_closing():
            super().data_received(data)
        if not self.rests:
            self._waits_since, self._surplus = None, 0
            return
        self._wait()
        if self.conn.their_state is h11.SEND_BODY:
            self._surplus += len(data)
            if self._surplus > self.patience.surplus:
                self.transport.close()

    def on_response_complete(self) -> None:
        self._rests_since = self.loop.time()
        super().on_response_complete()
        if self.rests and (self.conn.their_state is h11.SEND_BODY or self.conn.trailing_data[0]):
            self._wait()

    def pause_writing(self) -> None:
        super().pause_writing()
        everyone = (*self._others(), self)
        if sum(each.left for each in everyone) > self.patience.unsent:
            max(everyone, key=lambda each: each.left).transport.abort()

    def resume_writing(self) -> None:
        self._unsent = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (the signature is uvicorn's)
        error = sys.exc_info()[1]
        large = isinstance(error, h11.RemoteProtocolError) and error.error_status_hint == _HEAD_TOO_LARGE
        if large:
            self._refuse(_HEAD_TOO_LARGE, "head_too_large", "The request's line and headers are too large.")
        else:
            self._refuse(HTTPStatus.BAD_REQUEST, "bad_http", "This is not a request that HTTP/1.1 allows.")

    # --- its own --------------------------------------------------------------------------------------------------

    @property
    def rests(self) -> bool:
        """Whether no request is being answered; its head may be on the way."""
        cycle = cast("RequestResponseCycle | None", self.cycle)  # None before the first request
        return cycle is None or cycle.response_complete

    @property
    def left(self) -> int:
        """Bytes of answers that wait here for the reader."""
        return self.transport.get_write_buffer_size()

    def claim(self) -> tuple[int, float] | None:
        """How little this connection would be missed, least first; None for one whose answer is being worked out."""
        if self.rests:
            return 0, self._rests_since
        if self.left and self._unsent is not None:
            return 1, self._unsent[0]
        if self.conn.their_state is h11.SEND_BODY:
            return 2, self._rests_since
        return None

    def _others(self) -> list[Connection]:
        return [
            each
            for each in self.connections
            if isinstance(each, Connection) and each is not self and not each.transport.is_closing()
        ]

    def _wait(self) -> None:
        if self._waits_since is None:
            self._waits_since = self.loop.time()

    def _look(self) -> None:
        now = self.loop.time()
        self._look_again = self.loop.call_later(self.patience.step, self._look)
        if self._stalls(now):
            self.transport.abort()
        elif self.rests and self._waits_since is not None and now - self._waits_since > self.patience.head_seconds:
            if not self.conn.trailing_data[0]:  # who has asked nothing is told nothing
                self.transport.close()
            self._refuse(
                HTTPStatus.REQUEST_TIMEOUT,
                "too_slow",
                f"The request did not arrive within {self.patience.head_seconds:g} seconds.",
            )

    def _stalls(self, now: float) -> bool:
        """Whether the reader has taken too little for too long; a closing connection, too, waits for its reader."""
        left = self.left
        if not left:
            self._unsent = None
        elif self._unsent is None or not self._unsent[1] - PROGRESS < left <= self._unsent[1]:
            self._unsent = now, left
        else:
            return now - self._unsent[0] > self.patience.stall_seconds
        return False

    def _refuse(self, status: int, code: str, message: str) -> None:
        """Say why, where an answer can still be said, and close."""
        if self.transport.is_closing():
            return
        if self.cycle is not None:
            self.cycle.disconnected = True  # what the application still says goes nowhere
            self.cycle.message_event.set()
        body = error_body(code, message)
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
            *((name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()),
        ]
        with suppress(h11.LocalProtocolError):  # an answer has begun: only a broken one tells the reader so
            reason = HTTPStatus(status).phrase.encode()
            said = self.conn.send(h11.Response(status_code=status, headers=headers, reason=reason))
            said += self.conn.send(h11.Data(data=body)) + self.conn.send(h11.EndOfMessage())
            self.transport.write(said)
        self.transport.close()
