"""What only real sockets show: a name that does not resolve, a port that refuses, cuts, stalls, and endless answers."""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import NoReturn

import pytest

from toggl.scene import Clock, MemoryQuota
from toggl_pulse.demo import Clock as WorldClock
from toggl_pulse.demo import Loopback, World
from toggl_pulse.errors import RetryLater
from toggl_pulse.toggl import Credentials, Quota, TogglClient
from toggl_pulse.toggl.assumptions import ANSWER_LIMIT

MIB = 1024 * 1024
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ROWS = b"[" + b" " * 20_000 + b"]"

Handler = Callable[[asyncio.StreamWriter], Awaitable[None]]


def client(url: str, *, token: str = "0" * 32, timeout: float = 20.0) -> TogglClient:
    clock = Clock()
    quota = Quota(MemoryQuota(), reserve=10, clock=clock)
    credentials = Credentials.token(token)
    return TogglClient(url, credentials, quota=quota, clock=clock, sleep=clock.sleep, timeout=timeout, pace=1000.0)


async def ask(url: str, *, token: str = "0" * 32, timeout: float = 20.0) -> str:  # noqa: ASYNC109
    """The code of what went wrong; nothing when nothing did."""
    async with client(url, token=token, timeout=timeout) as toggl:
        try:
            await toggl.current()
        except RetryLater as error:
            return error.code
    return ""


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that reads one request and then does as it likes; with it, what was asked."""
    asked: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            await handler(writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the other side has heard enough
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


async def reset(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + f"Content-Length: {len(ROWS)}\r\n\r\n".encode() + ROWS[:5_000])
    await writer.drain()
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def longer(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + f"Content-Length: {len(ROWS) + 7}\r\n\r\n".encode() + ROWS)
    await writer.drain()


async def shorter(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + f"Content-Length: {len(ROWS) - 7}\r\n\r\n".encode() + ROWS)
    await writer.drain()


async def not_http(writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example ESMTP\r\n")
    await writer.drain()


async def stall(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + f"Content-Length: {len(ROWS)}\r\n\r\n".encode() + ROWS[:5_000])
    await writer.drain()
    await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("handler", "code"),
    [(reset, "toggl_cut"), (longer, "toggl_cut"), (shorter, "bad_answer"), (not_http, "toggl_cut")],
)
def test_a_broken_answer_is_asked_for_three_times(handler: Handler, code: str) -> None:
    async def go() -> tuple[str, int]:
        async with serving(handler) as (url, asked):
            code = await ask(url)
            return code, len(asked)

    assert (code, 3) == asyncio.run(go())


def test_an_answer_that_stalls_is_given_up() -> None:
    async def go() -> tuple[str, int]:
        async with serving(stall) as (url, asked):
            code = await ask(url, timeout=0.1)
            return code, len(asked)

    assert ("toggl_timeout", 3) == asyncio.run(go())


def test_a_port_where_nobody_listens_is_told_as_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    code = asyncio.run(ask(f"http://127.0.0.1:{port}"))

    assert "toggl_unreachable" == code


def test_a_name_that_does_not_resolve_is_told_as_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_args: object, **_more: object) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)

    code = asyncio.run(ask("http://api.track.toggl.invalid"))

    assert "toggl_unreachable" == code


def test_a_redirect_to_another_host_does_not_take_the_token_along() -> None:
    async def go() -> tuple[str, int, int]:
        async with serving(longer) as (elsewhere, stolen):

            async def lead_away(writer: asyncio.StreamWriter) -> None:
                writer.write(f"HTTP/1.1 302 Found\r\nLocation: {elsewhere}/\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()

            async with serving(lead_away) as (url, asked):
                code = await ask(url)
                return code, len(asked), len(stolen)

    assert ("redirected", 1, 0) == asyncio.run(go())


@contextmanager
def growing_at_most(mebibytes: float) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] / MIB <= mebibytes
    finally:
        tracemalloc.stop()


def test_an_answer_that_announces_200_mb_is_not_read_at_all() -> None:
    world = World.empty(WorldClock(Clock().now))
    world.fault("huge", times=None)

    # the other end of the line, in the same process, has a block or two in its hands
    with growing_at_most(12), Loopback(world) as served:
        code = asyncio.run(ask(served.url, token=world.token))

    assert "answer_too_large" == code
    assert 1 == len(world.log)


async def endless(writer: asyncio.StreamWriter) -> None:
    """Never says how long it is."""
    writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    block = b"100000\r\n" + b" " * MIB + b"\r\n"
    for _ in range(200):
        writer.write(block)
        await writer.drain()


PACKED = gzip.compress(b" " * (200 * MIB), 1)
"""200 MB of blanks, a small part of it on the wire."""


async def bomb(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + f"Content-Encoding: gzip\r\nContent-Length: {len(PACKED)}\r\n\r\n".encode() + PACKED)
    await writer.drain()


@pytest.mark.parametrize("handler", [endless, bomb])
def test_an_answer_that_grows_without_end_is_cut_off_at_the_limit(handler: Handler) -> None:
    async def go() -> tuple[str, int]:
        async with serving(handler) as (url, asked):
            code = await ask(url)
            return code, len(asked)

    with growing_at_most(ANSWER_LIMIT / MIB + 16):
        assert ("answer_too_large", 1) == asyncio.run(go())
