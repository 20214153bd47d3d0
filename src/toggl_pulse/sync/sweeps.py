"""How stale points are deleted at the least cost: one by one, or a stretch at a time that is then written again.

A delete in InfluxDB walks every shard and every series that its predicate leaves, whatever its time range, so that its
cost hardly depends on how much it takes with it. Decided purely; knows no request and no database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.model import ANY_LANE, NO_ID, Lane

__all__ = ["FEW", "Sweep", "one_by_one", "plan_sweeps"]

Ints = NDArray[np.int64]
Targets = Iterable[tuple[int, Lane]]

FEW = 20
"""So many stale points are deleted one by one, without a look at what else there is."""

# Measured with a million points in 1,600 series, five shards; only their ratios matter.
LANE_SECONDS, ANY_SECONDS, POINT_SECONDS = 0.045, 0.24, 0.000_012


class Sweep(NamedTuple):
    """One delete, both ends included (nanoseconds); what it takes and should stand is written again."""

    first_ns: int
    last_ns: int
    lane: Lane


def one_by_one(stale: Targets) -> list[Sweep]:
    return [Sweep(time, time, lane) for time, lane in sorted(set(stale))]


def plan_sweeps(stale: Targets, times: Ints, lanes: Sequence[Ints]) -> list[Sweep]:
    """The cheaper of two ways: a lane after the other, or across all lanes.

    `times` are those of all points between the first and the last stale one, in rising order, and `lanes` has their
    workspaces, projects, users and billable flags.
    """
    unknown = sorted({time for time, lane in stale if lane == ANY_LANE})
    found, _ = _joined(unknown, times, ANY_LANE, ANY_SECONDS)
    by_lane: dict[Lane, set[int]] = {}
    for time, lane in stale:
        if lane != ANY_LANE:
            by_lane.setdefault(lane, set()).add(time)
    across, most = _joined(sorted(set().union(*by_lane.values())), times, ANY_LANE, ANY_SECONDS)
    along: list[Sweep] = []
    cost = LANE_SECONDS * len(by_lane)
    for lane, those in by_lane.items():
        if cost >= most:
            return found + across
        sweeps, seconds = _joined(sorted(those), times[_touched(lane, lanes)], lane, LANE_SECONDS)
        along += sweeps
        cost += seconds - LANE_SECONDS
    return found + (along if cost < most else across)


def _touched(lane: Lane, lanes: Sequence[Ints]) -> NDArray[np.bool_]:
    """Which points a delete of this lane touches: one that names no project touches those of all."""
    workspace, project, user, billable = lanes
    same: NDArray[np.bool_] = (workspace == lane.workspace_id) & (user == lane.user_id) & (billable == lane.billable)
    return same if lane.project_id == NO_ID else same & (project == lane.project_id)


def _joined(stale: list[int], times: Ints, lane: Lane, delete_seconds: float) -> tuple[list[Sweep], float]:
    """Neighbours in one sweep where writing again what lies between them costs less than another delete."""
    if not stale:
        return [], 0.0
    wanted = np.array(stale, np.int64)
    between = np.searchsorted(times, wanted[1:], "left") - np.searchsorted(times, wanted[:-1], "right")
    cuts = np.flatnonzero(between * POINT_SECONDS >= delete_seconds)
    firsts, lasts = wanted[np.append(0, cuts + 1)], wanted[np.append(cuts, len(wanted) - 1)]
    again = np.searchsorted(times, lasts, "right") - np.searchsorted(times, firsts, "left")
    sweeps = [Sweep(first, last, lane) for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)]
    return sweeps, len(sweeps) * delete_seconds + float(again.sum()) * POINT_SECONDS
