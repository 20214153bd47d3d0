"""How is it going: now against what came before, what runs, where the hours went, what came last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toggl_pulse.metrics import METRICS
from toggl_pulse.metrics.period import span_of
from toggl_pulse.web.figures import Figure, filter_value, over_time
from toggl_pulse.web.look import Look
from toggl_pulse.web.views.view import View

__all__ = ["VIEW"]

TOP = 7
NEWEST = 8
TOPS = ("project", "client", "tag")
SUMS = (
    "tracked_hours",
    "billable_hours",
    "billable_share",
    "active_days",
    "entry_count",
    "longest_entry_hours",
    "overlap_hours",
)
PERIODS = {
    "today": ("Today", "yesterday", "today", "hour"),
    "this_week": ("This week", "last week", "this-week", "day"),
    "this_month": ("This month", "last month", "this-month", "day"),
}
"""Period -> its title, what it is compared with, its range and the step of its small bars."""


def show(look: Look) -> Mapping[str, Any]:
    running = look.answer("running_entries")
    sums = [look.number(metric) for metric in SUMS]
    whole = sums[0].value or 0.0
    return {
        "tracked": METRICS["tracked_hours"],
        "until": running.notes[0] if running.notes else METRICS["running_hours"].meaning,
        "tiles": _tiles(look),
        "running": look.rows(running),
        "sums": sums,
        "tops": [_top(look, dimension, whole) for dimension in TOPS],
        "newest": look.rows(look.answer("entries", span=look.ever, limit=NEWEST)),
    }


def _tiles(look: Look) -> list[Mapping[str, Any]]:
    """Each period with the same elapsed part of the one before, and a small bar a step."""
    found: list[Mapping[str, Any]] = []
    for row, name in zip(look.rows(look.answer("period_change", periods=list(PERIODS))), PERIODS, strict=True):
        title, before, period, step = PERIODS[name]
        span = span_of(period, look.asked.today, look.asked.zone, look.asked.week_start)
        series = look.answer("tracked_hours", span=span, interval=step).series
        bars = series[0].values.tolist() if series else []
        found.append({**row, "title": title, "before": before, "range": period, "bars": bars})
    return found


def _top(look: Look, dimension: str, whole: float) -> Mapping[str, Any]:
    answer = look.answer("tracked_hours", group_by=dimension, interval="range", limit=TOP)
    rows: list[dict[str, Any]] = [
        {
            "label": series.label,
            "hours": float(series.values[0]),
            "share": float(series.values[0]) / whole if whole else None,
            "colour": look.colour_of(dimension, series.key),
            "key": filter_value(series.key, series.label, other=series.other),
        }
        for series in answer.series
    ]
    return {"dimension": dimension, "rows": rows, "most": max((row["hours"] for row in rows), default=0.0)}


def hours(look: Look) -> Figure:
    return over_time(look, "hours", "tracked_hours")


VIEW = View(slug="", title="Overview", show=show, figures={"hours": hours})
