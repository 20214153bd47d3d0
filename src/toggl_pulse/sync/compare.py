"""What InfluxDB holds beside what it should hold, a stretch of points after the other; mends nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from toggl_pulse.influx import Content, Influx, read_back, told
from toggl_pulse.mirror import Points

__all__ = ["FIRST_NS", "LAST_NS", "Comparison", "compare"]

FIRST_NS, LAST_NS = -(2**63) + 2, 2**63 - 2
"""The times that InfluxDB can hold."""

COMPARED = 20_000
"""Points read back at once: few enough for a server with little memory."""


class Comparison(NamedTuple):
    """One stretch: the times of points that are missing or other than they should be, and of what must go.

    What stands at a time in another form than it should is in both. `judged` is False if an entry has changed in the
    meantime, so that what is at its time could not be told to be right or wrong.
    """

    compared: int
    wrong: Sequence[int]
    ghosts: Sequence[int]
    differing: int
    judged: bool


def compare(points: Points, influx: Influx) -> Iterator[Comparison]:
    """Every time that InfluxDB can hold, from the first to the last."""
    after = FIRST_NS - 1
    while after < LAST_NS:
        ours = points.page(after, COMPARED)
        last = ours[-1].time_ns if len(ours) == COMPARED else LAST_NS
        theirs: dict[int, list[Content]] = {}
        for time, content in read_back(influx, after + 1, last):
            theirs.setdefault(time, []).append(content)
        moving = points.moving(after + 1, last)
        wrong = [point.time_ns for point in ours if theirs.get(point.time_ns) != [told(point)]]
        ghosts = theirs.keys() - {point.time_ns for point in ours} - moving
        spoiled = [time for time in wrong if time in theirs]
        yield Comparison(
            len(ours), wrong, [*ghosts, *spoiled], len(wrong) + len(ghosts), theirs.keys().isdisjoint(moving)
        )
        after = last
