"""Is any question out of the ordinary? Every metric by every group, attribution and interval, and filters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from benchmarks.account import Account
from benchmarks.measure import Ratio, seconds_of
from benchmarks.questions import QUESTIONS, answers_of, floor_of
from toggl_pulse.metrics import DIMENSIONS, METRICS, Answers, Filter, Query
from toggl_pulse.metrics.query import ONLY

__all__ = ["ratios"]

SHOWN = 3
FILTERS = (
    Filter("client", "one_of", ("Client 3",)),
    Filter("project", "=", ("Project 3",)),
    Filter("tag", "!=", ("Tag 3",)),
    Filter("description", "=~", ("1",)),
    Filter("billable", "one_of", ("true",)),
)


def ratios(account: Account) -> Iterator[Ratio]:
    """The slowest few."""
    answers = answers_of(account)
    floor = floor_of(account, ("start", "duration", "project_id"))
    lowest = min(seconds_of(floor) for _ in range(20))
    found = []
    for name, query in _questions():
        answers.answer(query)
        found.append((_best(answers, query), name))
        lowest = min(lowest, *(seconds_of(floor) for _ in range(3)))
    found.sort(reverse=True)
    for place, (seconds, name) in enumerate(found[:SHOWN], 1):
        yield Ratio(f"number {place} of the slowest among {len(found)} questions: {name}", None, seconds, lowest)


def _questions() -> Iterator[tuple[str, Query]]:
    whole = QUESTIONS[0].query
    for metric, group, attribution, interval in product(
        METRICS.values(), ("none", *DIMENSIONS), ("start", "split"), ("hour", "day", "range")
    ):
        if metric.shape != "series" and metric.slug != "weekday_hour_hours":
            continue
        if (metric.attribution or attribution) != attribution or (metric.shape == "table" and interval != "range"):
            continue
        limit = 10 if group == "description" or interval == "hour" else None
        yield (
            f"{metric.slug}, by {group}, {interval}, {attribution}",
            replace(whole, metric=metric.slug, group_by=group, attribution=attribution, interval=interval, limit=limit),
        )
    for filter_, group, attribution in product(FILTERS, ("none", "project", "tag"), ("start", "split")):
        yield (
            f"tracked_hours, by {group}, day, {attribution}, {filter_.dimension} {filter_.operator} {filter_.values}",
            replace(whole, group_by=group, attribution=attribution, filters=(filter_,)),
        )
    entries = replace(whole, metric="entries", group_by="none", limit=100)
    yield "entries, the newest 100", entries
    for only in ONLY:
        yield f"entries, the longest 100, {only}", replace(entries, sort="duration", only=only)
    for attribution in ("start", "split"):
        for table in ("project_overview", "period_change"):
            yield f"{table}, {attribution}", replace(entries, metric=table, attribution=attribution)
    for table in ("running_entries", "dormant_projects", "overlaps"):
        yield table, replace(entries, metric=table)


def _best(answers: Answers, query: Query) -> float:
    return min(seconds_of(lambda: answers.answer(query)) for _ in range(3))
