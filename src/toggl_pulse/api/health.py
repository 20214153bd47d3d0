"""Whether the service lives and can answer: ok or not, nothing more, for anyone who asks.

Liveness looks at nothing, so that an outage elsewhere restarts nobody.
"""

from __future__ import annotations

from typing import Any

from toggl_pulse.errors import PulseError, Unavailable
from toggl_pulse.service.context import Context
from toggl_pulse.service.work import Check

__all__ = ["HealthRoutes"]

_OK = {"status": "ok"}
SECONDS = 5.0


class HealthRoutes:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def root(self) -> dict[str, Any]:
        """What Grafana's connection test asks for."""
        return _OK

    async def live(self) -> dict[str, Any]:
        """The process runs and its event loop turns."""
        return _OK

    async def ready(self) -> dict[str, Any]:
        """The mirror can be read and is migrated, and so can InfluxDB where answers come from there."""

        def ask(_: Check) -> bool:
            try:
                return self._context.pulse.ready()
            except PulseError:
                return False

        if not await self._context.checks.run(ask, seconds=SECONDS):
            raise Unavailable("Toggl Pulse is not ready to answer.", code="not_ready")
        return _OK
