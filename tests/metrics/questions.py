"""Scenes: random entries and a question about them, for the reference and for the engine."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from hypothesis import strategies as st

from metrics.reference import Question
from metrics.scenes import LONGEST_DAYS, NAMES, answers_of, conditions, moments, row_lists, small_limits
from metrics.sources import MemorySource, Row
from toggl_pulse.metrics import DIMENSIONS, Answers, Filter, Query
from toggl_pulse.model import from_epoch

GROUPINGS = ("none", *DIMENSIONS)


@dataclass(frozen=True)
class Scene:
    rows: list[Row]
    question: Question
    small: bool
    """Whether the engine works in tiny blocks and two looks."""

    def answers(self) -> Answers:
        return answers_of(MemorySource.of(self.rows, NAMES), from_epoch(self.question.horizon))

    def limits(self) -> contextlib.AbstractContextManager[None]:
        return small_limits() if self.small else contextlib.nullcontext()


@st.composite
def scenes(draw: st.DrawFn, intervals: tuple[str, ...] = tuple(LONGEST_DAYS)) -> Scene:
    zone, moment = draw(moments)
    interval = draw(st.sampled_from(intervals))
    half = LONGEST_DAYS[interval] * 43_200_000
    question = Question(
        metric="tracked_hours",
        start_ms=moment * 1000 - draw(st.integers(0, half) | st.sampled_from([0, 1, 500, 86_400_000])),
        end_ms=moment * 1000 + draw(st.integers(0, half) | st.sampled_from([0, 1, 500, 999, 86_400_000])),
        zone=zone,
        interval=interval,
        group_by=draw(st.sampled_from(GROUPINGS)),
        week_start=draw(st.integers(0, 6)),
        limit=draw(st.none() | st.integers(1, 3)),
        horizon=moment + draw(st.integers(-86_400, 5 * 86_400) | st.sampled_from([0, 1, 3600])),
        conditions=tuple(draw(st.just([]) | st.lists(conditions, max_size=2))),
    )
    return Scene(draw(row_lists(moment, LONGEST_DAYS[interval])), question, draw(st.booleans()))


def query_of(q: Question) -> Query:
    return Query(
        q.metric,
        q.start_ms,
        q.end_ms,
        q.zone,
        group_by=q.group_by,
        interval=q.interval,
        attribution=q.attribution,
        limit=q.limit,
        week_start=q.week_start,
        filters=tuple(Filter(*condition) for condition in q.conditions),  # type: ignore[arg-type]
    )
