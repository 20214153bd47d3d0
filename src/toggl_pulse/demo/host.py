"""The simulated Toggl behind a loopback port: on this event loop, in a thread, or as the whole process.

Only here is uvicorn known, and never another address than loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self, cast

import uvicorn

from .simulator import App, Receive, Scope, Send, create_simulator
from .world import World

__all__ = ["Host", "Loopback", "loopback_socket", "server_of"]

_LOOPBACK = "127.0.0.1"
_BACKLOG = 512
_CUT = "simulated cut"


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Host:
    """A simulated Toggl on the running event loop, from `start` to `stop`."""

    def __init__(self, world: World) -> None:
        self._server = server_of(create_simulator(world))
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Begin to answer and return the base address; requests sent at once wait in the socket."""
        listener = loopback_socket()
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))
        return _address(listener)

    async def stop(self) -> None:
        if self._task is not None:
            self._server.should_exit = True
            await self._task


class Loopback:
    """A simulated Toggl in a thread of its own, as a context manager; `url` is where.

    Whoever changes the world meanwhile from another thread holds `world.lock`.
    """

    def __init__(self, world: World, *, port: int = 0, control: bool = False) -> None:
        self._listener = loopback_socket(port)
        self._server = server_of(create_simulator(world, control=control))
        self._thread = threading.Thread(target=self._server.run, args=([self._listener],), daemon=True)
        self.url = _address(self._listener)

    def start(self) -> Self:
        """Begin to answer; requests sent before that wait in the socket."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop answering and wait for the thread's end."""
        self._server.should_exit = True
        self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def loopback_socket(port: int = 0) -> socket.socket:
    """Return a listening socket; port 0 takes a free one."""
    listener = socket.create_server((_LOOPBACK, port), backlog=_BACKLOG)
    # asyncio does this only for sockets that name their protocol; without it kept connections wait 40 ms an answer
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def server_of(app: App, *, signals: bool = False) -> uvicorn.Server:
    """Return a quiet server whose Date header is the simulated clock's, and whose cuts are real ones."""
    logging.getLogger("uvicorn.error").addFilter(_no_cuts)
    config = uvicorn.Config(
        cast("Any", _cutting(app)),
        log_config=None,
        access_log=False,
        date_header=False,
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config) if signals else _Server(config)


def _address(listener: socket.socket) -> str:
    return f"http://{_LOOPBACK}:{listener.getsockname()[1]}"


def _cutting(app: App) -> App:
    """Turn a simulated cut into a real one: the connection is closed, without an answer or in the middle of one."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> Any:
        try:
            await app(scope, receive, send)
        except ConnectionResetError:
            # uvicorn closes the connection of an app that returns something
            return _CUT

    return wrapped


def _no_cuts(record: logging.LogRecord) -> bool:
    """Keep uvicorn's complaint about a cut out of the log: it was ordered."""
    return record.args != (_CUT,)
