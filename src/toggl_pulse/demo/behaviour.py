"""How the simulated Toggl behaves where the real one's behaviour is not known for certain; it decides nothing else.

Each option is one open question of what is known about Toggl's API; tests play every answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["PLAN_QUOTA", "Behaviour"]

PLAN_QUOTA = {"free": 30, "starter": 240, "premium": 600}
"""Requests an hour per user and organisation, by plan (Toggl's help centre, in force since September 2025)."""


@dataclass(slots=True)
class Behaviour:
    """Defaults are the more likely answer; the comment tells the other one."""

    floor: Literal["90 days", "3 months", "4 months"] = "90 days"
    """How far back `since`, `before` and `start_date` of /me/time_entries may reach."""

    since_capped: bool = True
    """Whether an answer to `since` stops at `entry_cap` rows like the others."""

    entry_cap: int = 1000

    quota_counted: bool = False
    """Whether GET /me/quota itself takes a request from the user's bucket."""

    reports_running: bool = False
    """Whether Reports list (and total) running entries, with a null stop."""

    retry_after: bool = False
    """Whether 429 and 503 come with a Retry-After header."""

    max_page_size: int = 1000
    """Rows a page of Reports has at most, whatever is asked."""

    reports_paging: Literal["row_number", "id"] = "row_number"
    """Whether the next page is found by its row number (rows shift) or by the id and time given (they do not)."""

    long_range: Literal["refuse", "clamp", "empty"] = "refuse"
    """What Reports do with more than 366 days: 400, the first 366 days (see X-Range-End), or nothing at all."""

    free_history_days: int | None = None
    """Reports on a free plan answer 402 for days before this many; None = they have no floor."""

    date_zone: Literal["profile", "utc"] = "profile"
    """The zone in which date-only bounds of /me/time_entries are read."""

    meta_on_deleted: bool = True
    """Whether deleted rows of a `since` answer carry names when `meta=true`."""

    rename_moves_at: bool = True
    """Whether a rename of a project, client or tag moves its `at`, so that `since` shows it."""

    since_lag: int = 0
    """Seconds after which a change shows in an answer to `since`, under the `at` that it had all along."""

    reports_lag: int = 0
    """Seconds by which Reports lag behind: they list and total what was then. To be set before anything is tracked."""

    names_only: bool = False
    """Whether entries carry the names of their tags and no ids."""

    at_style: Literal["fraction", "seconds"] = "fraction"
    """`at` of entries: `Z` with up to six digits (December 2024), or whole seconds with +00:00 (April 2024)."""

    running_duration: Literal["start", "start-1", "-1"] = "start-1"
    """`duration` of a running entry: minus the start, one second off it (both were seen), or the -1 that docs name."""

    current_missing: Literal["null", "404"] = "null"
    """GET /me/time_entries/current without a running entry."""

    no_credentials_status: int = 401
    bad_credentials_status: int = 403

    rate_limit: float | None = None
    """Requests a second of the leaky bucket before 429; None = no limit, so that tests need not wait."""

    rate_burst: int = 5

    user_quota: int = 30
    plan_quota: dict[str, int] = field(default_factory=lambda: dict(PLAN_QUOTA))
    quota_window: int = 3600

    default_rounding: bool = True
    """The user's preference that Reports apply when `rounding` is not sent: round by the workspace's rule."""

    headers: bool = True
    """Whether answers carry the quota headers."""
