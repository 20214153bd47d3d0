"""The engine's answers beside the plain sums of the simulated rows."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sync.histories.watch import Breach
from toggl_pulse.demo import World
from toggl_pulse.demo.truth import truth
from toggl_pulse.metrics import Answers
from toggl_pulse.metrics.query import Query

__all__ = ["check_answers"]

START, END = datetime(2022, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
QUESTIONS = (
    ("project", "month", "start"),
    ("tag", "month", "split"),
    ("client", "range", "split"),
    ("description", "year", "start"),
    ("task", "week", "split"),
    ("billable", "quarter", "start"),
)


def check_answers(world: World, answers: Answers, turn: int) -> None:
    """Ask one of a few questions, taking turns, and compare."""
    group_by, interval, attribution = QUESTIONS[turn % len(QUESTIONS)]
    zone = ZoneInfo(world.profile.timezone)
    expected = truth(
        world, start=START, end=END, zone=zone, group_by=group_by, interval=interval, attribution=attribution
    )
    answer = answers.answer(
        Query(
            "tracked_hours",
            int(START.timestamp() * 1000),
            int(END.timestamp() * 1000),
            zone,
            group_by=group_by,
            interval=interval,
            attribution=attribution,
            week_start=world.profile.week_start,
        )
    )
    found: dict[object, dict[int, float]] = {
        series.key: {int(at): float(value) for at, value in zip(series.times_ms, series.values, strict=True) if value}
        for series in answer.series
    }
    wanted: dict[object, dict[int, float]] = {
        _key(key): {at: hours for at, hours in steps.items() if hours} for key, steps in expected.items()
    }
    for key in {*found, *wanted}:
        ours, theirs = found.get(key, {}), wanted.get(key, {})
        if ours.keys() != theirs.keys() or any(not math.isclose(ours[at], theirs[at]) for at in ours):
            raise Breach("answer", f"{group_by} {interval} {attribution}: {key} is {ours}, at Toggl {theirs}")


def _key(key: object) -> object:
    """The engine calls *without* None."""
    return None if key == 0 and not isinstance(key, bool) else key
