from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from toggl_pulse.model import ANY_LANE, NO_ID, Lane
from toggl_pulse.sync.sweeps import ANY_SECONDS, LANE_SECONDS, POINT_SECONDS, Sweep, one_by_one, plan_sweeps

LANES = [Lane(1, project, 7, billable) for project in (NO_ID, 20, 21, 22) for billable in (False, True)]
Held = list[tuple[int, Lane]]

helds = st.dictionaries(st.integers(0, 60_000), st.sampled_from(LANES), max_size=300).map(
    lambda held: sorted(held.items())
)
stales = st.lists(st.tuples(st.integers(0, 60_000), st.sampled_from([*LANES, ANY_LANE])), min_size=1, max_size=60)


def arrays(
    held: Held,
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], list[np.ndarray[tuple[int], np.dtype[np.int64]]]]:
    return (
        np.array([time for time, _ in held], np.int64),
        [np.array([int(lane[part]) for _, lane in held], np.int64) for part in range(4)],
    )


def takes(sweep: Sweep, time: int, lane: Lane) -> bool:
    """Whether InfluxDB deletes such a point by this sweep's predicate: what it does not name may be anything."""
    named = sweep.lane
    same = named == ANY_LANE or (
        (named.workspace_id, named.user_id, named.billable) == (lane.workspace_id, lane.user_id, lane.billable)
        and named.project_id in {NO_ID, lane.project_id}
    )
    return same and sweep.first_ns <= time <= sweep.last_ns


def cost(sweeps: list[Sweep], held: Held) -> float:
    deletes = sum(ANY_SECONDS if sweep.lane == ANY_LANE else LANE_SECONDS for sweep in sweeps)
    return deletes + sum(any(takes(sweep, *point) for sweep in sweeps) for point in held) * POINT_SECONDS


@given(helds, stales)
def test_every_stale_point_is_taken(held: Held, stale: Held) -> None:
    for sweeps in (plan_sweeps(stale, *arrays(held)), one_by_one(stale)):
        for time, lane in stale:
            known = [lane] if lane != ANY_LANE else LANES
            assert all(any(takes(sweep, time, each) for sweep in sweeps) for each in known)


@given(helds, stales)
def test_a_plan_costs_no_more_than_one_delete_for_each(held: Held, stale: Held) -> None:
    assert cost(plan_sweeps(stale, *arrays(held)), held) <= cost(one_by_one(stale), held) + len(stale) * POINT_SECONDS


def test_a_project_that_was_moved_is_one_delete_in_its_lane() -> None:
    moved = [(time, LANES[2]) for time in range(0, 500_000, 100)]
    held = [(time + 1, LANES[4]) for time in range(0, 500_000, 10)]

    assert [Sweep(0, 499_900, LANES[2])] == plan_sweeps(moved, *arrays(held))


def test_a_tag_that_many_lanes_carry_is_one_stretch_across_them() -> None:
    many = [Lane(1, 1000 + number % 400, 7, billable=True) for number in range(4_000)]
    stale = [(number * 10, lane) for number, lane in enumerate(many)]
    held = [(time, many[time % 4_000]) for time in range(0, 40_000, 3)]

    assert [Sweep(0, 39_990, ANY_LANE)] == plan_sweeps(stale, *arrays(held))


def test_two_points_with_much_between_them_are_two_deletes() -> None:
    between = round(LANE_SECONDS / POINT_SECONDS) + 1
    held = [(number + 1, LANES[2]) for number in range(between)]
    stale = [(0, LANES[2]), (between + 1, LANES[2])]

    assert one_by_one(stale) == plan_sweeps(stale, *arrays(held))
    assert [Sweep(0, between + 1, LANES[2])] == plan_sweeps(stale, *arrays(held[: between // 2]))


def test_a_lane_without_project_counts_what_it_takes_along_in_every_project() -> None:
    none, some = Lane(1, 0, 7, billable=True), Lane(1, 5, 7, billable=True)
    between = round(LANE_SECONDS / POINT_SECONDS) + 1
    held = [(number + 1, some) for number in range(between)]
    stale = [(0, none), (between + 1, none)]

    assert one_by_one(stale) == plan_sweeps(stale, *arrays(held))
