"""What the client takes for granted about Toggl without a machine-readable promise, each with its grade.

H = stated in Toggl's own API description or seen in recorded answers, M = said by Toggl's staff, help pages or
several independent clients, L = one third party or inference. The code reads its numbers from here and nowhere
else, so that `doctor` and a reader find every doubtful one in one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

__all__ = [
    "ANSWER_LIMIT",
    "ANSWER_SECONDS",
    "ASSUMPTIONS",
    "ENTRY_CAP",
    "FAILURE_PAUSE",
    "KNOWLEDGE_FRESH",
    "LIST_KEPT",
    "LONGEST_WAIT",
    "LOOK_COMPARABLE",
    "MAX_PAGES",
    "PAGE_SIZE",
    "PLAUSIBLE_WINDOW",
    "QUOTA_WINDOW",
    "REACH",
    "REPORT_DAYS",
    "RESET_MARGIN",
    "SMALLEST_PAGE",
    "TOO_MANY_PAUSE",
    "TOO_MANY_WAIT",
    "WORKSPACE_PAGE_SIZE",
    "Assumption",
]

REACH = timedelta(days=85)
"""How far back `/me/time_entries` is asked (`since` and `start_date`): below the shortest floor anyone reports."""

ENTRY_CAP = 1000
"""Rows from which an answer of `/me/time_entries` counts as cut off."""

PAGE_SIZE = 1000
"""Rows asked of Reports for one page."""

REPORT_DAYS = 366
"""Days that one Reports request may span."""

WORKSPACE_PAGE_SIZE = 200
"""Rows asked of the paged `/workspaces/{id}/…` lists for one page; Toggl's documented maximum for projects."""

SMALLEST_PAGE = 50
"""A page shorter than this is the last one, whatever size the server chose to use without saying so."""

LIST_KEPT = timedelta(hours=12)
"""How long the pages of a list that the quota has interrupted are kept to go on from; until the next full sync."""

MAX_PAGES = 500
"""Pages after which a list counts as endless."""

QUOTA_WINDOW = timedelta(hours=1)
"""Length of a quota window; also the wait after a quota refusal that does not say when it ends."""

PLAUSIBLE_WINDOW = QUOTA_WINDOW + timedelta(minutes=5)
"""A window that seems to end later than this was noted by a clock that has jumped: it tells nothing."""

RESET_MARGIN = timedelta(seconds=2)
"""Waited beyond the told end of a window, because it is told in whole seconds by another clock."""

KNOWLEDGE_FRESH = timedelta(seconds=60)
"""Other tools drain the same bucket: a count older than this is looked up again where that costs nothing."""

LOOK_COMPARABLE = timedelta(seconds=10)
"""Two counts this close together show whether the request between them was counted."""

TOO_MANY_WAIT = 10.0
"""Seconds before a request is repeated after a 429 that names no time."""

TOO_MANY_PAUSE = timedelta(minutes=2)
"""Pause after a 429 that repeating did not cure."""

FAILURE_PAUSE = timedelta(minutes=1)
"""Pause after failures of the network or of Toggl's servers that repeating did not cure."""


LONGEST_WAIT = 30.0
"""Seconds that a request waits for its repeat; a longer wish is passed on to whoever plans."""

ANSWER_LIMIT = 32 * 1024 * 1024
"""Bytes, unpacked, from which an answer is no answer of Toggl's."""

ANSWER_SECONDS = 180.0
"""Seconds that one answer may take as a whole, however steadily it drips."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """One belief about Toggl: `grade` is M or L, `doctor` says how a person's own account can confirm it."""

    name: str
    grade: str
    belief: str
    doctor: str


ASSUMPTIONS = (
    Assumption(
        "reach",
        "L",
        f"/me/time_entries answers for the last {REACH.days} days (reports differ: 90 days, three or four months).",
        "Ask for entries modified since that long ago and see that it is not refused.",
    ),
    Assumption(
        "entry_cap",
        "M",
        f"/me/time_entries never returns more than {ENTRY_CAP} rows and does not say so; `since` is capped alike (L).",
        "Never see an answer with more rows.",
    ),
    Assumption(
        "page_size",
        "M",
        f"Reports accept a page_size of {PAGE_SIZE}.",
        "Compare X-Page-Size with what was asked.",
    ),
    Assumption(
        "report_days",
        "M",
        f"One Reports request may span {REPORT_DAYS} days, end day included.",
        "Compare X-Range-Start and X-Range-End with what was asked.",
    ),
    Assumption(
        "quota_headers",
        "M",
        "Every answer, errors too, tells the bucket's rest in X-Toggl-Quota-Remaining and -Resets-In.",
        "See the headers on an answer of /me.",
    ),
    Assumption(
        "quota_402",
        "L",
        "402 means the quota when Remaining is 0 or less or the text says so, and a plan's limit otherwise.",
        "Cannot be checked without spending the quota.",
    ),
    Assumption(
        "quota_look_free",
        "L",
        "Whether /me/quota itself is counted is unknown; it is used freely only once its own header shows no decrease.",
        "Ask /me, then /me/quota, and compare the rest.",
    ),
    Assumption(
        "server_clock",
        "M",
        "The Date header is the clock that stamps `at`.",
        "Compare the Date header with `at` of /me.",
    ),
    Assumption(
        "totals_rounding",
        "M",
        "Reports with rounding 0 sum the same seconds as the entries.",
        "Compare a month's totals with its entries.",
    ),
    Assumption(
        "inactive_tasks",
        "L",
        "/workspaces/{id}/tasks lists finished tasks too when asked with active=both.",
        "Ask both ways and compare the counts.",
    ),
)
