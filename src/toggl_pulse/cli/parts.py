"""What several verbs share: a service opened for reading, logs, and text that cannot steer a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer

from toggl_pulse.errors import NeedsUser
from toggl_pulse.logs import configure_logs
from toggl_pulse.service import Service
from toggl_pulse.settings import Settings, load_settings

__all__ = ["AsJson", "Demo", "at_local", "counted", "opened_service", "printable", "start_logs"]

Demo = Annotated[bool, typer.Option("--demo", help="Ask what the demo left instead of your account.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

# joiners hold emoji and some scripts together, and do nothing else
_HARMLESS = "\u200c\u200d"


def start_logs(settings: Settings, *, level: str | None = None) -> None:
    """Logs as the settings say; a verb whose output is for reading passes a quieter `level`."""
    configure_logs(level or settings.log_level, settings.log_format, secrets=settings.secrets())


@contextmanager
def opened_service(*, demo: bool = False, may_be_empty: bool = False) -> Iterator[Service]:
    """A service over the mirror of the settings for reading: nothing is asked of Toggl, no credentials are needed.

    Raises `NeedsUser` while the mirror holds nothing.
    """
    settings = load_settings()
    start_logs(settings, level="WARNING")
    service = Service.reading(settings, demo=demo)
    try:
        if service.mirror.account() is None and not may_be_empty:
            first = "toggl-pulse demo" if demo else "toggl-pulse sync` or `toggl-pulse serve"
            raise NeedsUser(f"The mirror is empty: run `{first}` first.", code="empty")
        yield service
    finally:
        service.mirror.close()


def printable(text: str) -> str:
    """The text with control and direction characters escaped, so that a name cannot steer the terminal."""
    return "".join(c if _shows(c) else c.encode("unicode_escape").decode() for c in text)


def _shows(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) == "Zs" or character in _HARMLESS


def at_local(moment: datetime) -> str:
    """A moment in this machine's zone, to the minute."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def counted(number: int, noun: str) -> str:
    """`1 request`, `2 requests`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
