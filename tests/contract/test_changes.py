"""A reader that follows by revision always ends where one that loads everything stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.conftest import FreshMirror, OpenMirror
from mirror.rows import FIRST_ID, NOW, WORKSPACE, Fields, apply, clock, entry, expected, told, write
from toggl_pulse.mirror import Batch, Mirror, columns
from toggl_pulse.model import Tag, TimeEntry

numbers = st.integers(0, 5)
entries = st.builds(
    lambda number, minutes, text, project, tags, gone, runs: entry(
        number,
        start=NOW - timedelta(minutes=minutes),
        stop=None if runs else NOW,
        duration=-1 if runs else minutes * 60,
        description=text,
        project_id=project,
        tag_ids=tuple(tags),
        deleted_at=NOW if gone else None,
    ),
    numbers,
    st.integers(0, 90),
    st.sampled_from(["", "a", "b", "C\n"]),
    st.sampled_from([None, 1, 2**40]),
    st.sets(st.integers(1, 4)),
    st.booleans(),
    st.booleans(),
)
tags = st.builds(Tag, st.integers(1, 4), st.just(WORKSPACE), st.sampled_from(["x", "y", "z"]), st.booleans())
writes = st.one_of(
    st.lists(entries, max_size=4),
    st.lists(tags, min_size=1, max_size=2),
)
Batches = list[tuple[list[list[TimeEntry | Tag]], bool]]
batches: st.SearchStrategy[Batches] = st.lists(st.tuples(st.lists(writes, max_size=3), st.booleans()), max_size=8)
"""Transactions, and whether whoever follows looks after each."""


class Model:
    """What must stand in the mirror, kept in the plainest way."""

    def __init__(self) -> None:
        self.entries: dict[int, TimeEntry] = {}
        self.gone: set[int] = set()

    def write(self, batch: Batch, rows: Iterable[TimeEntry | Tag]) -> None:
        given_entries = [row for row in rows if isinstance(row, TimeEntry)]
        given_tags = {row.id: row for row in rows if isinstance(row, Tag)}
        if given_tags:
            batch.write_catalogue(given_tags.values())
            for tag in given_tags.values():
                (self.gone.add if tag.deleted else self.gone.discard)(tag.id)
            given_entries = list(self.entries.values())
        else:
            batch.write_entries(given_entries)
        for one in given_entries:
            self.entries[one.id] = replace(one, tag_ids=tuple(sorted(set(one.tag_ids) - self.gone)))


TRIES = pytest.mark.parametrize("tries", [15, pytest.param(200, marks=pytest.mark.long)])
"""How many examples of a few writes are tried."""


@TRIES
def test_changes_are_complete_and_may_be_applied_twice(fresh_mirror: FreshMirror, tries: int) -> None:
    @settings(max_examples=tries)
    @given(batches)
    def each(batches: Batches) -> None:
        follow(fresh_mirror, batches)

    each()


def follow(fresh_mirror: FreshMirror, batches: Batches) -> None:
    """A reader asks for what is new after a batch now and then; in the end it stands where a load does."""
    with fresh_mirror() as mirror:
        model = Model()
        follower: dict[int, Fields | None] = {}
        seen = 0
        for steps, follows in batches:
            with mirror.batch() as batch:
                for rows in steps:
                    model.write(batch, rows)
            if follows:
                seen, columns = mirror.changes(seen)
                follower = apply(follower, told(columns))
                assert follower == apply(follower, told(columns))

        follower = apply(follower, told(mirror.changes(seen)[1]))
        assert expected(model.entries.values()) == told(mirror.load()[1]) == follower
        assert follower == apply(follower, told(mirror.changes(0)[1]))


def test_changes_hold_what_is_newer_and_nothing_else(mirror: Mirror) -> None:
    write(mirror, entry(0), entry(1), entry(2))
    since = mirror.revision()
    write(mirror, entry(0, description="new"), entry(1, deleted_at=NOW))

    revision, columns = mirror.changes(since)
    assert {FIRST_ID: "new", FIRST_ID + 1: None} == {
        number: fields and fields[-1] for number, fields in told(columns).items()
    }
    assert mirror.revision() == revision
    assert ("entry 1", "new") == tuple(sorted(columns.descriptions))


@pytest.mark.parametrize("read", ["load", "changes"])
def test_an_empty_mirror_has_empty_columns(mirror: Mirror, read: str) -> None:
    revision, columns = mirror.load() if read == "load" else mirror.changes(0)

    assert (0, 0, ((),), ()) == (revision, len(columns), columns.tag_sets, columns.descriptions)


def test_columns_have_the_types_that_the_model_promises(mirror: Mirror) -> None:
    write(mirror, entry(0, tag_ids=(1,)), entry(1, stop=None, duration=-1_777_777_777))
    _, columns = mirror.load()

    assert {np.dtype(np.int64)} == {
        getattr(columns, name).dtype
        for name in ("entry_id", "start", "stop", "duration", "workspace_id", "project_id", "task_id", "user_id")
    }
    assert {np.dtype(np.bool_)} == {columns.billable.dtype, columns.deleted.dtype}
    assert {np.dtype(np.int32)} == {columns.tag_set.dtype, columns.description.dtype}
    assert [-1] == columns.stop[columns.duration == 0].tolist()


def test_columns_share_texts_and_tag_sets(mirror: Mirror) -> None:
    write(mirror, *(entry(number, description="same", tag_ids=(2, 1)) for number in range(20_000)))
    _, columns = mirror.load()

    assert (("same",), ((), (1, 2))) == (columns.descriptions, columns.tag_sets)
    assert expected(entry(n, description="same", tag_ids=(2, 1)) for n in range(20_000)) == told(columns)


def test_two_openings_follow_the_same_revisions(url: str) -> None:
    with Mirror.open(url, clock=clock) as one, Mirror.open(url, clock=clock) as other:
        write(one, entry(0))
        write(other, entry(1))

        assert 2 == one.revision() == other.revision()
        assert told(one.load()[1]) == told(other.load()[1])


def test_more_changes_than_are_read_at_once_are_all_there(open_mirror: OpenMirror) -> None:
    mirror = open_mirror()
    for count in (columns.BLOCK - 1, columns.BLOCK, columns.BLOCK + 1):
        since = mirror.revision()
        with mirror.batch() as batch:
            batch.write_entries(entry(number, description=f"{count}", tag_ids=(number % 3,)) for number in range(count))
        revision, found = mirror.changes(since)

        assert since + count == revision
        assert set(range(FIRST_ID, FIRST_ID + count)) == set(found.entry_id.tolist())
        assert {(number,) for number in range(3)} == {found.tag_sets[code] for code in set(found.tag_set.tolist())}
        assert [f"{count}"] == [found.descriptions[code] for code in set(found.description.tolist())]
