"""Between a program and InfluxDB: hands each request on, and can strike before it, after it, or long after it."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

When = Literal["before", "after", "late"]
KEPT = {"authorization", "content-type", "content-encoding", "accept", "accept-encoding"}
"""Headers of a request that matter."""


class Answer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    content: bytes


class Between:
    """Counts requests from `expect` on; at the one of that number `strike` is called.

    `before`: the request is never handed on; `after`: it is done, and nobody gets the answer; `late`: it is done when
    the next request but one comes, whoever sends that.
    """

    def __init__(self, url: str) -> None:
        self._there = urlsplit(url).netloc
        self._lock = Lock()
        self._late: list[tuple[int, Callable[[], object]]] = []
        self.url = ""
        self.expect(0, "before", lambda: None)

    def expect(self, number: int, when: When, strike: Callable[[], object]) -> None:
        self._number, self._when, self._strike = number, when, strike
        self.asked = 0

    def answer(self, request: BaseHTTPRequestHandler) -> Answer | None:
        """None: whoever asked gets no answer."""
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        with self._lock:
            self.asked += 1
            mine = self.asked == self._number
            due = [send for number, send in self._late if number <= self.asked]
            self._late = [each for each in self._late if each[0] > self.asked]
        for send in due:
            send()
        if not mine:
            return self._handed_on(request, body)
        if self._when == "after":
            self._handed_on(request, body)
        elif self._when == "late":
            self._late.append((2, lambda: self._handed_on(request, body)))
        self._strike()
        return None

    def _handed_on(self, request: BaseHTTPRequestHandler, body: bytes) -> Answer | None:
        headers = {name: value for name, value in request.headers.items() if name.lower() in KEPT}
        with closing(http.client.HTTPConnection(self._there, timeout=60)) as connection:
            try:
                connection.request(request.command, request.path, body, headers)
                response = connection.getresponse()
                return Answer(response.status, response.getheaders(), response.read())
            except (OSError, http.client.HTTPException):
                return None


@contextmanager
def between(url: str) -> Iterator[Between]:
    place = Between(url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer = place.answer(self)
            self.close_connection = answer is None
            if answer is None:
                return
            self.send_response_only(answer.status)
            for name, value in answer.headers:
                if name.lower() not in {"transfer-encoding", "content-length", "connection"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def do_POST(self) -> None:
            self.do_GET()

        def handle(self) -> None:
            with suppress(OSError):  # who asked has been killed
                super().handle()

        def finish(self) -> None:
            with suppress(OSError):
                super().finish()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        place.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield place
        finally:
            server.shutdown()
            thread.join()
