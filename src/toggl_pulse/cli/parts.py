"""What several verbs share: a service opened for reading, logs, and text that cannot steer a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
import typer

from toggl_pulse.cli.letters import escaped_json, printable
from toggl_pulse.errors import NeedsUser
from toggl_pulse.logs import configure_logs
from toggl_pulse.service import Service
from toggl_pulse.settings import Settings, load_settings

__all__ = [
    "AsJson",
    "Demo",
    "SpreadsheetSafe",
    "at_local",
    "counted",
    "opened_service",
    "printable",
    "row_bar",
    "say_json",
    "start_logs",
    "write_out",
]

Demo = Annotated[bool, typer.Option("--demo", help="Ask what the demo left instead of your account.")]
SpreadsheetSafe = Annotated[
    bool, typer.Option("--spreadsheet-safe", help="Guard text cells against being read as formulas (CSV only).")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


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


def say_json(value: Any) -> None:
    """Print JSON; on a terminal, letters that could steer it are written as JSON's escapes, which mean the same."""
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    typer.echo(escaped_json(text) if sys.stdout.isatty() else text)


def write_out(blocks: Iterable[bytes], form: Literal["csv", "json"]) -> None:
    """Data to standard output as they are; on a terminal, what could steer it is escaped."""
    if not sys.stdout.isatty():
        sys.stdout.buffer.writelines(blocks)
        sys.stdout.buffer.flush()
        return
    for block in blocks:
        text = block.decode().replace("\r\n", "\n")
        sys.stdout.write(escaped_json(text) if form == "json" else "\n".join(map(printable, text.split("\n"))))
    sys.stdout.flush()


@contextmanager
def row_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on standard error for work row by row; silent where nobody would see it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("", total=None, visible=False)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total, visible=True)


def at_local(moment: datetime) -> str:
    """A moment in this machine's zone, to the minute."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def counted(number: int, noun: str) -> str:
    """`1 request`, `2 requests`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
