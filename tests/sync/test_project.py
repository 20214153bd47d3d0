"""The mirror in a real InfluxDB: after each projection every finished entry is one point there, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from influxdb import OwnServer, Server
from mirror.rows import FIRST_ID, NOW, USER, WORKSPACE, clock, entry, write
from sync.projected import ALL, Cut, agree, fill, held
from toggl_pulse.errors import Busy, NeedsUser, PulseError, Unavailable
from toggl_pulse.influx import Influx, Unanswered
from toggl_pulse.mirror import Mirror
from toggl_pulse.model import Tag
from toggl_pulse.sync import Projector
from toggl_pulse.sync.sweeps import FEW


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    with Mirror.open(f"sqlite:///{tmp_path}/mirror.db", clock=clock) as mirror:
        yield mirror


@pytest.fixture
def projector(mirror: Mirror, influx: Influx) -> Projector:
    return Projector(mirror, influx, clock=clock)


def test_every_finished_entry_is_one_point(
    mirror: Mirror, projector: Projector, influxdb: Server, influxdb_bucket: str
) -> None:
    fill(mirror)
    done = projector.project()

    assert agree(mirror, influxdb, influxdb_bucket)
    assert (40, 0, 0) == (done.written, done.stale, done.set_aside)


CHANGES = {
    "a text": {"description": "other"},
    "a length": {"duration": 1, "stop": entry(7).start + timedelta(seconds=1)},
    "a project": {"project_id": 99},
    "no project": {"project_id": None},
    "a workspace": {"workspace_id": 1, "project_id": None, "tag_ids": ()},
    "a flag": {"billable": False},
    "a start": {"start": entry(70).start, "stop": entry(71).start},
    "a start by a second": {"start": entry(7).start + timedelta(seconds=1)},
    "tags": {"tag_ids": (6,)},
    "no tags": {"tag_ids": ()},
    "a deletion": {"deleted_at": NOW},
    "a timer again": {"stop": None, "duration": -1},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_after_each_kind_of_change_the_old_point_is_gone(
    change: dict[str, Any], mirror: Mirror, projector: Projector, influxdb: Server, influxdb_bucket: str
) -> None:
    fill(mirror, 10)
    projector.project()
    before = mirror.entries([FIRST_ID + 7])[FIRST_ID + 7].entry
    write(mirror, replace(before, **change))
    done = projector.project()
    assert agree(mirror, influxdb, influxdb_bucket)
    assert done.written <= 1
    write(mirror, before)
    projector.project()

    assert agree(mirror, influxdb, influxdb_bucket)


def test_renamed_and_deleted_tags_rewrite_those_that_carry_them(
    mirror: Mirror, projector: Projector, influxdb: Server, influxdb_bucket: str
) -> None:
    fill(mirror)
    projector.project()
    for tags in ([Tag(5, WORKSPACE, "renamed")], [Tag(6, WORKSPACE, "six", deleted=True)]):
        with mirror.batch() as batch:
            batch.write_catalogue(tags)
        projector.project()
        assert agree(mirror, influxdb, influxdb_bucket)


def test_many_stale_points_go_as_stretches_that_are_written_again(
    mirror: Mirror, projector: Projector, influxdb: Server, influxdb_bucket: str
) -> None:
    fill(mirror, 200)
    projector.project()
    write(mirror, *(entry(number, project_id=77) for number in range(0, 200, 2)))
    done = projector.project()

    assert agree(mirror, influxdb, influxdb_bucket)
    assert done.deletes <= FEW
    assert 100 == done.stale


def test_nothing_is_sent_when_nothing_has_changed(mirror: Mirror, projector: Projector) -> None:
    fill(mirror)
    projector.project()
    generation = mirror.points.projected().generation

    again = projector.project()
    assert (0, 0, 0) == (again.written, again.stale, again.runs)
    assert generation == mirror.points.projected().generation


def test_whoever_looks_finds_a_bucket_that_was_made_anew_though_nothing_has_changed(
    mirror: Mirror, influxdb: Server, influxdb_bucket: str
) -> None:
    fill(mirror)
    with_all_rights = Influx(influxdb.url, influxdb.token, influxdb.org, influxdb_bucket)
    projector = Projector(mirror, with_all_rights, clock=clock)
    projector.project()
    generation = mirror.points.projected().generation
    projector.project(look=True)
    assert generation == mirror.points.projected().generation
    influxdb.drop(influxdb_bucket)
    assert 0 == projector.project().written
    assert 40 == projector.project(look=True).written
    with_all_rights.close()

    assert agree(mirror, influxdb, influxdb_bucket)


def test_what_only_a_look_has_found_is_over_when_influxdb_answers_again(
    own_influxdb: OwnServer, mirror: Mirror
) -> None:
    bucket = own_influxdb.fresh()
    client = Influx(own_influxdb.url, own_influxdb.token, own_influxdb.org, bucket, sleep=lambda _: None)
    projector = Projector(mirror, client, clock=clock)
    fill(mirror)
    projector.project()
    own_influxdb.kill()
    projector.project()
    for look in (True, False):
        with pytest.raises(Unavailable):
            projector.project(look=look)
        assert "influxdb_unreachable" == mirror.points.state().trouble
    own_influxdb.start()
    projector.project()
    client.close()

    assert "" == mirror.points.state().trouble


@pytest.mark.parametrize("after", ["before", "after"])
@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_cut_off_at_any_request_the_next_projection_is_exact(
    at: int, after: str, mirror: Mirror, influx: Influx, influxdb: Server, influxdb_bucket: str
) -> None:
    fill(mirror)
    cut: Any = Cut(influx, at, after=after == "after")
    for number in range(6):
        with suppress(KeyboardInterrupt):
            assert 0 == Projector(mirror, cut, clock=clock).project().differing
        write(
            mirror, entry(2, project_id=50 + number), entry(3, start=entry(80 + number).start), entry(4, billable=True)
        )
    assert 0 == Projector(mirror, influx, clock=clock).project().differing

    assert agree(mirror, influxdb, influxdb_bucket)


def test_a_rebuild_empties_and_refills(
    mirror: Mirror, projector: Projector, influxdb: Server, influxdb_bucket: str
) -> None:
    fill(mirror)
    projector.project()
    influxdb.write(influxdb_bucket, "toggl_time_entry,foreign=x entry_id=1i 1700000000000000000")
    done = projector.project(rebuild=True)

    assert agree(mirror, influxdb, influxdb_bucket)
    assert (True, 40) == (done.emptied, done.written)


def test_a_bucket_that_was_made_anew_is_filled_without_being_asked(
    mirror: Mirror, influxdb: Server, influxdb_bucket: str
) -> None:
    fill(mirror)
    with_all_rights = Influx(influxdb.url, influxdb.token, influxdb.org, influxdb_bucket)
    Projector(mirror, with_all_rights, clock=clock).project()
    influxdb.drop(influxdb_bucket)
    write(mirror, entry(1, description="other"))
    done = Projector(mirror, with_all_rights, clock=clock).project()
    with_all_rights.close()

    assert agree(mirror, influxdb, influxdb_bucket)
    assert done.emptied


SPOILED = {
    "a ghost": "toggl_time_entry,workspace_id=1,user_id=2,billable=true duration=5i,entry_id=77i 1700000000000000000",
    "a ghost long ago": "toggl_time_entry duration=5i,entry_id=77i -1000000000000000000",
    "a ghost with a text of somebody": 'toggl_time_entry,tags=a\\ "b duration=5i,entry_id=77i 1700000000000000000',
}


@pytest.mark.parametrize("line", SPOILED.values(), ids=SPOILED)
def test_what_others_have_written_is_found_and_removed(
    line: str, mirror: Mirror, projector: Projector, influxdb: Server, influxdb_bucket: str
) -> None:
    fill(mirror)
    projector.project()
    influxdb.write(influxdb_bucket, line)
    done = projector.project(verify=True)

    assert agree(mirror, influxdb, influxdb_bucket)
    assert (40, 1) == (done.compared, done.differing)


def test_points_that_were_deleted_altered_or_doubled_are_mended(
    mirror: Mirror, projector: Projector, influx: Influx, influxdb: Server, influxdb_bucket: str
) -> None:
    fill(mirror)
    projector.project()
    times = [point.time_ns for point in mirror.points.page(-(2**63), 100)]
    influx.delete(times[3], times[5], {"_measurement": "toggl_time_entry"})
    lane = f"billable=false,user_id={USER},workspace_id={WORKSPACE}"
    influxdb.write(influxdb_bucket, f"toggl_time_entry,{lane},project_id=999 duration=1i {times[7]}")
    influxdb.write(influxdb_bucket, f"toggl_time_entry,project_id=3,{lane} duration=1i {times[0]}")
    done = projector.project(verify=True)

    assert agree(mirror, influxdb, influxdb_bucket)
    assert 5 == done.differing
    assert 0 == projector.project(verify=True).differing


def test_a_comparison_in_pages_covers_every_time(
    mirror: Mirror, projector: Projector, influxdb: Server, influxdb_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toggl_pulse.sync.compare.COMPARED", 10)
    fill(mirror)
    projector.project()
    for number in range(-1, 45):
        ghost = int((entry(number).start + timedelta(minutes=30)).timestamp()) * 10**9
        influxdb.write(influxdb_bucket, f"toggl_time_entry,foreign=x entry_id=1i {ghost}")
    for point in mirror.points.page(-(2**63), 100):
        influxdb.write(influxdb_bucket, f"toggl_time_entry,foreign=x entry_id=1i {point.time_ns + 1}")

    assert 86 == projector.project(verify=True).differing
    assert agree(mirror, influxdb, influxdb_bucket)


def test_a_bucket_that_forgets_is_refused_with_a_sentence(mirror: Mirror, influxdb: Server) -> None:
    write(mirror, entry(0, start=NOW - timedelta(days=50), stop=NOW - timedelta(days=49)))
    bucket = influxdb.fresh(retention_seconds=40 * 86400)
    client = Influx(influxdb.url, influxdb.service_token(bucket), influxdb.org, bucket)
    with pytest.raises(NeedsUser, match=r"keeps data since 2026-03-25 only, and the history begins on 2026-03-15"):
        Projector(mirror, client, clock=clock).project()
    client.close()
    influxdb.drop(bucket)


def test_a_point_that_influxdb_does_not_take_is_set_aside_and_the_others_are_written(
    mirror: Mirror, projector: Projector, influxdb: Server, influxdb_bucket: str
) -> None:
    fill(mirror)
    with mirror.batch() as batch:
        batch.write_catalogue([Tag(7, WORKSPACE, "secret words " * 6000)])
    write(mirror, entry(11, tag_ids=(7,)))
    with capture_logs() as logs:
        done = projector.project()

    assert 1 == done.set_aside
    assert {str(FIRST_ID + number) for number in range(40)} - {str(FIRST_ID + 11)} == {
        point["entry_id"] for point in held(influxdb, influxdb_bucket)
    }
    assert [FIRST_ID + 11] == [line["entry"] for line in logs if line["event"] == "projection.set_aside"]
    assert "secret" not in str(logs)
    assert [FIRST_ID + 11, FIRST_ID + 40] == sorted(mirror.points.beside(mirror.revision()).entry_id.tolist())
    write(mirror, entry(11))
    projector.project()
    assert agree(mirror, influxdb, influxdb_bucket)


def test_a_bucket_in_which_nothing_fits_is_told_as_such(
    mirror: Mirror, projector: Projector, influxdb: Server, influxdb_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toggl_pulse.sync.project.MOST_ASIDE", 5)
    fill(mirror)
    projector.project()
    later = NOW + timedelta(days=5 * 365)
    influxdb.write(influxdb_bucket, f"toggl_time_entry,a=b duration=1.5 {int(later.timestamp()) * 10**9}")
    write(mirror, *(entry(100 + number, start=later + timedelta(hours=number)) for number in range(20)))
    with pytest.raises(NeedsUser, match="INFLUXDB_BUCKET") as refused:
        projector.project()

    assert "influxdb_refuses" == refused.value.code


def test_without_influxdb_it_is_told_once_and_so_is_its_return(own_influxdb: OwnServer, mirror: Mirror) -> None:
    bucket = own_influxdb.fresh()
    client = Influx(own_influxdb.url, own_influxdb.token, own_influxdb.org, bucket, sleep=lambda _: None)
    projector = Projector(mirror, client, clock=clock)
    fill(mirror)
    projector.project()
    own_influxdb.kill()
    with capture_logs() as logs:
        for number in range(3):
            write(mirror, entry(1, description=f"offline {number}", project_id=number + 60))
            with pytest.raises(Unavailable):
                projector.project()
        own_influxdb.start()
        projector.project()

    told = [line["event"] for line in logs]
    assert ["projection.failed", "projection.recovered", "projection.done"] == [
        event for event in told if event.startswith("projection")
    ] or ["projection.failed", "projection.done", "projection.recovered"] == told
    assert agree(mirror, own_influxdb, bucket)
    client.close()


def test_killed_in_the_middle_influxdb_itself_loses_nothing_that_was_promised(
    own_influxdb: OwnServer, mirror: Mirror
) -> None:
    bucket = own_influxdb.fresh()
    client = Influx(own_influxdb.url, own_influxdb.token, own_influxdb.org, bucket, sleep=lambda _: None)
    projector = Projector(mirror, client, clock=clock)
    for number in range(4):
        fill(mirror, 20)
        write(mirror, *(entry(each, project_id=100 + number) for each in range(10)))
        with suppress(PulseError):
            projector.project()
        own_influxdb.kill()
        own_influxdb.start()
    projector.project()

    assert agree(mirror, own_influxdb, bucket)
    client.close()


class Silent:
    """A client whose server falls silent as soon as something is to be deleted."""

    def __init__(self, inner: Influx, server: OwnServer) -> None:
        self.inner = inner
        self.server = server

    def __getattr__(self, name: str) -> Any:
        if name == "delete":
            self.server.pause()
        return getattr(self.inner, name)


def test_a_request_without_an_answer_makes_the_next_run_read_everything_back(
    own_influxdb: OwnServer, mirror: Mirror
) -> None:
    bucket = own_influxdb.fresh()
    client = Influx(
        own_influxdb.url, own_influxdb.token, own_influxdb.org, bucket,
        sleep=lambda _: None, read_seconds=0.5, delete_seconds=0.5,
    )  # fmt: skip
    fill(mirror)
    Projector(mirror, client, clock=clock).project()
    write(mirror, entry(1, project_id=42))
    silent: Any = Silent(client, own_influxdb)
    with pytest.raises(Unanswered):
        Projector(mirror, silent, clock=clock).project()
    own_influxdb.resume()
    assert mirror.points.state().doubted
    done = Projector(mirror, client, clock=clock).project()

    assert 40 == done.compared
    assert agree(mirror, own_influxdb, bucket)
    client.close()


def test_a_second_projection_waits_for_its_turn(mirror: Mirror, projector: Projector) -> None:
    with mirror.points.lock(), pytest.raises(Busy):
        projector.project()


def test_a_stop_ends_between_two_requests_and_the_next_run_goes_on(
    mirror: Mirror, influx: Influx, influxdb: Server, influxdb_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toggl_pulse.sync.project.BATCH", 10)
    fill(mirror)
    asked = iter([False, False, True])
    Projector(mirror, influx, clock=clock, stopping=lambda: next(asked)).project()
    assert 0 < len(held(influxdb, influxdb_bucket)) < 40
    Projector(mirror, influx, clock=clock).project()

    assert agree(mirror, influxdb, influxdb_bucket)


def test_each_sync_run_is_a_point_and_a_rebuild_writes_them_again(
    mirror: Mirror, projector: Projector, influxdb: Server, influxdb_bucket: str
) -> None:
    for _ in range(3):
        with mirror.batch() as batch:
            number = batch.start_run("poll", datetime(2026, 5, 1, tzinfo=UTC))
        with mirror.batch() as batch:
            run = mirror.runs(1)[0] if mirror.runs(1) else None
            assert run is not None
            batch.finish_run(replace(run, id=number, outcome="done", finished_at=NOW, requests=2, new=3))
    with mirror.batch() as batch:
        batch.start_run("poll")
    for again in (False, True):
        projector.project(rebuild=again)
        answer = influxdb.flux(
            f'from(bucket: "{influxdb_bucket}") |> {ALL} |> filter(fn: (r) => r._measurement == "toggl_sync" and '
            'r._field == "requests") |> group() |> count()'
        )
        assert "3" == answer.split("\r\n")[1].split(",")[-1]
