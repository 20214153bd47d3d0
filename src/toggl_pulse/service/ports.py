"""What the HTTP side needs of the rest: the service that has built the parts.

Only names and promises; the one who keeps them is the service, which knows nothing of HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from toggl_pulse.metrics import Answers, Contact
from toggl_pulse.mirror import Mirror

__all__ = ["Pulse"]


class Pulse(Protocol):
    """The running product, as seen by a request.

    What is not `async` may block and is called from a worker thread.
    """

    @property
    def answers(self) -> Answers: ...

    @property
    def mirror(self) -> Mirror: ...

    @property
    def version(self) -> str: ...

    @property
    def demo(self) -> bool: ...

    @property
    def api_token(self) -> str | None: ...

    @property
    def session_secret(self) -> str | None:
        """What the page's cookie is signed with; None: something derived from the token."""
        ...

    @property
    def allowed_hosts(self) -> Sequence[str]:
        """Every Host name that is answered to, without ports."""
        ...

    def clock(self) -> datetime:
        """Now, aware and UTC."""
        ...

    def contact(self) -> Contact:
        """When Toggl was last reached, and for how long that counts as fresh."""
        ...

    def ready(self) -> bool: ...

    def status(self) -> Mapping[str, Any]:
        """The state for people and programs, as JSON; no secret in it."""
        ...

    def default_zone(self) -> ZoneInfo: ...

    def week_start(self) -> int:
        """Toggl's way: 0 = Sunday … 6 = Saturday."""
        ...

    async def request_sync(self) -> None:
        """Start a sync soon and return at once. Raises `Busy` while one runs."""
        ...

    async def start(self) -> None: ...

    async def stop(self) -> None: ...
