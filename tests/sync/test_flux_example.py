"""The Flux in the documentation, run on a real InfluxDB as it stands there, says what the engine says."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from influxdb import Server
from mirror.rows import entry, write
from toggl_pulse.influx import Influx
from toggl_pulse.metrics import Answers, Contact, parse_query
from toggl_pulse.mirror import Mirror
from toggl_pulse.sync import Projector

PAGE = Path(__file__).parents[2] / "docs/grafana.md"
ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 4, 10, 12, tzinfo=UTC)
# three weeks around the night in which an hour is missing, and three around the one with an hour twice
RANGES = [
    tuple(datetime(*day, tzinfo=ZONE).astimezone(UTC) for day in days)
    for days in (((2026, 3, 15), (2026, 4, 5)), ((2025, 10, 12), (2025, 11, 2)))
]


def example(bucket: str, start: datetime, end: datetime) -> str:
    found = re.search(r"```flux\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    flux = found[1].replace("v.timeRangeStart", start.isoformat()).replace("v.timeRangeStop", end.isoformat())
    return flux.replace('"toggl_metrics"', f'"{bucket}"')


def test_a_first_day_that_is_cut_sits_at_the_range_s_start(
    tmp_path: Path, influx: Influx, influxdb: Server, influxdb_bucket: str
) -> None:
    midnight, noon = (datetime(2026, 4, 7, hour, tzinfo=ZONE).astimezone(UTC) for hour in (0, 12))
    with Mirror.open(f"sqlite:///{tmp_path}/mirror.db", clock=lambda: NOW) as mirror:
        starts = [midnight, noon, noon + timedelta(days=1)]
        write(mirror, *(entry(number, start=start) for number, start in enumerate(starts)))
        Projector(mirror, influx, clock=lambda: NOW).project()

    answer = influxdb.flux(example(influxdb_bucket, noon, noon + timedelta(days=2)))
    rows = [row for block in answer.split("\r\n\r\n") for row in csv.DictReader(io.StringIO(block, newline=""))]
    assert [(noon, 1.0), (midnight + timedelta(days=1), 1.0)] == [
        (datetime.fromisoformat(row["_time"]), float(row["_value"])) for row in rows
    ]


@pytest.mark.parametrize(("start", "end"), RANGES, ids=["spring", "autumn"])
def test_hours_per_day_and_project_are_those_of_the_engine_and_stay_so_under_edits(
    start: datetime, end: datetime, tmp_path: Path, influx: Influx, influxdb: Server, influxdb_bucket: str
) -> None:
    dice = Random(7)  # noqa: S311 - hours, not secrets
    minutes = int((end - start) / timedelta(minutes=1))
    entries = []
    for number in range(200):
        begin = start + timedelta(minutes=dice.randrange(-600, minutes + 600))
        length = dice.randrange(1, 12 * 3600)
        project = dice.choice([None, 4, 5, 6])
        entries.append(
            entry(number, start=begin, stop=begin + timedelta(seconds=length), duration=length, project_id=project)
        )
    with Mirror.open(f"sqlite:///{tmp_path}/mirror.db", clock=lambda: NOW) as mirror:
        projector = Projector(mirror, influx, clock=lambda: NOW)
        write(mirror, *entries, entry(999, start=end - timedelta(hours=3), stop=None, duration=-1))
        projector.project()
        for number in range(0, 200, 3):  # moved, given to another project, deleted
            old = entries[number]
            begin = old.start + timedelta(days=1)
            changes: list[dict[str, Any]] = [
                {"start": begin, "stop": begin + timedelta(seconds=old.duration)},
                {"project_id": 7},
                {},
            ]
            gone = {"deleted_at": NOW} if number % 9 == 0 else {}
            values = {name: getattr(old, name) for name in type(old).__slots__} | changes[number // 3 % 3] | gone
            write(mirror, type(old)(**values))
        projector.project()

        answers = Answers(mirror, clock=lambda: NOW, contact=lambda: Contact(None, timedelta(0)))
        query = parse_query(
            "tracked_hours",
            {"group_by": "project", "interval": "day", "filters": {}},
            start_ms=round(start.timestamp() * 1000),
            end_ms=round(end.timestamp() * 1000),
            zone=ZONE,
            week_start=1,
        )
        ours = {
            (str(series.key) if series.key else "", time): round(value, 6)
            for series in answers.answer(query).series
            for time, value in zip(series.times_ms.tolist(), series.values.tolist(), strict=True)
            if value
        }
    theirs: dict[tuple[str, int], float] = {}
    for block in influxdb.flux(example(influxdb_bucket, start, end)).split("\r\n\r\n"):
        for row in csv.DictReader(io.StringIO(block, newline="")):
            time = round(datetime.fromisoformat(row["_time"]).timestamp() * 1000)
            theirs[row.get("project_id") or "", time] = round(float(row["_value"]), 6)

    assert len(ours) > 60
    assert {key for key in ours if key[0] == ""}
    assert ours == theirs
