"""Every setting of the product: its name, default, check and meaning; read from the environment and `.env`.

Each secret `NAME` may also come from the file that `NAME_FILE` points at.
Read only by the edge (`cli`, `app`, `service`); everything else takes plain arguments.
"""

from __future__ import annotations

import ipaddress
import os
import re
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import unquote, urlsplit

from dotenv import dotenv_values
from platformdirs import user_data_path
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from toggl_pulse.errors import BadRequest

__all__ = [
    "HIDDEN",
    "LOOPBACK_NAMES",
    "InfluxDBSetup",
    "Settings",
    "describe",
    "in_force",
    "is_loopback",
    "load_influxdb_setup",
    "load_settings",
]

HIDDEN = "(hidden)"
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")

SHORTEST_TOKEN = 16

# Toggl gives 30 requests an hour for `/me…` on every listed plan; a reserve of all of them would stop the mirror.
_USER_QUOTA = 30


def _split_names(value: object) -> object:
    return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value


def is_loopback(host: str) -> bool:
    """Whether this name or address can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _influxdb_address(value: str) -> str:
    parts = urlsplit(value)
    if value and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query):
        message = "must be an http or https address without user, password or query"
        raise ValueError(message)
    return value.rstrip("/")


class _Environment(BaseSettings):
    """Read from the environment, `.env` and files of secrets; frozen, and secrets do not show in its repr."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the signature is pydantic's)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _SecretFiles(settings_cls), env_settings, dotenv_settings


class Settings(_Environment):
    """The settings in force."""

    toggl_api_token: SecretStr | None = Field(
        None,
        description="The account: the API token from the foot of Toggl's profile page. "
        "Or `TOGGL_EMAIL` with `TOGGL_PASSWORD`; the token wins where both are given",
    )
    toggl_email: str | None = Field(None, description="The account's e-mail address, with `TOGGL_PASSWORD`")
    toggl_password: SecretStr | None = Field(None, description="The account's password, with `TOGGL_EMAIL`")
    toggl_api_url: str = Field(
        "https://api.track.toggl.com", description="Base address; `/api/v9` and `/reports/api/v3` are appended"
    )
    data_dir: Path = Field(
        default_factory=lambda: user_data_path("toggl-pulse"),
        description="Where the mirror file, its lock and the demo data live",
    )
    database_url: str = Field(
        "",
        repr=False,
        description="The mirror's database: `sqlite:///path/to/mirror.db`, or on a PostgreSQL server "
        "`postgresql://user:password@host/database`, in a schema of its own with `?options=-csearch_path%3Dname`. "
        "The password may also come from `PGPASSWORD` or `~/.pgpass`",
    )
    influxdb_url: Annotated[str, AfterValidator(_influxdb_address)] = Field(
        "",
        description="InfluxDB 2.7's address, for example `http://influxdb:8086`; without it nothing is written there",
    )
    influxdb_token: SecretStr | None = Field(
        None, description="InfluxDB's token, which may read and write the bucket; `toggl-pulse init influxdb` makes one"
    )
    influxdb_org: str = Field("", description="InfluxDB's organisation, by name or id")
    influxdb_bucket: str = Field(
        "toggl_metrics",
        min_length=1,
        description="InfluxDB's bucket, which nobody else writes to; made where the token may. The demo adds `_demo`",
    )
    query_source: Literal["mirror", "influxdb"] = Field(
        "mirror", description="What answers are made from: `mirror`, or `influxdb`, which then must be there"
    )
    sync_schedule: str = Field(
        "0 2,14 * * *", description="When full syncs run: a cron line of five fields, in UTC; weekdays count as in cron"
    )
    poll_minutes: int = Field(
        10, ge=0, le=1440, description="Minutes between light polls of one request; 0 turns them off"
    )
    backfill_from: date | None = Field(
        None, description="First day of history to fetch, `YYYY-MM-DD`; without it all of it"
    )
    quota_reserve: int = Field(
        10, ge=0, lt=_USER_QUOTA, description="Requests an hour left to your other Toggl tools, in each quota bucket"
    )
    timezone: str | None = Field(None, description="Default IANA time zone of queries; without it the Toggl profile's")
    api_token: SecretStr | None = Field(
        None,
        description="Protects every endpoint but health; at least 16 characters. "
        "Without it only a loopback `HOST` is accepted",
    )
    session_secret: SecretStr | None = Field(
        None,
        description="Signs the page's cookie; at least 16 characters. Without it one is derived from `API_TOKEN`. "
        "A new one, as a new `API_TOKEN`, ends every session",
    )
    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_names)] = Field(
        (), description="Host names, separated by commas, that requests may name besides the loopback ones"
    )
    max_memory_mib: int = Field(
        1024,
        ge=1,
        description="Memory that the service may need, in MiB; an account too large for it is refused with a sentence",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least severity that is logged")
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="`json`, `console`, or `auto`: console on a terminal, else JSON"
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        # files of this machine beside the zones (`localtime`, `right/…`) mean something else on each machine
        if value is not None and value not in files("tzdata").joinpath("zones").read_text("ascii").split():
            message = "is not an IANA time zone (for example Europe/Berlin)"
            raise ValueError(message)
        return value

    @field_validator("toggl_api_url")
    @classmethod
    def _http_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
            message = "must be an http or https address without user, password or query"
            raise ValueError(message)
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            message = "must use https, or your token would travel in clear"
            raise ValueError(message)
        return value.rstrip("/")

    @field_validator("api_token", "toggl_api_token", "influxdb_token")
    @classmethod
    def _header_safe(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not (value.get_secret_value().isascii() and value.get_secret_value().isprintable()):
            message = "must consist of printable ASCII characters"
            raise ValueError(message)
        return value

    @field_validator("api_token", "session_secret")
    @classmethod
    def _hard_to_guess(cls, value: SecretStr | None) -> SecretStr | None:
        # a header's wrong tokens are not slowed down, for that would lock out their owner and all behind the same proxy
        if value is not None and len(value.get_secret_value()) < SHORTEST_TOKEN:
            message = f"must have at least {SHORTEST_TOKEN} characters; `openssl rand -hex 32` makes a good one"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        if (self.toggl_email is None) != (self.toggl_password is None) and self.toggl_api_token is None:
            message = "TOGGL_EMAIL and TOGGL_PASSWORD must be given together."
            raise ValueError(message)
        if self.api_token is None and not is_loopback(self.host):
            message = "API_TOKEN must be set when HOST is not a loopback address, or anyone could read your hours."
            raise ValueError(message)
        if self.query_source == "influxdb" and not self.influxdb_url:
            message = "QUERY_SOURCE can only be influxdb where INFLUXDB_URL is set."
            raise ValueError(message)
        if self.influxdb_url and (self.influxdb_token is None or not self.influxdb_org):
            message = "INFLUXDB_URL needs INFLUXDB_TOKEN and INFLUXDB_ORG beside it."
            raise ValueError(message)
        return self

    @property
    def has_credentials(self) -> bool:
        return self.toggl_api_token is not None or self.toggl_password is not None

    @property
    def mirror_url(self) -> str:
        """The mirror's database, with the default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir.expanduser() / 'mirror.db'}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every Host name that is accepted."""
        return (*LOOPBACK_NAMES, *self.allowed_hosts)

    def secrets(self) -> tuple[str, ...]:
        """Every secret value in force, for the logs to blot out."""
        kept = (
            self.toggl_api_token,
            self.toggl_password,
            self.api_token,
            self.session_secret,
            self.influxdb_token,
        )
        values = [value.get_secret_value() for value in kept if value]
        return (*values, *_passwords_in(self.database_url))


class InfluxDBSetup(_Environment):
    """What `toggl-pulse init influxdb` needs, before there is a token and with a password that no service is to have.

    What is in `Settings` too means the same here.
    """

    influxdb_url: Annotated[str, AfterValidator(_influxdb_address)] = ""
    influxdb_org: str = "toggl_pulse"
    influxdb_bucket: str = Settings.model_fields["influxdb_bucket"].default
    influxdb_admin_password: SecretStr | None = None
    data_dir: Path = Field(default_factory=lambda: user_data_path("toggl-pulse"))


def is_secret(field: FieldInfo) -> bool:
    return "SecretStr" in str(field.annotation)


class _SecretFiles(PydanticBaseSettingsSource):
    """Reads `NAME_FILE` for each secret `NAME`; a trailing newline is no part of the secret."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        given = dict(dotenv_values(".env", interpolate=False)) | dict(os.environ)
        path = given.get(f"{field_name.upper()}_FILE")
        if not path or not (is_secret(field) or field_name == "database_url"):
            return None, field_name, False
        name = field_name.upper()
        if given.get(name):
            raise BadRequest(f"{name} and {name}_FILE must not both be set.", code="bad_setting")
        try:
            return Path(path).read_text(encoding="utf-8").rstrip("\r\n") or None, field_name, False
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise BadRequest(
                f"{name}_FILE points at a file that cannot be read: {reason}.", code="bad_setting"
            ) from None

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


S = TypeVar("S", bound=_Environment)


def load_settings(**overrides: object) -> Settings:
    """Read the settings in force.

    Raises `BadRequest` with one sentence that names the variable and never its value.
    """
    return _load(Settings, **overrides)


def load_influxdb_setup() -> InfluxDBSetup:
    """Read what setting InfluxDB up needs; raises as `load_settings` does."""
    return _load(InfluxDBSetup)


def _load(kind: type[S], **overrides: object) -> S:
    try:
        return kind(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        if first["loc"]:
            message = f"{str(first['loc'][0]).upper()} {message[0].lower()}{message[1:]}."
        raise BadRequest(message, code="bad_setting") from None


# By hand, for a password may hold what an address may not, and the usual parsers then find another part or none. The
# last @ ends it: rather hide too much.
_LOGIN = re.compile(r"^(?P<before>[^:/]*:/*[^:@]*:)(?P<password>.*)(?=@)", re.DOTALL)
_PARAMETER = re.compile(r"(?P<before>[?&](?:ssl)?password=)(?P<password>[^&]*)")


def _passwords_in(url: str) -> tuple[str, ...]:
    """Every password in a database's address, as it stands there and as it is meant."""
    found = [match["password"] for form in (_LOGIN, _PARAMETER) for match in form.finditer(url)]
    return tuple(dict.fromkeys(each for password in found for each in (password, unquote(password)) if each))


def _without_password(url: str) -> str:
    for form in (_LOGIN, _PARAMETER):
        url = form.sub(rf"\g<before>{HIDDEN}", url)
    return url


def in_force(settings: Settings) -> dict[str, str]:
    """Every setting by its variable's name as it is in force, secrets hidden, `–` where there is none."""
    shown = {}
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if name == "database_url":
            value = _without_password(settings.mirror_url)
        elif name == "allowed_hosts":
            value = ", ".join(settings.hosts)
        elif value is not None and is_secret(field):
            value = HIDDEN
        shown[name.upper()] = "–" if value in {None, ""} else str(value)
    return shown


_DEFAULTS = {
    "data_dir": "the platform's user data directory",
    "database_url": "sqlite:///{DATA_DIR}/mirror.db",
    "allowed_hosts": "loopback names",
}


def describe() -> str:
    """The table of settings for the documentation, in Markdown."""
    lines = ["| name | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = _DEFAULTS.get(name) or ("–" if field.default in {None, ""} else f"{field.default}")
        shown = default if default == "–" or name == "data_dir" else f"`{default}`"
        mark = " (secret)" if is_secret(field) else ""
        lines.append(f"| `{name.upper()}`{mark} | {shown} | {field.description} |")
    return "\n".join(lines)
