"""Answers only to the host names it was told, so that a hostile page cannot reach it by a DNS name of its own.

Knows nothing of tokens; a middleware of plain ASGI.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from toggl_pulse.api.errors import error_response

__all__ = ["HostCheck", "host_name"]

# RFC 9110, 7.2: a name or an IPv4 address, or an IPv6 address in brackets, and maybe a port; never a user part.
_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[A-Za-z0-9._-]{1,253}))(?::[0-9]{0,5})?")


def host_name(header: str) -> str | None:
    """The name in a Host header, in lower case, without port, brackets and final dot; None when it is malformed."""
    found = _HOST.fullmatch(header)
    if found is None:
        return None
    return (found["v6"] or found["name"].removesuffix(".")).lower() or None


class HostCheck:
    """Refuses a request whose Host is missing, doubled, malformed or unknown; `*` among `allowed` accepts any name."""

    def __init__(self, app: ASGIApp, allowed: Iterable[str]) -> None:
        self.app = app
        self.allowed = frozenset(name.strip("[]").removesuffix(".").lower() for name in allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
            name = host_name(given[0]) if len(given) == 1 else None
            if name is None:
                response = error_response(
                    HTTPStatus.BAD_REQUEST, "bad_host", "The request must name one host in its Host header."
                )
                await response(scope, receive, send)
                return
            if name not in self.allowed and "*" not in self.allowed:
                response = error_response(
                    HTTPStatus.MISDIRECTED_REQUEST,
                    "unknown_host",
                    f"Toggl Pulse does not answer to the host name {name}; add it to ALLOWED_HOSTS if it is yours.",
                )
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send)
