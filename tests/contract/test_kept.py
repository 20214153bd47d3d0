"""Arrays that were kept say what the rows say, whatever was written since; where they do not, the rows are read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from structlog.testing import capture_logs

from contract.conftest import FreshMirror, OpenMirror
from contract.test_changes import TRIES, Model, writes
from mirror.rows import NOW, WORKSPACE, entry, expected, told, write
from toggl_pulse.mirror import Mirror, columns, tables
from toggl_pulse.mirror.kept import ARRAYS
from toggl_pulse.model import Tag, TimeEntry


@TRIES
def test_kept_or_not_the_same_columns_are_loaded(fresh_mirror: FreshMirror, tries: int) -> None:
    @settings(max_examples=tries)
    @given(steps=st.lists(st.tuples(writes, st.booleans()), max_size=8))
    def each(steps: list[tuple[list[object], bool]]) -> None:
        compare(fresh_mirror, steps)

    each()


def compare(fresh_mirror: FreshMirror, steps: list[tuple[list[object], bool]]) -> None:
    """After each write, kept or not, what is loaded is what the rows say."""
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
        entry(4, id=2**63 - 1, workspace_id=2**63 - 1, user_id=2**63 - 1, duration=2**53),
        entry(5, start=datetime(1969, 1, 1, tzinfo=UTC), stop=datetime(9999, 12, 31, tzinfo=UTC), duration=-7),
    ]
    mirror = open_mirror()
    with mirror.batch() as batch:
        batch.write_catalogue([Tag(1, WORKSPACE, "a"), Tag(2, WORKSPACE, "b")])
    write(mirror, *rows)
    assert mirror.keep_columns(few=1)
    with capture_logs() as logs:
        assert expected(rows) == told(open_mirror().load()[1])
    assert [] == logs, "the sums over the rows must not be other numbers than those over the arrays"


FIELDS: dict[str, Any] = {
    "workspace_id": 2, "project_id": 2, "task_id": 2, "user_id": 2, "billable": True, "tag_ids": (1,), "duration": 60,
}  # fmt: skip


def varied(mirror: Mirror) -> list[TimeEntry]:
    """Kept entries that differ in everything; the first is the plainest."""
    rows = [
        entry(0, description="", project_id=1, task_id=1),
        entry(1, **FIELDS),
        entry(2, workspace_id=3, project_id=3, task_id=3, user_id=3, billable=True, tag_ids=(2, 3), duration=7200),
        entry(3, id=2**40, description="entry three", stop=None, duration=-1, tag_ids=(1,)),
    ]
    with mirror.batch() as batch:
        batch.write_catalogue([Tag(each, WORKSPACE, f"tag {each}") for each in (1, 2, 3)])
    write(mirror, *rows)
    assert mirror.keep_columns(few=1)
    return rows


def loads(mirror: Mirror, rows: list[TimeEntry]) -> list[str]:
    """Reads what the rows say, and tells what was logged."""
    with capture_logs() as logs:
        assert expected(rows) == told(mirror.load()[1])
    return [line["event"] for line in logs]


def first_bit(numbers: Any) -> Any:
    return [int(numbers[0]) ^ 1, *numbers[1:]]


def last_bit(numbers: Any) -> Any:
    return [int(numbers[0]) ^ 1 << numbers.dtype.itemsize * 8 - 1, *numbers[1:]]


def exchanged(numbers: Any) -> Any:
    return [numbers[1], numbers[0], *numbers[2:]]


@pytest.mark.parametrize("damage", [first_bit, last_bit, exchanged], ids=lambda damage: damage.__name__)
def test_damage_to_any_array_is_noticed(mirror: Mirror, damage: Callable[[Any], Any]) -> None:
    rows = varied(mirror)
    assert [] == loads(mirror, rows)
    kept = tables.kept_columns
    with mirror._store.reading() as connection:
        bodies: dict[str, bytes] = dict(connection.execute(select(kept.c.name, kept.c.body)).all())
    kinds = {
        name: np.dtype(f"<u{np.dtype(kind).itemsize}")
        for name, (kind, _) in orjson.loads(bodies["head"])["arrays"].items()
    }
    assert sorted(ARRAYS) == sorted(kinds)
    for name, kind in kinds.items():
        wrong = np.array(damage(np.frombuffer(bodies[name], kind)), kind).tobytes()
        assert wrong != bodies[name], name
        for body, said in ((wrong, ["mirror.kept_columns_differ"]), (bodies[name], [])):
            with mirror._store.writing() as connection:
                connection.execute(update(kept).where(kept.c.name == name).values(body=body))
            assert said == loads(mirror, rows), name


def test_damage_to_texts_and_tag_sets_is_noticed_but_for_letters_of_a_text(mirror: Mirror) -> None:
    rows = varied(mirror)
    kept = tables.kept_columns
    with mirror._store.reading() as connection:
        body: bytes = connection.execute(select(kept.c.body).where(kept.c.name == "texts")).scalar_one()
    texts = orjson.loads(body)
    assert {(), (1,), (2, 3)} == set(map(tuple, texts["tag_sets"]))
    for old, new in ((b"[2,3]", b"[2]"), (b"[1]", b"[7]"), (b"[1]", b"[2,3]"), (b"[]", b"[1]"), (b"three", b"four")):
        assert body.count(old) == 1
        with mirror._store.writing() as connection:
            connection.execute(update(kept).where(kept.c.name == "texts").values(body=body.replace(old, new)))
        assert ["mirror.kept_columns_differ"] == loads(mirror, rows), old
    with mirror._store.writing() as connection:
        connection.execute(update(kept).where(kept.c.name == "texts").values(body=body.replace(b"three", b"throe")))
    with capture_logs() as logs:
        mirror.load()
    assert [] == logs, "decision 23 says that this goes unnoticed"


def test_arrays_that_do_not_agree_with_the_rows_are_not_used_and_made_anew(mirror: Mirror) -> None:
    rows = varied(mirror)
    table = tables.entries
    changed: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({each: value}, {each: value})
        for each, value in {
            "workspace_id": 1, "user_id": 1, "project_id": None, "task_id": None, "start": 7, "stop": 7,
            "duration": 3601, "billable": False, "description": "entry 11",
        }.items()
    ]  # fmt: skip
    changed.append(({"tag_set": None}, {"tag_ids": ()}))
    for values, told_ in changed:
        # a row changed behind the mirror's back, without a revision
        moments = {name: datetime.fromtimestamp(at, UTC) for name, at in told_.items() if name in {"start", "stop"}}
        other = entry(1, **{**FIELDS, **told_, **moments})
        with mirror._store.writing() as connection:
            before = connection.execute(select(table).where(table.c.id == other.id)).mappings().one()
            connection.execute(update(table).where(table.c.id == other.id).values(values))
        assert ["mirror.kept_columns_differ"] == loads(mirror, [rows[0], other, *rows[2:]]), values
        with mirror._store.writing() as connection:
            connection.execute(update(table).where(table.c.id == other.id).values(dict(before)))
        assert [] == loads(mirror, rows)

    with mirror._store.writing() as connection:
        connection.execute(update(table).where(table.c.id == rows[1].id).values(duration=3601))
    rows = [rows[0], entry(1, **{**FIELDS, "duration": 3601}), *rows[2:], entry(4)]
    write(mirror, rows[-1])
    assert mirror.keep_columns(few=1)
    assert [] == loads(mirror, rows)


def test_a_copy_cut_short_or_of_another_format_is_no_copy(mirror: Mirror) -> None:
    write(mirror, entry(0), entry(1))
    for name, body in (
        *(("head", body) for body in (b'{"format":0}', b'{"for', b"7", b"[]", b'{"format":2}', b"\xff")),
        *(("texts", body) for body in (b'{"tag_sets":', b"{}", b'{"tag_sets":7,"descriptions":8}', b"", None)),
        ("start", b"\0"), ("start", None),
    ):  # fmt: skip
        mirror.keep_columns(few=0)
        with mirror._store.writing() as connection:
            kept = tables.kept_columns
            row = kept.c.name == name
            connection.execute(delete(kept).where(row) if body is None else update(kept).where(row).values(body=body))
        assert expected([entry(0), entry(1)]) == told(mirror.load()[1])
        write(mirror, entry(0, description=f"{name} {body!r}"))
        write(mirror, entry(0))
