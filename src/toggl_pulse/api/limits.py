"""How much of a request is read, and what every answer says about itself; middlewares of plain ASGI.

Knows no routes and no tokens.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toggl_pulse.api.errors import error_response

__all__ = ["MAX_BODY", "SECURITY_HEADERS", "BodyLimit", "Headers", "Prefix"]

MAX_BODY = 1024 * 1024
"""The largest request body in bytes; Grafana's own are a few thousand."""

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


SECONDS_A_BODY = 30.0
"""A body must have arrived by then, or a few slow senders could hold every connection."""


class _CutOff(Exception):
    """A signal from the counting `receive` to its own middleware."""

    def __init__(self, response: Response) -> None:
        self.response = response


class BodyLimit:
    """Watches a body arrive, whatever Content-Length says: too large is cut off with 413, too slow with 408."""

    def __init__(self, app: ASGIApp, limit: int = MAX_BODY, seconds: float = SECONDS_A_BODY) -> None:
        self.app = app
        self.limit = limit
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if _announced(scope) > self.limit:
            await self._too_large()(scope, receive, send)
            return
        seen, complete, started = 0, False, False
        deadline = asyncio.get_running_loop().time() + self.seconds

        async def counted() -> Message:
            nonlocal seen, complete
            if complete:
                return await receive()  # only waits for the end of the connection
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise _CutOff(self._too_slow()) from None
            seen += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if seen > self.limit:
                raise _CutOff(self._too_large())
            return message

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, counted, watch)
        except _CutOff as cut:
            if started:
                raise
            await cut.response(scope, receive, send)

    # the connection is closed after both, since the rest of the body is not read

    def _too_large(self) -> Response:
        return error_response(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "too_large",
            f"The request's body is larger than {self.limit:,} bytes.",
            {"Connection": "close"},
        )

    def _too_slow(self) -> Response:
        return error_response(
            HTTPStatus.REQUEST_TIMEOUT,
            "too_slow",
            f"The request's body did not arrive within {self.seconds:g} seconds.",
            {"Connection": "close"},
        )


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:19])
    return 0


class Headers:
    """Puts the security headers on every answer; a route that says otherwise for itself keeps its word."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


class Prefix:
    """Makes a prefix without its trailing slash the same address as with it, without a redirect.

    A redirect would name an internal address to Grafana, whose connection test asks for the bare URL.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            root = scope.get("root_path", "").rstrip("/")
            scope = {**scope, "root_path": root, "path": root + "/" if scope["path"] == root else scope["path"]}
        await self.app(scope, receive, send)
