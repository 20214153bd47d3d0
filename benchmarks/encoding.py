"""What does an answer as Grafana's datapoints cost, against orjson on ready pairs of numbers, and what as frames?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import orjson

from benchmarks.account import Account
from benchmarks.measure import Ratio, measure
from benchmarks.questions import BERLIN
from toggl_pulse.api.encode import Times, as_series, joined
from toggl_pulse.api.frames import FrameTimes, as_frames
from toggl_pulse.metrics import Answer, Query, Series
from toggl_pulse.model import Catalogue, Project

__all__ = ["ratios"]

DAYS, PROJECTS = 1_800, 200
DAY_MS = 86_400_000


def ratios(account: Account) -> Iterator[Ratio]:
    del account
    dice = np.random.default_rng(1)
    times = np.arange(DAYS, dtype=np.int64) * DAY_MS + 1_600_000_000_000
    values = dice.integers(0, 30_000, (PROJECTS, DAYS)) / 3600  # hours, as whole seconds make them
    series = tuple(Series(number, f"Project {number}", times, row) for number, row in enumerate(values))
    answer = Answer("tracked_hours", "hours", "start", "day", 1, series=series)
    pairs = [np.stack((row, times.astype(np.float64)), axis=1) for row in values]

    def ours() -> bytes:
        return joined(as_series(answer, "A", Times()))

    def ready() -> bytes:
        return orjson.dumps(pairs, option=orjson.OPT_SERIALIZE_NUMPY)

    query = Query("tracked_hours", int(times[0]), int(times[-1]), BERLIN, group_by="project", interval="day")
    catalogue = Catalogue(
        projects={number: Project(number, 1, f"Project {number}", color="#0b83d9") for number in range(PROJECTS)}
    )

    def frames() -> bytes:
        return joined(as_frames(query, answer, catalogue, "A", FrameTimes()))

    assert [each["datapoints"] for each in orjson.loads(ours())] == orjson.loads(ready())
    yield measure(
        "1,800 days × 200 projects as Grafana's datapoints", 2.0, ours, ready, of="orjson on ready NumPy pairs"
    )
    assert [frame["fields"][1]["values"] for frame in orjson.loads(frames())] == values.tolist()
    yield measure("1,800 days × 200 projects as Grafana's data frames", 1.5, frames, ours, of="the same as datapoints")
