from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics import reference, reference_tables
from metrics.questions import Scene, query_of, scenes
from metrics.scenes import DEEP, NAMES, QUICK
from toggl_pulse.metrics import Query, Table
from toggl_pulse.metrics.elapsed import PERIODS
from toggl_pulse.metrics.query import ATTRIBUTIONS, ONLY, SORTS

attributions = st.sampled_from(ATTRIBUTIONS)


def table_of(scene: Scene, query: Query) -> Table:
    with scene.limits():
        found = scene.answers().answer(query).table
    assert found is not None
    return found


def check_changes(scene: Scene, attribution: str, names: tuple[str, ...]) -> None:
    q = replace(scene.question, attribution=attribution)
    expected = reference_tables.changes(q, names, scene.rows, NAMES)

    table = table_of(scene, replace(query_of(q), metric="period_change", periods=names))

    titles = [PERIODS[name].title for name in names]
    assert [tuple(row[1:]) for row in expected] == [row[1:] for row in table.rows]
    assert titles == [row[0] for row in table.rows]


periods = st.lists(st.sampled_from(tuple(PERIODS)), min_size=1, max_size=3, unique=True).map(tuple)


@settings(QUICK, max_examples=80)
@given(scenes(intervals=("day",)), attributions, periods)
def test_changes_equal_the_reference(scene: Scene, attribution: str, names: tuple[str, ...]) -> None:
    check_changes(scene, attribution, names)


@pytest.mark.long
@settings(DEEP, max_examples=1_500)
@given(scenes(intervals=("day", "year")), attributions, periods)
def test_changes_equal_the_reference_in_thousands_of_scenes(
    scene: Scene, attribution: str, names: tuple[str, ...]
) -> None:
    check_changes(scene, attribution, names)


@settings(QUICK)
@given(scenes(intervals=("range", "hour")), attributions, st.sampled_from(SORTS), st.sampled_from(ONLY))
def test_lists_of_entries_equal_the_reference(scene: Scene, attribution: str, sort: str, only: str) -> None:
    q = replace(scene.question, attribution=attribution)
    expected = reference_tables.entries(q, sort, only, scene.rows, NAMES)

    table = table_of(scene, replace(query_of(q), metric="entries", sort=sort, only=only))

    assert [str(row.id) for row in expected] == [row[-1] for row in table.rows]


@settings(QUICK, max_examples=60)
@given(scenes(intervals=("range",)))
def test_what_runs_now_is_every_running_entry_that_passes_the_filters(scene: Scene) -> None:
    q = scene.question
    expected = [row for row in reference.filtered(q, scene.rows, NAMES) if row.stop is None]
    expected.sort(key=lambda row: (row.start, row.id), reverse=True)

    table = table_of(scene, replace(query_of(q), metric="running_entries"))

    assert [
        (row.start * 1000, reference.length_of(row, q) / reference.HOUR_MS, str(row.id)) for row in expected[: q.limit]
    ] == [(row[0], row[1], row[-1]) for row in table.rows]


@settings(QUICK, max_examples=40)
@given(scenes(intervals=("hour",)), attributions)
def test_a_matrix_is_the_same_heat_map(scene: Scene, attribution: str) -> None:
    query = replace(query_of(scene.question), metric="weekday_hour_hours", attribution=attribution)
    listed = table_of(scene, query)

    matrix = table_of(scene, replace(query, matrix=True))

    names = [name for name, _ in matrix.columns[-24:]]
    assert [f"{hour:02d}:00" for hour in range(24)] == names
    assert list(listed.rows) == [
        (*row[:-24], hour, value) for row in matrix.rows for hour, value in enumerate(row[-24:])
    ]
