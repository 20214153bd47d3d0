"""The secrets of the stack: what each is called, who gives it or how it is made up, and what a new one needs.

Knows no files and prints nothing.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from toggl_pulse.errors import BadRequest

__all__ = ["DEMO", "SECRETS", "Secret", "a_domain", "a_toggl_token"]

RANDOM_BYTES = 32
LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
LONGEST_NAME = 253
TOGGL_TOKEN = re.compile(r"[A-Za-z0-9_.-]{16,200}")
PASSWORD_BYTES = range(8, 73)
SHORTEST_TOKEN = 16


def a_domain(given: str) -> str:
    """A host name in lower case; anything else is refused with a sentence."""
    name = given.strip().removesuffix(".").lower()
    labels = name.split(".")
    if (
        len(name) > LONGEST_NAME
        or not all(map(LABEL.fullmatch, labels))
        or labels[-1].isdigit()
        or (len(labels) == 1 and name != "localhost")
    ):
        raise BadRequest(
            "DOMAIN must be a host name alone, such as hours.example.com or localhost: no https://, no port, no path.",
            code="bad_setting",
        )
    return name


def a_toggl_token(given: str) -> str:
    """Toggl's API token; what cannot be one is refused with a sentence that does not repeat it."""
    token = given.strip()
    if not TOGGL_TOKEN.fullmatch(token):
        raise BadRequest(
            "TOGGL_API_TOKEN is not an API token: one is a single word of at least 16 letters and digits, at the foot "
            "of Toggl's profile page.",
            code="bad_setting",
        )
    return token


def a_password(name: str) -> Callable[[str], str]:
    def check(given: str) -> str:
        if len(given.encode()) not in PASSWORD_BYTES or not given.isprintable():
            raise BadRequest(f"{name} must have 8 to 72 printable characters.", code="bad_setting")
        return given

    return check


def an_api_token(given: str) -> str:
    """Without dollars, for Grafana takes what follows one in a provisioned value as the name of a variable."""
    if len(given) < SHORTEST_TOKEN or not (given.isascii() and given.isprintable()) or set(" $") & set(given):
        raise BadRequest(
            f"API_TOKEN must be a single word of at least {SHORTEST_TOKEN} ASCII characters, without $.",
            code="bad_setting",
        )
    return given


class Secret(NamedTuple):
    """One file in `secrets/`.

    `given_as` is the variable that may hold it, in the form that `check` wants; without one it is made up.
    `first_start`: what uses it has it from its first start on, in its own volume, and does not look again; a new one
    is then only made on purpose, and `afterwards` says what has to be done.
    """

    name: str
    given_as: str | None = None
    check: Callable[[str], str] = str
    first_start: bool = False
    afterwards: str = ""

    def made_up(self, others: Mapping[str, str]) -> str:
        if self.name == "database_url":
            return f"postgresql://pulse:{quote(others['postgresql_password'], safe='')}@postgresql/toggl_pulse"
        if self.name == "postgresql_password" and (address := others.get("database_url")):
            return unquote(urlsplit(address).password or "")
        return secrets.token_urlsafe(RANDOM_BYTES)


SECRETS = (
    Secret("toggl_api_token", "TOGGL_API_TOKEN", a_toggl_token),
    Secret("api_token", "API_TOKEN", an_api_token),
    Secret("influxdb_admin_password", "INFLUXDB_ADMIN_PASSWORD", a_password("INFLUXDB_ADMIN_PASSWORD")),
    Secret(
        "grafana_admin_password",
        "GRAFANA_ADMIN_PASSWORD",
        a_password("GRAFANA_ADMIN_PASSWORD"),
        first_start=True,
        afterwards="Grafana itself has to be told",
    ),
    Secret("grafana_secret_key", first_start=True),
    Secret("postgresql_password", first_start=True),
    Secret("database_url", first_start=True),
)
"""In the order in which they are made: the address holds the password."""

DEMO = tuple(
    secret
    for secret in SECRETS
    if secret.name in {"api_token", "influxdb_admin_password", "grafana_admin_password", "grafana_secret_key"}
)
