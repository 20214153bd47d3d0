"""A mirror in another place: every row of every table, of one moment, whole or not at all, and it goes on living."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, select

from mirror.rows import NOW, USER, WORKSPACE, clock, entry, told, write
from toggl_pulse.errors import BadRequest, NeedsUser
from toggl_pulse.mirror import Mirror, MonthCheck, RunFigures
from toggl_pulse.mirror.copier import copy_to_file
from toggl_pulse.mirror.tables import metadata
from toggl_pulse.model import Amount, Client, Profile, Project, QuotaBucket, SetAside, Tag, Task, User, Workspace

TESTS = Path(__file__).parent.parent
PG = pytest.mark.postgresql
KINDS = [
    pytest.param("sqlite", "postgresql", marks=PG),
    pytest.param("postgresql", "sqlite", marks=PG),
    pytest.param("postgresql", "postgresql", marks=[PG, pytest.mark.long]),
    pytest.param("sqlite", "sqlite", marks=pytest.mark.long),
]
Place = Callable[[str], str]


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """The address of a new empty place of a kind."""
    numbers = count(1)
    made: list[str] = []

    def new(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path}/{next(numbers)}.db"
        made.append(request.getfixturevalue("postgresql").fresh())
        return made[-1]

    yield new
    for url in made:
        request.getfixturevalue("postgresql").drop(url)


@pytest.fixture
def open_at() -> Iterator[Callable[[str], Mirror]]:
    opened: list[Mirror] = []

    def open_mirror(url: str) -> Mirror:
        opened.append(Mirror.open(url, clock=clock))
        return opened[-1]

    yield open_mirror
    for mirror in opened:
        mirror.close()


def fill(mirror: Mirror, entries: int = 1100) -> None:
    """Something in every table, the first and the last of all values among it."""
    mirror.claim("toggl", USER)
    mirror.save_quota(QuotaBucket("user", 12, NOW, NOW, 30))
    names = [Tag(number, WORKSPACE, f"tag {number}") for number in range(1, 9)]
    with mirror.batch() as batch:
        batch.write_catalogue(
            [
                Workspace(WORKSPACE, "Home"),
                Client(1, WORKSPACE, "Ä 🦊 \u2028 \\N \t \r\n ' \""),
                Project(2, WORKSPACE, "Site", client_id=1, billable=True, color="#123456"),
                Task(3, WORKSPACE, 2, "Design"),
                User(USER, "Me"),
                Profile(USER, "me@x.example", "Me", "Europe/Berlin", 1, None),
                *names,
            ]
        )
        batch.write_entries(
            (
                entry(
                    number,
                    description="\\." if number == 7 else f"text {number % 50} é",
                    tag_ids=tuple(range(1, number % 9)),
                    stop=None if number == 3 else entry(number).stop,
                    project_id=2 if number % 2 else None,
                    billable=bool(number % 3),
                )
                for number in range(entries)
            ),
            amounts=[Amount(entry(0).id, 2**53 + 1, None, "EUR"), Amount(2**63 - 1, None, -1, None)],
        )
        batch.write_entries([entry(0, description="")])
        batch.infer_deleted([entry(1).id], NOW)
        batch.write_catalogue([Client(1, WORKSPACE, "renamed")])
        batch.set_aside([SetAside("entry", None, "odd", '{"a": "\\u0000"}')])
        batch.set_month(MonthCheck(WORKSPACE, "2026-05", "verified", 1, 1, NOW))
        for key in ("B", "a", "Ä", "_", "b:1", "B:1", "~"):  # languages sort these differently
            batch.set_state(key, {"value": [key, None, 1.5]})
        for _ in range(3):
            batch.start_run("schedule")
        batch.note_figures(1, RunFigures(60, 5, 7, {"user": (20, 10)}))
    mirror.points.intend()
    mirror.points.doubt([], [-1])


def content(mirror: Mirror) -> dict[str, set[tuple[Any, ...]]]:
    """Every row of every table."""
    with mirror._store.reading() as connection:
        return {
            table.name: {tuple(row) for row in connection.execute(select(table))} for table in metadata.sorted_tables
        }


@pytest.mark.parametrize(("source", "target"), KINDS)
def test_a_copy_holds_every_row_and_goes_on_as_a_mirror(
    source: str, target: str, place: Place, open_at: Callable[[str], Mirror]
) -> None:
    mirror, url = open_at(place(source)), place(target)
    fill(mirror)
    steps: list[tuple[str, int, int]] = []
    copied = mirror.copy_to(url, progress=lambda *step: steps.append(step))
    other = open_at(url)

    before = content(mirror)
    assert before == content(other)
    assert {name: len(rows) for name, rows in before.items()} == copied.rows
    assert [("copying", copied.total), ("comparing", copied.total)] == [
        (what, done) for what, done, total in steps if done == total
    ][:: max(1, len([step for step in steps if step[1] == step[2]]) - 1)]
    assert all(rows for name, rows in before.items() if name != "kept_columns")

    revision = mirror.revision()
    for each in (mirror, other):
        write(each, entry(5000, tag_ids=(7, 8)), entry(2, description="changed"))
        with each.batch() as batch:
            assert 4 == batch.start_run("schedule")
        each.claim("toggl", USER)
    assert revision + 2 == other.revision()
    assert content(mirror) == content(other)
    assert told(mirror.load()[1]) == told(other.load()[1])


@pytest.mark.parametrize(("source", "target"), KINDS)
def test_a_copy_is_of_one_moment_while_batches_are_written(
    source: str, target: str, place: Place, open_at: Callable[[str], Mirror]
) -> None:
    mirror, url = open_at(place(source)), place(target)
    write(mirror, *(entry(number, description="batch 0") for number in range(1500)))
    written = 0

    def write_on(*_: object) -> None:
        nonlocal written
        if written < 3:
            written += 1
            write(
                mirror, *(entry(number, description=f"batch {written}") for number in range(20)), entry(5000 + written)
            )

    mirror.copy_to(url, progress=write_on)

    other = open_at(url)
    assert (3, 1500, ("batch 0",)) == (written, other.revision(), other.load()[1].descriptions)


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=PG)])
def test_a_place_that_holds_anything_is_refused_and_left_alone(
    kind: str, place: Place, open_at: Callable[[str], Mirror], request: pytest.FixtureRequest
) -> None:
    mirror, url = open_at(place("sqlite")), place(kind)
    write(mirror, entry(0))
    taken = open_at(url)
    write(taken, entry(1))
    before = content(taken)

    with pytest.raises(BadRequest, match="never overwrites"):
        mirror.copy_to(url)
    assert before == content(taken)
    if kind == "postgresql":
        server, foreign = request.getfixturevalue("postgresql"), place(kind)
        server.run("CREATE VIEW songs AS SELECT 1", url=foreign)
        with pytest.raises(BadRequest, match="is not empty") as caught:
            mirror.copy_to(foreign)
        assert "not_empty" == caught.value.code


@pytest.mark.postgresql
def test_a_row_that_a_server_alters_is_found_and_nothing_is_kept(
    place: Place, open_at: Callable[[str], Mirror], request: pytest.FixtureRequest
) -> None:
    """A trigger makes one hour of one entry half an hour: with the number of rows alone nobody would see it."""
    server, url = request.getfixturevalue("postgresql"), place("postgresql")
    mirror = open_at(place("sqlite"))
    fill(mirror)
    server.run(
        f"""
        CREATE FUNCTION alter_row() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN IF NEW.id = {entry(77).id} THEN NEW.duration := 1800; END IF; RETURN NEW; END';
        CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN
            IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity = ''public.entries'') THEN
                CREATE TRIGGER altering BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION alter_row();
            END IF; END';
        CREATE EVENT TRIGGER watching ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION watch();
        """,
        url=url,
    )

    with pytest.raises(NeedsUser, match=f"the table entries differs at {entry(77).id}; nothing was kept") as caught:
        mirror.copy_to(url)
    assert "backup_damaged" == caught.value.code
    assert [] == server.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", url=url)
    server.run("DROP EVENT TRIGGER watching", url=url)
    assert 1100 == mirror.copy_to(url).rows["entries"]


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE entries SET description = 'forged' WHERE id = {id}", "entries differs at {id}"),
        ("UPDATE states SET value = '0' WHERE key = 'b:1'", "states differs at b:1"),
        ("DELETE FROM entry_versions", "entry_versions differs at {first}"),
        ("INSERT INTO amounts (entry_id, currency) VALUES (1, 'X')", "amounts differs at 1"),
    ],
)
def test_a_row_altered_before_it_is_read_back_is_found(
    statement: str, found: str, place: Place, open_at: Callable[[str], Mirror], tmp_path: Path
) -> None:
    from sqlalchemy.engine import Engine

    mirror = open_at(place("sqlite"))
    fill(mirror, entries=100)
    target = tmp_path / "copy.db"
    ids = {"id": entry(77).id, "first": entry(0).id}

    def alter(connection: Connection, _cursor: object, sql: str, *_: object) -> None:
        if "INTO tag_set_members" in sql and "copy.db" in str(connection.engine.url):
            connection.exec_driver_sql(statement.format(**ids))

    event.listen(Engine, "after_cursor_execute", alter)
    try:
        with pytest.raises(NeedsUser) as caught:
            copy_to_file(mirror._store, target, progress=lambda *_: None)
    finally:
        event.remove(Engine, "after_cursor_execute", alter)
    assert found.format(**ids) in caught.value.message
    assert ["1.db"] == sorted(file.name for file in tmp_path.iterdir() if file.suffix == ".db")


KILLED = """
import os, signal, sys
from mirror.rows import clock
from toggl_pulse.mirror import Mirror
def kill(what, done, total):
    if (what, done >= total // 2) == (sys.argv[3], True):
        os.kill(os.getpid(), signal.SIGKILL)
Mirror.open(sys.argv[1], clock=clock).copy_to(sys.argv[2], progress=kill)
"""


@pytest.mark.parametrize(
    ("source", "target", "stage"),
    [
        pytest.param("sqlite", "postgresql", "comparing", marks=PG),
        pytest.param("sqlite", "postgresql", "copying", marks=[PG, pytest.mark.long]),
        ("sqlite", "sqlite", "comparing"),
        pytest.param("sqlite", "sqlite", "copying", marks=pytest.mark.long),
    ],
)
def test_a_copy_that_is_killed_leaves_the_place_empty(
    source: str, target: str, stage: str, place: Place, open_at: Callable[[str], Mirror], tmp_path: Path
) -> None:
    from_url, to_url = place(source), place(target)
    mirror = open_at(from_url)
    write(mirror, *(entry(number) for number in range(3000)))
    ran = subprocess.run(
        [sys.executable, "-c", KILLED, from_url, to_url, stage],
        check=False,
        env={**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent / 'src'}"},
    )

    assert -signal.SIGKILL == ran.returncode
    if target == "sqlite":
        assert not (tmp_path / "2.db").exists()
    copied = mirror.copy_to(to_url)
    assert 3000 == copied.rows["entries"] == len(open_at(to_url).load()[1])


@pytest.mark.postgresql
def test_text_that_the_server_cannot_keep_is_a_sentence(place: Place, open_at: Callable[[str], Mirror]) -> None:
    """Written past the program, for its own texts are made so that every database can keep them."""
    mirror, url = open_at(place("sqlite")), place("postgresql")
    write(mirror, entry(0))
    with mirror._store.writing() as connection:
        connection.exec_driver_sql("UPDATE entries SET description = 'a' || char(0) || 'b'")

    with pytest.raises(NeedsUser, match="The table entries holds a value") as caught:
        mirror.copy_to(url)
    assert "backup_damaged" == caught.value.code


@pytest.mark.long
@pytest.mark.parametrize(("source", "target"), KINDS)
def test_memory_does_not_grow_with_the_number_of_rows(
    source: str, target: str, place: Place, open_at: Callable[[str], Mirror]
) -> None:
    mirror = open_at(place(source))
    peaks = []
    for rows in (10_000, 40_000):
        write(mirror, *(entry(number, description=f"text {number}") for number in range(rows)))
        tracemalloc.start()
        mirror.copy_to(place(target))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[1] < 1.3 * peaks[0], peaks
