"""Entries written and read back, their history, their tombstones."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from mirror.rows import FIRST_ID, NOW, entry, expected, told, write
from toggl_pulse.mirror import Mirror
from toggl_pulse.model import Amount, Tag, TimeEntry

DELETED = NOW + timedelta(seconds=5, microseconds=7)

SHAPES = {
    "plain": entry(),
    "running": entry(stop=None, duration=-1_777_777_777),
    "zero length": entry(stop=NOW, duration=0),
    "a duration of its own": entry(duration=17),
    "everything": entry(project_id=2**31 + 5, task_id=2**31 + 6, billable=True, tag_ids=(3, 5)),
    "empty text": entry(description=""),
    "wild text": entry(description="'; DROP TABLE entries; --\n\t\\ 😀 |,= %s ?"),
    "long text": entry(description="ä" * 65_536),
    "long ago": entry(start=NOW - timedelta(days=7000), stop=NOW - timedelta(days=6999), duration=86_400),
    "before 1970": entry(start=NOW - timedelta(days=30_000), stop=NOW - timedelta(days=30_000), duration=0),
    "whole-second at": entry(at=NOW),
    "a tombstone": entry(deleted_at=DELETED),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_an_entry_reads_back_as_it_was_written(mirror: Mirror, shape: TimeEntry) -> None:
    assert write(mirror, shape) == 1

    assert mirror.entries([FIRST_ID])[FIRST_ID].entry == shape


def test_tags_read_back_with_names_in_the_order_of_their_ids(mirror: Mirror) -> None:
    with mirror.batch() as batch:
        batch.write_catalogue([Tag(5, 7_000_001, "five"), Tag(3, 7_000_001, "three")])
        batch.write_entries([entry(tags=("five", "three"), tag_ids=(5, 3))])
        inside = batch.entries([FIRST_ID])[FIRST_ID]

    assert (("three", "five"), (3, 5)) == (inside.tags, inside.tag_ids)
    assert inside == mirror.entries([FIRST_ID])[FIRST_ID].entry


def test_each_changed_entry_gets_a_revision_of_its_own(mirror: Mirror) -> None:
    write(mirror, *(entry(number) for number in range(5)))

    stored = mirror.entries(range(FIRST_ID, FIRST_ID + 5))
    assert [1, 2, 3, 4, 5] == sorted(one.revision for one in stored.values())
    assert mirror.revision() == 5


def test_writing_the_same_row_again_changes_nothing(mirror: Mirror) -> None:
    shapes = [replace(shape, id=FIRST_ID + place) for place, shape in enumerate(SHAPES.values())]
    write(mirror, *shapes)
    before = mirror.revision()

    assert write(mirror, *shapes) == 0
    assert before == mirror.revision()
    assert [] == mirror.versions(FIRST_ID)


def test_of_two_rows_with_one_id_the_last_is_written(mirror: Mirror) -> None:
    assert write(mirror, entry(description="old"), entry(description="new")) == 1

    assert mirror.entries([FIRST_ID])[FIRST_ID].entry.description == "new"


def test_the_version_that_a_change_replaces_goes_to_the_history(mirror: Mirror) -> None:
    with mirror.batch() as batch:
        batch.write_catalogue([Tag(3, 7_000_001, "three")])
    first = entry(tags=("three",), tag_ids=(3,), project_id=8)
    second = entry(description="second", billable=True)
    third = entry(description="third", deleted_at=DELETED)
    for version in (first, second, third):
        write(mirror, version)

    versions = mirror.versions(FIRST_ID)
    assert [first, second] == [version.entry for version in versions]
    assert [(2, 3), (3, 4)] == [(version.revision, version.replaced_by) for version in versions]
    assert [NOW, NOW] == [version.replaced_at for version in versions]


def test_several_versions_in_one_batch_all_reach_the_history(mirror: Mirror) -> None:
    with mirror.batch() as batch:
        for text in ("a", "b", "c"):
            batch.write_entries([entry(description=text)])

    assert ["a", "b"] == [version.entry.description for version in mirror.versions(FIRST_ID)]


def test_a_deleted_entry_stays_as_a_tombstone_and_leaves_the_columns(mirror: Mirror) -> None:
    write(mirror, entry(0), entry(1))
    write(mirror, entry(0, deleted_at=DELETED))

    stored = mirror.entries([FIRST_ID])[FIRST_ID]
    assert ("feed", DELETED) == (stored.deletion, stored.entry.deleted_at)
    assert expected([entry(1)]) == told(mirror.load()[1])


def test_a_revived_entry_is_back_with_its_past(mirror: Mirror) -> None:
    write(mirror, entry())
    write(mirror, entry(deleted_at=DELETED))
    since = mirror.revision()
    again = entry(at=NOW + timedelta(minutes=1), description="again")
    write(mirror, again)

    stored = mirror.entries([FIRST_ID])[FIRST_ID]
    assert (again, None) == (stored.entry, stored.deletion)
    assert expected([again]) == told(mirror.changes(since)[1])
    assert [None, DELETED] == [version.entry.deleted_at for version in mirror.versions(FIRST_ID)]


def test_an_inferred_tombstone_says_so_and_touches_no_other(mirror: Mirror) -> None:
    write(mirror, entry(0), entry(1, deleted_at=DELETED))
    with mirror.batch() as batch:
        assert batch.infer_deleted([FIRST_ID, FIRST_ID + 1, FIRST_ID + 2], NOW) == 1

    stored = mirror.entries(range(FIRST_ID, FIRST_ID + 3))
    assert {FIRST_ID: ("inferred", NOW), FIRST_ID + 1: ("feed", DELETED)} == {
        number: (one.deletion, one.entry.deleted_at) for number, one in stored.items()
    }
    assert len(mirror.versions(FIRST_ID)) == 1


def test_what_runs_is_found(mirror: Mirror) -> None:
    runs = entry(1, stop=None, duration=-1)
    write(mirror, entry(0), runs, entry(2, stop=None, duration=-1, deleted_at=DELETED))

    assert [runs] == mirror.running()


def test_amounts_stand_beside_the_entry_and_make_no_version(mirror: Mirror) -> None:
    known, unknown = Amount(FIRST_ID, 12_345, 9_000, "EUR"), Amount(FIRST_ID + 1, None, None, None)
    with mirror.batch() as batch:
        batch.write_entries([entry(0), entry(1)], amounts=[known, unknown])
    before = mirror.revision()
    changed = replace(known, billable_cents=0)
    with mirror.batch() as batch:
        assert batch.write_entries([entry(0)], amounts=[changed]) == 0

    assert {FIRST_ID: changed, FIRST_ID + 1: unknown} == mirror.amounts()
    assert {FIRST_ID + 1: unknown} == mirror.amounts([FIRST_ID + 1, 5])
    assert (before, []) == (mirror.revision(), mirror.versions(FIRST_ID))


def test_thousands_of_entries_fit_one_batch(mirror: Mirror) -> None:
    many = [entry(number, tag_ids=(number % 700 + 1, 9_999)) for number in range(3000)]
    write(mirror, *many)

    assert expected(many) == told(mirror.load()[1])
    with mirror.batch() as batch:
        assert len(batch.entries(one.id for one in many)) == 3000
