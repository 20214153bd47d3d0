"""Every metric as data: its name, its unit, what it means, and how it is made of a few sums.

This is the list to read to know what can be asked, and the place to add a metric; it is as long as that list, for in
pieces nobody would read it. Knows nothing of rows or requests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["HOUR_MS", "HOUR_SECONDS", "METRICS", "Metric", "Sums"]

Sums = Mapping[str, NDArray[Any]]
"""Measure -> its whole numbers (milliseconds, seconds or counts), one array shape for all of them."""

Floats = NDArray[np.float64]
HOUR_SECONDS = 3_600
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Metric:
    """One number about time entries.

    `additive`: the values of groups and of steps add up to the value of the whole. `attribution` is fixed where the
    metric has only one; None follows the query. `rows` are the entries that count. `measures` are the sums that
    `value` turns into the shown numbers; the first one ranks the groups.
    `window` is the part of the time that counts, if not all of it does; what is `of_now` does not look at the range.
    `shape`: `series` has one value a step, `points` one an entry, `table` rows and columns.
    `columns` are a table's (name, type) with the types of Grafana's tables, where they are always the same, and `by`
    what its rows are made of (none where each is by itself), whatever the query groups by. `keys` are the payload's
    words beside filters, zone and attribution that change a table.
    """

    slug: str
    title: str
    unit: str
    meaning: str
    additive: bool
    shape: Literal["series", "points", "table"] = "series"
    rows: Literal["all", "billable", "running", "finished"] = "all"
    attribution: Literal["start", "split"] | None = None
    measures: tuple[str, ...] = ("ms",)
    value: Callable[[Sums], Floats] | None = None
    columns: tuple[tuple[str, str], ...] = ()
    by: str | None = None
    window: Literal["evening", "weekend"] | None = None
    of_now: bool = False
    keys: tuple[str, ...] = ()


def _hours(sums: Sums) -> Floats:
    return sums["ms"] / HOUR_MS


def _count(sums: Sums) -> Floats:
    return sums["count"].astype(np.float64)


def _share(sums: Sums) -> Floats:
    return _ratio(sums["billable_ms"], sums["ms"])


def _average(sums: Sums) -> Floats:
    return _ratio(sums["ms"], sums["count"] * HOUR_MS)


def _longest(sums: Sums) -> Floats:
    return np.where(sums["count"] > 0, sums["longest"] / HOUR_SECONDS, np.nan)


def _active_days(sums: Sums) -> Floats:
    return sums["active_days"].astype(np.float64)


def _wall_clock(sums: Sums) -> Floats:
    return (sums["ms"] - sums["overlap_ms"]) / HOUR_MS


def _overlap(sums: Sums) -> Floats:
    return sums["overlap_ms"] / HOUR_MS


def _days_off(sums: Sums) -> Floats:
    return sums["days_off"].astype(np.float64)


def _first_start(sums: Sums) -> Floats:
    return sums["first_start"] / HOUR_MS


def _last_stop(sums: Sums) -> Floats:
    return sums["last_stop"] / HOUR_MS


def _ratio(above: NDArray[Any], below: NDArray[Any]) -> Floats:
    """NaN where there is nothing to divide by."""
    out: Floats = np.full(np.shape(below), np.nan)
    np.divide(above, below, out=out, where=below != 0)
    return out


_WORDS = tuple(
    (name, "string") for name in ("description", "project", "client", "task", "tags", "billable", "user", "workspace")
)
"""What every list of entries says of one in words."""

METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.slug: metric
        for metric in (
            Metric(
                "toggl_time_entry",
                "Time entries",
                "seconds",
                "Each finished entry as one point: its duration at its start.",
                additive=True,
                shape="points",
                rows="finished",
                attribution="start",
            ),
            Metric(
                "tracked_hours",
                "Tracked time",
                "hours",
                "Sum of the entries' lengths; overlapping entries count twice, as in Toggl.",
                additive=True,
                value=_hours,
            ),
            Metric(
                "billable_hours",
                "Billable time",
                "hours",
                "Tracked time of the entries marked billable.",
                additive=True,
                rows="billable",
                value=_hours,
            ),
            Metric(
                "billable_share",
                "Billable share",
                "share",
                "Billable time divided by tracked time, 0 to 1; no value where nothing is tracked.",
                additive=False,
                measures=("ms", "billable_ms"),
                value=_share,
            ),
            Metric(
                "entry_count",
                "Entries",
                "entries",
                "Number of entries that begin in the step, a running one included.",
                additive=True,
                attribution="start",
                measures=("count",),
                value=_count,
            ),
            Metric(
                "average_entry_hours",
                "Average entry",
                "hours",
                "Tracked time of the entries that begin in the step, divided by their number.",
                additive=False,
                attribution="start",
                measures=("ms", "count"),
                value=_average,
            ),
            Metric(
                "longest_entry_hours",
                "Longest entry",
                "hours",
                "Length of the longest entry that begins in the step.",
                additive=False,
                attribution="start",
                measures=("ms", "count", "longest"),
                value=_longest,
            ),
            Metric(
                "active_days",
                "Active days",
                "days",
                "Local days with at least one minute of wall-clock time in the range; "
                "a day counts in the step that has its first moment.",
                additive=False,
                attribution="split",
                measures=("ms", "active_days"),
                value=_active_days,
            ),
            Metric(
                "wall_clock_hours",
                "Wall-clock time",
                "hours",
                "Time in which at least one entry ran, overlaps counted once for each person.",
                additive=False,
                attribution="split",
                measures=("ms", "overlap_ms"),
                value=_wall_clock,
            ),
            Metric(
                "overlap_hours",
                "Overlap",
                "hours",
                "Tracked time less wall-clock time: what overlapping entries of one person count twice.",
                additive=False,
                attribution="split",
                measures=("ms", "overlap_ms"),
                value=_overlap,
            ),
            Metric(
                "days_off",
                "Days off",
                "days",
                "Local days of the range that are over and had less than a minute of tracked time; "
                "a day counts in the step that has its first moment.",
                additive=False,
                attribution="split",
                measures=("ms", "days_off"),
                value=_days_off,
            ),
            Metric(
                "evening_hours",
                "Evenings and nights",
                "hours",
                "Tracked time between 19:00 and 06:00 of the local clock.",
                additive=True,
                attribution="split",
                value=_hours,
                window="evening",
            ),
            Metric(
                "weekend_hours",
                "Weekends",
                "hours",
                "Tracked time on local Saturdays and Sundays.",
                additive=True,
                attribution="split",
                value=_hours,
                window="weekend",
            ),
            Metric(
                "first_start",
                "First start",
                "hours",
                "The earliest time of the clock at which anything was tracked on a local day, in hours after midnight; "
                "of several days the median, no value where there is none.",
                additive=False,
                attribution="split",
                measures=("ms", "first_start"),
                value=_first_start,
            ),
            Metric(
                "last_stop",
                "Last stop",
                "hours",
                "The latest time of the clock up to which anything was tracked on a local day, in hours after "
                "midnight; of several days the median, no value where there is none.",
                additive=False,
                attribution="split",
                measures=("ms", "last_stop"),
                value=_last_stop,
            ),
            Metric(
                "running_hours",
                "Running time",
                "hours",
                "Tracked time so far of the entries that still run.",
                additive=True,
                rows="running",
                value=_hours,
            ),
            Metric(
                "weekday_hour_hours",
                "Weekday and hour",
                "hours",
                "Tracked time by local weekday and hour of the day, as a table for a heat map.",
                additive=True,
                shape="table",
                value=_hours,
                keys=("week_start", "format"),
            ),
            Metric(
                "entries",
                "List of entries",
                "entries",
                "The entries themselves as a table, newest or longest first.",
                additive=False,
                shape="table",
                by="none",
                columns=(
                    ("start", "time"),
                    ("stop", "time"),
                    ("hours", "number"),
                    *_WORDS,
                    ("id", "string"),  # a string, for ids are no quantities and may not fit a browser's numbers
                ),
                keys=("sort", "only", "limit"),
            ),
            Metric(
                "running_entries",
                "Running now",
                "entries",
                "The entries that run now, whatever the range, the newest first, with their hours so far.",
                additive=False,
                shape="table",
                rows="running",
                attribution="start",
                by="none",
                of_now=True,
                columns=(
                    ("since", "time"),
                    ("hours", "number"),
                    *_WORDS,
                    ("project_id", "string"),
                    ("client_id", "string"),
                    ("id", "string"),
                ),
                keys=("limit",),
            ),
            Metric(
                "period_change",
                "Change on the period before",
                "hours",
                "Tracked time of periods up to now, and of the same elapsed part of the period before each; "
                "of the present, whatever the range.",
                additive=False,
                shape="table",
                by="none",
                of_now=True,
                columns=(
                    ("period", "string"),
                    ("hours", "number"),
                    ("hours_before", "number"),
                    ("change", "number"),
                    ("from", "time"),
                    ("to", "time"),
                    ("from_before", "time"),
                    ("to_before", "time"),
                ),
                keys=("periods", "week_start"),
            ),
            Metric(
                "overlaps",
                "Overlapping entries",
                "hours",
                "Pairs of entries of one person that overlap in the range, with their common time, the newest first.",
                additive=False,
                shape="table",
                attribution="split",
                by="none",
                columns=(
                    ("from", "time"),
                    ("to", "time"),
                    ("hours", "number"),
                    ("user", "string"),
                    ("first_start", "time"),
                    ("first_stop", "time"),
                    ("first_description", "string"),
                    ("first_project", "string"),
                    ("first_id", "string"),
                    ("second_start", "time"),
                    ("second_stop", "time"),
                    ("second_description", "string"),
                    ("second_project", "string"),
                    ("second_id", "string"),
                ),
                keys=("limit",),
            ),
            Metric(
                "project_overview",
                "Projects",
                "hours",
                "Each project with entries in the range: hours, shares, the change on the stretch before, and when "
                "it was last worked on.",
                additive=False,
                shape="table",
                by="project",
                columns=(
                    ("project", "string"),
                    ("client", "string"),
                    ("hours", "number"),
                    ("share", "number"),
                    ("billable_share", "number"),
                    ("entries", "number"),
                    ("hours_before", "number"),
                    ("change", "number"),
                    ("last_activity", "time"),
                    ("days_since", "number"),
                    ("project_id", "string"),
                    ("client_id", "string"),
                ),
                keys=("limit",),
            ),
            Metric(
                "dormant_projects",
                "Dormant projects",
                "projects",
                "Projects that are not archived and had no entry on the last days (30 unless asked otherwise); "
                "of the present, whatever the range.",
                additive=False,
                shape="table",
                attribution="start",
                by="project",
                of_now=True,
                columns=(
                    ("project", "string"),
                    ("client", "string"),
                    ("last_activity", "time"),
                    ("days_since", "number"),
                    ("workspace", "string"),
                    ("project_id", "string"),
                    ("client_id", "string"),
                ),
                keys=("days", "limit"),
            ),
        )
    }
)
