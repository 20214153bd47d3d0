"""The one error shape, readable by Grafana, for everything that can go wrong in a request.

Knows statuses and sentences; never shows a trace, a path or a secret.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus

import orjson
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toggl_pulse.api.paths import route_path
from toggl_pulse.errors import BadRequest, PulseError, RetryLater, Unavailable

__all__ = ["LastResort", "error_body", "error_response", "install_error_handlers"]

log = structlog.get_logger(__name__)

_PLAIN = {
    HTTPStatus.NOT_FOUND: ("not_found", "There is nothing at this address."),
    HTTPStatus.METHOD_NOT_ALLOWED: ("method_not_allowed", "This address does not answer to this method."),
}
_BUG = "Something went wrong in Toggl Pulse; the log has the details."


def error_body(code: str, message: str) -> bytes:
    """`{"message", "error": {"code", "message"}}`: the first is what Grafana's panels show, the second its test page.

    Lone surrogates, which JSON cannot carry, become question marks.
    """
    clean = message.encode("utf-8", "replace").decode()
    return orjson.dumps({"message": clean, "error": {"code": code, "message": clean}})


def error_response(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(error_body(code, message), status, headers, media_type="application/json")


def install_error_handlers(app: FastAPI, clock: Callable[[], datetime]) -> None:
    """Render every expected error in the one shape; `clock` gives aware UTC and turns a time into `Retry-After`."""

    async def pulse_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, PulseError)  # noqa: S101 (the signature is Starlette's)
        headers = {}
        if isinstance(error, RetryLater):
            headers["Retry-After"] = str(max(1, math.ceil((error.at - clock()).total_seconds())))
        elif isinstance(error, Unavailable) and error.retry_after is not None:
            headers["Retry-After"] = str(error.retry_after)
        return error_response(error.status, error.code, error.message, headers)

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 (the signature is Starlette's)
        code, message = _PLAIN.get(HTTPStatus(error.status_code), ("bad_request", "This request cannot be answered."))
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(sorted(_methods(app, route_path(request.scope))))
        return error_response(error.status_code, code, message, headers)

    async def invalid(request: Request, _: Exception) -> Response:
        return await pulse_error(request, BadRequest("The request has a parameter of the wrong form."))

    app.add_exception_handler(PulseError, pulse_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, invalid)


def _methods(app: FastAPI, path: str) -> set[str]:
    """All methods of an address; the router itself names those of its first route only."""
    return {
        method
        for route in app.routes
        if isinstance(route, Route) and route.path == path
        for method in route.methods or ()
    }


class LastResort:
    """Turns what nobody expected into a 500 in the one shape, and logs it once with its trace.

    Stands outside every other middleware; what it has handled goes no further, so the server does not log it again.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except ClientDisconnect:
            pass  # left in the middle of its body: nobody's fault, and nobody to tell
        except Exception:
            # the path alone: a query string may name clients and projects
            log.exception("request_failed", method=scope["method"], path=scope["path"])
            if started:
                raise  # the answer is half out: only a broken connection tells the reader so
            response = error_response(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", _BUG)
            await response(scope, receive, send)
