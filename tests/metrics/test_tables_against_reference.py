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
from toggl_pulse.model import NO_ID

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


def check_overview(scene: Scene, attribution: str) -> None:
    q = replace(scene.question, attribution=attribution, limit=None)
    expected = reference_tables.overview(q, scene.rows, NAMES)

    table = table_of(scene, replace(query_of(q), metric="project_overview"))

    assert expected == {int(row[-2] or NO_ID): row[2:-2] for row in table.rows}
    order = [(-row[2], row[0].casefold()) for row in table.rows]
    assert sorted(order) == order
    first = table_of(scene, replace(query_of(q), metric="project_overview", limit=2))
    assert table.rows[:2] == first.rows


@settings(QUICK)
@given(scenes(), attributions)
def test_the_table_of_projects_equals_the_reference(scene: Scene, attribution: str) -> None:
    check_overview(scene, attribution)


@pytest.mark.long
@settings(DEEP, max_examples=2_000)
@given(scenes(), attributions)
def test_the_table_of_projects_equals_the_reference_in_thousands_of_scenes(scene: Scene, attribution: str) -> None:
    check_overview(scene, attribution)


@st.composite
def of_whole_days(draw: st.DrawFn) -> Scene:
    """Ranges that begin and end with local days, which most often are months."""
    scene = draw(scenes(intervals=("day", "month")))
    unit = draw(st.sampled_from(["day", "month"]))
    edges = [low for low, _ in reference.steps(replace(scene.question, interval=unit))]
    start = draw(st.sampled_from(edges))
    q = replace(scene.question, start_ms=start, end_ms=draw(st.sampled_from([each for each in edges if each >= start])))
    return replace(scene, question=q)


@settings(QUICK, max_examples=80)
@given(of_whole_days(), attributions)
def test_the_table_of_projects_equals_the_reference_for_whole_days_and_months(scene: Scene, attribution: str) -> None:
    check_overview(scene, attribution)


@settings(QUICK, max_examples=80)
@given(scenes(intervals=("day", "month")), st.integers(1, 40))
def test_dormant_projects_are_those_of_the_reference(scene: Scene, days: int) -> None:
    q = scene.question
    expected = reference_tables.dormant(q, days, scene.rows, NAMES)

    table = table_of(scene, replace(query_of(q), metric="dormant_projects", days=days, limit=None))

    assert expected == {int(row[-2]): row[2] for row in table.rows}
    order = [(row[2] is None, row[2] or 0) for row in table.rows]
    assert sorted(order) == order


def check_overlaps(scene: Scene) -> None:
    q = replace(scene.question, attribution="split")
    expected = reference_tables.overlaps(q, scene.rows, NAMES)
    query = replace(query_of(q), metric="overlaps")

    table = table_of(scene, query)

    found = [(row[0], row[1], int(row[8]), int(row[13])) for row in table.rows]
    assert expected[: q.limit] == found
    assert [(stop - start) / reference.HOUR_MS for start, stop, *_ in found] == [row[2] for row in table.rows]
    with scene.limits():
        notes = scene.answers().answer(query).notes
    told = any(note.startswith(f"{len(expected):,} pairs of entries overlap; ") for note in notes)
    assert told == (q.limit is not None and q.limit < len(expected))
    (overlap,) = scene.answers().answer(replace(query, metric="overlap_hours", group_by="none")).series
    assert bool(expected) == (overlap.values.sum() > 0)


@settings(QUICK)
@given(scenes(intervals=("range", "day")))
def test_overlaps_are_those_of_the_reference(scene: Scene) -> None:
    check_overlaps(scene)


@pytest.mark.long
@settings(DEEP)
@given(scenes())
def test_overlaps_are_those_of_the_reference_in_thousands_of_scenes(scene: Scene) -> None:
    check_overlaps(scene)
