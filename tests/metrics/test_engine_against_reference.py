from __future__ import annotations

import math
from dataclasses import dataclass

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from metrics import reference
from metrics.reference import Question
from metrics.scenes import LONGEST_DAYS, NAMES, answers_of, moments, row_lists, small_limits
from metrics.sources import MemorySource, Row
from toggl_pulse.metrics import DIMENSIONS, METRICS, OTHER, Answers, Query, Series
from toggl_pulse.model import from_epoch

GROUPINGS = ("none", *DIMENSIONS)
SERIES = tuple(metric.slug for metric in METRICS.values() if metric.shape == "series")


@dataclass(frozen=True)
class Scene:
    rows: list[Row]
    question: Question
    small: bool
    """Whether the engine works in tiny blocks and two looks."""

    @property
    def query(self) -> Query:
        q = self.question
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
        )

    def answers(self) -> Answers:
        return answers_of(MemorySource.of(self.rows, NAMES), from_epoch(self.question.horizon))


@st.composite
def scenes(
    draw: st.DrawFn, metrics: tuple[str, ...] = SERIES, intervals: tuple[str, ...] = tuple(LONGEST_DAYS)
) -> Scene:
    zone, moment = draw(moments())
    interval = draw(st.sampled_from(intervals))
    half = LONGEST_DAYS[interval] * 43_200_000
    start_ms = moment * 1000 - draw(st.integers(0, half) | st.sampled_from([0, 1, 500, 86_400_000]))
    end_ms = moment * 1000 + draw(st.integers(0, half) | st.sampled_from([0, 1, 500, 999, 86_400_000]))
    question = Question(
        metric=draw(st.sampled_from(metrics)),
        start_ms=start_ms,
        end_ms=end_ms,
        zone=zone,
        interval=interval,
        group_by=draw(st.sampled_from(GROUPINGS)),
        attribution=draw(st.sampled_from(["start", "split"])),
        week_start=draw(st.integers(0, 6)),
        limit=draw(st.none() | st.integers(1, 3)),
        horizon=moment + draw(st.integers(-86_400, 5 * 86_400)),
    )
    return Scene(draw(row_lists(moment, LONGEST_DAYS[interval])), question, draw(st.booleans()))


def key_of(series: Series, group_by: str) -> object:
    return OTHER if series.other else "all" if group_by == "none" else series.key


def ask(scene: Scene) -> dict[object, dict[int, float | None]]:
    def asked() -> dict[object, dict[int, float | None]]:
        answer = scene.answers().answer(scene.query)
        return {
            key_of(series, scene.question.group_by): {
                at: None if math.isnan(value) else value
                for at, value in zip(series.times_ms.tolist(), series.values.tolist(), strict=True)
            }
            for series in answer.series
        }

    if not scene.small:
        return asked()
    with small_limits():
        return asked()


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(scenes())
def test_every_value_of_every_group_and_step_equals_the_reference(scene: Scene) -> None:
    try:
        expected = reference.answer(scene.question, scene.rows, NAMES)
    except AssertionError:
        assume(False)

    assert expected == ask(scene)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(scenes(intervals=("hour",)))
def test_hours_by_weekday_and_hour_equal_the_reference(scene: Scene) -> None:
    question = Question(**{**vars(scene.question), "metric": "weekday_hour_hours", "group_by": "none"})
    scene = Scene(scene.rows, question, scene.small)
    expected = reference.heat_map(question, scene.rows)

    table = scene.answers().answer(scene.query).table

    assert table is not None
    assert len(table.rows) == 7 * 24
    assert {slot: hours for slot, hours in expected.items() if hours} == {
        (day, hour): hours for day, hour, hours in table.rows if hours
    }


@settings(deadline=None, max_examples=100)
@given(scenes(intervals=("range",)))
def test_entries_of_a_range_are_those_that_the_reference_counts(scene: Scene) -> None:
    q = scene.question
    expected = [row for row in scene.rows if reference.counts(row, q, q.attribution)]
    expected.sort(key=lambda row: (row.start, row.id))

    found = list(scene.answers().entries(scene.query))

    assert [row.id for row in expected] == [row.id for row in found]
    assert [reference.length_of(row, q) for row in expected] == [row.seconds * 1000 for row in found]


@settings(deadline=None, max_examples=100)
@given(scenes(metrics=("toggl_time_entry",), intervals=("range",)))
def test_points_are_the_finished_entries_by_start_and_id(scene: Scene) -> None:
    q = scene.question
    rows = sorted((row for row in scene.rows if row.stop is not None), key=lambda row: (row.start, row.id))
    rows = [row for row in rows if reference.counts(row, q, "start")]
    try:
        expected = reference.folded(q, rows, NAMES, "start")
    except AssertionError:
        assume(False)

    answer = scene.answers().answer(scene.query)

    assert {
        group: sorted((row.start * 1000, float(row.duration)) for row in rows) for group, rows in expected.items()
    } == {
        key_of(series, q.group_by): sorted(zip(series.times_ms.tolist(), series.values.tolist(), strict=True))
        for series in answer.series
    }


@settings(deadline=None, max_examples=100)
@given(scenes(metrics=("tracked_hours", "entry_count")))
def test_groups_come_largest_first_and_the_same_way_every_time(scene: Scene) -> None:
    answers = scene.answers()

    series = answers.answer(scene.query).series

    totals = [each.values.sum() for each in series if not each.other]
    assert all(one >= other - 1e-9 for one, other in zip(totals[:-1], totals[1:], strict=True))
    assert [each.label for each in series] == [each.label for each in answers.answer(scene.query).series]
    assert not any(each.other for each in series[:-1])
