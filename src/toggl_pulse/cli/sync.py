"""`toggl-pulse sync`: bring the mirror up to date now, and say what that cost."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from typing import Annotated, Self

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from toggl_pulse.cli.parts import AsJson, at_local, counted, start_logs
from toggl_pulse.errors import Busy, NeedsUser, PulseError
from toggl_pulse.service import Service
from toggl_pulse.settings import load_settings
from toggl_pulse.sync import Progress as SyncProgress
from toggl_pulse.sync import RunReport, run_as_json

__all__ = ["sync"]

PARTLY, INTERRUPTED, TERMINATED = 3, 130, 143
STOPPED = "Stopped. What was read is kept, and the next sync goes on from there."
RETRY_SECONDS = 0.25


def sync(
    use_reserve: Annotated[
        bool, typer.Option("--use-reserve", help="Spend the requests that are left to your other tools, too.")
    ] = False,
    wait: Annotated[
        int, typer.Option(metavar="SECONDS", help="How long to wait while another process syncs.", min=0)
    ] = 60,
    as_json: AsJson = False,
) -> None:
    """Bring the mirror up to date: changes, names, checks, then as much history as the quota allows.

    Exit code 3 means that something is left: Toggl's hourly quota, less the reserve, is spent, and it says until
    when. Stopping it loses nothing: the next sync goes on from there.
    """
    settings = load_settings()
    start_logs(settings, level="ERROR")
    try:
        with _Bar(shown=not as_json and sys.stderr.isatty()) as bar:
            service = Service(settings, progress=bar.show)
            run, left = asyncio.run(_sync(service, bar, use_reserve=use_reserve, wait=wait))
    except (KeyboardInterrupt, asyncio.CancelledError) as stopped:
        typer.echo(STOPPED, err=True)
        raise typer.Exit(INTERRUPTED if isinstance(stopped, KeyboardInterrupt) else TERMINATED) from None
    if as_json:
        goes_on = run.waits_until.isoformat(timespec="seconds") if run.waits_until else None
        typer.echo(orjson.dumps({**run_as_json(run), "history": left, "goes_on_at": goes_on}).decode())
    else:
        typer.echo(summary(run, left))
    if run.outcome == "failed":
        # what the run met at Toggl is no wrong use of ours, and nothing was done that could be called partly
        raise typer.Exit(NeedsUser.exit_code if isinstance(run.error, NeedsUser) else 1)
    if run.outcome == "partly":
        raise typer.Exit(PARTLY)


async def _sync(service: Service, bar: _Bar, *, use_reserve: bool, wait: int) -> tuple[RunReport, str]:
    """The run, and what is left of the history in words."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is not None:
        with suppress(NotImplementedError, RuntimeError, ValueError):  # not on every system, nor off the main thread
            loop.add_signal_handler(signal.SIGTERM, task.cancel)
    until = loop.time() + wait
    try:
        while True:
            try:
                run = await service.sync("request", use_reserve=use_reserve)
                if service.projector is not None:
                    bar.say("writing to InfluxDB")
                    await _project(service)
                return run, await asyncio.to_thread(service.history_left)
            except Busy as error:
                if loop.time() >= until:
                    raise Busy("Another process is syncing; try again when it is done.", code=error.code) from None
                bar.say("another process is syncing: waiting for it")
                await asyncio.sleep(RETRY_SECONDS)
    finally:
        await service.stop()


async def _project(service: Service) -> None:
    """The mirror is up to date whatever InfluxDB does: its trouble is a sentence, and the next run makes it good."""
    try:
        await service.project()
    except PulseError as error:
        typer.echo(f"InfluxDB is left behind for now: {error.message}", err=True)


def summary(run: RunReport, left: str = "") -> str:
    """One run in a few lines for people; `left` is what is still to be read."""
    rows = f"{run.new:,} new, {run.changed:,} changed, {run.deleted:,} deleted, {run.unchanged:,} unchanged rows" + (
        f", {run.set_aside:,} set aside" if run.set_aside else ""
    )
    seconds = run.duration.total_seconds() if run.duration else 0
    lines = [f"{run.outcome}: {rows}; {counted(run.requests, 'request')} in {seconds:.1f} s"]
    if run.why:
        lines.append(run.why)
    if left and run.outcome != "failed":
        lines.append(f"History: {left}.")
    if run.waits_until is not None and run.outcome == "partly":
        lines.append(f"Sync again after {at_local(run.waits_until)} local time; `toggl-pulse serve` does so by itself.")
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

    def say(self, text: str) -> None:
        self._progress.update(self._task, description=text)

    def show(self, progress: SyncProgress) -> None:
        text = f"{progress.stage}: {progress.detail}" if progress.detail else progress.stage
        if progress.waits_until is not None:
            text += f" (goes on at {at_local(progress.waits_until)})"
        self._progress.update(self._task, description=text, completed=progress.done, total=progress.total)
