"""Toggl's refusals and failures as errors that say what to do next; pure, it sees one answer at a time.

`Trouble` is for what may pass within seconds: it is repeated, and becomes a `RetryLater` when that did not help.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import orjson

from toggl_pulse.errors import BadRequest, NeedsUser, PlanLimit, PulseError, QuotaSpent, RetryLater
from toggl_pulse.toggl.assumptions import (
    FAILURE_PAUSE,
    QUOTA_WINDOW,
    REACH,
    RESET_MARGIN,
    TOO_MANY_PAUSE,
    TOO_MANY_WAIT,
)

__all__ = ["LARGEST", "Asked", "TooOld", "Trouble", "judge", "quota_refusal", "resets_in", "said", "server_date"]

SAID_LIMIT = 200
LARGEST = 2**53
"""Beyond it a header's number is none: it is not exact any more, and no database would take it."""

QUOTA_TEXT = re.compile(r"quota|hourly limit", re.IGNORECASE)
RESETS_TEXT = re.compile(r"(\d{1,5})\s*(?:s\b|sec)", re.IGNORECASE)
AGE_TEXT = re.compile(r"month|older|earlier|too old|too far|in the past", re.IGNORECASE)
DAY_TEXT = re.compile(r"\d{4}-\d{2}-\d{2}")

REDIRECTS = range(300, 400)
SERVER_FAILURES = range(500, 600)
PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY}
REFUSALS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED}


class TooOld(BadRequest):
    """Toggl does not look so far back; `earliest` is the first day it would, when it says so."""

    def __init__(self, message: str, *, earliest: date | None) -> None:
        super().__init__(message, code="too_old")
        self.earliest = earliest


class Trouble(Exception):
    """A failure that may pass: `wait` seconds at least before a repeat, none if `repeat` is False."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        wait: float = 0.0,
        pause: timedelta = FAILURE_PAUSE,
        repeat: bool = True,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.wait = wait
        self.pause = pause
        self.repeat = repeat

    def later(self, now: datetime) -> RetryLater:
        return RetryLater(self.message, at=now + max(self.pause, timedelta(seconds=self.wait)), code=self.code)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, as far as an error's sentence and judgement need it; `since` is the oldest moment asked for."""

    path: str
    bucket: str
    since: datetime | None = None


def judge(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    asked: Asked,
    *,
    now: datetime,
    hide: Callable[[str], str],
) -> PulseError | Trouble:
    """The error for an answer that is not a success; `hide` removes secrets from what Toggl said."""
    words = hide(said(headers, body))
    if status == HTTPStatus.PAYMENT_REQUIRED:
        return _quota_or_plan(headers, asked, words, now)
    if status in REFUSALS:
        return _refused(status, headers, asked, words)
    passing = _passing(status, headers, now)
    return _bad_request(status, asked, words, now) if passing is None else passing


def _quota_or_plan(headers: Mapping[str, str], asked: Asked, words: str, now: datetime) -> QuotaSpent | PlanLimit:
    if not quota_refusal(headers, words):
        return PlanLimit(_sentence("Toggl's plan does not include this", asked, words))
    left = resets_in(headers, words)
    wait = QUOTA_WINDOW if left is None else timedelta(seconds=left)
    return QuotaSpent(
        f"Toggl's hourly quota is used up ({asked.bucket}).", at=now + wait + RESET_MARGIN, bucket=asked.bucket
    )


def _passing(status: int, headers: Mapping[str, str], now: datetime) -> Trouble | None:
    """What gets better by itself, be it in seconds or not."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _too_many(headers, now)
    if status in SERVER_FAILURES or status in PASSING:
        return Trouble(f"Toggl's server failed with status {status}.", code="toggl_failing", wait=_after(headers, now))
    if status in REDIRECTS:
        return Trouble(
            "Toggl's address answered with a redirect, which is not followed;"
            " check TOGGL_API_URL, and whether the network asks for a login.",
            code="redirected",
            repeat=False,
        )
    return None


def _too_many(headers: Mapping[str, str], now: datetime) -> Trouble:
    told = _after(headers, now)
    return Trouble(
        "Toggl asks for fewer requests (429).",
        code="too_many_requests",
        wait=told or TOO_MANY_WAIT,
        pause=max(TOO_MANY_PAUSE, timedelta(seconds=told)),
    )


def _refused(status: int, headers: Mapping[str, str], asked: Asked, words: str) -> PulseError | Trouble:
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return NeedsUser("The proxy on the way to Toggl asks for a login; check HTTPS_PROXY.", code="proxy_login")
    if "html" in headers.get("content-type", "").lower():
        return Trouble(f"Something on the way to Toggl answered with a page and status {status}.", code="not_toggl")
    if status == HTTPStatus.UNAUTHORIZED or asked.path.startswith("/api/v9/me"):
        return NeedsUser(
            f"Toggl refuses the credentials (status {status});"
            " check TOGGL_API_TOKEN, or TOGGL_EMAIL and TOGGL_PASSWORD.",
            code="token_refused",
        )
    return NeedsUser(_sentence("This Toggl account may not see this", asked, words), code="no_access")


def _bad_request(status: int, asked: Asked, words: str, now: datetime) -> BadRequest:
    # Whatever the words: beyond the safe reach a refusal can only mean the age, and must not be asked for ever.
    aged = asked.since is not None and (AGE_TEXT.search(words) is not None or now - asked.since > REACH)
    if status == HTTPStatus.BAD_REQUEST and aged:
        return TooOld(_sentence("Toggl does not look so far back", asked, words), earliest=_day(words))
    if status == HTTPStatus.NOT_FOUND:
        return BadRequest(_sentence("Toggl does not know this", asked, words), code="toggl_not_found", status=404)
    if status == HTTPStatus.GONE:
        return BadRequest(_sentence("Toggl has withdrawn this", asked, words), code="toggl_gone")
    return BadRequest(_sentence(f"Toggl refused the request with status {status}", asked, words), code="toggl_refused")


def quota_refusal(headers: Mapping[str, str], words: str) -> bool:
    """Whether a 402 means the quota: the rest is used up, or the text says so."""
    remaining = header_int(headers, "x-toggl-quota-remaining")
    return (remaining is not None and remaining <= 0) or QUOTA_TEXT.search(words) is not None


def resets_in(headers: Mapping[str, str], words: str) -> float | None:
    """Seconds to the end of the quota window, from the header or else from the text."""
    told = header_int(headers, "x-toggl-quota-resets-in")
    return max(0.0, told) if told is not None else resets_in_text(words)


def resets_in_text(words: str) -> float | None:
    match = RESETS_TEXT.search(words)
    return None if match is None else float(match[1])


def header_int(headers: Mapping[str, str], name: str) -> int | None:
    """A whole number from a header, fractions cut; None when absent, absurdly large, or something else."""
    try:
        told = float(headers[name])
    except (KeyError, ValueError):
        return None
    return int(told) if abs(told) <= LARGEST else None


def server_date(headers: Mapping[str, str]) -> datetime | None:
    """The Date header as aware UTC."""
    try:
        told = parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError, TypeError, IndexError):
        return None
    return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)


def said(headers: Mapping[str, str], body: bytes) -> str:
    """What an error's body says in one line: a JSON string, a legacy object, or plain text; never a page of HTML."""
    plain = body[: SAID_LIMIT * 20].decode("utf-8", "replace").strip()
    if plain.startswith("<") or "html" in headers.get("content-type", "").lower():
        return ""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = plain
    if isinstance(value, dict):
        value = value.get("error") or value.get("message") or ""
    if isinstance(value, dict):
        value = value.get("message") or ""
    if not isinstance(value, str):
        return ""
    return " ".join("".join(char if char.isprintable() else " " for char in value).split())[:SAID_LIMIT]


def _sentence(what: str, asked: Asked, words: str) -> str:
    """One sentence; Toggl's own words last, in quotation marks."""
    return f'{what} ({asked.path}): "{words}"' if words else f"{what} ({asked.path})."


def _day(words: str) -> date | None:
    match = DAY_TEXT.search(words)
    if match is None:
        return None
    try:
        return date.fromisoformat(match[0])
    except ValueError:
        return None


def _after(headers: Mapping[str, str], now: datetime) -> float:
    """Seconds that Retry-After asks for, as a number or a date; 0 when it is absent or in the past."""
    told = headers.get("retry-after", "")
    try:
        return min(max(0.0, float(told)), QUOTA_WINDOW.total_seconds())
    except ValueError:
        pass
    when = server_date({"date": told})
    return 0.0 if when is None else min(max(0.0, (when - now).total_seconds()), QUOTA_WINDOW.total_seconds())
