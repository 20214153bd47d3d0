"""`toggl-pulse project`: bring InfluxDB to the mirror's revision, fill it anew, or compare both."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated

import orjson
import typer

from toggl_pulse.cli.parts import AsJson, counted, row_bar, start_logs
from toggl_pulse.service import Service
from toggl_pulse.settings import load_settings
from toggl_pulse.sync import ProjectionProgress, ProjectionReport

__all__ = ["project"]


def project(
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Empty the bucket, and fill it anew.")] = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Read everything back, compare it entry by entry, and mend what differs.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring InfluxDB to the mirror's revision. Nothing is asked of Toggl.

    A running service does so after each sync. `--rebuild` is for a bucket that was lost, `--verify` for one that was
    restored or that somebody else has written to; it tries again what InfluxDB had refused, too. Stopping it loses
    nothing: the next run ends what is left.
    """
    settings = load_settings()
    start_logs(settings, level="ERROR")
    service = Service(settings)
    with row_bar() as progress:
        done, lag = asyncio.run(_project(service, progress, rebuild=rebuild, verify=verify))
    if as_json:
        typer.echo(orjson.dumps({**asdict(done), "lag": lag}).decode())
    else:
        typer.echo(summary(done, lag))
    if done.set_aside:
        raise typer.Exit(1)


async def _project(
    service: Service, progress: ProjectionProgress, *, rebuild: bool, verify: bool
) -> tuple[ProjectionReport, int]:
    """What was done, and how many revisions came in the meantime."""
    try:
        done = await service.project(rebuild=rebuild, verify=verify, look=True, progress=progress)
        revision = await asyncio.to_thread(service.mirror.revision)
        return done, revision - (done.revision or 0)
    finally:
        await service.stop()


def summary(done: ProjectionReport, lag: int) -> str:
    """One projection in a few lines for people."""
    said = [f"{counted(done.written, 'point')} written"]
    if done.emptied:
        said.insert(0, "the bucket emptied")
    if done.stale:
        said.append(f"{counted(done.stale, 'stale point')} removed by {counted(done.deletes, 'delete')}")
    if done.compared or done.differing:
        found = f"{done.differing:,} of them mended" if done.differing else "all as they should be"
        said.append(f"{counted(done.compared, 'point')} read back, {found}")
    if done.set_aside:
        said.append(f"{done.set_aside:,} refused by InfluxDB and set aside; answers take them from the mirror")
    text = "; ".join(said)
    step = "InfluxDB is in step with the mirror" if not lag else f"InfluxDB is {counted(lag, 'revision')} behind"
    return f"{text[0].upper()}{text[1:]}.\n{step} (revision {done.revision})."
