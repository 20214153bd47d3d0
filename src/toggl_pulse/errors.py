"""What can go wrong, sorted by what to do next; nothing here knows where it happened.

    PulseError
    ├── RetryLater        outside trouble that passes by itself, at a known time      503, exit 3
    │   └── QuotaSpent    the hourly quota, less the reserve, is used up              503, exit 3
    ├── NeedsUser         a person must act: token, rights, disk, another account     503, exit 4
    ├── PlanLimit         Toggl's plan does not include this; do not ask again        503, exit 1
    ├── Unavailable       a part of ours cannot be reached right now                  503, exit 1
    ├── Busy              another run holds the lock                                  409, exit 1
    └── BadRequest        the caller's fault, in one sentence                     4xx (400), exit 2

Anything else that is raised is a bug and propagates.
Every message is one sentence that may be shown to anyone who may ask: no secret, no stack, no path but
one the user configured.
"""

from __future__ import annotations

from datetime import datetime

__all__ = [
    "BadRequest",
    "Busy",
    "NeedsUser",
    "PlanLimit",
    "PulseError",
    "QuotaSpent",
    "RetryLater",
    "Unavailable",
]


class PulseError(Exception):
    """An expected failure with a slug for programs and one sentence for people."""

    status = 503
    exit_code = 1

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class RetryLater(PulseError):
    """Outside trouble that passes by itself; `at` is the aware UTC time from which to try again."""

    exit_code = 3

    def __init__(self, message: str, *, at: datetime, code: str = "retry_later") -> None:
        super().__init__(message, code=code)
        self.at = at


class QuotaSpent(RetryLater):
    """The bucket's requests of this hour are used up, down to the reserve; `at` is when it fills again."""

    def __init__(self, message: str, *, at: datetime, bucket: str) -> None:
        super().__init__(message, at=at, code="quota_spent")
        self.bucket = bucket


class NeedsUser(PulseError):
    """Nothing gets better until a person acts; the sentence says what to do."""

    exit_code = 4

    def __init__(self, message: str, *, code: str = "needs_user") -> None:
        super().__init__(message, code=code)


class PlanLimit(PulseError):
    """Toggl answered that the plan does not include this (402 that is not the quota)."""

    def __init__(self, message: str, *, code: str = "plan_limit") -> None:
        super().__init__(message, code=code)


class Unavailable(PulseError):
    """A part of ours (the mirror, InfluxDB) cannot be reached or is not ready, or has too much to do.

    `retry_after` is in seconds, where it is known how long to wait.
    """

    def __init__(self, message: str, *, code: str = "unavailable", retry_after: int | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after


class Busy(PulseError):
    """Another run holds the lock; nothing was done."""

    status = 409

    def __init__(self, message: str, *, code: str = "busy") -> None:
        super().__init__(message, code=code)


class BadRequest(PulseError):
    """The caller asked for something that cannot be answered; the sentence says what is wrong with it."""

    exit_code = 2

    def __init__(self, message: str, *, code: str = "bad_request", status: int = 400) -> None:
        super().__init__(message, code=code)
        self.status = status
