"""One request to InfluxDB over the official client, which is used as transport only: bytes or JSON in, bytes out.

Repeats what is worth it. Nothing of the client's exceptions, which hold the answer's text, hangs on an error of ours.
The client is imported with the first request: whoever has no InfluxDB does not pay for it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import stamina
import stamina.instrumentation

from toggl_pulse import __version__
from toggl_pulse.errors import NeedsUser, PulseError, Unavailable
from toggl_pulse.influx.troubles import INSIDE, Unanswered, broken_off, judge, not_influxdb

if TYPE_CHECKING:
    from influxdb_client import InfluxDBClient
    from urllib3 import BaseHTTPResponse

__all__ = ["GZIP", "Request", "Wire", "pieces"]

T = TypeVar("T")

# stamina would print each repeat itself; a failure is logged once, by whoever records the run.
stamina.instrumentation.set_on_retry_hooks(())

CHUNK = 1 << 17
GZIP = 16 + zlib.MAX_WBITS
"""For zlib: with gzip's header and sum."""

LONGEST_WAIT = 30.0
"""Seconds: who is told to wait longer gives up, and tries with the next run."""

DONE = 204
TOO_MANY, SERVER_ERROR, UNAVAILABLE = 429, 500, 503
MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class Request:
    """`body` is bytes as they are, or JSON. `seconds` is how long to wait for the next piece of the answer.

    `changes`: whether being done matters, so that no answer is another matter than no connection.
    """

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    params: Mapping[str, str]
    body: bytes | Mapping[str, Any] | None = None
    headers: Mapping[str, str] | None = None
    seconds: float = 10.0
    changes: bool = False


class _Trouble(Exception):
    """What may pass by itself: `error` if it does not; `wait` is how long InfluxDB asked for; `sent`: perhaps done."""

    def __init__(self, error: Unavailable, *, wait: float = 0.0, sent: bool = False) -> None:
        super().__init__(error.code)
        self.error = error
        self.wait = wait
        self.sent = sent


class Wire:
    """The connections to one InfluxDB with one token; may be used from several threads."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        connect_seconds: float,
        attempts: int,
        sleep: Callable[[float], object],
        jitter: Callable[[], float],
    ) -> None:
        if not (token.isascii() and token.isprintable() and token.strip() == token):
            # the HTTP library would refuse it, with the token in its message
            raise NeedsUser("INFLUXDB_TOKEN holds characters that no token has.", code="influxdb_token")
        self._url = url.rstrip("/")
        self._token = token
        self._connect_seconds = connect_seconds
        self._attempts = attempts
        self._sleep = sleep
        self._jitter = jitter
        self._made: InfluxDBClient | None = None
        self.left_open = 0
        """Changes that broke off on the way, and so may be done later than whatever was sent after them."""

    def close(self) -> None:
        if self._made is not None:
            self._made.close()
            self._made = None

    def json(self, request: Request, read: Callable[[Any], T]) -> T:
        """What `read` makes of the answer's JSON; JSON of another kind than InfluxDB's is a stranger's."""
        with self.stream(request) as response:
            body = b"".join(pieces(response))
        try:
            return read(json.loads(body))
        except (ValueError, LookupError, TypeError, AttributeError):
            raise not_influxdb() from None

    def done(self, request: Request) -> None:
        """Send what has no answer but "done", which InfluxDB says by 204; another yes is a stranger's."""
        with self.stream(request) as response:
            done = response.status == DONE
            if done:
                response.drain_conn()  # there is nothing in it; the connection goes back
        if not done:
            raise Unanswered(stranger=True) if request.changes else not_influxdb()

    @contextmanager
    def stream(self, request: Request) -> Iterator[BaseHTTPResponse]:
        """An answer of which only the beginning has been seen; the connection goes back, or ends, with the block."""
        response = self._repeated(request)
        try:
            yield response
        finally:
            # a connection whose answer was read to its end has gone back already; what is left of another is not read
            response.close()

    def _repeated(self, request: Request) -> BaseHTTPResponse:
        wait, sent = 0.0, False
        # The hook's 0 makes stamina go on at once: waiting is ours, by the sleep that was handed in.
        attempts = stamina.retry_context(
            on=lambda error: 0.0 if isinstance(error, _Trouble) and error.wait <= LONGEST_WAIT else False,
            attempts=self._attempts,
            timeout=None,
            wait_initial=0.5,
            wait_max=LONGEST_WAIT,
            wait_jitter=0.0,
        )
        failed: PulseError
        try:
            for attempt in attempts:
                if wait:
                    self._sleep(wait)
                with attempt:
                    try:
                        return self._once(request)
                    except _Trouble as trouble:
                        sent = sent or trouble.sent
                        self.left_open += trouble.sent and request.changes
                        wait = max(attempt.next_wait, trouble.wait) * (1 + self._jitter() / 2)
                        raise
        except _Trouble as trouble:
            failed = Unanswered() if sent and request.changes else trouble.error
        raise failed

    def _once(self, request: Request) -> BaseHTTPResponse:
        outcome = self._outcome(request)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _outcome(self, request: Request) -> BaseHTTPResponse | PulseError | _Trouble:
        """Errors are returned, not raised: no traceback shall hold a frame that holds InfluxDB's text."""
        from influxdb_client.rest import ApiException
        from urllib3 import exceptions as http

        client = self._client()
        try:
            response: BaseHTTPResponse = client.api_client.call_api(
                request.path,
                request.method,
                query_params=list(request.params.items()),
                header_params={"Accept": "application/json", **(request.headers or {})},
                body=request.body,
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=(self._connect_seconds * MILLISECONDS, request.seconds * MILLISECONDS),
                urlopen_kw={"redirect": False},
            )
        except ApiException as error:
            return _no(error, changes=request.changes)
        except (http.NewConnectionError, http.ConnectTimeoutError):
            return _Trouble(_unreachable())
        except http.ReadTimeoutError:
            # it has too much to do already: the same again would not help
            return Unanswered() if request.changes else _slow()
        except (http.HTTPError, OSError):
            return _Trouble(_unreachable(), sent=True)
        return response

    def _client(self) -> InfluxDBClient:
        if self._made is None:
            from influxdb_client import InfluxDBClient

            self._made = InfluxDBClient(url=self._url, token=self._token, connection_pool_maxsize=4)
            self._made.api_client.user_agent = f"toggl-pulse/{__version__}"
        return self._made


def _no(error: Any, *, changes: bool) -> PulseError | _Trouble:
    """What an answer other than 2xx means."""
    headers = error.headers or {}
    if not error.status:
        # the client puts failures of the encryption so
        return Unavailable("INFLUXDB_URL answers with a certificate that is not valid.", code="influxdb_certificate")
    if error.status in {TOO_MANY, UNAVAILABLE}:
        wait = _seconds(headers.get("Retry-After"))
        return _Trouble(_busy(wait), wait=wait)
    if error.status >= SERVER_ERROR:
        return _Trouble(_busy(0.0), sent=changes)
    try:
        message = json.loads(error.body)["message"]
    except (ValueError, TypeError, KeyError, UnicodeDecodeError):
        message = ""
    return judge(error.status, inside=INSIDE in headers, message=str(message))


def _seconds(header: str | None) -> float:
    """How long to wait; a date instead of seconds, which InfluxDB does not send, counts as nothing said."""
    return float(header) if header is not None and header.isdecimal() else 0.0


def _busy(wait: float) -> Unavailable:
    return Unavailable(
        "InfluxDB has too much to do, or is in trouble.", code="influxdb_busy", retry_after=int(wait) or None
    )


def _unreachable() -> Unavailable:
    return Unavailable("InfluxDB cannot be reached at INFLUXDB_URL.", code="influxdb_unreachable")


def _slow() -> Unavailable:
    return Unavailable("InfluxDB did not answer in time.", code="influxdb_timeout")


def pieces(response: BaseHTTPResponse) -> Iterator[bytes]:
    """The body unpacked. The end of the gzip stream is looked for: a server that broke off may end the body well."""
    from urllib3.exceptions import HTTPError

    packed = response.headers.get("Content-Encoding") == "gzip"
    unpack = zlib.decompressobj(wbits=GZIP)
    failed = False
    try:
        for piece in response.stream(CHUNK, decode_content=False):
            whole = unpack.decompress(piece) if packed else piece
            if whole:
                yield whole
    except (HTTPError, OSError, zlib.error):
        failed = True
    if failed or (packed and not unpack.eof):
        raise broken_off()
