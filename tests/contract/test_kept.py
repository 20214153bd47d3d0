"""Arrays that were kept say what the rows say, whatever was written since; where they do not, the rows are read."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from structlog.testing import capture_logs

from contract.conftest import FreshMirror, OpenMirror
from contract.test_changes import Model, writes
from mirror.rows import NOW, WORKSPACE, entry, expected, told, write
from toggl_pulse.mirror import Mirror, columns, tables
from toggl_pulse.model import Tag

quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(steps=st.lists(st.tuples(writes, st.booleans()), max_size=8))
@quick
def test_kept_or_not_the_same_columns_are_loaded(
    fresh_mirror: FreshMirror, steps: list[tuple[list[object], bool]]
) -> None:
    model = Model()
    with fresh_mirror() as mirror:
        for rows, keep in steps:
            with mirror.batch() as batch:
                model.write(batch, rows)  # type: ignore[arg-type]
            if keep:
                mirror.keep_columns(few=1)
            with mirror._store.reading() as connection:
                from_rows = told(columns.read_rows(connection))
            with capture_logs() as logs:
                revision, loaded = mirror.load()
            assert from_rows == told(loaded)
            assert mirror.revision() == revision
            assert [] == logs, "the kept ones must have been good enough"


def test_few_changes_are_not_worth_it(mirror: Mirror) -> None:
    write(mirror, *(entry(number) for number in range(9)))
    assert [False, True, False] == [mirror.keep_columns(few=10), mirror.keep_columns(few=9), mirror.keep_columns(few=1)]
    write(mirror, entry(3, description="else"))
    assert [False, True] == [mirror.keep_columns(few=2), mirror.keep_columns(few=1)]


def test_running_huge_and_odd_values_are_kept_exactly(open_mirror: OpenMirror) -> None:
    rows = [
        entry(0, stop=None, duration=-1),
        entry(1, id=2**62, project_id=2**61, task_id=1, duration=10**9, stop=NOW + timedelta(days=9000)),
        entry(2, description="", tag_ids=(1, 2), start=NOW - timedelta(days=19_000), billable=True),
        entry(3, description="\U0001f600 'x'\n", user_id=2**40),
    ]
    mirror = open_mirror()
    with mirror.batch() as batch:
        batch.write_catalogue([Tag(1, WORKSPACE, "a"), Tag(2, WORKSPACE, "b")])
    write(mirror, *rows)
    assert mirror.keep_columns(few=1)
    assert expected(rows) == told(open_mirror().load()[1])


def test_arrays_that_do_not_agree_with_the_rows_are_not_used_and_made_anew(mirror: Mirror) -> None:
    write(mirror, entry(0), entry(1))
    assert mirror.keep_columns(few=1)
    with mirror._store.writing() as connection:  # a row changed behind the mirror's back, without a revision
        connection.execute(update(tables.entries).where(tables.entries.c.id == entry(1).id).values(duration=3601))
    with capture_logs() as logs:
        loaded = told(mirror.load()[1])
    assert expected([entry(0), entry(1, duration=3601)]) == loaded
    assert ["mirror.kept_columns_differ"] == [line["event"] for line in logs]

    write(mirror, entry(2))
    mirror.keep_columns(few=1)
    with capture_logs() as logs:
        assert expected([entry(0), entry(1, duration=3601), entry(2)]) == told(mirror.load()[1])
    assert [] == logs


def test_a_copy_cut_short_or_of_another_format_is_no_copy(mirror: Mirror) -> None:
    write(mirror, entry(0), entry(1))
    for name, body in (("start", b"\0"), ("head", b'{"format":0}')):
        mirror.keep_columns(few=0)
        with mirror._store.writing() as connection:
            kept = tables.kept_columns
            connection.execute(update(kept).where(kept.c.name == name).values(body=body))
        assert expected([entry(0), entry(1)]) == told(mirror.load()[1])
        write(mirror, entry(0, description=name))
        write(mirror, entry(0))
