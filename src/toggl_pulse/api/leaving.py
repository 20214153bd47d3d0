"""Stops the work for a client that has gone: dashboards drop their questions whenever somebody turns the page.

A middleware of plain ASGI; knows nothing of what is asked.
"""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Leaving"]


class Leaving:
    """Watches each POST from its body's end to the answer's beginning; nothing else takes long before it answers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        visit = _Visit(receive, send)
        try:
            await self.app(scope, visit.receive, visit.send)
        except asyncio.CancelledError:
            if not visit.ended():
                raise
        finally:
            visit.end_watch()


class _Visit:
    """One request on its way through, with the task that answers it."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._task = asyncio.current_task()
        self._watch: asyncio.Task[None] | None = None
        self._answered = self._gone = False

    async def receive(self) -> Message:
        message = await self._receive()
        if self._watch is None and message["type"] == "http.request" and not message.get("more_body", False):
            self._watch = asyncio.create_task(self._wait_for_the_end())
        return message

    async def send(self, message: Message) -> None:
        self._answered = True  # the connection says *gone* after a complete answer too
        await self._send(message)

    async def _wait_for_the_end(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if self._task is not None and not self._answered:
            self._gone = self._task.cancel()

    def ended(self) -> bool:
        """Whether a cancellation that has arrived was ours, and ours alone."""
        return self._gone and self._task is not None and self._task.uncancel() == 0

    def end_watch(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
