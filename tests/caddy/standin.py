"""A small server in Grafana's place: keeps what reaches it, answers what is to be handed on, echoes a WebSocket."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

__all__ = ["BIG", "FRAME_OF_TEXT", "Asked", "StandIn", "accept_key", "stand_in"]

BIG = b"const answer = 42;\n" * 2000
FRAME_OF_TEXT = 0x81
WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3


def accept_key(key: str) -> str:
    return base64.b64encode(hashlib.sha1(f"{key}{WEBSOCKET_GUID}".encode(), usedforsecurity=False).digest()).decode()


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    target: str
    headers: Message
    body: bytes


class StandIn(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[Asked] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that Caddy breaks off is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "StandIn"
    own_headers: ClassVar = {"X-Frame-Options": "deny", "Referrer-Policy": "no-referrer", "Set-Cookie": "seen=1"}
    server: StandIn

    def log_message(self, *args: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        body = self._body()
        if body is None:
            self.close_connection = True
            return
        self.server.asked.append(Asked(self.command, self.path, self.headers, body))
        if self.headers.get("Upgrade", "").lower() == "websocket":
            self._echo()
            return
        big = self.path.endswith(".js")
        answer = BIG if big else b'{"database": "ok"}'
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if big else "application/json")
        self.send_header("Content-Length", str(len(answer)))
        for name, value in {} if self.path.endswith("/bare") else self.own_headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET  # noqa: N815 (the name is http.server's)

    def _body(self) -> bytes | None:
        """All of it, or None where it is cut off."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            return body if len(body) == length else None
        whole = b""
        while line := self.rfile.readline():
            length = int(line, 16)
            whole += self.rfile.read(length + 2)[:length]
            if not length:
                return whole
        return None

    def _echo(self) -> None:
        """Accept, and send one short text back as it came, without its mask."""
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept_key(self.headers["Sec-WebSocket-Key"]))
        self.end_headers()
        first, length = self.rfile.read(2)
        mask, masked = self.rfile.read(4), self.rfile.read(length & 0x7F)
        text = bytes(letter ^ mask[place % 4] for place, letter in enumerate(masked))
        self.wfile.write(bytes([first, len(text)]) + text)
        self.close_connection = True


@contextmanager
def stand_in() -> Iterator[StandIn]:
    with StandIn() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
