"""The dashboards' questions to InfluxDB, run on a real one as Grafana fills them in."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from pathlib import Path

import pytest

from boards.conftest import BOARDS
from boards.grafana import panels
from influxdb import Server
from toggl_pulse.influx import Influx
from toggl_pulse.mirror import Mirror, RunFigures, SyncRun
from toggl_pulse.mirror.records import Outcome
from toggl_pulse.sync import Projector

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
STATEMENTS = {
    panel["title"]: panel["targets"][0]["query"]
    for board in BOARDS.values()
    for panel in panels(board)
    if panel.get("datasource", {}).get("uid") == "toggl-pulse-influxdb"
}


def as_grafana_asks(statement: str, bucket: str) -> str:
    for macro, value in (
        ("v.defaultBucket", f'"{bucket}"'),
        ("v.timeRangeStart", (NOW - timedelta(days=7)).isoformat()),
        ("v.timeRangeStop", NOW.isoformat()),
    ):
        statement = statement.replace(macro, value)
    assert "v." not in statement
    return statement


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Time without news from Toggl", {"": [5.0, 900.0, 15.0]}),
        ("Quota over time", {"quota_left_user": [30.0, 29.0, 28.0], "quota_left_org_1": [200.0, 199.0, 198.0]}),
    ],
)
def test_runs_are_lines_in_the_order_of_time_whatever_came_of_them(
    title: str,
    expected: dict[str, list[float]],
    tmp_path: Path,
    influx: Influx,
    influxdb: Server,
    influxdb_bucket: str,
) -> None:
    outcomes: list[Outcome] = ["partly", "done", "failed"]
    with Mirror.open(f"sqlite:///{tmp_path}/mirror.db", clock=lambda: NOW) as mirror:
        for hour, (outcome, since) in enumerate(zip(outcomes, (5, 900, 15), strict=True)):
            at = NOW - timedelta(hours=10 - hour)
            quota = {"user": (30 - hour, 10), "org 1": (200 - hour, 10)}
            with mirror.batch() as batch:
                number = batch.start_run("poll", at)
                batch.finish_run(SyncRun(number, "poll", at, at, outcome))
                batch.note_figures(number, RunFigures(since_success=since, quota=quota))
        Projector(mirror, influx, clock=lambda: NOW).project()

    answer = influxdb.flux(as_grafana_asks(STATEMENTS[title], influxdb_bucket))
    found: dict[str, list[tuple[datetime, float]]] = {}
    for block in answer.split("\r\n\r\n"):
        for row in csv.DictReader(io.StringIO(block, newline="")):
            line = found.setdefault(row.get("_field") or "", [])
            line.append((datetime.fromisoformat(row["_time"]), float(row["_value"])))
    assert expected == {name: [value for _, value in line] for name, line in found.items()}
    assert all(line == sorted(line, key=itemgetter(0)) for line in found.values())


def test_these_are_all() -> None:
    assert {"Time without news from Toggl", "Quota over time"} == set(STATEMENTS)
