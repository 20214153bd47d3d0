"""How the page's answers look to a browser: what they may load and do, and how a refusal reads.

Knows no view.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from starlette.requests import Request
from starlette.responses import Response

__all__ = ["HEADERS", "goes_to", "html", "refusal", "wants_html"]

HEADERS: Mapping[str, str] = {
    # the library of charts sets styles by script (CSSOM), which needs no exception; anything inline is refused
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # not `no-referrer`: with that a form of our own says that it comes from nowhere, and is refused
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


def html(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(text.encode("utf-8", "replace"), status, {**HEADERS, **(headers or {})}, "text/html; charset=utf-8")


def refusal(status: int, code: str, message: str) -> Response:
    """The one error shape, for what is no page."""
    body = orjson.dumps({"message": message, "error": {"code": code, "message": message}})
    return Response(body, status, media_type="application/json")


def goes_to(relative: str, headers: Mapping[str, str] | None = None) -> Response:
    """After a form has been sent; relative, for a prefix before us is the browser's to know."""
    return Response(status_code=303, headers={"Location": relative, **(headers or {})})


def wants_html(request: Request) -> bool:
    """Whether a person is to read the answer, not a script of ours or a download."""
    return "text/html" in request.headers.get("accept", "")
