"""Before everything below `/ui`: whoever has not signed in is shown the form for that, or told so.

Pure ASGI; fails closed, for what is open is listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from toggl_pulse.web.answers import refusal, wants_html
from toggl_pulse.web.sessions import Sessions

__all__ = ["BASE", "COOKIE", "SignInCheck", "below"]

BASE = "/ui"
COOKIE = "toggl_pulse"

OPEN = frozenset({BASE, f"{BASE}/sign-in", f"{BASE}/calendar.ics"})
"""The calendar feed has a key of its own, for no calendar program can sign in."""

OPEN_FILES = re.compile(rf"{BASE}/static/[0-9a-z][0-9a-z.-]*/[0-9a-z][0-9a-z.-]*")


def below(path: str) -> bool:
    """Whether an address is the page's."""
    return path == BASE or path.startswith(f"{BASE}/")


class SignInCheck:
    """Asks for the session cookie on everything of the page but the form itself, its files, and the feed."""

    def __init__(self, app: ASGIApp, sessions: Sessions, form: Callable[[Request], Response]) -> None:
        self.app = app
        self._sessions = sessions
        self._form = form

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            request = Request(scope)
            if below(path) and not self._is_open(path) and not self._sessions.holds(request.cookies.get(COOKIE)):
                await self._refused(request)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    @staticmethod
    def _is_open(path: str) -> bool:
        return path in OPEN or OPEN_FILES.fullmatch(path) is not None

    def _refused(self, request: Request) -> Response:
        if request.method == "GET" and wants_html(request):
            return self._form(request)
        return refusal(HTTPStatus.UNAUTHORIZED, "signed_out", "Your session has ended: sign in again.")
