"""`toggl-pulse backup FILE`: a consistent copy of the mirror while everything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toggl_pulse.cli.parts import opened_service

__all__ = ["backup"]


def backup(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The file to write; it must not exist yet.", show_default=False)
    ],
) -> None:
    """Copy the mirror, consistently and while the service runs, into one file."""
    with opened_service() as service:
        service.mirror.backup(file)
        counts = service.mirror.counts()
    typer.echo(f"{file}: {counts.entries:,} entries, {file.stat().st_size / 1e6:,.1f} MB")
