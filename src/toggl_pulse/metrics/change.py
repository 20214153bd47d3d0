"""How much more or less than before: periods beside the same elapsed part of the one before them."""

from __future__ import annotations

from toggl_pulse.metrics.catalogue import HOUR_MS
from toggl_pulse.metrics.cells import Question
from toggl_pulse.metrics.elapsed import PERIODS, compared
from toggl_pulse.metrics.rows import Table, Told

__all__ = ["period_change", "share_of_change"]


def period_change(question: Question) -> Told:
    """A row a period, as of now."""
    query, rows, running = question.query, [], False
    for name in query.periods:
        found = compared(name, question.now, query.zone, query.week_start)
        edges = [1000 * moment for moment in (found.start, found.end, found.start_before, found.end_before)]
        both = question.over(*edges[:2]), question.over(*edges[2:])
        ms, before = (float(each.sums("ms")["ms"][0]) for each in both)
        running = running or any(each.has_running() for each in both)
        rows.append((PERIODS[name].title, ms / HOUR_MS, before / HOUR_MS, share_of_change(ms, before), *edges))
    return Told(Table(question.metric.columns, tuple(rows)), running)


def share_of_change(now: float, before: float) -> float | None:
    """None where there was nothing before: no share of nothing."""
    return (now - before) / before if before else None
