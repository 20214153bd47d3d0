"""Mirrors of every schema that was ever released are brought to this one, with their rows, on both databases."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, event, text

from mirror.rows import NOW, USER, WORKSPACE, clock, entry, expected, told, write
from mirror.test_schema import ADDS_A_TABLE, FAILS_LATE, next_version
from toggl_pulse.errors import NeedsUser
from toggl_pulse.mirror import Mirror, schema, tables
from toggl_pulse.mirror.schema import make_tables
from toggl_pulse.mirror.store import open_store

# Rows as the first release wrote them; what later schemas add must find its own way.
FIRST_ROWS: list[tuple[str, list[dict[str, object]]]] = [
    ("revision (id, value) VALUES (1, 2)", []),
    ("account (id, origin, user_id) VALUES (1, 'toggl', :user)", [{"user": USER}]),
    ("tag_sets (digest) VALUES ('one')", []),
    ("tag_set_members (tag_set, tag_id) VALUES (1, 5)", []),
    (
        (
            "sync_runs (reason, started_at_us, outcome, why, requests, new, changed, deleted, unchanged, set_aside) "
            "VALUES ('start', 0, 'done', '', 1, 2, 0, 0, 0, 0)"
        ),
        [],
    ),
    (
        (
            "entries (id, revision, workspace_id, user_id, start, stop, duration, billable, tag_set, at_us, "
            "description) VALUES (:id, :revision, :workspace, :user, :start, :start + 3600, 3600, false, 1, :at, :text)"
        ),
        [
            {
                "id": entry(number).id,
                "revision": number + 1,
                "workspace": WORKSPACE,
                "user": USER,
                "start": int(entry(number).start.timestamp()),
                "at": int(NOW.timestamp()) * 1_000_000,
                "text": f"entry {number}",
            }
            for number in range(2)
        ],
    ),
]
HELD = [entry(number, tag_ids=(5,)) for number in range(2)]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty place."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/mirror.db"
    else:
        yield request.getfixturevalue("postgresql_url")


def released(url: str, version: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """A mirror as the program of that schema left it."""
    known = schema.SCHEMAS[: schema.SCHEMAS.index(version) + 1]
    shutil.copytree(schema.MIGRATIONS, folder / version)
    for script in (folder / version / "versions").glob("*.py"):
        if script.name[:4] not in known:
            script.unlink()
    with monkeypatch.context() as then:
        then.setattr(schema, "MIGRATIONS", folder / version)
        store = open_store(url)
        with store.preparing() as connection:
            make_tables(connection)
            for statement, values in FIRST_ROWS:
                connection.execute(text(f"INSERT INTO {statement}"), values or None)
        store.close()


@pytest.mark.parametrize("version", schema.SCHEMAS)
def test_a_mirror_of_any_release_is_brought_here_with_its_rows(
    url: str, version: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    released(url, version, monkeypatch, tmp_path)
    with Mirror.open(url, clock=clock) as mirror:
        with mirror._store.reading() as connection:
            context = MigrationContext.configure(connection, opts={"version_table": schema.VERSION_TABLE})
            assert [] == compare_metadata(context, tables.metadata)
        assert expected(HELD) == told(mirror.load()[1])
        assert (2, 2, ["start"]) == (mirror.revision(), mirror.counts().entries, [run.reason for run in mirror.runs()])
        assert 1 == write(mirror, entry(2, tag_ids=(6,)))
        with mirror.batch() as batch:
            assert 2 == batch.start_run("schedule")
        assert (3, 3) == (mirror.revision(), mirror.counts().entries)


class Stopped(BaseException):
    """The process ends here."""


@contextmanager
def stopping_at(number: int) -> Iterator[list[str]]:
    """The process ends before its statement of this number; yields the statements so far."""
    seen: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        seen.append(statement)
        if len(seen) > number:
            raise Stopped

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.parametrize("version", ["", schema.SCHEMAS[0]])
def test_an_opening_that_was_cut_off_at_any_statement_is_made_good_by_the_next(
    version: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for number in count():
        url = f"sqlite:///{tmp_path}/{number}/mirror.db"
        if version:
            released(url, version, monkeypatch, tmp_path / str(number))
        with stopping_at(number) as seen, suppress(Stopped):
            Mirror.open(url, clock=clock).close()

        with Mirror.open(url, clock=clock) as mirror:
            assert expected(HELD if version else []) == told(mirror.load()[1])
            assert 1 == write(mirror, entry(3))
        if len(seen) <= number:
            break

    assert number > 5


@pytest.mark.postgresql
def test_a_migration_that_fails_on_a_server_leaves_everything_as_it_was(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with Mirror.open(postgresql_url, clock=clock) as mirror:
        write(mirror, entry(0))
    with monkeypatch.context() as then:
        next_version(then, tmp_path, FAILS_LATE)
        with pytest.raises(Exception, match="nowhere"):
            Mirror.open(postgresql_url, clock=clock)
    with Mirror.open(postgresql_url, clock=clock) as mirror:
        assert expected([entry(0)]) == told(mirror.load()[1])
        with mirror._store.reading() as connection:
            assert "later_things" not in schema.tables_in(connection)


@pytest.mark.postgresql
def test_an_older_program_leaves_a_newer_schema_on_a_server_alone(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as then:
        next_version(then, tmp_path, ADDS_A_TABLE)
        Mirror.open(postgresql_url, clock=clock).close()

    with pytest.raises(NeedsUser, match="written by a newer Toggl Pulse") as caught:
        Mirror.open(postgresql_url, clock=clock)
    assert "newer_schema" == caught.value.code
