"""`toggl-pulse init`: a part that Toggl Pulse works with, set up once; its secrets go into files and nowhere else."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from toggl_pulse.cli.init_stack import stack
from toggl_pulse.cli.main import PLAIN
from toggl_pulse.cli.parts import printable
from toggl_pulse.cli.whole_files import write_whole
from toggl_pulse.errors import BadRequest, NeedsUser
from toggl_pulse.influx import Bucket, Influx, Refused
from toggl_pulse.influx.setup import ACTIONS, USER, Administrator, begin, is_fresh, knows_password, sign_in
from toggl_pulse.logs import configure_logs
from toggl_pulse.settings import InfluxDBSetup, load_influxdb_setup

__all__ = ["init"]

T = TypeVar("T")

init = typer.Typer(**PLAIN)

NAMES = {"service": "the service's token", "grafana": "Grafana's token"}
MADE_UP_BYTES = 24
UNUSABLE = {"influxdb_token", "influxdb_rights", "influxdb_org", "influxdb_bucket"}
"""What a token of another server, of before, or of another bucket meets."""


@init.callback(no_args_is_help=True)
def _init() -> None:
    """Set up a part that Toggl Pulse works with."""


init.command(short_help="Write .env and the secrets of the stack.")(stack)


@init.command(short_help="Set up a fresh InfluxDB and two tokens.")
def influxdb(
    folder: Annotated[
        Path | None,
        typer.Option("--folder", metavar="DIR", help="Where the secrets go, instead of DATA_DIR/influxdb."),
    ] = None,
    readable: Annotated[
        bool,
        typer.Option("--readable", help="Let other users of this machine, or of containers, read the two tokens."),
    ] = False,
    renew: Annotated[bool, typer.Option("--renew", help="Make all tokens anew, and the old ones worthless.")] = False,
) -> None:
    """Set up a fresh InfluxDB at INFLUXDB_URL: organisation, bucket, a token for the service and one for Grafana.

    The service's token may read and write the bucket, Grafana's may read it, and neither anything else. They go
    into DIR/service/token and DIR/grafana/token, what only an administrator needs into DIR/admin. No secret is
    printed. The administrator's password is made up unless INFLUXDB_ADMIN_PASSWORD, or its _FILE, gives one; another
    one than before becomes the password. Whatever else is there already stays as it is; what a run that was cut off
    has left is completed by the next one.
    """
    settings = load_influxdb_setup()
    configure_logs("WARNING", "auto")
    if not settings.influxdb_url:
        raise BadRequest("Set INFLUXDB_URL to the address of the InfluxDB to set up.", code="bad_setting")
    place = folder or settings.data_dir.expanduser() / "influxdb"
    setting_up = _Run(settings, _Drawers(place, readable=readable))
    done = setting_up.done(renew=renew)
    typer.echo(
        f"InfluxDB at {printable(settings.influxdb_url)} has the organisation {printable(settings.influxdb_org)} "
        f"with the bucket {printable(settings.influxdb_bucket)}: "
        + (f"made {', '.join(done)}." if done else "there was nothing to do.")
    )
    if setting_up.bucket and (amiss := _amiss(setting_up.bucket)):
        typer.echo(amiss)
    typer.echo(
        f"For the service: INFLUXDB_URL={printable(settings.influxdb_url)} "
        f"INFLUXDB_ORG={printable(settings.influxdb_org)} INFLUXDB_BUCKET={printable(settings.influxdb_bucket)} "
        f"INFLUXDB_TOKEN_FILE={printable(str(place.absolute() / 'service' / 'token'))}"
    )


def _amiss(bucket: Bucket) -> str:
    """What a bucket that was there before lacks, which is its owner's to change."""
    if bucket.retention_seconds:
        days = bucket.retention_seconds // 86_400
        return f"The bucket forgets points after {days} days, and is left so; let it keep them for ever."
    if bucket.shards_are_short:
        return "The bucket has shard groups shorter than a year, and is left so; deletes are slow in it."
    return ""


class _Run:
    """One set-up, from whatever an earlier one has left."""

    def __init__(self, settings: InfluxDBSetup, drawers: _Drawers) -> None:
        self._settings = settings
        self._drawers = drawers
        self._url = settings.influxdb_url
        self.bucket: Bucket | None = None

    def done(self, *, renew: bool) -> list[str]:
        """What had to be made, in words."""
        fresh = is_fresh(self._url)
        renew = renew and not fresh
        wanting = [reader for reader in ACTIONS if fresh or renew or not self._usable(reader)]
        token = self._drawers.read("admin", "token")
        for reader in ACTIONS:
            self._drawers.prepare(reader)  # before there is a secret that could not be kept
        if not (fresh or wanting or token):
            return []  # the administrator's secrets are kept elsewhere, which is a good idea
        self._drawers.prepare("admin")
        made: list[str] = []
        # with a password of ours and no token yet, a set-up of ours was cut off before its bucket was finished
        begun = fresh or (
            token is None and len(wanting) == len(ACTIONS) and self._drawers.read("admin", "password") is not None
        )
        if token is not None and not fresh and self._gave_password(token):
            made.append("the administrator's password")
        if fresh or renew or token is None:
            old, token = token, self._admin_token(fresh=fresh)
            self._drawers.write("admin", "token", token)
            made.append("the administrator's token")
            if renew and old is not None:
                self._as_administrator(token, lambda administrator: administrator.revoke_token(old))

        def finish(administrator: Administrator) -> list[str]:
            return self._finish(administrator, wanting, begun=begun, renew=renew)

        return made + self._as_administrator(token, finish)

    def _gave_password(self, token: str) -> bool:
        """Whether another password than InfluxDB's was given to us, and is InfluxDB's now."""
        given = self._settings.influxdb_admin_password
        if given is None or knows_password(self._url, given.get_secret_value()):
            return False
        return self._as_administrator(token, lambda administrator: administrator.set_password(given.get_secret_value()))

    def _finish(self, administrator: Administrator, wanting: list[str], *, begun: bool, renew: bool) -> list[str]:
        place = administrator.place(self._settings.influxdb_org, self._settings.influxdb_bucket, begun=begun)
        self.bucket = place.bucket
        for reader in wanting:
            if renew:
                administrator.revoke(reader)
            self._drawers.write(reader, "token", administrator.token(reader, place))
        return (["the bucket"] if place.made else []) + [NAMES[reader] for reader in wanting]

    def _as_administrator(self, token: str, work: Callable[[Administrator], T]) -> T:
        try:
            with contextlib.closing(Administrator(self._url, token)) as administrator:
                return work(administrator)
        except NeedsUser as error:
            if error.code not in {"influxdb_token", "influxdb_rights"}:
                raise
            told = self._drawers.path("admin", "token")
            raise NeedsUser(
                f"InfluxDB does not let the token in {told} administer it.", code="influxdb_admin"
            ) from None

    def _admin_token(self, *, fresh: bool) -> str:
        given = self._settings.influxdb_admin_password
        password = given.get_secret_value() if given else self._drawers.read("admin", "password")
        if fresh and password is None:
            password = secrets.token_urlsafe(MADE_UP_BYTES)
            self._drawers.write("admin", "password", password)
        if password is None:
            raise NeedsUser(
                f"InfluxDB is set up already: put a token that may administer it into "
                f"{self._drawers.path('admin', 'token')}, or the password of its user {USER} into "
                "INFLUXDB_ADMIN_PASSWORD.",
                code="influxdb_admin",
            )
        if fresh:
            org, bucket = self._settings.influxdb_org, self._settings.influxdb_bucket
            try:
                return begin(self._url, password=password, org=org, bucket=bucket)
            except Refused as error:
                if error.kind != "conflict":
                    raise
        return sign_in(self._url, password)

    def _usable(self, reader: str) -> bool:
        """Whether the token in the file may see the bucket."""
        token = self._drawers.read(reader, "token")
        if token is None:
            return False
        try:
            influx = Influx(self._url, token, self._settings.influxdb_org, self._settings.influxdb_bucket)
            with contextlib.closing(influx):
                self.bucket = influx.bucket()
        except NeedsUser as error:
            if error.code not in UNUSABLE:
                raise
            return False
        return True


class _Drawers:
    """A folder for each reader, so that each can be handed on by itself; a file is there whole or not at all."""

    def __init__(self, folder: Path, *, readable: bool) -> None:
        self._folder = folder
        self._readable = readable

    def path(self, reader: str, name: str) -> Path:
        return self._folder / reader / name

    def read(self, reader: str, name: str) -> str | None:
        try:
            return self.path(reader, name).read_text(encoding="ascii").strip() or None
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError):
            raise NeedsUser(f"{self.path(reader, name)} cannot be read.", code="folder_unusable") from None

    def prepare(self, reader: str) -> None:
        """Make the folder; raise `NeedsUser` unless files can be made there. What others may read already stays so."""
        drawer = self._folder / reader
        for folder in (self._folder, drawer):
            try:
                folder.mkdir(parents=True)
            except FileExistsError:
                if self._open(reader):
                    self._allow(folder, 0o755)
            except OSError:
                raise self._unusable(folder) from None
            else:
                self._allow(folder, 0o755 if self._open(reader) else 0o700)
        if not os.access(drawer, os.W_OK | os.X_OK):
            raise self._unusable(drawer)
        if self._open(reader) and self.path(reader, "token").exists():
            self._allow(self.path(reader, "token"), 0o644)

    def write(self, reader: str, name: str, secret: str) -> None:
        path = self.path(reader, name)
        try:
            write_whole(path, secret, 0o644 if self._open(reader) else 0o600)
        except OSError:
            raise self._unusable(path.parent) from None

    def _allow(self, path: Path, mode: int) -> None:
        """Whoever runs containers may have made the folder, or its place may be read-only: its rights are theirs."""
        with contextlib.suppress(OSError):
            path.chmod(mode)

    def _open(self, reader: str) -> bool:
        return self._readable and reader != "admin"

    def _unusable(self, folder: Path) -> NeedsUser:
        return NeedsUser(f"The folder {folder} cannot be written.", code="folder_unusable")
