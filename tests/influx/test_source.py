"""Answers from a real InfluxDB: what stands there is answered, and never half of it nor what somebody else wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray

from influx.scripted import Reply, scripted
from influxdb import OwnServer, Server
from mirror.rows import FIRST_ID, NOW, USER, WORKSPACE, clock, entry, expected, told, write
from toggl_pulse.errors import Unavailable
from toggl_pulse.influx import Influx, InfluxSource
from toggl_pulse.metrics import Answers, Contact, Query
from toggl_pulse.mirror import Mirror
from toggl_pulse.model import Catalogue, EntryColumns, EntrySource, Places, Projected, Tag
from toggl_pulse.sync import Projector

HOUR_NS = 3_600 * 10**9
Ints = NDArray[np.int64]


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    with Mirror.open(f"sqlite:///{tmp_path}/mirror.db", clock=clock) as mirror:
        with mirror.batch() as batch:
            batch.write_catalogue([Tag(5, WORKSPACE, "five"), Tag(6, WORKSPACE, "six")])
        yield mirror


@pytest.fixture
def projector(mirror: Mirror, influx: Influx) -> Projector:
    return Projector(mirror, influx, clock=clock)


@pytest.fixture
def source(mirror: Mirror, influx: Influx) -> InfluxSource:
    return InfluxSource(influx, mirror.points)


def answers_of(source: EntrySource) -> Answers:
    return Answers(source, clock=clock, contact=lambda: Contact(NOW, timedelta(minutes=20)))


def hours(answers: Answers) -> float:
    begin = int(NOW.timestamp() * 1000)
    query = Query("tracked_hours", begin, begin + 10**9, ZoneInfo("UTC"), interval="range")
    return sum(float(series.values.sum()) for series in answers.answer(query).series)


def refusal(work: Callable[[], object]) -> str:
    with pytest.raises(Unavailable) as refused:
        work()
    return refused.value.code


# --- while InfluxDB is behind, busy or away -----------------------------------------------------------------------


def test_before_anything_was_written_nothing_can_be_read(source: InfluxSource) -> None:
    assert ["influxdb_empty"] * 3 == [
        refusal(source.revision),
        refusal(source.load),
        refusal(lambda: source.changes(0)),
    ]


def test_columns_in_memory_go_on_answering_while_points_are_written(
    mirror: Mirror, projector: Projector, source: InfluxSource
) -> None:
    write(mirror, entry(0))
    projector.project()
    answers = answers_of(source)
    assert (1.0, mirror.revision()) == (hours(answers), answers.revision())
    write(mirror, entry(1))
    assert 1.0 == hours(answers)
    mirror.points.intend()

    assert 1.0 == hours(answers)
    assert "influxdb_writing" == refusal(source.load)
    assert "influxdb_writing" == refusal(answers_of(source).revision)

    projector.project()
    assert (2.0, mirror.revision()) == (hours(answers), answers.revision())


def test_columns_of_before_answer_though_they_missed_the_last_revision_but_one(
    mirror: Mirror, projector: Projector, source: InfluxSource
) -> None:
    write(mirror, entry(0))
    projector.project()
    answers = answers_of(source)
    assert 1.0 == hours(answers)
    write(mirror, entry(1))
    projector.project()  # nobody asks for an answer
    write(mirror, entry(2))
    mirror.points.intend()

    assert 1.0 == hours(answers)
    projector.project()
    assert 3.0 == hours(answers)


def test_columns_of_before_answer_while_everything_is_written_anew(
    mirror: Mirror, projector: Projector, source: InfluxSource
) -> None:
    write(mirror, *(entry(number) for number in range(4)))
    projector.project()
    answers = answers_of(source)
    seen = []

    def progress(_what: str, _done: int, _total: int) -> None:
        seen.append((hours(answers), refusal(source.load)))

    hours(answers)
    projector.project(rebuild=True, progress=progress)

    assert {(4.0, "influxdb_writing")} == set(seen)
    assert (4.0, 4.0) == (hours(answers), hours(answers_of(source)))


def test_while_influxdb_is_away_columns_of_its_revision_answer_and_no_others_can_be_made(
    mirror: Mirror, own_influxdb: OwnServer
) -> None:
    bucket = own_influxdb.fresh()
    influx = Influx(own_influxdb.url, own_influxdb.token, own_influxdb.org, bucket, sleep=lambda _: None)
    projector, source = Projector(mirror, influx, clock=clock), InfluxSource(influx, mirror.points)
    write(mirror, entry(0))
    projector.project()
    early, late = answers_of(source), answers_of(source)
    assert 1.0 == hours(early) == hours(late)
    write(mirror, entry(1))
    projector.project()
    assert 2.0 == hours(early)
    own_influxdb.stop()

    assert 2.0 == hours(early)
    assert "influxdb_unreachable" == refusal(lambda: hours(late))
    assert "influxdb_unreachable" == refusal(lambda: hours(answers_of(source)))

    own_influxdb.start()
    assert 2.0 == hours(late) == hours(answers_of(source))
    influx.close()


class Meddled:
    """A ledger during whose use something happens: `meddle` is called whenever it is asked what stands beside."""

    def __init__(self, mirror: Mirror, meddle: Callable[[], object]) -> None:
        self._points = mirror.points
        self._meddle = meddle

    def projected(self) -> Projected:
        return self._points.projected()

    def catalogue(self) -> Catalogue:
        return self._points.catalogue()

    def point_range(self) -> tuple[int, int] | None:
        return self._points.point_range()

    def changed(self, since: int, until: int) -> tuple[Ints, Places]:
        return self._points.changed(since, until)

    def beside(self, revision: int) -> EntryColumns:
        found = self._points.beside(revision)
        self._meddle()
        return found

    def agrees(self, columns: EntryColumns, since: int, revision: int) -> bool:
        return self._points.agrees(columns, since, revision)


@pytest.mark.parametrize("read", ["load", "changes"])
def test_what_was_written_to_while_it_was_read_is_read_again(
    mirror: Mirror, projector: Projector, influx: Influx, read: str
) -> None:
    write(mirror, entry(0), entry(1))
    projector.project()
    news = iter([entry(0, start=entry(9).start, stop=entry(10).start), entry(1, deleted_at=NOW)])

    def meddle() -> None:
        if (one := next(news, None)) is not None:
            write(mirror, one)
            projector.project()

    source = InfluxSource(influx, Meddled(mirror, meddle))
    revision, columns = source.load() if read == "load" else source.changes(0)

    assert {FIRST_ID} == {number for number, fields in told(columns).items() if fields is not None}
    assert (mirror.revision(), None) == (revision, next(news, None))


def test_what_is_written_to_again_and_again_cannot_be_read(
    mirror: Mirror, projector: Projector, influx: Influx
) -> None:
    def meddle() -> None:
        write(mirror, entry(0, description=f"{mirror.revision()}"))
        projector.project()

    meddle()
    source = InfluxSource(influx, Meddled(mirror, meddle))

    assert "influxdb_writing" == refusal(source.load)


# --- what somebody else did ---------------------------------------------------------------------------------------

TIME = int(NOW.timestamp()) * 10**9
OURS = "toggl_time_entry,billable=false,user_id=1,workspace_id=2"
FIELDS = 'duration=60i,entry_id=9i,stop_ms=1000i,task_id=0i,tag_ids=" ",description="x"'


def without(field: str) -> str:
    return ",".join(each for each in FIELDS.split(",") if not each.startswith(f"{field}="))


GARBAGE = {
    "a point too many": f"{OURS} {FIELDS} {TIME + 60 * HOUR_NS}",
    "a field alone": f"{OURS} duration=60i {TIME + 7}",
    "an entry's id on a second point": f"{OURS} {FIELDS.replace('entry_id=9i', f'entry_id={FIRST_ID}i')} {TIME + 7}",
    "another lane's point at an entry's time": f"{OURS} {FIELDS} {TIME + FIRST_ID % 10**6}",
    "a text where an id is due": f'{OURS} entry_id="nine",{without("entry_id")} {TIME - 10**9 * 86_400 * 800}',
    "a number with a fraction": f"{OURS} duration=1.5,{without('duration')} {TIME - 10**9 * 86_400 * 800}",
    "a user who is no number": f"{OURS.replace('user_id=1', 'user_id=ann')} {FIELDS} {TIME + 7}",
    "no workspace": f"{OURS.replace(',workspace_id=2', '')} {FIELDS} {TIME + 7}",
    "perhaps billable": f"{OURS.replace('=false', '=maybe')} {FIELDS} {TIME + 7}",
    "a start within a second": f"{OURS} {FIELDS} {TIME + 5 * 10**6}",
    "a stop within a second": f"{OURS} {FIELDS.replace('=1000i', '=1001i')} {TIME + 7}",
    "tags that are no ids": f'{OURS} {FIELDS.replace(" ", "a;b", 1)} {TIME + 7}',
    "tags out of order": f'{OURS} {FIELDS.replace(chr(34) + " " + chr(34), chr(34) + "6,5" + chr(34))} {TIME + 7}',
} | {f"no {field}": f"{OURS} {without(field)} {TIME + 7}" for field in ("duration", "entry_id", "stop_ms", "task_id",
                                                                       "tag_ids", "description")}  # fmt: skip


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_is_told_and_mended_and_changes_no_hours(
    mirror: Mirror, projector: Projector, source: InfluxSource, influxdb: Server, influxdb_bucket: str, what: str
) -> None:
    rows = [
        entry(0, tag_ids=(5, 6)),
        entry(1, project_id=3),
        entry(70),
        entry(2, start=datetime(2023, 1, 1, tzinfo=UTC)),
    ]
    write(mirror, *rows)
    projector.project()
    influxdb.write(influxdb_bucket, GARBAGE[what])
    with pytest.raises(Unavailable, match="`toggl-pulse project --verify`") as refused:
        source.load()
    assert "influxdb_differs" == refused.value.code

    projector.project(verify=True)
    assert expected(rows) == told(source.load()[1])


def test_a_lost_point_is_noticed_by_who_loads_and_by_who_follows(
    mirror: Mirror, projector: Projector, source: InfluxSource, influx: Influx
) -> None:
    write(mirror, entry(0), entry(1))
    projector.project()
    since = source.load()[0]
    write(mirror, entry(1, description="changed"))
    projector.project()
    time = TIME + HOUR_NS + (FIRST_ID + 1) % 10**6
    influx.delete(time, time, {"_measurement": "toggl_time_entry"})

    assert ["influxdb_differs"] * 2 == [refusal(source.load), refusal(lambda: source.changes(since))]
    projector.project(verify=True)
    assert expected([entry(1, description="changed")]) == told(source.changes(since)[1])


def test_another_s_point_in_an_entry_s_place_is_no_change_of_it(
    mirror: Mirror, projector: Projector, source: InfluxSource, influxdb: Server, influxdb_bucket: str
) -> None:
    write(mirror, entry(0))
    projector.project()
    lane = f"toggl_time_entry,billable=false,user_id={USER},workspace_id={WORKSPACE}"
    influxdb.write(influxdb_bucket, f"{lane} {FIELDS} {TIME + FIRST_ID % 10**6}")

    assert ["influxdb_differs"] * 2 == [refusal(source.load), refusal(lambda: source.changes(0))]


def test_what_others_keep_in_the_bucket_under_other_names_does_no_harm(
    mirror: Mirror, projector: Projector, source: InfluxSource, influxdb: Server, influxdb_bucket: str
) -> None:
    write(mirror, entry(0))
    projector.project()
    influxdb.write(influxdb_bucket, f'weather,place=here value=3 {TIME}\n{OURS} mood="good" {TIME + 7}')

    assert expected([entry(0)]) == told(source.load()[1]) == told(source.changes(0)[1])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b",result,table,_time,_value,_field\r\n,_result,0,2026", "influxdb_cut"),
        (b"", "influxdb_cut"),
        (b"\r\n,error,reference\r\n,something secret,897\r\n\r\n", "influxdb_query"),
    ],
)
def test_an_answer_that_breaks_off_or_ends_in_an_error_is_no_answer(
    mirror: Mirror, projector: Projector, body: bytes, code: str
) -> None:
    write(mirror, entry(0))
    projector.project()
    with scripted([Reply(200, body)]) as server:
        source = InfluxSource(Influx(server.url, "token", "org", "bucket"), mirror.points)

        assert code == refusal(source.load)


# --- what is not in InfluxDB --------------------------------------------------------------------------------------


def test_entries_that_run_and_ones_that_influxdb_cannot_hold_come_from_the_mirror(
    mirror: Mirror, projector: Projector, source: InfluxSource
) -> None:
    rows = [
        entry(0, tag_ids=(5,)),
        entry(1, stop=None, duration=-1, tag_ids=(5, 6), description="runs"),
        entry(2, start=datetime(2400, 1, 1, tzinfo=UTC), stop=datetime(2400, 1, 2, tzinfo=UTC), description="far"),
        entry(3, start=datetime(1969, 12, 31, 23, tzinfo=UTC), stop=datetime(1970, 1, 1, 1, tzinfo=UTC)),
    ]
    write(mirror, *rows)
    projector.project()

    assert expected(rows) == told(source.load()[1]) == told(source.changes(0)[1])


def test_what_has_begun_or_stopped_running_since_is_as_it_is_now(
    mirror: Mirror, projector: Projector, source: InfluxSource
) -> None:
    write(mirror, entry(0), entry(1, stop=None, duration=-1))
    projector.project()
    write(mirror, entry(0, stop=None, duration=-1), entry(1))

    for read in (source.load, lambda: source.changes(0)):
        revision, columns = read()
        assert (2, mirror.revision() - 2) == (len(columns), revision)
        assert expected([entry(0, stop=None, duration=-1), entry(1)]) == told(columns)


def test_a_new_name_is_seen_whatever_runs_and_whatever_has_changed_since(
    mirror: Mirror, projector: Projector, source: InfluxSource
) -> None:
    write(mirror, entry(0), entry(1), entry(2, stop=None, duration=-1))
    projector.project()
    answers = answers_of(source)
    for number, name in enumerate(("one", "two", "three")):
        answers.revision()
        write(mirror, entry(0, description=name))
        with mirror.batch() as batch:
            batch.write_catalogue([Tag(5, WORKSPACE, name)])
        projector.project()
        if number:
            write(mirror, entry(1, description=name))
        answers.revision()

        assert name == answers.catalogue().tags[5].name


def test_an_entry_that_changed_before_and_after_the_projected_revision_is_as_it_was_at_it(
    mirror: Mirror, projector: Projector, source: InfluxSource
) -> None:
    write(mirror, entry(0), entry(1), entry(2))
    projector.project()
    since = source.revision()
    write(mirror, entry(0, description="before"), entry(1, description="before"))
    projector.project()
    write(mirror, entry(0, description="after"), entry(2, description="after"))

    assert expected([entry(0, description="before"), entry(1, description="before")]) == told(source.changes(since)[1])
