"""`toggl-pulse doctor`: is everything as it should be? Its output holds no secret and no private text."""

from __future__ import annotations

import asyncio
import platform

import typer

from toggl_pulse import __version__
from toggl_pulse.cli.parts import AsJson, printable, say_json, start_logs
from toggl_pulse.errors import NeedsUser
from toggl_pulse.service import Service
from toggl_pulse.settings import load_settings
from toggl_pulse.sync import Check

__all__ = ["doctor"]

SIGNS = {True: "ok", False: "NO", None: "?"}


def doctor(
    as_json: AsJson = False,
) -> None:
    """Check token, quota, clock, database, schedule and what is taken for granted about Toggl, in six requests at most.

    The output holds no secret and none of your texts: it can go into a bug report as it is. Exit code 0 means that
    nothing is wrong, 4 that the token is refused or missing, 1 anything else, Toggl out of reach included.
    """
    settings = load_settings()
    start_logs(settings, level="ERROR")
    checks = asyncio.run(_examine(Service(settings)))
    versions = f"toggl-pulse {__version__}, Python {platform.python_version()}, {platform.system()}"
    if as_json:
        found = [{"name": check.name, "ok": check.ok, "sentence": check.sentence} for check in checks]
        say_json({"versions": versions, "checks": found})
    else:
        typer.echo(versions)
        for check in checks:
            typer.echo(f"{SIGNS[check.ok]:<3} {check.name:<16} {printable(check.sentence)}")
    wrong = {check.name for check in checks if check.ok is False}
    if "token" in wrong:
        raise typer.Exit(NeedsUser.exit_code)
    if wrong or any(check.name == "token" and check.ok is None for check in checks):
        raise typer.Exit(1)


async def _examine(service: Service) -> list[Check]:
    try:
        return await service.examine()
    finally:
        await service.stop()
