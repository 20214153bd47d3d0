"""`toggl-pulse init stack`: `.env` and one file a secret, before the first `docker compose up`.

Reads what is there, decides, and writes only then; no secret is ever printed. What the secrets are is for
`stack_secrets` to know.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from dotenv import dotenv_values

from toggl_pulse.cli.letters import printable
from toggl_pulse.cli.stack_secrets import DEMO, SECRETS, Secret, a_domain, a_toggl_token
from toggl_pulse.cli.whole_files import write_whole
from toggl_pulse.errors import BadRequest, NeedsUser, PulseError

__all__ = ["stack"]

ENV, FOLDER = Path(".env"), Path("secrets")
PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
MOUNTED = 0o444
"""Docker mounts each file as it is, and its reader is another user; the folder keeps everyone else out."""

SETTINGS = {"DOMAIN": "", "INFLUXDB_ORG": "toggl_pulse", "INFLUXDB_BUCKET": "toggl_metrics", "LOG_LEVEL": "INFO"}
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
PLAIN = re.compile(r"[A-Za-z0-9_.:/@-]+")
HEADER = "# Written by `toggl-pulse init stack`; .env.example explains each line and knows more of them.\n"


def stack(
    domain: Annotated[
        str | None, typer.Option("--domain", metavar="NAME", help="The name that people type; localhost to try it.")
    ] = None,
    toggl: Annotated[
        typer.FileText | None,
        typer.Option("--toggl", metavar="FILE", help="A file that holds Toggl's API token; - is standard input."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what is there, as far as that can do no harm.")
    ] = False,
    demo: Annotated[
        Path | None, typer.Option("--demo", metavar="DIR", help="Only the secrets of the demo's stack, into DIR.")
    ] = None,
) -> None:
    """Write what the stack of compose.yaml needs into this folder: .env, and one file a secret in secrets/.

    Asks for the domain and for Toggl's API token unless they are given by option, in the environment or in .env; so
    may be API_TOKEN, INFLUXDB_ADMIN_PASSWORD, GRAFANA_ADMIN_PASSWORD, INFLUXDB_ORG, INFLUXDB_BUCKET and LOG_LEVEL.
    All other secrets are made up, and none is printed. What is there already is kept.
    """
    if demo is not None:
        made = _Plan(demo, DEMO, {}, force=False)
        _write(demo, made, folder_mode=None)
        typer.echo(f"Secrets in {printable(str(demo))}: {made.told()}.")
        return
    given = _given()
    if toggl is not None:
        given["TOGGL_API_TOKEN"] = toggl.read()
    if domain is not None:
        given["DOMAIN"] = domain
    before = _text(ENV)
    settings = _Settings(before, given, force=force)
    if "DOMAIN" not in settings.after:
        settings.take("DOMAIN", _asked("Domain of this machine, such as hours.example.com", a_domain, "--domain"))
    if "TOGGL_API_TOKEN" not in given and _read(FOLDER / "toggl_api_token") is None:
        given["TOGGL_API_TOKEN"] = _asked(
            "Toggl's API token, from the foot of Toggl's profile page (it is not shown)",
            a_toggl_token,
            "--toggl",
            hidden=True,
        )
    plan, text = _Plan(FOLDER, SECRETS, given, force=force), settings.text()
    _write(FOLDER, plan, folder_mode=PRIVATE_FOLDER)
    if text != before:
        _save(ENV, text, PRIVATE_FILE)
    else:
        _allow(ENV, PRIVATE_FILE)
    _report(settings, plan)


def _given() -> dict[str, str]:
    """What the environment or `.env` says; the environment wins, and empty counts as absent."""
    both = {**dotenv_values(ENV, interpolate=False), **os.environ}
    return {name: value for name, value in both.items() if value}


def _asked(what: str, check: Callable[[str], str], option: str, *, hidden: bool = False) -> str:
    if not sys.stdin.isatty():
        raise BadRequest(f"Nobody is there to be asked: give {option}.", code="bad_usage")

    def checked(answer: str) -> str:
        try:
            return check(answer)
        except PulseError as error:
            if hidden:  # the prompt says no more than that it is wrong
                typer.echo(error.message, err=True)
            raise typer.BadParameter(error.message) from None

    return str(typer.prompt(what, hide_input=hidden, value_proc=checked, err=True))


class _Settings:
    """The lines of `.env` that the stack needs: those that are there, and those to be added or replaced."""

    def __init__(self, before: str, given: Mapping[str, str], *, force: bool) -> None:
        self._before = before
        there = {name: value for name, value in _dotenv(before).items() if value and name in SETTINGS}
        self.after = {name: _checked(name, value) for name, value in there.items()}
        self.written: list[str] = []
        self.refused: list[str] = []
        for name, default in SETTINGS.items():
            value = given.get(name) or (default if name not in there else "")
            if not value:
                continue
            value = _checked(name, value)
            if name not in there or (force and value != self.after[name]):
                self.take(name, value)
            elif value != self.after[name]:
                self.refused.append(name)

    def take(self, name: str, value: str) -> None:
        self.after[name] = value
        self.written.append(name)

    def text(self) -> str:
        text = self._before or HEADER
        for name in self.written:
            line = f"{name}={_quoted(name, self.after[name])}"
            there = re.compile(rf"^[ \t]*(?:export[ \t]+)?{name}[ \t]*=.*$", re.MULTILINE)
            if there.search(text):
                text = there.sub(line.replace("\\", r"\\"), text)
            else:
                text += ("" if text.endswith("\n") else "\n") + line + "\n"
        return text


def _dotenv(text: str) -> dict[str, str | None]:
    return dotenv_values(stream=io.StringIO(text), interpolate=False)


def _checked(name: str, value: str) -> str:
    if name == "DOMAIN":
        return a_domain(value)
    if name == "LOG_LEVEL":
        if value.upper() not in LEVELS:
            raise BadRequest(f"LOG_LEVEL must be one of {', '.join(LEVELS)}.", code="bad_setting")
        return value.upper()
    return value


def _quoted(name: str, value: str) -> str:
    """As both Docker and we read it: letter by letter."""
    if PLAIN.fullmatch(value):
        return value
    if not value.isprintable() or "'" in value or "\\" in value:
        raise BadRequest(f"{name} must be printable, without quotes and backslashes.", code="bad_setting")
    return f"'{value}'"


class _Change(NamedTuple):
    secret: Secret
    value: str
    replaces: bool


class _Plan:
    """What becomes of each secret; nothing is written yet."""

    def __init__(self, folder: Path, secrets: tuple[Secret, ...], given: Mapping[str, str], *, force: bool) -> None:
        self.changes: list[_Change] = []
        self.kept: list[str] = []
        self.refused: list[str] = []
        self.first_start: list[str] = []
        values = {secret.name: text for secret in secrets if (text := _read(folder / secret.name))}
        for secret in secrets:
            there, wanted = values.get(secret.name), given.get(secret.given_as or "")
            if wanted is not None:
                wanted = secret.check(wanted)
            if there is None or (force and wanted not in {None, there}):
                value = wanted or secret.made_up(values)
            elif force and wanted is None and not secret.first_start and secret.name != "toggl_api_token":
                value = secret.made_up(values)
            else:
                self.kept.append(secret.name)
                if wanted not in {None, there}:
                    self.refused.append(secret.name)
                elif force and secret.first_start and wanted is None:
                    self.first_start.append(secret.name)
                continue
            values[secret.name] = value
            self.changes.append(_Change(secret, value, replaces=there is not None))

    def told(self) -> str:
        made = [change.secret.name for change in self.changes]
        return "; ".join(
            part
            for part in (f"made {', '.join(made)}" if made else "", f"kept {', '.join(self.kept)}" if self.kept else "")
            if part
        )


def _write(folder: Path, plan: _Plan, *, folder_mode: int | None) -> None:
    try:
        folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    except OSError:
        raise _unusable(folder) from None
    if folder_mode is not None:
        _allow(folder, folder_mode)
    for name in plan.kept:
        _allow(folder / name, MOUNTED)
    for change in plan.changes:
        _save(folder / change.secret.name, change.value, MOUNTED)


def _report(settings: _Settings, plan: _Plan) -> None:
    if settings.written:
        typer.echo(f"Wrote {ENV}, which only you can read: {', '.join(settings.written)}.")
    new = [change.secret.name for change in plan.changes if not change.replaces]
    replaced = [change.secret for change in plan.changes if change.replaces]
    if new:
        typer.echo(f"Made in {FOLDER}/: {', '.join(new)}.")
    if replaced:
        typer.echo(f"Replaced in {FOLDER}/: {', '.join(secret.name for secret in replaced)}.")
    if plan.kept:
        typer.echo(f"Kept in {FOLDER}/: {', '.join(plan.kept)}.")
    if plan.first_start:
        typer.echo(
            f"Of these, {', '.join(plan.first_start)} cannot be replaced by a new file alone, for a volume holds what "
            "hangs on it: docs/operations.md says how each is rotated."
        )
    for name in (*settings.refused, *plan.refused):
        typer.echo(f"Another {name} was given; --force takes it over.")
    for secret in replaced:
        if secret.afterwards:
            typer.echo(f"A new {secret.name}: {secret.afterwards}, as docs/operations.md says.")
    typer.echo(f"Grafana's user is admin; the password stands in {FOLDER}/grafana_admin_password.")
    # a file that took another's place is not seen by containers that have mounted the other
    again = " --force-recreate" if plan.changes and plan.kept else ""
    typer.echo(f"Next: docker compose up -d --build{again}")


def _read(path: Path) -> str | None:
    return _text(path).strip("\r\n") or None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError):
        raise NeedsUser(f"{path} cannot be read.", code="folder_unusable") from None


def _save(path: Path, text: str, mode: int) -> None:
    try:
        write_whole(path, text, mode)
    except OSError:
        raise _unusable(path.parent) from None


def _allow(path: Path, mode: int) -> None:
    with contextlib.suppress(OSError):
        path.chmod(mode)


def _unusable(folder: Path) -> NeedsUser:
    return NeedsUser(
        f"The folder {folder.absolute()} cannot be written by this user (in a container: --user).",
        code="folder_unusable",
    )
