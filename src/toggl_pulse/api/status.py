"""How the mirror is: its state, a sync on demand, and the figures that Prometheus collects.

Knows what the service tells and nothing of how syncs are done.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from toggl_pulse.api.encode import dump
from toggl_pulse.api.prometheus import CONTENT_TYPE, Traffic, exposition
from toggl_pulse.api.requests import NoBody, read_body
from toggl_pulse.service.context import Context

__all__ = ["StatusRoutes"]


class StatusRoutes:
    def __init__(self, context: Context, traffic: Traffic) -> None:
        self._context = context
        self._traffic = traffic

    async def status(self) -> Response:
        """Last sync, lag, revisions, quota left, what is verified."""
        pulse = self._context.pulse
        body = await self._context.work.run(lambda _: dump(pulse.status()))
        return Response(body, media_type="application/json")

    async def sync(self, request: Request) -> dict[str, Any]:
        """Start a sync now; 409 while one runs."""
        await read_body(request, NoBody)
        await self._context.pulse.request_sync()
        return {"status": "accepted", "message": "A sync has been started; GET /status tells how it goes."}

    async def prometheus(self) -> Response:
        """Figures of the mirror, the quota and this interface, in Prometheus' text form."""
        body = await self._context.work.run(lambda _: exposition(self._context.pulse, self._traffic))
        return Response(body, media_type=CONTENT_TYPE)
