"""What several verbs share: a service opened for reading, logs, and text that cannot steer a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer

from toggl_pulse.errors import NeedsUser
from toggl_pulse.logs import configure_logs
from toggl_pulse.service import Service
from toggl_pulse.settings import Settings, load_settings

__all__ = ["Demo", "at_local", "opened_service", "printable", "start_logs"]

Demo = Annotated[bool, typer.Option("--demo", help="Ask what the demo left instead of your account.")]


def start_logs(settings: Settings, *, level: str | None = None) -> None:
    """Logs as the settings say; a verb whose output is for reading passes a quieter `level`."""
    configure_logs(level or settings.log_level, settings.log_format, secrets=settings.secrets())


@contextmanager
def opened_service(*, demo: bool = False) -> Iterator[Service]:
    """A service over the mirror of the settings for reading: nothing is asked of Toggl, no credentials are needed.

    Raises `NeedsUser` while the mirror holds nothing.
    """
    settings = load_settings()
    start_logs(settings, level="WARNING")
    service = Service.reading(settings, demo=demo)
    try:
        if service.mirror.account() is None:
            raise NeedsUser("The mirror is empty: run `toggl-pulse sync` or `toggl-pulse serve` first.", code="empty")
        yield service
    finally:
        service.mirror.close()


def printable(text: str) -> str:
    """The text with control characters escaped, so that a name cannot steer the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def at_local(moment: datetime) -> str:
    """A moment in this machine's zone, to the minute."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
