"""`toggl-pulse sync`: bring the mirror up to date now, and say what that cost."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated, Self

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from toggl_pulse.cli.parts import at_local, start_logs
from toggl_pulse.errors import Busy
from toggl_pulse.service import Service, run_as_json
from toggl_pulse.settings import load_settings
from toggl_pulse.sync import Progress as SyncProgress
from toggl_pulse.sync import RunReport

__all__ = ["sync"]

PARTLY = 3
RETRY_SECONDS = 1.0


def sync(
    use_reserve: Annotated[
        bool, typer.Option("--use-reserve", help="Spend the requests that are left to your other tools, too.")
    ] = False,
    wait: Annotated[int, typer.Option(help="Seconds to wait while another process syncs.", min=0)] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="Print the run as JSON.")] = False,
) -> None:
    """Bring the mirror up to date: changes, names, checks, then as much history as the quota allows.

    Exit code 3 means that it goes on later: Toggl's hourly quota, less the reserve, is spent.
    """
    settings = load_settings()
    start_logs(settings, level="ERROR")
    with _Bar(shown=not as_json and sys.stderr.isatty()) as bar:
        run = asyncio.run(_sync(Service(settings, progress=bar.show), use_reserve=use_reserve, wait=wait))
    if as_json:
        typer.echo(orjson.dumps(run_as_json(run)).decode())
    else:
        typer.echo(summary(run))
    if run.outcome == "failed":
        raise typer.Exit(run.error.exit_code if run.error is not None else 1)
    if run.outcome == "partly":
        raise typer.Exit(PARTLY)


async def _sync(service: Service, *, use_reserve: bool, wait: int) -> RunReport:
    try:
        for attempt in range(wait + 1):
            try:
                return await service.sync("request", use_reserve=use_reserve)
            except Busy:
                if attempt == wait:
                    raise
                await asyncio.sleep(RETRY_SECONDS)
        raise AssertionError  # the loop returns or raises
    finally:
        await service.stop()


def summary(run: RunReport) -> str:
    """One run in a few lines for people."""
    rows = f"{run.new:,} new, {run.changed:,} changed, {run.deleted:,} deleted, {run.unchanged:,} unchanged" + (
        f", {run.set_aside:,} set aside" if run.set_aside else ""
    )
    seconds = run.duration.total_seconds() if run.duration else 0
    lines = [f"{run.outcome}: {rows}; {run.requests} requests in {seconds:.1f} s"]
    if run.why:
        lines.append(run.why)
    return "\n".join(lines)


class _Bar:
    """A progress bar on standard error while the sync runs; silent where nobody would see it."""

    def __init__(self, *, shown: bool) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not shown,
        )
        self._task = self._progress.add_task("connecting", total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._progress.stop()

    def show(self, progress: SyncProgress) -> None:
        text = f"{progress.stage}: {progress.detail}" if progress.detail else progress.stage
        if progress.waits_until is not None:
            text += f" (goes on at {at_local(progress.waits_until)})"
        self._progress.update(self._task, description=text, completed=progress.done, total=progress.total)
