"""One suite, both sources: whoever follows one by revision stands where the mirror's living entries stand."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings

from contract.pairs import FreshPair, Pair, fresh_pair
from contract.test_changes import Batches, Model, batches
from mirror.rows import FIRST_ID, NOW, WORKSPACE, Fields, apply, entry, expected, told, write
from toggl_pulse.model import Tag


@pytest.fixture(params=["mirror", pytest.param("influxdb", marks=pytest.mark.influxdb)])
def fresh(request: pytest.FixtureRequest) -> FreshPair:
    """Gives a pair with nothing in it each time it is called."""
    return partial(fresh_pair, request.getfixturevalue("influx") if request.param == "influxdb" else None)


@pytest.fixture
def pair(fresh: FreshPair) -> Iterator[Pair]:
    with fresh() as pair:
        yield pair


def follow(fresh: FreshPair, batches: Batches) -> None:
    """Read changes now and then, whether or not the source has come as far as the mirror."""
    with fresh() as pair:
        model = Model()
        follower: dict[int, Fields | None] = {}
        seen = 0
        for number, (steps, follows) in enumerate(batches):
            with pair.mirror.batch() as batch:
                for rows in steps:
                    model.write(batch, rows)
            if number % 3:
                pair.settle()
            if follows:
                seen, columns = pair.source.changes(seen)
                follower = apply(follower, told(columns))
                assert follower == apply(follower, told(columns))

        pair.settle()
        assert pair.mirror.revision() == pair.source.revision()
        follower = apply(follower, told(pair.source.changes(seen)[1]))
        assert expected(model.entries.values()) == told(pair.source.load()[1]) == follower
        assert follower == apply(follower, told(pair.source.changes(0)[1]))


@pytest.mark.parametrize("tries", [8, pytest.param(400, marks=pytest.mark.long)])
def test_changes_lead_to_what_load_gives(fresh: FreshPair, tries: int) -> None:
    @settings(max_examples=tries)
    @given(batches)
    def each(batches: Batches) -> None:
        follow(fresh, batches)

    each()


@pytest.mark.parametrize("read", ["load", "changes"])
def test_where_there_is_nothing_there_are_columns_of_no_length(pair: Pair, read: str) -> None:
    revision, columns = pair.source.load() if read == "load" else pair.source.changes(0)

    assert (0, 0) == (revision, len(columns))
    assert {0} == {len(getattr(columns, name)) for name in ("start", "tag_set", "deleted")}


@pytest.mark.parametrize("read", ["load", "changes"])
def test_columns_have_the_types_that_the_model_promises(pair: Pair, read: str) -> None:
    write(pair.mirror, entry(0, tag_ids=(1,)), entry(1, stop=None, duration=-1_777_777_777))
    write(pair.mirror, entry(2, deleted_at=NOW))
    pair.settle()
    _, columns = pair.source.load() if read == "load" else pair.source.changes(0)

    assert {np.dtype(np.int64)} == {
        getattr(columns, name).dtype
        for name in ("entry_id", "start", "stop", "duration", "workspace_id", "project_id", "task_id", "user_id")
    }
    assert {np.dtype(np.bool_)} == {columns.billable.dtype, columns.deleted.dtype}
    assert {np.dtype(np.int32)} == {columns.tag_set.dtype, columns.description.dtype}
    assert [-1] == columns.stop[(columns.duration == 0) & ~columns.deleted].tolist()


def test_changes_are_those_that_are_newer_with_the_tombstones(pair: Pair) -> None:
    write(pair.mirror, entry(0), entry(1), entry(2))
    pair.settle()
    since = pair.source.revision()
    write(pair.mirror, entry(0, description="new"), entry(1, deleted_at=NOW))
    pair.settle()

    revision, columns = pair.source.changes(since)
    assert {FIRST_ID: "new", FIRST_ID + 1: None} == {
        number: fields and fields[-1] for number, fields in told(columns).items()
    }
    assert pair.source.revision() == revision
    assert ("new",) == tuple(columns.descriptions[code] for code in columns.description[~columns.deleted])


def test_of_many_changes_and_few_each_is_there_once(pair: Pair) -> None:
    """Many lanes, few lanes, one; in several years."""
    with pair.mirror.batch() as batch:
        batch.write_catalogue([Tag(number, WORKSPACE, f"t{number}") for number in (1, 2)])
    rows = [
        entry(
            number,
            start=entry(number * 200).start,
            stop=entry(number * 200 + 3).start,
            project_id=number % 90 or None,
            billable=number % 7 == 0,
            tag_ids=((), (1,), (1, 2))[number % 3],
        )
        for number in range(300)
    ]
    write(pair.mirror, *rows)
    pair.settle()
    assert expected(rows) == told(pair.source.load()[1])
    for count in (1, 20, 300):
        since = pair.source.revision()
        changed = [entry(number, start=rows[number].start, description=f"{count}") for number in range(count)]
        write(pair.mirror, *changed)
        pair.settle()

        _, columns = pair.source.changes(since)
        assert expected(changed) == told(columns)
        assert count == len(columns)


def test_names_are_those_of_the_mirror_at_once(pair: Pair) -> None:
    with pair.mirror.batch() as batch:
        batch.write_catalogue([Tag(5, WORKSPACE, "five")])

    assert pair.mirror.catalogue() == pair.source.catalogue()
    assert {5: Tag(5, WORKSPACE, "five")} == pair.source.catalogue().tags
