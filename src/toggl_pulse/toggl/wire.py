"""One request over HTTP, limited in time and size; whatever goes wrong comes back as `Trouble`, never raised.

Returned, because the HTTP library's and the parser's exceptions hold the request's headers or the answer's text,
and both may hold a token: nothing of them may hang on an error of ours.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import orjson

from toggl_pulse import __version__
from toggl_pulse.errors import NeedsUser
from toggl_pulse.model import JSON
from toggl_pulse.toggl.assumptions import ANSWER_LIMIT, ANSWER_SECONDS
from toggl_pulse.toggl.credentials import Credentials
from toggl_pulse.toggl.translate import Trouble, header_int

__all__ = ["Answer", "Limits", "Params", "Reply", "Transport", "Wire", "parse"]

Params = Mapping[str, str | int]

Transport = httpx2.AsyncBaseTransport
"""What carries requests; a test hands one in that ends in this process."""

USER_AGENT = f"toggl-pulse/{__version__} (self-hosted mirror of a Toggl account)"

FAILURES: tuple[tuple[tuple[type[Exception], ...], str, str], ...] = (
    ((TimeoutError, httpx2.TimeoutException), "toggl_timeout", "Toggl did not answer in time."),
    ((httpx2.ProxyError,), "proxy_failed", "The proxy on the way to Toggl does not let the request through."),
    ((httpx2.ConnectError,), "toggl_unreachable", "Toggl cannot be reached; is the network up?"),
    ((httpx2.DecodingError,), "bad_answer", "Toggl's answer was packed wrongly."),
    ((httpx2.TransportError, httpx2.StreamError, OSError), "toggl_cut", "The connection to Toggl broke off."),
)
"""The first that fits counts: what happened on the network, its slug, and its sentence."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`attempts` counts the first one; `timeout` is seconds for connecting and between two pieces of an answer."""

    attempts: int = 3
    timeout: float = 30.0
    answer_seconds: float = ANSWER_SECONDS
    answer_bytes: int = ANSWER_LIMIT


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came, unpacked; shows nothing of itself, for `/me` answers with the token."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def __repr__(self) -> str:
        return f"Reply({self.status}, {len(self.content)} bytes)"


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """A successful answer's JSON."""

    data: JSON
    headers: Mapping[str, str]


class Wire:
    """The connection to one address with one account's credentials."""

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        limits: Limits,
        transport: httpx2.AsyncBaseTransport | None,
    ) -> None:
        self._limits = limits
        self._http = _http_client(_checked(base_url), credentials, limits, transport)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def send(self, method: str, path: str, params: Params | None, body: JSON) -> Reply | Trouble:
        content = None if body is None else orjson.dumps(body)
        try:
            async with (
                asyncio.timeout(self._limits.answer_seconds),
                self._http.stream(method, path, params=params, content=content) as response,
            ):
                return await self._receive(response)
        except (httpx2.HTTPError, httpx2.StreamError, OSError) as error:
            return _trouble(error)
        finally:
            self._http.cookies.clear()  # every request proves itself; no session shall outlive one

    async def _receive(self, response: httpx2.Response) -> Reply | Trouble:
        limit = self._limits.answer_bytes
        parts: list[bytes] = []
        size = 0
        if (header_int(response.headers, "content-length") or 0) > limit:
            return _too_large(limit)
        async for part in response.aiter_bytes():
            size += len(part)
            if size > limit:
                return _too_large(limit)
            parts.append(part)
        return Reply(response.status_code, response.headers, b"".join(parts))


def parse(reply: Reply) -> Answer | Trouble:
    """The JSON of a successful reply."""
    if not reply.content.strip():
        return Trouble("Toggl's answer was empty.", code="empty_answer")
    try:
        return Answer(orjson.loads(reply.content), reply.headers)
    except orjson.JSONDecodeError:
        return _second_reading(reply)


def _second_reading(reply: Reply) -> Answer | Trouble:
    """What the strict parser refuses may be one broken character: then only its row shall suffer."""
    words = reply.content.decode("utf-8", "replace")
    if not words.lstrip().startswith("<"):
        try:
            return Answer(_whole_characters(json.loads(words)), reply.headers)
        except (ValueError, RecursionError):
            pass
    return Trouble(
        "Something that is not Toggl's JSON came in answer; does the network ask for a login?", code="bad_answer"
    )


def _whole_characters(value: Any) -> Any:
    """Halves of UTF-16 pairs cannot be stored anywhere; they become replacement characters."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole_characters(item) for item in value]
    if isinstance(value, dict):
        return {_whole_characters(key): _whole_characters(item) for key, item in value.items()}
    return value


def _too_large(limit: int) -> Trouble:
    return Trouble(
        f"An answer in Toggl's name was larger than {limit:,} bytes and was cut off.",
        code="answer_too_large",
        repeat=False,
    )


def _trouble(error: Exception) -> Trouble:
    if isinstance(error, httpx2.ConnectError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return Trouble(
            "The certificate shown in Toggl's name is not trusted here; does something intercept the network?",
            code="bad_certificate",
            repeat=False,
        )
    code, sentence = next((code, sentence) for kinds, code, sentence in FAILURES if isinstance(error, kinds))
    return Trouble(sentence, code=code)


def _http_client(
    url: httpx2.URL, credentials: Credentials, limits: Limits, transport: httpx2.AsyncBaseTransport | None
) -> httpx2.AsyncClient:
    try:
        return httpx2.AsyncClient(
            base_url=url,
            auth=httpx2.BasicAuth(*credentials.basic()),
            headers={"User-Agent": USER_AGENT, "Accept": "application/json", "Content-Type": "application/json"},
            timeout=limits.timeout,
            follow_redirects=False,
            transport=transport,
            # Proxies come from the environment, but what runs on this machine is never asked through one.
            trust_env=url.host not in {"localhost", "127.0.0.1", "::1"},
        )
    except (ValueError, ImportError):  # their texts hold the proxy's address, and that may hold a password
        pass
    raise NeedsUser("The proxy that the environment names cannot be used; check HTTPS_PROXY.", code="bad_proxy")


def _checked(base_url: str) -> httpx2.URL:
    try:
        url = httpx2.URL(base_url.strip().rstrip("/"))
    except httpx2.InvalidURL:
        url = httpx2.URL("")
    if url.scheme not in {"http", "https"} or not url.host or url.userinfo or url.query or url.fragment:
        raise NeedsUser("TOGGL_API_URL is not an address like https://api.track.toggl.com.", code="bad_api_url")
    if url.scheme == "http" and (url.host == "toggl.com" or url.host.endswith(".toggl.com")):
        raise NeedsUser("TOGGL_API_URL must begin with https, or the token would travel readable.", code="bad_api_url")
    return url
