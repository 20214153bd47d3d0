"""Migrations: they end where `tables.py` stands, copy the file first, and are all or nothing."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from mirror.rows import clock, entry, expected, told, write
from toggl_pulse.errors import NeedsUser
from toggl_pulse.mirror import Mirror, schema, tables

ADDS_A_TABLE = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "0004", "0003", None, None
def upgrade():
    op.create_table("later_things", sa.Column("id", sa.Integer, primary_key=True))
    with op.batch_alter_table("entries") as batch:
        batch.add_column(sa.Column("color", sa.Text, nullable=True))
"""
FAILS_LATE = ADDS_A_TABLE + "    op.execute('DROP TABLE nowhere')\n"


def open_at(path: Path) -> Mirror:
    return Mirror.open(f"sqlite:///{path}", clock=clock)


def next_version(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    """A program with one more migration than this one."""
    shutil.copytree(schema.MIGRATIONS, folder / "migrations")
    (folder / "migrations/versions/0004_next.py").write_text(script)
    monkeypatch.setattr(schema, "MIGRATIONS", folder / "migrations")
    monkeypatch.setattr(schema, "SCHEMAS", ("0001", "0002", "0003", "0004"))


def names_in(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def test_migrations_end_where_the_tables_stand(mirror: Mirror) -> None:
    with mirror._store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": schema.VERSION_TABLE})
        assert [] == compare_metadata(context, tables.metadata)
        declared = {
            (table.name, constraint.name)
            for table in tables.metadata.tables.values()
            for constraint in table.constraints
            if constraint.name is not None and str(constraint.name).startswith("ck_")
        }
        sql = connection.exec_driver_sql("SELECT group_concat(sql) FROM sqlite_schema").scalar_one()
    assert [] == [name for _, name in declared if str(name) not in sql]


def test_the_program_knows_every_migration_it_ships() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    shipped = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]

    assert list(schema.SCHEMAS) == shipped[::-1]


def test_the_tables_can_be_made_on_postgresql_too() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    made = [str(CreateTable(table).compile(dialect=dialect)) for table in tables.metadata.sorted_tables]

    assert len(tables.metadata.tables) == len(made)
    assert "id BIGINT NOT NULL" in next(sql for sql in made if "TABLE entries " in sql)


def test_a_newer_schema_is_refused_and_left_alone(path: Path) -> None:
    with open_at(path) as mirror:
        write(mirror, entry())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE schema_version SET version_num = '0999'")
        connection.commit()
    content = path.read_bytes()

    with pytest.raises(NeedsUser, match=r"written by a newer Toggl Pulse \(schema 0999") as caught:
        open_at(path)
    assert "newer_schema" == caught.value.code
    assert content == path.read_bytes()


def test_an_older_mirror_is_copied_and_migrated(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_at(path) as mirror:
        write(mirror, entry(0), entry(1))
    next_version(monkeypatch, tmp_path, ADDS_A_TABLE)
    with open_at(path) as mirror:
        assert expected([entry(0), entry(1)]) == told(mirror.load()[1])

    copy = path.with_name("mirror.db.schema-0003-20260504T120000Z")
    assert {copy.name, path.name} == {file.name for file in path.parent.iterdir()}
    assert ("later_things" in names_in(path), "later_things" in names_in(copy)) == (True, False)
    monkeypatch.undo()
    with open_at(copy) as mirror:
        assert expected([entry(0), entry(1)]) == told(mirror.load()[1])


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_at(path) as mirror:
        write(mirror, entry())
    tables_before = names_in(path)
    next_version(monkeypatch, tmp_path, FAILS_LATE)
    with pytest.raises(Exception, match="nowhere"):
        open_at(path)

    monkeypatch.undo()
    assert tables_before == names_in(path)
    with open_at(path) as mirror:
        assert expected([entry()]) == told(mirror.load()[1])


def test_a_mirror_that_is_current_is_neither_copied_nor_migrated(
    path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with open_at(path):
        pass
    monkeypatch.setattr(schema, "MIGRATIONS", tmp_path / "nowhere")
    with open_at(path):
        assert [path.name] == [file.name for file in path.parent.glob("mirror.db*") if "-" not in file.name]
