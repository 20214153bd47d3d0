"""What a projection remembers and tells of its troubles, and what it goes on after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from influx.scripted import Reply, inside, scripted
from influxdb import Server
from mirror.rows import NOW, clock, entry, write
from sync.projected import Cut, agree, fill
from toggl_pulse.errors import PulseError
from toggl_pulse.influx import Influx, Unanswered
from toggl_pulse.mirror import Mirror
from toggl_pulse.sync import Projector

BUCKET = Reply(200, b'{"buckets": [{"id": "b1", "retentionRules": []}]}')
BUSY, TOKEN = inside(503), inside(401, "unauthorized access")


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    with Mirror.open(f"sqlite:///{tmp_path}/mirror.db", clock=clock) as mirror:
        yield mirror


def test_each_failure_is_told_once_and_the_latest_is_remembered(mirror: Mirror) -> None:
    fill(mirror)
    now = [NOW]
    answers = [BUSY, BUSY, TOKEN, BUSY, TOKEN, BUCKET, Reply()]
    remembered = []
    with scripted(answers) as server, capture_logs() as logs:
        influx = Influx(server.url, "token", "org", "bucket", attempts=1)
        projector = Projector(mirror, influx, clock=lambda: now[0])
        for _ in range(5):
            with pytest.raises(PulseError):
                projector.project()
            remembered.append(mirror.points.state())
            now[0] += timedelta(minutes=10)
        projector.project()
        influx.close()

    busy, token = "influxdb_busy", "influxdb_token"
    assert [busy, busy, token, busy, token] == [state.trouble for state in remembered]
    assert {int(NOW.timestamp()) * 1_000_000} == {state.trouble_us for state in remembered}
    assert [("projection.failed", busy), ("projection.failed", token), ("projection.recovered", token)] == [
        (line["event"], line["code"]) for line in logs if "code" in line
    ]
    assert "" == mirror.points.state().trouble


def test_points_stand_when_influxdb_says_so_not_when_a_stranger_does(mirror: Mirror) -> None:
    fill(mirror)
    with scripted([BUCKET, Reply(), Reply(), Reply(200, b"<html>Maintenance</html>")]) as server:
        influx = Influx(server.url, "token", "org", "bucket", attempts=1)
        with pytest.raises(Unanswered) as stranger:
            Projector(mirror, influx, clock=clock).project()
        influx.close()

    state = mirror.points.state()
    assert ("not_influxdb", "not_influxdb", True) == (stranger.value.code, state.trouble, state.doubted)
    assert (40, 0) == (mirror.points.counts().pending, mirror.points.standing())


def test_after_a_run_that_was_broken_by_no_failure_of_ours_the_next_one_notes_that_it_sends(
    mirror: Mirror, influx: Influx
) -> None:
    fill(mirror)
    cut: Any = Cut(influx, 2, after=True)
    broken = Projector(mirror, cut, clock=clock)
    with suppress(KeyboardInterrupt):
        broken.project()
    Projector(mirror, influx, clock=clock).project()
    assert not mirror.points.state().sending
    write(mirror, entry(1, description="other"))
    cut.left = 1
    with suppress(KeyboardInterrupt):
        broken.project()

    assert mirror.points.state().sending


def test_a_comparison_tries_again_what_was_refused_before(
    mirror: Mirror, influx: Influx, influxdb: Server, influxdb_bucket: str
) -> None:
    fill(mirror)
    projector = Projector(mirror, influx, clock=clock)
    projector.project()
    write(mirror, entry(1, description="other"))
    mirror.points.intend()
    (refused,) = mirror.points.pending(-(2**63), 10)
    mirror.points.set_aside(refused.time_ns, mirror.revision())
    projector.project()
    assert 1 == mirror.points.counts().set_aside

    done = projector.project(verify=True)

    assert (1, 0, 0) == (done.written, done.set_aside, done.differing)
    assert agree(mirror, influxdb, influxdb_bucket)


def test_many_odd_entries_that_were_refused_before_are_no_reason_to_doubt_the_bucket(
    mirror: Mirror, influx: Influx, influxdb: Server, influxdb_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toggl_pulse.sync.project.MOST_ASIDE", 3)
    projector = Projector(mirror, influx, clock=clock)
    fill(mirror)
    projector.project()
    later = NOW + timedelta(days=5 * 365)
    influxdb.write(influxdb_bucket, f"toggl_time_entry,a=b duration=1.5 {int(later.timestamp()) * 10**9}")
    for day in range(2):
        odd = [later + timedelta(days=day, hours=number) for number in range(3)]
        write(
            mirror,
            *(
                entry(100 + 10 * day + number, start=start, stop=start + timedelta(hours=1))
                for number, start in enumerate(odd)
            ),
        )
        assert 3 == projector.project().set_aside

    assert 6 == projector.project(verify=True).set_aside
    assert (6, mirror.revision()) == (mirror.points.counts().set_aside, mirror.points.state().revision)


def finished_run(mirror: Mirror, started: datetime) -> int:
    with mirror.batch() as batch:
        number = batch.start_run("poll", started)
    with mirror.batch() as batch:
        run = mirror.runs(1)[0]
        batch.finish_run(replace(run, id=number, outcome="done", finished_at=started, requests=2))
    return number


def test_sync_runs_that_influxdb_does_not_take_are_told_once_and_passed_by(
    mirror: Mirror, influx: Influx, influxdb: Server, influxdb_bucket: str
) -> None:
    fill(mirror)
    influxdb.write(influxdb_bucket, f"toggl_sync requests=1.5 {int(NOW.timestamp()) * 10**9}")
    projector = Projector(mirror, influx, clock=clock)
    mirror.points.note(bucket=influx.bucket().id)
    for started in (datetime(2024, 1, 1, tzinfo=UTC), NOW, NOW):
        last = finished_run(mirror, started)
    with capture_logs() as logs:
        done = projector.project()
        assert (1, last) == (done.runs, mirror.points.state().runs)
        last = finished_run(mirror, NOW)
        assert 0 == projector.project().runs

    assert last == mirror.points.state().runs
    assert [("projection.runs_refused", 2)] == [
        (line["event"], line["runs"]) for line in logs if line["log_level"] == "warning"
    ]
    assert agree(mirror, influxdb, influxdb_bucket)
