"""How true are these numbers: freshness, months compared with Toggl, the past, the quota, runs, rows set aside.

All of it is what the tables about the sync say; nothing is worked out here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toggl_pulse.service.sync_rows import SyncRows
from toggl_pulse.service.sync_tables import SYNC_TABLES, Column
from toggl_pulse.web.look import Look
from toggl_pulse.web.views.view import View

__all__ = ["VIEW"]

RUNS = 20
SET_ASIDE = 20
GAP_DAYS = 365
SHOWN = {
    "sync_steps": ("step", "last_success", "left", "trouble", "trouble_since"),
    "sync_runs": ("began", "reason", "outcome", "requests", "new", "changed", "deleted", "seconds", "why"),
    "sync_months": ("workspace", "month", "state", "hours", "toggl_hours", "difference_seconds", "checked"),
    "sync_gaps": ("time", "timeEnd", "text"),
    "sync_set_aside": ("kind", "id", "reason", "times", "last_seen"),
}
"""Table -> the columns that fit a page; the others are in the interface's."""


def show(look: Look) -> Mapping[str, Any]:
    start, end = look.day(-GAP_DAYS), look.now
    rows = SyncRows(look.pulse, int(start.timestamp()) * 1000, int(end.timestamp()) * 1000)

    def table(slug: str, limit: int | None = None) -> list[dict[str, Any]]:
        return look.named(rows.table(slug, limit))

    months = table("sync_months")
    return {
        "status": table("sync_status")[0],
        "words": {column.name: column.meaning for column in SYNC_TABLES["sync_status"].columns},
        "years": _years(months),
        "unproven": [month for month in months if month["state"] != "verified"],
        "history": [each for each in table("sync_history") if not each["complete"]],
        "quota": table("sync_quota"),
        "steps": table("sync_steps"),
        "runs": table("sync_runs", RUNS),
        "gaps": table("sync_gaps"),
        "set_aside": table("sync_set_aside", SET_ASIDE),
        "columns": {slug: _columns(slug, names) for slug, names in SHOWN.items()},
        "meaning": {slug: SYNC_TABLES[slug].meaning for slug in SHOWN},
    }


def _columns(slug: str, names: Sequence[str]) -> list[Column]:
    known = {column.name: column for column in SYNC_TABLES[slug].columns}
    return [known[name] for name in names]


def _years(months: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """A line a workspace and year, newest first, with the state of each of its months (None: not compared)."""
    found: dict[tuple[str, str, str], dict[int, str]] = {}
    for month in months:
        year, number = str(month["month"]).split("-")
        line = found.setdefault((year, str(month["workspace"]), str(month["workspace_id"])), {})
        line[int(number)] = str(month["state"])
    return [
        {"year": year, "workspace": workspace, "months": [line.get(number) for number in range(1, 13)]}
        for (year, workspace, _), line in sorted(found.items(), key=lambda each: (-int(each[0][0]), each[0][1:]))
    ]


VIEW = View(slug="health", title="Sync health", show=show, controls=(), ranged=False)
