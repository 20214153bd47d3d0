"""A full disk: one sentence, nothing lost, and on it goes when there is space."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from mirror.rows import clock, entry, expected, told, write
from toggl_pulse.errors import NeedsUser
from toggl_pulse.mirror import Mirror
from toggl_pulse.mirror.sqlite import SqliteStore
from toggl_pulse.model import TimeEntry

LARGE = [entry(number, description="x" * 2000) for number in range(1, 1500)]


def write_with_cursor(mirror: Mirror) -> None:
    with mirror.batch() as batch:
        batch.set_state("cursor", 2)
        batch.write_entries(LARGE)


def engine_of(mirror: Mirror) -> Engine:
    assert isinstance(mirror._store, SqliteStore)
    return mirror._store._engine


def fill(mirror: Mirror) -> None:
    with pytest.raises(NeedsUser, match="is full") as caught:
        write_with_cursor(mirror)
    assert "disk_full" == caught.value.code


def test_a_file_that_may_not_grow_keeps_what_it_holds(mirror: Mirror) -> None:
    write(mirror, entry(0))
    mirror._store.close()

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA max_page_count=300")

    event.listen(engine_of(mirror), "connect", limit)
    fill(mirror)

    assert (1, None, expected([entry(0)])) == (mirror.revision(), mirror.state("cursor"), told(mirror.load()[1]))
    event.remove(engine_of(mirror), "connect", limit)
    mirror._store.close()
    assert len(LARGE) == write(mirror, *LARGE)


def test_a_disk_that_runs_full_loses_nothing_and_serves_on(small_disk: Path) -> None:
    path = small_disk / "mirror.db"
    ballast = small_disk / "ballast"
    with Mirror.open(f"sqlite:///{path}", clock=clock) as mirror:
        write(mirror, entry(0))
        ballast.write_bytes(bytes(200_000))
        fill(mirror)

        assert (1, None, expected([entry(0)])) == (mirror.revision(), mirror.state("cursor"), told(mirror.load()[1]))
        ballast.unlink()
        few: list[TimeEntry] = LARGE[:50]
        assert 50 == write(mirror, *few)
    with Mirror.open(f"sqlite:///{path}", clock=clock) as mirror:
        assert expected([entry(0), *few]) == told(mirror.load()[1])
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_opening_and_backing_up_on_a_full_disk_are_sentences(mirror: Mirror, small_disk: Path) -> None:
    write(mirror, *LARGE)
    with pytest.raises(NeedsUser, match="full") as caught:
        mirror.backup(small_disk / "copy.db")
    assert "disk_full" == caught.value.code
    assert [] == list(small_disk.iterdir())

    (small_disk / "ballast").write_bytes(bytes(1_040_000))
    with pytest.raises(NeedsUser) as refused:
        Mirror.open(f"sqlite:///{small_disk}/mirror.db", clock=clock)
    assert "disk_full" == refused.value.code
