"""Plain ASGI calls, for what an HTTP client would tidy up before sending."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.types import ASGIApp, Message

Headers = Iterable[tuple[str, str | bytes]]


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def code(self) -> str:
        """The error's code; fails where the answer is not the one error shape."""
        error = self.json["error"]
        assert {"message": error["message"], "error": error} == self.json
        return str(error["code"])


async def call(
    app: ASGIApp,
    method: str = "GET",
    path: str = "/",
    *,
    headers: Headers = (("host", "localhost"),),
    body: Iterable[bytes] = (b"",),
    root_path: str = "",
    query: bytes = b"",
    stays: bool = False,
) -> Reply:
    """One request, its body in the given pieces; `stays`: whoever asked waits for the answer's end."""
    pieces = list(body)
    sent: list[Message] = []
    scope: MutableMapping[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "replace"),
        "query_string": query,
        "root_path": root_path,
        "headers": [(n.encode(), v if isinstance(v, bytes) else v.encode("latin-1")) for n, v in headers],
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
    }

    async def receive() -> Message:
        if not pieces:
            if stays:
                await asyncio.Event().wait()
            return {"type": "http.disconnect"}
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = sent[0]
    return Reply(
        start["status"],
        {name.decode(): value.decode() for name, value in start["headers"]},
        b"".join(message.get("body", b"") for message in sent[1:]),
    )


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """An application that reads its body and answers with the path and the body's length."""
    size = 0
    more = True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": f"{scope['path']} {size}".encode()})
