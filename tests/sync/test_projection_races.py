"""Orders of events in which a projection could leave a ghost or lose a point: each once, on a real InfluxDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from influxdb import Server
from mirror.rows import FIRST_ID, NOW, WORKSPACE, clock, entry, write
from sync.projected import agree, fill, held
from toggl_pulse.errors import Unavailable
from toggl_pulse.influx import Influx, Refused, Unanswered
from toggl_pulse.mirror import Mirror, Points
from toggl_pulse.model import Tag, TimeEntry
from toggl_pulse.sync import Projector
from toggl_pulse.sync.sweeps import FEW

FIRST = -(2**63)
GHOST = "toggl_time_entry,workspace_id=1,user_id=2,billable=true duration=5i,entry_id=77i"


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    with Mirror.open(f"sqlite:///{tmp_path}/mirror.db", clock=clock) as mirror:
        yield mirror


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten entries are laid down at once."""
    monkeypatch.setattr(Points.intend, "__defaults__", (10,))


Call = Callable[..., Any]


class Meddled:
    """Something else, but for one method: what is called in its place is handed the real one, and its arguments."""

    def __init__(self, inner: object, **instead: Call) -> None:
        self.inner = inner
        self.instead = instead

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.inner, name)
        if name not in self.instead:
            return real
        return lambda *arguments, **named: self.instead[name](real, *arguments, **named)


def projector(mirror: Mirror, influx: Influx | Meddled, **changes: Any) -> Projector:
    client: Any = influx
    return Projector(mirror, client, **{"clock": clock, **changes})


CHANGES: dict[str, Callable[[TimeEntry], TimeEntry]] = {
    "a text": lambda one: replace(one, description="other"),
    "a lane": lambda one: replace(one, project_id=99),
    "a start": lambda one: replace(one, start=one.start + timedelta(minutes=7)),
    "an end": lambda one: replace(one, deleted_at=NOW),
}


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_an_entry_that_changes_while_its_point_is_on_its_way_is_written_anew(
    change: Callable[[TimeEntry], TimeEntry], mirror: Mirror, influx: Influx, influxdb: Server, influxdb_bucket: str
) -> None:
    write(mirror, *(entry(number) for number in range(20)))
    one = projector(mirror, influx)
    changed: list[int] = []

    def intend(real: Call) -> Any:
        on_its_way = mirror.points.pending(FIRST, 1000)
        if on_its_way and len(changed) < 3:
            changed.append(on_its_way[-1].entry_id)
            write(mirror, change(entry(changed[-1] - FIRST_ID)))
        return real()

    points: Any = Meddled(mirror.points, intend=intend)
    one._points = points
    one.project()

    assert changed
    assert agree(mirror, influxdb, influxdb_bucket)


class DiesAt:
    """Counts steps, and ends the process before the one of that number."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, real: Call, *arguments: Any, **named: Any) -> Any:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt
        return real(*arguments, **named)


def test_cut_off_at_any_step_the_next_run_finds_nothing_wrong_when_it_reads_back(
    mirror: Mirror, influx: Influx, influxdb: Server, influxdb_bucket: str
) -> None:
    fill(mirror, 2 * FEW + 8)
    projector(mirror, influx).project()
    for at in range(1, 20):
        write(
            mirror,
            *(entry(number, project_id=100 + at) for number in range(0, 2 * FEW + 8, 2)),
            entry(1, start=entry(100 + at).start),
            entry(3, deleted_at=NOW if at % 2 else None),
            entry(200 + at),
        )
        dies = DiesAt(at)
        cut = projector(mirror, Meddled(influx, delete=dies, write=dies))
        steps = dict.fromkeys(("finish", "gone", "intend", "note", "take_back", "written"), dies)
        points: Any = Meddled(mirror.points, **steps)
        cut._points = points
        with suppress(KeyboardInterrupt):
            cut.project()
        assert 0 == projector(mirror, influx).project().differing
        assert agree(mirror, influxdb, influxdb_bucket)
        if dies.left > 0:
            break

    assert at > 7
    assert dies.left > 0


def test_cut_off_while_it_empties_it_empties_again(mirror: Mirror, influx: Influx) -> None:
    fill(mirror)
    projector(mirror, influx).project()
    with pytest.raises(KeyboardInterrupt):
        projector(mirror, Meddled(influx, delete=DiesAt(1))).project(rebuild=True)

    assert projector(mirror, influx).project().emptied


def test_what_a_delete_takes_along_is_to_be_written_before_the_delete_is_sent(mirror: Mirror, influx: Influx) -> None:
    write(mirror, *(entry(number) for number in range(4 * FEW)))
    projector(mirror, influx).project()
    write(mirror, *(entry(number, project_id=77) for number in range(0, 4 * FEW, 2)))
    pending = []

    def delete(real: Call, *arguments: Any) -> None:
        pending.append(mirror.points.counts().pending)
        real(*arguments)

    projector(mirror, Meddled(influx, delete=delete)).project()

    assert [4 * FEW - 1] == pending


@pytest.mark.usefixtures("small_pages")
def test_points_on_their_way_arrive_before_a_delete_that_could_take_them_along(
    mirror: Mirror, influx: Influx, influxdb: Server, influxdb_bucket: str
) -> None:
    old = range(0, 4 * FEW, 2)
    write(mirror, *(entry(number) for number in old))
    projector(mirror, influx).project()
    write(mirror, *(entry(number + 1) for number in old[:10]))
    write(mirror, *(entry(number, project_id=77) for number in old))
    projector(mirror, influx).project()

    assert agree(mirror, influxdb, influxdb_bucket)


def test_a_half_that_is_never_answered_makes_the_next_run_read_everything_back(mirror: Mirror, influx: Influx) -> None:
    fill(mirror)
    answers: list[type[Exception]] = [Refused, Unanswered]

    def write(_: Call, body: bytes) -> None:
        raise Refused("conflict") if answers.pop(0) is Refused else Unanswered

    with pytest.raises(Unanswered):
        projector(mirror, Meddled(influx, write=write)).project()

    assert mirror.points.state().doubted


def test_a_batch_that_is_on_its_way_when_the_mirror_fails_and_never_answered_makes_the_next_run_read_everything_back(
    mirror: Mirror, influx: Influx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toggl_pulse.sync.project.BATCH", 10)
    fill(mirror)

    def write(_: Call, body: bytes) -> None:
        raise Unanswered

    def pending(real: Call, after: int, most: int) -> Any:
        if after != FIRST + 2:
            raise Unavailable("The disk does not read.", code="disk_error")
        return real(after, most)

    one = projector(mirror, Meddled(influx, write=write))
    points: Any = Meddled(mirror.points, pending=pending)
    one._points = points
    with suppress(Unavailable):
        one.project()

    assert mirror.points.state().doubted


def test_a_rebuild_after_a_request_without_an_answer_is_read_back(mirror: Mirror, influx: Influx) -> None:
    fill(mirror)

    def write(_: Call, body: bytes) -> None:
        raise Unanswered

    with pytest.raises(Unanswered):
        projector(mirror, Meddled(influx, write=write)).project()

    assert 40 == projector(mirror, influx).project(rebuild=True).compared


@pytest.mark.parametrize("request_", ["write", "delete"])
def test_what_a_killed_run_had_sent_may_be_done_while_the_next_one_is_at_work(
    request_: str, mirror: Mirror, influx: Influx, influxdb: Server, influxdb_bucket: str
) -> None:
    fill(mirror)
    projector(mirror, influx).project()
    before = mirror.entries([FIRST_ID + 5])[FIRST_ID + 5].entry
    write(mirror, replace(before, description="other", tag_ids=(6,)))
    sent: list[tuple[Any, ...]] = []

    def die(_: Call, *arguments: Any) -> None:
        sent.append(arguments)
        raise KeyboardInterrupt

    def late(real: Call, *arguments: Any) -> None:
        real(*arguments)
        if sent:
            getattr(influx, request_)(*sent.pop())

    with pytest.raises(KeyboardInterrupt):
        projector(mirror, Meddled(influx, **{request_: die})).project()
    write(mirror, replace(before, description="another", tag_ids=(5,)))
    projector(mirror, Meddled(influx, write=late)).project()

    assert agree(mirror, influxdb, influxdb_bucket)


def test_a_request_that_is_done_long_after_it_was_given_up_is_noticed(
    mirror: Mirror, influx: Influx, influxdb: Server, influxdb_bucket: str
) -> None:
    now = [NOW]
    fill(mirror)
    projector(mirror, influx).project()
    write(mirror, replace(mirror.entries([FIRST_ID + 5])[FIRST_ID + 5].entry, tag_ids=(6,)))
    sent: list[tuple[Any, ...]] = []

    def unanswered(_: Call, *arguments: Any) -> None:
        sent.append(arguments)
        raise Unanswered

    with pytest.raises(Unanswered):
        projector(mirror, Meddled(influx, delete=unanswered)).project()
    later = projector(mirror, influx, clock=lambda: now[0])
    now[0] += timedelta(seconds=1)
    assert 40 == later.project().compared
    assert 0 == later.project().compared
    influx.delete(*sent.pop())
    now[0] += timedelta(hours=1)
    assert 1 == later.project().differing

    assert agree(mirror, influxdb, influxdb_bucket)
    assert not mirror.points.state().doubted


def test_a_request_that_broke_off_and_was_repeated_is_read_back_by_the_next_run(mirror: Mirror, influx: Influx) -> None:
    fill(mirror)

    class Repeated(Meddled):
        left_open = 0

    def write(real: Call, body: bytes) -> None:
        client.left_open += 1
        real(body)

    client = Repeated(influx, write=write)
    assert 0 == projector(mirror, client).project().compared

    assert 40 == projector(mirror, influx).project().compared


def test_a_mirror_that_was_restored_from_a_copy_is_in_step_after_a_comparison(
    mirror: Mirror, influx: Influx, influxdb: Server, influxdb_bucket: str, tmp_path: Path
) -> None:
    fill(mirror)
    projector(mirror, influx).project()
    mirror.backup(tmp_path / "copy.db")
    write(mirror, entry(1, project_id=50), entry(2, start=entry(2).start - timedelta(days=1)), entry(60))
    projector(mirror, influx).project()
    with Mirror.open(f"sqlite:///{tmp_path}/copy.db", clock=clock) as restored:
        write(restored, entry(2, start=entry(2).start - timedelta(days=2)), entry(61))
        assert 3 == projector(restored, influx).project(verify=True).differing

        assert agree(restored, influxdb, influxdb_bucket)


def test_a_tag_whose_name_comes_after_its_entries_is_written_with_it(
    mirror: Mirror, influx: Influx, influxdb: Server, influxdb_bucket: str
) -> None:
    write(mirror, entry(1, tag_ids=(9,)), entry(2))
    projector(mirror, influx).project()
    with mirror.batch() as batch:
        batch.write_catalogue([Tag(9, WORKSPACE, "nine")])
    done = projector(mirror, influx).project()

    assert agree(mirror, influxdb, influxdb_bucket)
    assert 1 == done.written


def test_two_names_and_one_name_of_the_same_letters_are_different_tags(
    mirror: Mirror, influx: Influx, influxdb: Server, influxdb_bucket: str
) -> None:
    with mirror.batch() as batch:
        batch.write_catalogue([Tag(5, WORKSPACE, "a\x1fb"), Tag(6, WORKSPACE, "a"), Tag(7, WORKSPACE, "b")])
    write(mirror, entry(1, tag_ids=(5,)))
    projector(mirror, influx).project()
    write(mirror, entry(1, tag_ids=(6, 7)))
    projector(mirror, influx).project()

    assert agree(mirror, influxdb, influxdb_bucket)


def test_of_a_point_that_is_refused_nothing_stays_from_before(
    mirror: Mirror, influx: Influx, influxdb: Server, influxdb_bucket: str
) -> None:
    fill(mirror)
    projector(mirror, influx).project()

    def refusing(real: Call, body: bytes) -> None:
        if b"too much" in body:
            raise Refused("conflict")
        real(body)

    write(mirror, entry(5, description="too much"))
    done = projector(mirror, Meddled(influx, write=refusing)).project()

    assert (1, mirror.revision()) == (done.set_aside, done.revision)
    assert str(FIRST_ID + 5) not in {point["entry_id"] for point in held(influxdb, influxdb_bucket)}
    time = int(entry(5).start.timestamp()) * 10**9 + entry(5).id % 10**6
    influxdb.write(influxdb_bucket, f"{GHOST} {time}")
    assert 1 == projector(mirror, Meddled(influx, write=refusing)).project(verify=True).differing
    assert 39 == len(held(influxdb, influxdb_bucket))


@pytest.mark.usefixtures("small_pages")
def test_an_entry_that_changes_while_its_point_is_being_refused_is_tried_again(
    mirror: Mirror, influx: Influx, influxdb: Server, influxdb_bucket: str
) -> None:
    write(mirror, *(entry(number) for number in range(19)), entry(19, description="too much"), entry(20))

    def refusing(real: Call, body: bytes) -> None:
        if b"too much" in body:
            raise Refused("conflict")
        real(body)

    def intend(real: Call) -> Any:
        on_its_way = mirror.points.pending(FIRST, 1000)
        if on_its_way and on_its_way[-1].description == "too much":
            write(mirror, entry(19))
        return real()

    one = projector(mirror, Meddled(influx, write=refusing))
    points: Any = Meddled(mirror.points, intend=intend)
    one._points = points
    one.project()

    assert agree(mirror, influxdb, influxdb_bucket)


def test_a_ghost_beside_an_entry_that_changes_during_the_comparison_is_found_by_the_next_run(
    mirror: Mirror, influx: Influx, influxdb: Server, influxdb_bucket: str
) -> None:
    fill(mirror)
    projector(mirror, influx).project()
    time = int(entry(5).start.timestamp()) * 10**9 + entry(5).id % 10**6
    influxdb.write(influxdb_bucket, f"{GHOST} {time}")
    one = projector(mirror, influx)

    def page(real: Call, *arguments: Any) -> Any:
        write(mirror, entry(5, description="changed", project_id=12))
        return real(*arguments)

    points: Any = Meddled(mirror.points, page=page)
    one._points = points
    one.project(verify=True)
    projector(mirror, influx).project()

    assert agree(mirror, influxdb, influxdb_bucket)
