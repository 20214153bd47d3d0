"""A server that answers as it is told, in InfluxDB's name: what a real one does only on its worst days."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import NamedTuple

NO_CONTENT = 204

__all__ = ["Asked", "Reply", "Scripted", "inside", "scripted"]


class Asked(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """`cut`: how many bytes of the body arrive before the connection ends (None: all, and it ends well)."""

    status: int = NO_CONTENT
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    nothing: bool = False


def inside(status: int, message: str = "", **headers: str) -> Reply:
    """As InfluxDB itself says no."""
    named = {"X-Platform-Error-Code": "some code", "Content-Type": "application/json"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps({"code": "some code", "message": message}).encode(), named)


@dataclass
class Scripted:
    url: str
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    left: list[Reply]
    server_side: Scripted

    def setup(self) -> None:
        super().setup()
        self.server_side.connections += 1

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server_side.asked.append(Asked(self.command, self.path, dict(self.headers), body))
        reply = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        if reply.nothing:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.body:
            self.send_header("Transfer-Encoding", "chunked")
        elif reply.status != NO_CONTENT:
            self.send_header("Content-Length", "0")
        self.end_headers()
        if reply.body:
            self.chunks(reply)

    def chunks(self, reply: Reply) -> None:
        whole = reply.body if reply.cut is None else reply.body[: reply.cut]
        for first in range(0, len(whole), 1000):
            piece = whole[first : first + 1000]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        if reply.cut is None:
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.close_connection = True

    do_GET = do_POST = answer  # noqa: N815 (the library's names)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def scripted(replies: Sequence[Reply], *, tls: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """One reply after the other, then the last one for ever."""
    told = Scripted("")
    handler = type("Handler", (_Handler,), {"left": list(replies), "server_side": told})
    listening = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if tls is not None:
        listening.socket = tls.wrap_socket(listening.socket, server_side=True)
    told.url = f"{'http' if tls is None else 'https'}://localhost:{listening.server_port}"
    thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield told
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()
