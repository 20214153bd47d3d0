"""What each change of an entry asks of InfluxDB, on every store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from contract.conftest import OpenMirror
from mirror.rows import FIRST_ID, NOW, USER, WORKSPACE, entry, told, write
from toggl_pulse.errors import Busy
from toggl_pulse.mirror import Mirror
from toggl_pulse.model import ANY_LANE, Lane, Point, Tag, TimeEntry

LANE = Lane(WORKSPACE, 0, USER, billable=False)
FIRST = -(2**63)
SECOND = 1_000_000_000


def time_of(one: TimeEntry) -> int:
    return int(one.start.timestamp()) * SECOND + one.id % 1_000_000


def todo(mirror: Mirror) -> tuple[list[int], list[tuple[int, Lane]]]:
    """The entries to be written, and the points to be deleted."""
    return (
        [point.entry_id for point in mirror.points.pending(FIRST, 100)],
        [(each.time_ns, each.lane) for each in mirror.points.stale()],
    )


def write_pending(mirror: Mirror) -> None:
    pending = mirror.points.pending(FIRST, 100)
    mirror.points.written((point.time_ns for point in pending), mirror.points.state().intended)


def done(mirror: Mirror) -> None:
    """As if all that is to be done had been done."""
    while mirror.points.intend():
        pass
    mirror.points.gone(mirror.points.stale())
    write_pending(mirror)
    assert mirror.points.finish(0)


def test_a_finished_entry_is_one_point_at_its_start(mirror: Mirror) -> None:
    with mirror.batch() as batch:
        batch.write_catalogue([Tag(5, WORKSPACE, "b"), Tag(6, WORKSPACE, "a")])
    one = entry(1, tag_ids=(5, 6), project_id=3, task_id=4, billable=True, description="text")
    write(mirror, one, entry(2, stop=None, duration=-1))
    mirror.points.intend()

    assert [
        Point(
            time_of(one), one.id, WORKSPACE, 3, 4, USER, int(one.start.timestamp()) + 3600, 3600, True,
            ("a", "b"), (5, 6), "text",
        )
    ] == mirror.points.pending(FIRST, 10)  # fmt: skip
    assert [] == mirror.points.stale()


def test_an_edit_of_a_field_is_written_over_and_nothing_is_deleted(mirror: Mirror) -> None:
    write(mirror, entry(1))
    done(mirror)
    write(mirror, entry(1, description="other", duration=7))
    mirror.points.intend()

    assert ([FIRST_ID + 1], []) == todo(mirror)


@pytest.mark.parametrize(
    "changes", [{"project_id": 9}, {"billable": True}, {"tag_ids": (5,)}, {"workspace_id": 8}], ids=str
)
def test_an_edit_of_a_tag_of_the_point_deletes_the_old_point(mirror: Mirror, changes: dict[str, object]) -> None:
    with mirror.batch() as batch:
        batch.write_catalogue([Tag(5, WORKSPACE, "five")])
    write(mirror, entry(1))
    done(mirror)
    write(mirror, replace(entry(1), **changes))  # type: ignore[arg-type]
    mirror.points.intend()

    assert ([FIRST_ID + 1], [(time_of(entry(1)), LANE)]) == todo(mirror)


def test_a_moved_entry_leaves_its_old_time_and_takes_another(mirror: Mirror) -> None:
    write(mirror, entry(1))
    done(mirror)
    moved = replace(entry(1), start=entry(5).start)
    write(mirror, moved)
    mirror.points.intend()

    assert ([FIRST_ID + 1], [(time_of(entry(1)), LANE)]) == todo(mirror)
    assert [time_of(moved)] == [point.time_ns for point in mirror.points.pending(FIRST, 10)]


def test_a_deleted_entry_is_deleted_a_revived_one_is_written_again(mirror: Mirror) -> None:
    write(mirror, entry(1))
    done(mirror)
    write(mirror, entry(1, deleted_at=NOW))
    mirror.points.intend()
    assert ([], [(time_of(entry(1)), LANE)]) == todo(mirror)
    done(mirror)
    write(mirror, entry(1))
    mirror.points.intend()

    assert ([FIRST_ID + 1], []) == todo(mirror)


def test_an_entry_that_runs_again_has_no_point(mirror: Mirror) -> None:
    write(mirror, entry(1))
    done(mirror)
    write(mirror, entry(1, stop=None, duration=-1))
    mirror.points.intend()

    assert ([], [(time_of(entry(1)), LANE)]) == todo(mirror)


def test_every_point_that_was_ever_meant_goes_when_nobody_knows_whether_it_stands(mirror: Mirror) -> None:
    write(mirror, entry(1))
    mirror.points.intend()
    for project in (1, 2):
        write(mirror, entry(1, project_id=project))
        mirror.points.intend()

    time = time_of(entry(1))
    assert ([FIRST_ID + 1], [(time, LANE), (time, LANE._replace(project_id=1))]) == todo(mirror)


def test_a_renamed_tag_makes_other_points_of_those_that_carry_it(mirror: Mirror) -> None:
    with mirror.batch() as batch:
        batch.write_catalogue([Tag(5, WORKSPACE, "old")])
    write(mirror, entry(1, tag_ids=(5,)), entry(2))
    done(mirror)
    with mirror.batch() as batch:
        batch.write_catalogue([Tag(5, WORKSPACE, "new")])
    mirror.points.intend()

    assert ([FIRST_ID + 1], [(time_of(entry(1)), LANE)]) == todo(mirror)
    assert [("new",)] == [point.tags for point in mirror.points.pending(FIRST, 10)]


def test_two_entries_of_one_second_have_two_times_whatever_their_ids(mirror: Mirror) -> None:
    crowd = [replace(entry(1), id=FIRST_ID + number * 1_000_000) for number in range(5)]
    write(mirror, *crowd[:2])
    mirror.points.intend()
    write(mirror, *crowd[2:])
    mirror.points.intend()

    times = [point.time_ns for point in mirror.points.pending(FIRST, 10)]
    assert 5 == len(set(times))
    assert {int(entry(1).start.timestamp())} == {time // SECOND for time in times}
    assert {0} == {time // 1_000_000 % 1000 for time in times}


def test_the_last_nanosecond_of_a_millisecond_is_followed_by_its_first(mirror: Mirror) -> None:
    last = replace(entry(1), id=7_000_999_999)
    write(mirror, last, replace(last, id=8_000_999_999))
    mirror.points.intend()

    start = int(last.start.timestamp()) * SECOND
    assert [start, start + 999_999] == [point.time_ns for point in mirror.points.pending(FIRST, 10)]


def test_an_entry_before_1970_begins_in_its_own_second(mirror: Mirror) -> None:
    early = replace(entry(1), start=datetime(1969, 12, 31, 23, tzinfo=UTC), stop=datetime(1970, 1, 1, 1, tzinfo=UTC))
    write(mirror, early)
    mirror.points.intend()

    assert [-3600 * SECOND + early.id % 1_000_000] == [point.time_ns for point in mirror.points.pending(FIRST, 10)]


def test_an_entry_beyond_the_times_of_influxdb_is_set_aside_and_stands_beside(mirror: Mirror) -> None:
    late = replace(entry(1), start=datetime(2300, 1, 1, tzinfo=UTC), stop=datetime(2300, 1, 2, tzinfo=UTC))
    write(mirror, late, entry(2))
    done(mirror)

    assert 1 == mirror.points.counts().set_aside
    assert {late.id} == set(told(mirror.points.beside(mirror.revision())))


def test_what_was_set_aside_is_tried_again_when_it_changes(mirror: Mirror) -> None:
    write(mirror, entry(1))
    mirror.points.intend()
    mirror.points.set_aside(time_of(entry(1)), mirror.revision())
    mirror.points.gone(mirror.points.stale())
    assert mirror.points.finish(0)
    write(mirror, entry(1, description="shorter"))
    mirror.points.intend()

    assert ([FIRST_ID + 1], []) == todo(mirror)


def test_what_was_set_aside_can_be_tried_again_but_for_what_influxdb_cannot_hold(mirror: Mirror) -> None:
    far = replace(entry(2), start=datetime(2300, 1, 1, tzinfo=UTC), stop=datetime(2300, 1, 2, tzinfo=UTC))
    write(mirror, entry(1), far)
    mirror.points.intend()
    mirror.points.set_aside(time_of(entry(1)), mirror.revision())
    mirror.points.gone(mirror.points.stale())
    assert mirror.points.finish(0)
    before = mirror.points.projected()

    assert 1 == mirror.points.try_again()
    assert ([FIRST_ID + 1], []) == todo(mirror)
    assert (True, before.generation + 1) == mirror.points.projected()[1:]
    write_pending(mirror)
    assert mirror.points.finish(0)
    assert (0, 1) == (mirror.points.try_again(), mirror.points.counts().set_aside)
    assert not mirror.points.projected().writing


def test_what_has_changed_since_is_left_to_the_next_turn(mirror: Mirror) -> None:
    write(mirror, entry(1), entry(2))
    mirror.points.intend()
    write(mirror, entry(1, project_id=9))

    assert [FIRST_ID + 2] == [point.entry_id for point in mirror.points.pending(FIRST, 10)]
    write_pending(mirror)
    assert not mirror.points.finish(0)
    mirror.points.intend()
    assert ([FIRST_ID + 1], [(time_of(entry(1)), LANE)]) == todo(mirror)


def test_readers_see_when_writing_begins_and_ends(mirror: Mirror) -> None:
    before = mirror.points.projected()
    write(mirror, entry(1))
    mirror.points.intend()
    during = mirror.points.projected()
    assert not mirror.points.finish(0)
    write_pending(mirror)
    assert mirror.points.finish(0)
    after = mirror.points.projected()

    assert (None, False) == before[:2]
    assert (None, True) == during[:2]
    assert (mirror.revision(), False) == after[:2]
    assert before.generation < during.generation < after.generation


def test_what_changes_no_point_moves_the_revision_alone(mirror: Mirror) -> None:
    write(mirror, entry(1))
    done(mirror)
    with mirror.batch() as batch:
        batch.write_catalogue([Tag(5, WORKSPACE, "unused")])
    mirror.points.intend()

    assert not mirror.points.projected().writing
    assert mirror.points.finish(0)
    assert mirror.revision() == mirror.points.projected().revision


def test_thousands_of_changes_are_laid_down_a_page_at_a_time(mirror: Mirror) -> None:
    write(mirror, *(entry(number) for number in range(25)))

    assert [15, 5, 0] == [mirror.points.intend(most=10) for _ in range(3)]
    assert 25 == mirror.points.counts().pending


def test_what_a_delete_takes_along_is_written_again(mirror: Mirror) -> None:
    write(mirror, entry(1), entry(2, project_id=4), entry(3, project_id=5), entry(4, billable=True))
    done(mirror)
    mirror.points.take_back(time_of(entry(1)), time_of(entry(4)), LANE._replace(project_id=4))
    assert [FIRST_ID + 2] == todo(mirror)[0]
    mirror.points.take_back(time_of(entry(1)), time_of(entry(4)), LANE)
    assert [FIRST_ID + 1, FIRST_ID + 2, FIRST_ID + 3] == todo(mirror)[0]
    mirror.points.take_back(time_of(entry(1)), time_of(entry(4)), ANY_LANE)

    assert [FIRST_ID + number for number in (1, 2, 3, 4)] == todo(mirror)[0]


def test_a_new_beginning_forgets_all_points_and_lays_them_down_anew(mirror: Mirror) -> None:
    write(mirror, entry(1), entry(2))
    done(mirror)
    mirror.points.begin_anew("another")

    assert 0 == mirror.points.standing()
    assert mirror.points.projected().writing
    assert mirror.points.state().emptying
    mirror.points.intend()
    assert ([FIRST_ID + 1, FIRST_ID + 2], []) == todo(mirror)


def test_beside_are_those_that_run_or_ran_at_that_revision(mirror: Mirror) -> None:
    write(mirror, entry(1, stop=None, duration=-1), entry(2, stop=None, duration=-1), entry(3, stop=None, duration=-1))
    write(mirror, entry(1))
    done(mirror)
    revision = mirror.revision()
    write(mirror, entry(3), entry(4))
    write(mirror, entry(1, description="later"))

    beside = told(mirror.points.beside(revision))
    assert {FIRST_ID + 2, FIRST_ID + 3} == set(beside)
    assert -1 == (beside[FIRST_ID + 2] or ())[1]
    assert int(entry(3).start.timestamp()) + 3600 == (beside[FIRST_ID + 3] or ())[1]


def test_places_are_told_of_changed_entries_whose_points_stand(mirror: Mirror) -> None:
    write(mirror, entry(0), entry(1, project_id=3, billable=True), entry(2, stop=None, duration=-1), entry(4))
    done(mirror)
    write(mirror, entry(3))
    mirror.points.intend()
    ids, places = mirror.points.changed(1, 4)

    assert {FIRST_ID + 1, FIRST_ID + 2, FIRST_ID + 4} == set(ids.tolist())
    assert [
        (time_of(entry(1)), FIRST_ID + 1, WORKSPACE, 3, USER, 1),
        (time_of(entry(4)), FIRST_ID + 4, WORKSPACE, 0, USER, 0),
    ] == sorted(zip(*(column.tolist() for column in places), strict=True))


def test_changed_between_two_revisions_is_also_what_has_changed_again_since(mirror: Mirror) -> None:
    write(mirror, entry(0), entry(1), entry(2))
    write(mirror, entry(0, description="b"))
    write(mirror, entry(0, description="c"), entry(1, description="c"))

    def changed(since: int, until: int) -> set[int]:
        return {number - FIRST_ID for number in mirror.points.changed(since, until)[0].tolist()}

    assert [{0, 1, 2}, {0}, {0, 1}, {1}, set()] == [changed(*each) for each in ((0, 3), (3, 4), (3, 6), (5, 6), (6, 6))]


def test_the_range_of_points_goes_from_the_first_to_the_last(mirror: Mirror) -> None:
    assert mirror.points.point_range() is None
    write(mirror, entry(3), entry(1), entry(2))
    mirror.points.intend()

    assert (time_of(entry(1)), time_of(entry(3))) == mirror.points.point_range()


def test_what_differs_is_written_again_and_ghosts_go(mirror: Mirror) -> None:
    write(mirror, entry(1), entry(2))
    done(mirror)
    mirror.points.doubt([time_of(entry(1))], [12345])

    assert ([FIRST_ID + 1], [(12345, ANY_LANE)]) == todo(mirror)
    assert mirror.points.projected().writing


def test_only_one_may_write_to_influxdb_and_a_sync_may_go_on(open_mirror: OpenMirror) -> None:
    one, other = open_mirror(), open_mirror()
    with one.points.lock():
        with pytest.raises(Busy) as refused, other.points.lock():
            pass
        with other.lock():
            pass

    assert "projection_running" == refused.value.code
    with other.points.lock():
        pass


def test_beside_is_one_whose_tag_got_another_name_before_it_stopped(mirror: Mirror) -> None:
    with mirror.batch() as batch:
        batch.write_catalogue([Tag(5, WORKSPACE, "old")])
    running = entry(1, stop=None, duration=-1, tag_ids=(5,))
    write(mirror, running)
    done(mirror)
    revision = mirror.revision()
    with mirror.batch() as batch:
        batch.write_catalogue([Tag(5, WORKSPACE, "new")])
    write(mirror, entry(1, tag_ids=(5,)))

    assert {FIRST_ID + 1} == set(told(mirror.points.beside(revision)))


def test_of_what_was_on_its_way_only_what_was_not_laid_down_anew_stands(mirror: Mirror) -> None:
    write(mirror, entry(1), entry(2))
    mirror.points.intend()
    on_its_way, intended = mirror.points.pending(FIRST, 10), mirror.points.state().intended
    write(mirror, entry(1, description="other"))
    mirror.points.intend()
    mirror.points.written((point.time_ns for point in on_its_way), intended)

    assert [FIRST_ID + 1] == todo(mirror)[0]


def test_a_refused_point_goes_from_where_it_may_have_stood_before(mirror: Mirror) -> None:
    write(mirror, entry(1))
    done(mirror)
    write(mirror, entry(1, description="longer"))
    mirror.points.intend()
    mirror.points.set_aside(time_of(entry(1)), mirror.revision())

    assert ([], [(time_of(entry(1)), LANE)]) == todo(mirror)
    assert not mirror.points.finish(0)
    assert not mirror.points.moving(FIRST, -FIRST - 1)


def test_a_new_beginning_in_the_same_bucket_forgets_no_doubt(mirror: Mirror) -> None:
    mirror.points.begin_anew("one")
    mirror.points.note(doubted=True)
    mirror.points.begin_anew("one")
    assert mirror.points.state().doubted
    mirror.points.begin_anew("another")

    assert not mirror.points.state().doubted


def test_what_came_after_the_last_was_laid_down_is_not_projected(mirror: Mirror) -> None:
    write(mirror, entry(1))
    mirror.points.intend()
    revision = mirror.revision()
    write(mirror, entry(2))
    write_pending(mirror)

    assert mirror.points.finish(0)
    assert revision == mirror.points.projected().revision
