from __future__ import annotations

import contextlib
import itertools
import math
from collections import defaultdict
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics import reference
from metrics.questions import Scene, query_of, scenes
from metrics.reference import Question, TieError, Values
from metrics.scenes import DEEP, NAMES, QUICK, answers_of
from metrics.sources import MemorySource, Row
from toggl_pulse.metrics import DIMENSIONS, METRICS, OTHER, Answers, Series
from toggl_pulse.model import from_epoch

SERIES = tuple(metric.slug for metric in METRICS.values() if metric.shape == "series")


def key_of(series: Series, group_by: str) -> object:
    return OTHER if series.other else "all" if group_by == "none" else series.key


def ask(answers: Answers, q: Question) -> Values:
    return {
        key_of(series, q.group_by): {
            at: None if math.isnan(value) else value
            for at, value in zip(series.times_ms.tolist(), series.values.tolist(), strict=True)
        }
        for series in answers.answer(query_of(q)).series
    }


def check_series(scene: Scene) -> None:
    """Every metric of the catalogue that has series, by both attributions."""
    answers = scene.answers()
    for metric, attribution in itertools.product(SERIES, ["start", "split"]):
        question = replace(scene.question, metric=metric, attribution=attribution)
        with contextlib.suppress(TieError), scene.limits():
            expected = reference.answer(question, scene.rows, NAMES)
            assert expected == ask(answers, question), (metric, attribution)


@settings(QUICK)
@given(scenes())
def test_every_value_of_every_group_and_step_equals_the_reference(scene: Scene) -> None:
    check_series(scene)


@pytest.mark.long
@settings(DEEP)
@given(scenes())
def test_every_value_of_every_group_and_step_equals_the_reference_in_thousands_of_scenes(scene: Scene) -> None:
    check_series(scene)


def check_heat_map(scene: Scene) -> None:
    for attribution in ("start", "split"):
        question = replace(scene.question, metric="weekday_hour_hours", attribution=attribution)
        with contextlib.suppress(TieError):
            expected = reference.heat_map(question, scene.rows, NAMES)
            with scene.limits():
                table = scene.answers().answer(query_of(question)).table

            assert table is not None
            assert len(expected) * 7 * 24 == len(table.rows)
            found: dict[str, dict[tuple[str, int], float]] = defaultdict(dict)
            for *group, day, hour, hours in table.rows:
                if hours:
                    found["".join(group)][day, hour] = hours
            # by content, for the table has labels and the reference has ids
            assert sorted(str(sorted(slots.items())) for slots in expected.values() if slots) == sorted(
                str(sorted(slots.items())) for slots in found.values()
            )


@settings(QUICK, max_examples=80)
@given(scenes(intervals=("hour",)))
def test_hours_by_weekday_and_hour_equal_the_reference(scene: Scene) -> None:
    check_heat_map(scene)


@pytest.mark.long
@settings(DEEP)
@given(scenes(intervals=("hour", "day")))
def test_hours_by_weekday_and_hour_equal_the_reference_in_thousands_of_scenes(scene: Scene) -> None:
    check_heat_map(scene)


@settings(QUICK)
@given(scenes(intervals=("range", "hour")), st.sampled_from(["start", "split"]))
def test_entries_of_a_range_are_those_that_the_reference_counts(scene: Scene, attribution: str) -> None:
    q = replace(scene.question, attribution=attribution)
    expected = [row for row in reference.filtered(q, scene.rows, NAMES) if reference.counts(row, q, attribution)]
    expected.sort(key=lambda row: (row.start, row.id))

    with scene.limits():
        found = list(scene.answers().entries(query_of(q)))
        table = scene.answers().answer(query_of(replace(q, metric="entries"))).table

    assert [row.id for row in expected] == [row.id for row in found]
    assert [reference.length_of(row, q) for row in expected] == [row.seconds * 1000 for row in found]
    assert [row.stop for row in expected] == [row.stop and int(row.stop.timestamp()) for row in found]
    assert table is not None
    assert [str(row.id) for row in reversed(expected)][: q.limit] == [row[-1] for row in table.rows]


@settings(QUICK)
@given(scenes(intervals=("range", "hour")))
def test_points_are_the_finished_entries_by_start_and_id(scene: Scene) -> None:
    q = replace(scene.question, metric="toggl_time_entry")
    rows = [row for row in reference.filtered(q, scene.rows, NAMES) if row.stop is not None]
    rows = [row for row in rows if reference.counts(row, q, "start")]
    rows.sort(key=lambda row: (row.start, row.id))
    with contextlib.suppress(TieError):
        expected = reference.folded(q, rows, NAMES, "start")

        series = scene.answers().answer(query_of(q)).series

        shown = expected if q.group_by != "none" or rows else {"all": []}
        assert {
            group: sorted((row.start * 1000, float(row.duration)) for row in rows) for group, rows in shown.items()
        } == {
            key_of(each, q.group_by): sorted(zip(each.times_ms.tolist(), each.values.tolist(), strict=True))
            for each in series
        }
        assert all((each.times_ms[1:] >= each.times_ms[:-1]).all() for each in series)


@settings(QUICK, max_examples=80)
@given(scenes())
def test_groups_come_largest_first_and_the_same_way_every_time(scene: Scene) -> None:
    answers, query = scene.answers(), query_of(scene.question)

    series = answers.answer(query).series

    totals = [each.values.sum() for each in series if not each.other]
    assert all(one >= other - 1e-9 for one, other in itertools.pairwise(totals))
    assert [each.label for each in series] == [each.label for each in answers.answer(query).series]
    assert not any(each.other for each in series[:-1])


@settings(QUICK, max_examples=80)
@given(scenes(intervals=("hour", "day", "week", "month")), st.sampled_from(DIMENSIONS))
def test_steps_and_groups_add_up_to_the_whole(scene: Scene, dimension: str) -> None:
    answers = scene.answers()
    for metric in (each for each in SERIES if METRICS[each].additive):
        for attribution in ("start", "split"):
            q = replace(scene.question, metric=metric, attribution=attribution, group_by="none", limit=None)
            (whole,) = answers.answer(query_of(replace(q, interval="range"))).series
            (steps,) = answers.answer(query_of(q)).series
            assert whole.values[0] == pytest.approx(steps.values.sum())
            if dimension != "tag":
                groups = answers.answer(query_of(replace(q, group_by=dimension))).series
                assert steps.values == pytest.approx(sum((each.values for each in groups), 0 * steps.values))


@settings(QUICK, max_examples=80)
@given(scenes(intervals=("day", "week", "range")))
def test_every_day_that_is_over_is_active_or_off(scene: Scene) -> None:
    q = replace(scene.question, group_by="none")
    today = reference.steps(replace(q, start_ms=q.horizon * 1000, end_ms=q.horizon * 1000, interval="day"))[0][0]
    q = replace(q, end_ms=max(q.start_ms, min(q.end_ms, today)))
    days = reference.steps(replace(q, interval="day")) if q.start_ms < q.end_ms else []
    answers = scene.answers()

    active, off = (
        answers.answer(replace(query_of(q), metric=metric)).series[0].values for metric in ("active_days", "days_off")
    )

    assert len(days) == active.sum() + off.sum()


@settings(QUICK, max_examples=60)
@given(scenes(intervals=("day", "week", "month", "range")))
def test_evenings_and_weekends_are_parts_of_what_is_tracked(scene: Scene) -> None:
    answers, query = scene.answers(), replace(query_of(scene.question), group_by="none", attribution="split")

    tracked, evening, weekend = (
        answers.answer(replace(query, metric=metric)).series[0].values
        for metric in ("tracked_hours", "evening_hours", "weekend_hours")
    )

    assert (evening <= tracked).all()
    assert (weekend <= tracked).all()


@settings(QUICK, max_examples=80)
@given(scenes(intervals=("hour", "day", "month", "range")))
def test_wall_clock_time_is_what_is_tracked_less_overlaps_and_no_longer_than_the_clock(scene: Scene) -> None:
    answers, query = scene.answers(), replace(query_of(scene.question), group_by="none", attribution="split")

    tracked, wall, overlap = (
        answers.answer(replace(query, metric=metric)).series[0].values
        for metric in ("tracked_hours", "wall_clock_hours", "overlap_hours")
    )
    groups = answers.answer(replace(query, metric="wall_clock_hours", group_by="user", limit=None)).series

    assert tracked == pytest.approx(wall + overlap)
    assert (overlap >= 0).all()
    assert (wall >= 0).all()
    for each in groups:
        lengths = [high - low for low, high in reference.steps(scene.question)]
        assert (each.values * reference.HOUR_MS <= np.array(lengths) + 1e-3).all()
    # people cannot be in each other's way
    assert wall == pytest.approx(sum((each.values for each in groups), 0 * wall))


@settings(QUICK, max_examples=80)
@given(scenes(intervals=("hour", "day", "week", "month")))
def test_a_first_start_is_never_later_than_the_last_stop(scene: Scene) -> None:
    answers, query = scene.answers(), query_of(scene.question)

    first, last = (
        np.stack([each.values for each in answers.answer(replace(query, metric=metric)).series] or [np.zeros(0)])
        for metric in ("first_start", "last_stop")
    )

    assert (np.isnan(first) == np.isnan(last)).all()
    known = ~np.isnan(first)
    assert ((0 <= first[known]) & (first[known] <= last[known]) & (last[known] <= 25)).all()


@pytest.mark.parametrize("start_ms", [0, 500])
def test_nothing_overlaps_an_empty_range(start_ms: int) -> None:
    moment = 1_772_319_600
    rows = [Row(1, moment - 60, moment + 60), Row(2, moment - 60, None)]
    answers = answers_of(MemorySource.of(rows, NAMES), from_epoch(moment + 60))
    q = Question("tracked_hours", moment * 1000 + start_ms, moment * 1000 + start_ms, ZoneInfo("UTC"), "hour")

    for metric, attribution in itertools.product(SERIES, ["start", "split"]):
        asked = replace(q, metric=metric, attribution=attribution, group_by="user")
        assert {} == ask(answers, asked)
        assert not answers.answer(query_of(asked)).running_flagged
