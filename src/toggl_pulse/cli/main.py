"""Every verb of `toggl-pulse` on one screen, and the exit codes of all of them.

0 done, 1 failed, 2 wrong use, 3 partly done (it says when it goes on), 4 the user must act.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from toggl_pulse import __version__
from toggl_pulse.cli.backup import backup
from toggl_pulse.cli.config import config
from toggl_pulse.cli.doctor import doctor
from toggl_pulse.cli.export import export
from toggl_pulse.cli.healthcheck import healthcheck
from toggl_pulse.cli.query import query
from toggl_pulse.cli.serve import demo, serve
from toggl_pulse.cli.status import status
from toggl_pulse.cli.sync import sync
from toggl_pulse.errors import PulseError

__all__ = ["app", "main"]

app = typer.Typer(
    name="toggl-pulse",
    help="An exact, living mirror of your Toggl Track account, and answers from it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

for verb in (serve, sync, status, doctor, query, export, backup, demo, config, healthcheck):
    app.command()(verb)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"toggl-pulse {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    del version


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit the process with its code; an expected failure is one sentence on stderr."""
    try:
        app(arguments)
    except PulseError as error:
        typer.echo(f"toggl-pulse: {error.message}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # the reader (head, less) went away: no fault of anyone's; closing stderr keeps Python from complaining
        sys.stderr.close()
        sys.exit(0)
