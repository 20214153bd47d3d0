"""What PostgreSQL and its driver complain about, as our errors with one sentence each.

Knows SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html, and nothing of connections.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

from toggl_pulse.errors import NeedsUser, PulseError, Unavailable

__all__ = ["as_ours"]

LONGEST_REASON = 200


def as_ours(error: Any, name: str, secrets: tuple[str, ...]) -> PulseError | None:
    """Our error for one of psycopg's; None if it is a bug."""
    state = getattr(error, "sqlstate", None)
    if state is None:
        return _no_connection(error, name, secrets)
    for prefix, make in _SENTENCES:
        if state.startswith(prefix):
            return make(name)
    return None


def _no_connection(error: Any, name: str, secrets: tuple[str, ...]) -> PulseError | None:
    """Before a connection stands the driver has no code, only the server's words; those are in the server's language.

    What has no code and is no operational error was not said by the server: it is a bug of ours.
    """
    if not isinstance(error, psycopg.OperationalError):
        return None
    said = str(error)
    for words, make in _WORDS:
        if any(word in said for word in words):
            return make(name)
    if getattr(error, "pgconn", None) is None or "connection failed" not in said:
        return _broken(name)
    return Unavailable(f"The mirror {name} cannot be reached: {_reason(said, secrets)}.", code="mirror_unreachable")


def _reason(said: str, secrets: tuple[str, ...]) -> str:
    """The last thing said, in one line and without a password."""
    lines = [line.strip() for line in said.replace("\t", " ").splitlines() if line.strip()]
    reason = next((line for line in lines if "failed: " in line), lines[0] if lines else "unknown reason")
    reason = reason.rpartition("failed: ")[2].removeprefix("FATAL:").strip().rstrip(".")
    for secret in secrets:
        reason = reason.replace(secret, "(hidden)")
    return reason[:LONGEST_REASON]


def _refused(name: str) -> PulseError:
    return NeedsUser(
        f"The server of the mirror {name} refuses the user or the password; correct DATABASE_URL.",
        code="mirror_refused",
    )


def _missing(name: str) -> PulseError:
    return NeedsUser(f"There is no database {name}; make it with createdb, or set DATABASE_URL.", code="mirror_missing")


def _down(name: str) -> PulseError:
    return Unavailable(f"The server of the mirror {name} does not answer; see that it runs.", code="mirror_unreachable")


def _broken(name: str) -> PulseError:
    return Unavailable(
        f"The connection to the mirror {name} broke; what was not yet committed is read again by the next sync.",
        code="mirror_unreachable",
    )


def _crowded(name: str) -> PulseError:
    return Unavailable(f"The server of the mirror {name} has no free connection; try again.", code="mirror_busy")


def _forbidden(name: str) -> PulseError:
    return NeedsUser(
        f"The user in DATABASE_URL may not make, read or write tables in {name}; grant CREATE and USAGE on the schema.",
        code="mirror_unwritable",
    )


def _read_only(name: str) -> PulseError:
    return NeedsUser(
        f"The mirror {name} is read-only, a standby perhaps; set DATABASE_URL to the server that may be written to.",
        code="mirror_unwritable",
    )


def _disk_full(name: str) -> PulseError:
    return NeedsUser(
        f"The disk of the server that holds the mirror {name} is full; free some space, nothing was lost.",
        code="disk_full",
    )


def _no_memory(name: str) -> PulseError:
    return Unavailable(f"The server of the mirror {name} is short of memory; nothing was changed.", code="mirror_busy")


def _locked(name: str) -> PulseError:
    return Unavailable(f"The mirror {name} is locked by another program; nothing was changed.", code="mirror_locked")


def _slow(name: str) -> PulseError:
    return Unavailable(
        f"The server of the mirror {name} cancelled what took it too long (statement_timeout); nothing was changed.",
        code="mirror_timeout",
    )


def _damaged(name: str) -> PulseError:
    return NeedsUser(
        f"The mirror {name} is damaged; restore a backup, or set DATABASE_URL to an empty database and sync anew.",
        code="mirror_damaged",
    )


def _unreadable(name: str) -> PulseError:
    return Unavailable(
        f"The disk of the server that holds the mirror {name} does not read or write; nothing was changed.",
        code="disk_error",
    )


# By the beginning of the SQLSTATE, the longer ones first.
_SENTENCES: tuple[tuple[str, Callable[[str], PulseError]], ...] = (
    ("25006", _read_only),
    ("25P03", _broken),
    ("28", _refused),
    ("3D000", _missing),
    ("3F000", _damaged),
    ("40", _locked),
    ("42501", _forbidden),
    ("42P01", _damaged),
    ("42703", _damaged),
    ("53100", _disk_full),
    ("53300", _crowded),
    ("53", _no_memory),
    ("55P03", _locked),
    ("57014", _slow),
    ("57P03", _down),
    ("57P", _broken),
    ("58030", _unreadable),
    ("08", _broken),
    ("XX001", _damaged),
    ("XX002", _damaged),
)

# While a connection is being made there are words only: the server's in English, and the C library's.
_WORDS: tuple[tuple[tuple[str, ...], Callable[[str], PulseError]], ...] = (
    (("password authentication failed", "no password supplied", "no pg_hba.conf entry"), _refused),
    (("too many clients", "remaining connection slots", "too many connections"), _crowded),
    (("role ", "is not permitted to log in"), _refused),
    (("database ",), _missing),
    (("Connection refused", "No such file or directory", "timeout expired", "starting up", "shutting down"), _down),
)
