"""Who may ask: the token on everything but health, and no request of change from another site's page.

Pure ASGI; knows paths and headers, never bodies. The token is compared in constant time and shown nowhere.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterable
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from toggl_pulse.api.errors import error_response
from toggl_pulse.api.paths import route_path

__all__ = ["SameOrigin", "TokenCheck"]

_SAFE = frozenset({"GET", "HEAD"})
_DEFAULT_PORTS = {"http": 80, "https": 443}


class TokenCheck:
    """Asks for the API token everywhere but on the `public` paths; those `apart` have a guard of their own.

    Without a token everything is open: allowed only where the service listens on loopback alone, which the settings
    see to.
    """

    def __init__(
        self,
        app: ASGIApp,
        token: str | None,
        public: Iterable[str],
        apart: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.app = app
        self._apart = apart
        self._digest = hashlib.sha256(token.encode()).digest() if token is not None else None
        self.public = frozenset(public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_open = scope["type"] != "http" or self._digest is None or route_path(scope) in self.public
        if is_open or self._apart(route_path(scope)) or self._matches(_credentials(scope)):
            await self.app(scope, receive, send)
        else:
            await _unauthorized(scope)(scope, receive, send)

    def _matches(self, given: bytes | None) -> bool:
        # digests have one length, so that not even the token's length can be timed
        digest = hashlib.sha256(given if given is not None else b"").digest()
        return self._digest is not None and hmac.compare_digest(digest, self._digest) and given is not None


def _credentials(scope: Scope) -> bytes | None:
    """The token that a request brings: Bearer, or on GET the password of Basic (a browser's way to a download)."""
    given: list[bytes] = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(given) != 1:
        return None
    scheme, _, rest = given[0].strip().partition(b" ")
    if scheme.lower() == b"bearer":
        return rest.strip()
    if scheme.lower() == b"basic" and scope["method"] in _SAFE:
        try:
            _, colon, password = base64.b64decode(rest.strip(), validate=True).partition(b":")
        except binascii.Error:
            return None
        return password if colon else None
    return None


def _unauthorized(scope: Scope) -> Response:
    challenge = 'Bearer realm="toggl-pulse"'
    if scope["method"] in _SAFE:
        challenge += ', Basic realm="toggl-pulse", charset="UTF-8"'
    return error_response(
        HTTPStatus.UNAUTHORIZED,
        "unauthorized",
        "This needs the API token, as `Authorization: Bearer …`.",
        {"WWW-Authenticate": challenge},
    )


class SameOrigin:
    """Refuses requests by which another site's page could make a visitor's browser act.

    On `reading` paths a POST changes nothing: there only what is plainly from elsewhere is refused. Any other POST
    needs a JSON body (which a foreign page cannot send without asking first) or must show that it is from here.
    """

    def __init__(self, app: ASGIApp, reading: Iterable[str]) -> None:
        self.app = app
        self.reading = frozenset(reading)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in _SAFE:
            origin = _from_here(Headers(scope=scope))
            fine = _is_json(Headers(scope=scope)) or (
                origin is not False if route_path(scope) in self.reading else origin is True
            )
            if not fine:
                response = error_response(
                    HTTPStatus.FORBIDDEN,
                    "cross_site",
                    "This request must have a JSON body (`Content-Type: application/json`) or come from this site.",
                )
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _is_json(headers: Headers) -> bool:
    return headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def _from_here(headers: Headers) -> bool | None:
    """Whether a browser says that its page is of this origin; None when nothing is said (no browser, mostly)."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    return None if origin is None else _place(origin) == _host_place(origin, headers.get("host", ""))


def _place(url: str) -> tuple[str | None, int | None] | None:
    try:
        parts = urlsplit(url)
        return (parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)) if parts.hostname else None
    except ValueError:
        return None


def _host_place(origin: str, host: str) -> tuple[str | None, int | None] | str:
    """The Host header as a place seen with the origin's scheme, since a proxy in front may have ended TLS."""
    scheme = origin.partition(":")[0]
    return _place(f"{scheme}://{host}") or "nowhere"
