"""`toggl-pulse backup`: a consistent copy of the mirror while everything runs, in a file or in another database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toggl_pulse.cli.parts import opened_service, row_bar
from toggl_pulse.errors import BadRequest
from toggl_pulse.mirror import Copied

__all__ = ["backup"]


def backup(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="The file to write; it must not exist yet.")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="URL", help="Copy into this empty database instead: postgresql://… or sqlite:///…"
        ),
    ] = None,
) -> None:
    """Copy the mirror, consistently and while the service runs, into one SQLite file or another database.

    Into another database every row is copied, read back and compared; the copy is whole, or there is none.
    """
    if (file is None) == (to is None):
        raise BadRequest("Name a FILE to write, or a database with --to URL.", code="bad_usage")
    with opened_service() as service, row_bar() as progress:
        if to is not None:
            copied: Copied | None = service.mirror.copy_to(to, progress=progress)
        elif file is not None:
            copied = service.mirror.backup(file, progress=progress)
        counts = service.mirror.counts()
    text = f"{file or 'The other database'}: {counts.entries:,} entries"
    if file is not None:
        text += f", {file.stat().st_size / 1e6:,.1f} MB"
    if copied is not None:
        text += f"; {copied.total:,} rows of {len(copied.rows)} tables copied, read back and found equal"
    typer.echo(text)
