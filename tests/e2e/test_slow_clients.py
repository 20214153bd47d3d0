"""Clients that are slow, silent, endless, gone or speak something else, over real sockets: cut off, each in its time.

The limits are those of the product made small; `test_a_thousand_silent_connections…` meets the real ones.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog
import uvicorn

from api.asgi import echo
from api.scene import NOW, TOKEN, SmallPulse, fill
from e2e.processes import PATIENCE, running
from toggl_pulse.api import BodyLimit, LastResort, Leaving, Patience, patient
from toggl_pulse.app import create_app
from toggl_pulse.mirror import Mirror

QUICK = Patience(head_seconds=0.4, stall_seconds=0.6, connections=100, surplus=100_000)
BODY_SECONDS = 0.4
LONG_ENOUGH = 20.0  # only a broken limit lets a test wait so long
HOST = b"Host: localhost\r\n"
ASK = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
TOKEN_LINE = f"Authorization: Bearer {TOKEN}\r\n".encode()


class Listening:
    """A server on a loopback port, in a thread."""

    def __init__(self, app: Any, patience: Patience) -> None:
        config = uvicorn.Config(
            app, http=patient(patience), ws="none", lifespan="off", log_config=None, access_log=False
        )
        config.timeout_graceful_shutdown = 1
        self.server = uvicorn.Server(config)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.server.run, args=([self.listener],))

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=LONG_ENOUGH)

    @property
    def connections(self) -> int:
        return len(self.server.server_state.connections)


@contextmanager
def listening(app: Any, patience: Patience = QUICK) -> Iterator[Listening]:
    there = Listening(app, patience)
    there.thread.start()
    try:
        yield there
    finally:
        there.server.should_exit = True
        there.thread.join()


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    with Mirror.open(f"sqlite:///{tmp_path_factory.mktemp('slow') / 'mirror.db'}", clock=lambda: NOW) as opened:
        fill(opened)
        yield opened


@pytest.fixture(scope="module")
def pulse_server(mirror: Mirror) -> Iterator[Listening]:
    """The whole application, with a token, behind small limits."""
    with listening(BodyLimit(create_app(SmallPulse(mirror)), seconds=BODY_SECONDS)) as there:
        yield there


def until_closed(client: socket.socket) -> bytes:
    """All that comes until the other side closes; a reset ends it too."""
    said = b""
    while True:
        try:
            piece = client.recv(1 << 16)
        except ConnectionResetError:
            return said
        if not piece:
            return said
        said += piece


def some(client: socket.socket) -> bytes:
    piece = client.recv(1 << 16)
    assert piece, "closed in the middle of an answer"
    return piece


def answer(client: socket.socket) -> bytes:
    """One whole answer with a Content-Length or in one chunk, which may come in several pieces."""
    said = b""
    while b"\r\n\r\n" not in said:
        said += some(client)
    head, _, body = said.partition(b"\r\n\r\n")
    announced = re.search(rb"content-length: (\d+)", head)
    while (len(body) < int(announced[1])) if announced else (b"0\r\n\r\n" not in body):
        body += some(client)
    return head + b"\r\n\r\n" + body


def code_of(said: bytes) -> tuple[int, str]:
    """Status and code of one answer in the error shape, which carries the security headers."""
    head, _, body = said.partition(b"\r\n\r\n")
    error = json.loads(body)
    assert {"message": error["message"], "error": error["error"]} == error
    assert b"x-content-type-options: nosniff" in head.lower()
    return int(head.split()[1]), str(error["error"]["code"])


def drip(client: socket.socket, data: bytes, pause: float = 0.03) -> bytes:
    """Send a byte at a time, listening in between, until told something or closed; then all that was said."""
    client.settimeout(pause)
    for byte in data:
        try:
            client.sendall(bytes([byte]))
            said = client.recv(1 << 16)
        except TimeoutError:
            continue
        except (BrokenPipeError, ConnectionResetError):
            return b""
        client.settimeout(LONG_ENOUGH)
        return said + until_closed(client)
    raise AssertionError("everything was taken, however slowly it came")


def pour(client: socket.socket, piece: bytes, times: int = 10_000) -> bytes:
    """Send the same piece again and again until the other side has enough; then what it said."""
    client.settimeout(LONG_ENOUGH)
    try:
        for _ in range(times):
            client.sendall(piece)
    except (BrokenPipeError, ConnectionResetError):
        return until_closed(client)
    raise AssertionError(f"{times} pieces were taken")


def test_a_head_that_comes_a_byte_at_a_time_is_cut_off_while_others_are_answered(pulse_server: Listening) -> None:
    with ExitStack() as crowd:
        slow = [crowd.enter_context(pulse_server.connect()) for _ in range(30)]
        for client in slow:
            client.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        began = time.perf_counter()
        with pulse_server.connect() as normal:
            normal.sendall(ASK)
            assert b"200 OK" in answer(normal)
        waited = time.perf_counter() - began
        said = [drip(slow[0], b"a" * 1000)] + [until_closed(client) for client in slow[1:]]

    assert waited < QUICK.head_seconds * 10, "the slow ones held up a normal client"
    assert [(408, "too_slow")] * 30 == [code_of(each) for each in said]


def test_the_clock_of_a_head_runs_from_its_first_byte_on_a_kept_connection_too(pulse_server: Listening) -> None:
    with pulse_server.connect() as client:
        client.sendall(ASK)
        assert b"200 OK" in answer(client)

        assert (408, "too_slow") == code_of(drip(client, b"GET / HTTP/1.1\r\nX-Slow: " + b"a" * 1000))


def test_a_connection_that_says_nothing_is_closed_without_a_word(pulse_server: Listening) -> None:
    with pulse_server.connect() as client:
        assert b"" == until_closed(client)


def test_a_kept_connection_may_rest_longer_than_a_head_may_take(pulse_server: Listening) -> None:
    with pulse_server.connect() as client:
        client.sendall(ASK)
        assert b"200 OK" in answer(client)
        client.settimeout(QUICK.head_seconds * 3)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(LONG_ENOUGH)
        client.sendall(ASK)

        assert b"200 OK" in answer(client)


def test_a_body_that_comes_a_byte_at_a_time_is_cut_off(pulse_server: Listening) -> None:
    with pulse_server.connect() as client:
        client.sendall(b"POST /query HTTP/1.1\r\nContent-Length: 5000\r\n" + HOST + TOKEN_LINE + b"\r\n")

        assert (408, "too_slow") == code_of(drip(client, b" " * 4000))


@pytest.mark.parametrize("token", [pytest.param(TOKEN_LINE, id="token"), pytest.param(b"", id="no token")])
def test_an_endless_body_is_cut_off_whoever_sends_it(pulse_server: Listening, token: bytes) -> None:
    with pulse_server.connect() as client:
        client.sendall(b"POST /query HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + HOST + token + b"\r\n")
        said = pour(client, b"10000\r\n" + b" " * 65536 + b"\r\n")

    # a reset may overtake the answer
    assert said == b"" or (b" 413 " if token else b" 401 ") in said


def test_a_body_that_nobody_reads_is_cut_off_by_its_size_before_its_time_is_up() -> None:
    async def refuse(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    patience = Patience(head_seconds=100 * LONG_ENOUGH, surplus=100_000)
    with listening(refuse, patience) as there, there.connect() as client:
        client.sendall(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + HOST + b"\r\n")
        assert b" 401 " in client.recv(1 << 16)
        pour(client, b"10000\r\n" + b" " * 65536 + b"\r\n", times=1000)


def test_the_rest_of_a_body_that_nobody_reads_any_more_may_not_drip_for_ever(pulse_server: Listening) -> None:
    with pulse_server.connect() as client:
        client.sendall(b"POST /query HTTP/1.1\r\nContent-Length: 5000\r\n" + HOST + b"\r\n")
        head = answer(client)
        client.settimeout(0.03)
        for _ in range(1000):
            try:
                client.sendall(b" ")
                if client.recv(1 << 16) == b"":
                    break
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                break
        else:
            raise AssertionError("all of it was taken")

    assert b" 401 " in head


def test_a_body_shorter_than_announced_gets_no_answer_and_is_let_go(pulse_server: Listening) -> None:
    with pulse_server.connect() as client:
        client.sendall(b"POST /query HTTP/1.1\r\nContent-Length: 5000\r\n" + HOST + TOKEN_LINE + b"\r\n{}")
        client.shutdown(socket.SHUT_WR)

        assert b"" == until_closed(client)


def test_what_follows_a_body_longer_than_announced_is_no_request(pulse_server: Listening) -> None:
    with pulse_server.connect() as client:
        client.sendall(
            b"POST /search HTTP/1.1\r\nContent-Length: 2\r\n" + HOST + TOKEN_LINE + b"\r\n{}, and then some\r\n\r\n"
        )
        said = until_closed(client)

    first, second = re.split(rb"(?=HTTP/1\.1 [0-9])", said)[1:]
    assert first.startswith(b"HTTP/1.1 200 ")
    assert (400, "bad_http") == code_of(second)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", id="line"),
        pytest.param(b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 40_000 + b"\r\n\r\n", id="header"),
        pytest.param(b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n" * 10_000 + b"\r\n", id="headers"),
        pytest.param(b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 300_000, id="unfinished"),
    ],
)
def test_a_head_of_more_than_a_few_pages_is_refused(pulse_server: Listening, head: bytes) -> None:
    with pulse_server.connect() as client:
        client.sendall(head)
        said = until_closed(client)

    assert said == b"" or (431, "head_too_large") == code_of(said)
    with pulse_server.connect() as client:
        client.sendall(head[:17_000])  # read to its end before the refusal: nothing is left to be reset
        assert (431, "head_too_large") == code_of(until_closed(client))


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100), id="TLS"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", id="SSH"),
        pytest.param(b"* OK IMAP4rev1 ready\r\n\r\n", id="IMAP"),
        pytest.param(b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n" + HOST + b"\r\n", id="lengths"),
        pytest.param(b"GET / HTTP/1.1\r\nX : y\r\n" + HOST + b"\r\n", id="space before a colon"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="no host"),
        pytest.param(b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", id="two hosts"),
        pytest.param(b"\x00" * 100 + b"\r\n\r\n", id="zeros"),
    ],
)
def test_what_is_no_http_is_told_so_and_writes_nothing_to_the_log(
    pulse_server: Listening, caplog: pytest.LogCaptureFixture, said: bytes
) -> None:
    with caplog.at_level(logging.DEBUG, "uvicorn"), pulse_server.connect() as client:
        client.sendall(said)

        assert (400, "bad_http") == code_of(until_closed(client))
    assert [] == caplog.records


def test_a_wish_for_a_websocket_is_a_plain_request_that_needs_the_token(pulse_server: Listening) -> None:
    wish = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n"
    with pulse_server.connect() as client:
        client.sendall(b"GET /status HTTP/1.1\r\n" + HOST + wish + b"\r\n")

        assert answer(client).startswith(b"HTTP/1.1 401 ")


def test_requests_sent_all_at_once_are_answered_in_their_order(pulse_server: Listening) -> None:
    paths = (b"/", b"/nowhere", b"/health/ready", b"/health/live")
    with pulse_server.connect() as client:
        client.sendall(b"".join(b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n" for path in paths[:-1]))
        client.sendall(b"GET " + paths[-1] + b" HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n")
        said = until_closed(client)

    assert [b"200", b"401", b"200", b"200"] == [each[:3] for each in said.split(b"HTTP/1.1 ")[1:]]


def test_http_1_0_is_answered_and_closed(pulse_server: Listening) -> None:
    with pulse_server.connect() as client:
        client.sendall(b"GET /health/live HTTP/1.0\r\n" + HOST + b"\r\n")

        assert until_closed(client).endswith(b'{"status":"ok"}')


def test_half_closed_right_after_its_question_a_connection_does_not_stay(pulse_server: Listening) -> None:
    with pulse_server.connect() as client:
        client.sendall(ASK)
        client.shutdown(socket.SHUT_WR)
        until_closed(client)


def test_a_crowd_of_silent_connections_makes_room_for_who_asks() -> None:
    patience = Patience(head_seconds=LONG_ENOUGH, connections=20)
    with listening(echo, patience) as there, ExitStack() as crowd:
        silent = [crowd.enter_context(there.connect()) for _ in range(60)]
        for _ in range(5):
            with there.connect() as client:
                client.sendall(ASK)
                assert b"200 OK" in answer(client)

        assert there.connections <= patience.connections
        assert b"" == until_closed(silent[0])  # the longest silent goes first
        silent[-1].sendall(ASK)
        assert b"200 OK" in answer(silent[-1])


def test_where_every_connection_is_at_work_a_new_one_is_told_so() -> None:
    reached, release = threading.Semaphore(0), threading.Event()

    async def busy(scope: Any, receive: Any, send: Any) -> None:
        reached.release()
        await asyncio.to_thread(release.wait, LONG_ENOUGH)
        await echo(scope, receive, send)

    with listening(busy, Patience(connections=3)) as there, ExitStack() as crowd:
        working = [crowd.enter_context(there.connect()) for _ in range(3)]
        for client in working:
            client.sendall(ASK)
            assert reached.acquire(timeout=LONG_ENOUGH)
        with there.connect() as client:
            assert (503, "too_busy") == code_of(until_closed(client))
        release.set()

        assert all(b"200 OK" in answer(client) for client in working)


async def endless(_scope: Any, _receive: Any, send: Any) -> None:
    """An export that never ends."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
        await asyncio.sleep(0)


async def huge(scope: Any, _receive: Any, send: Any) -> None:
    """A large answer at once."""
    size = int(scope["path"].strip("/") or 30) * 1024 * 1024
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % size)]})
    await send({"type": "http.response.body", "body": b"x" * size})


def wait_until_gone(there: Listening) -> None:
    """Ask until the asker's is the only connection."""
    give_up = time.monotonic() + LONG_ENOUGH
    while there.connections:
        assert time.monotonic() < give_up, f"{there.connections} connections are still held"
        threading.Event().wait(0.01)


@pytest.mark.parametrize("app", [endless, huge])
def test_a_reader_that_takes_nothing_is_cut_off(app: Any) -> None:
    with listening(app) as there, there.connect() as client:
        client.sendall(ASK)
        assert client.recv(100)
        wait_until_gone(there)


def test_a_reader_that_takes_nothing_and_has_half_closed_is_cut_off_too() -> None:
    with listening(huge) as there, there.connect() as client:
        client.sendall(ASK)
        assert client.recv(100)
        client.shutdown(socket.SHUT_WR)
        wait_until_gone(there)


def test_a_slow_reader_that_goes_on_reading_gets_everything() -> None:
    patience = Patience(head_seconds=QUICK.head_seconds, stall_seconds=1.5)
    with listening(huge, patience) as there, there.connect() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        client.sendall(ASK.replace(b"/ ", b"/8 "))
        taken, began = 0, time.monotonic()
        while taken < 8 * 1024 * 1024:
            taken += len(some(client))
            threading.Event().wait(0.03)  # it is slow: that is what is tested

        assert time.monotonic() - began > 2 * patience.stall_seconds


def test_unread_answers_have_a_limit_together_and_the_largest_goes_first() -> None:
    patience = Patience(unsent=12 * 1024 * 1024)
    with listening(huge, patience) as there, there.connect() as small, there.connect() as large:
        small.sendall(ASK.replace(b"/ ", b"/9 "))
        assert small.recv(100)
        large.sendall(ASK.replace(b"/ ", b"/20 "))
        taken = len(until_closed(large))

        assert taken < 20 * 1024 * 1024
        assert there.connections == 1


def test_who_leaves_while_the_answer_is_worked_out_stops_the_work(caplog: pytest.LogCaptureFixture) -> None:
    reached, stopped = threading.Event(), threading.Event()

    async def long_work(_scope: Any, receive: Any, _send: Any) -> None:
        while (await receive()).get("more_body", False):
            pass
        reached.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    with listening(LastResort(Leaving(long_work))) as there:
        with there.connect() as client:
            client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n" + HOST + b"\r\n{}")
            assert reached.wait(LONG_ENOUGH)

        assert stopped.wait(LONG_ENOUGH)
        wait_until_gone(there)
    assert [] == [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_who_leaves_in_the_middle_of_a_body_is_no_error_of_ours(pulse_server: Listening) -> None:
    with structlog.testing.capture_logs() as lines:
        with pulse_server.connect() as client:
            client.sendall(b"POST /query HTTP/1.1\r\nContent-Length: 5000\r\n" + HOST + TOKEN_LINE + b"\r\n{")
        wait_until_gone(pulse_server)
        with pulse_server.connect() as client:
            client.sendall(b"POST /query HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + HOST + TOKEN_LINE + b"\r\n1\r\n")
            client.sendall(b"{\r\nno length\r\n")
            assert (400, "bad_http") == code_of(until_closed(client))
        wait_until_gone(pulse_server)

    assert [] == lines


@pytest.mark.long
def test_a_thousand_silent_connections_leave_the_service_answering(tmp_path: Path) -> None:
    with running(["demo", "--port", "0"], tmp_path, DATA_DIR=str(tmp_path / "data")) as (process, output):
        address = output.address()
        port = int(address.rpartition(":")[2])
        with ExitStack() as crowd, httpx2.Client(base_url=address, timeout=PATIENCE) as client:
            for number in range(1200):
                silent = crowd.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
                if number % 2:
                    silent.sendall(b"GET / HTTP/1.1\r\nX: ")
                if number % 50 == 0:
                    assert client.get("/health/live").status_code == 200
            files = len(list(Path(f"/proc/{process.pid}/fd").iterdir()))
            assert client.get("/status").status_code == 200

    assert files < 600
