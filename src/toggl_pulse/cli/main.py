"""Every verb of `toggl-pulse` on one screen, and the exit codes of all of them.

0 done, 1 failed, 2 wrong use, 3 partly done (it says when it goes on), 4 the user must act.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from types import MappingProxyType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from toggl_pulse import __version__
from toggl_pulse.cli.letters import printable
from toggl_pulse.errors import PulseError

__all__ = ["PLAIN", "VERBS", "app", "main"]

VERBS: Mapping[str, str] = MappingProxyType({
    "serve": "Serve answers, and keep the mirror in step with Toggl.",
    "sync": "Bring the mirror up to date now.",
    "status": "Show how true the answers are, without asking Toggl.",
    "doctor": "Check that everything is as it should be.",
    "query": "Print any metric as a table, JSON or CSV.",
    "export": "Write the entries themselves as CSV or JSON.",
    "backup": "Copy the mirror into one file, while everything runs.",
    "project": "Bring InfluxDB to the mirror's revision.",
    "demo": "Serve a seeded year from a simulated Toggl.",
    "init": "Set up a part that Toggl Pulse works with.",
    "config": "Print the settings in force, secrets hidden.",
    "healthcheck": "Ask the running service whether it is ready.",
})  # fmt: skip
"""Each verb, and what it does in a line: the function of its name in the module of its name, or verbs of its own."""

_MODULES = {"demo": "serve"}
PLAIN: dict[str, Any] = {"add_completion": False, "rich_markup_mode": None, "pretty_exceptions_enable": False}
_OUTPUT_LOST = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG}


class _Verbs(TyperGroup):
    """Imports a verb's module only when that verb is asked for: `--version` and `healthcheck` are quick so."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (the signature is Typer's)
        return list(VERBS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 (as above)
        if cmd_name in VERBS and cmd_name not in self.commands:
            module = import_module(f"toggl_pulse.cli.{_MODULES.get(cmd_name, cmd_name)}")
            verb = getattr(module, cmd_name)
            if not isinstance(verb, typer.Typer):
                verb = typer.Typer(**PLAIN)
                verb.command(cmd_name)(getattr(module, cmd_name))
            self.commands[cmd_name] = typer.main.get_command(verb)
        return self.commands.get(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] not in VERBS and not args[0].startswith("-"):
            near = get_close_matches(args[0], VERBS, n=1)
            ctx.fail(f"There is no verb “{args[0][:60]}”" + (f"; did you mean {near[0]}?" if near else "."))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 (as above)
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))

    def invoke(self, ctx: Any) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # the reader (head, less) went away, which is nobody's fault; nothing more is written, not even at exit
            _abandon_output()
            raise typer.Exit(0) from None
        except OSError as error:
            if error.errno not in _OUTPUT_LOST:
                raise
            _abandon_output()
            typer.echo(f"toggl-pulse: The output cannot be written: {(error.strerror or '').lower()}.", err=True)
            raise typer.Exit(1) from None
        return result


app = typer.Typer(
    name="toggl-pulse",
    cls=_Verbs,
    help="An exact, living mirror of your Toggl Track account, and answers from it.",
    subcommand_metavar="VERB [OPTIONS]",
    no_args_is_help=True,
    **PLAIN,
)


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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # a terminal that cannot show a name shows its code points
            stream.reconfigure(errors="backslashreplace")
    try:
        app(arguments, prog_name="toggl-pulse")
    except PulseError as error:
        typer.echo(f"toggl-pulse: {printable(error.message)}", err=True)
        sys.exit(error.exit_code)


def _abandon_output() -> None:
    """Let what is still buffered, and what Python flushes at its end, go nowhere."""
    try:
        number = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
