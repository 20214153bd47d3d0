"""Backups: whole, of one moment, private, never over another file."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from mirror.rows import clock, entry, told, write
from toggl_pulse.errors import BadRequest, NeedsUser
from toggl_pulse.mirror import Mirror
from toggl_pulse.mirror.backup import copy
from toggl_pulse.mirror.sqlite import SqliteStore


def open_at(path: Path) -> Mirror:
    return Mirror.open(f"sqlite:///{path}", clock=clock)


def test_a_backup_opens_as_a_mirror_with_the_same_content(mirror: Mirror, tmp_path: Path) -> None:
    mirror.claim("toggl", 5)
    write(mirror, *(entry(number) for number in range(100)))
    write(mirror, entry(0, description="changed"))
    target = tmp_path / "copy.db"
    mirror.backup(target)

    assert 0o600 == stat.S_IMODE(target.stat().st_mode)
    assert {"copy.db", "data"} == {file.name for file in tmp_path.iterdir()}
    with open_at(target) as other:
        assert told(mirror.load()[1]) == told(other.load()[1])
        assert (mirror.account(), mirror.counts()) == (other.account(), other.counts())


def test_backups_made_while_batches_are_written_hold_whole_batches(mirror: Mirror, tmp_path: Path) -> None:
    """Every batch gives all entries one text: two texts in a copy would be half a batch."""
    write(mirror, *(entry(place, description="batch") for place in range(200)))
    stop = Event()

    def write_on() -> int:
        number = 0
        while not stop.is_set():
            number += 1
            write(mirror, *(entry(place, description=f"batch {number}") for place in range(200)))
        return number

    with ThreadPoolExecutor(1) as thread:
        writing = thread.submit(write_on)
        for number in range(5):
            mirror.backup(tmp_path / f"{number}.db")
        stop.set()
        assert writing.result() > 0

    revisions = []
    for number in range(5):
        with open_at(tmp_path / f"{number}.db") as other:
            revision, columns = other.load()
            revisions.append(revision)
            assert (0, 200, 1) == (revision % 200, len(columns), len(columns.descriptions))
    assert sorted(revisions) == revisions


def test_a_backup_during_an_open_batch_is_of_the_moment_before_it(mirror: Mirror, tmp_path: Path) -> None:
    write(mirror, entry(0))
    with mirror.batch() as batch:
        batch.write_entries([entry(1)])
        mirror.backup(tmp_path / "copy.db")

    with open_at(tmp_path / "copy.db") as other:
        assert 1 == other.revision() == len(other.load()[1])


def test_what_killed_backups_left_behind_goes_with_the_next_one_after_a_day(mirror: Mirror, tmp_path: Path) -> None:
    target = tmp_path / "copy [1].db"
    left = [tmp_path / f".copy [1].db.{name}.partial{more}" for name in ("a", "b") for more in ("", "-wal")]
    others = [tmp_path / ".copy 1.db.a.partial", tmp_path / "notes"]
    for file in (*left, *others):
        file.touch()
    for file in (*left[:2], *others):
        os.utime(file, (0, 0))

    mirror.backup(target)

    assert {target, *left[2:], *others} == {file for file in tmp_path.iterdir() if file.is_file()}


def test_a_backup_never_overwrites(mirror: Mirror, tmp_path: Path) -> None:
    taken = tmp_path / "taken.db"
    taken.write_bytes(b"mine")

    with pytest.raises(BadRequest, match="exists already") as caught:
        mirror.backup(taken)
    assert ("file_exists", b"mine") == (caught.value.code, taken.read_bytes())
    with pytest.raises(BadRequest):
        mirror.backup(tmp_path)


def test_a_backup_to_nowhere_is_a_sentence(
    mirror: Mirror, tmp_path: Path, write_protect: Callable[[Path], None]
) -> None:
    protected = tmp_path / "protected"
    protected.mkdir()
    write_protect(protected)

    for target in (tmp_path / "missing" / "copy.db", protected / "copy.db"):
        with pytest.raises(NeedsUser, match="cannot be written") as caught:
            mirror.backup(target)
        assert "backup_unwritable" == caught.value.code


class Raced(SqliteStore):
    """A store whose backup takes long enough for somebody else to make a file of the same name."""

    def __init__(self, path: Path, target: Path) -> None:
        super().__init__(path, busy_seconds=1)
        self.target = target

    def driver_connection(self) -> sqlite3.Connection:
        self.target.write_bytes(b"mine")
        return super().driver_connection()


def test_a_file_that_appears_during_the_backup_is_not_replaced(mirror: Mirror, path: Path, tmp_path: Path) -> None:
    write(mirror, entry())
    target = tmp_path / "copy.db"

    with pytest.raises(BadRequest, match="exists already"):
        copy(Raced(path, target), target)
    assert {b"mine"} == {file.read_bytes() for file in tmp_path.iterdir() if file.is_file()}


def test_a_backup_works_where_a_file_can_have_one_name_only(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_link(_source: Path, _target: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_link)
    write(mirror, entry())
    mirror.backup(tmp_path / "copy.db")

    with open_at(tmp_path / "copy.db") as other:
        assert 1 == other.revision()
    with pytest.raises(BadRequest, match="exists already"):
        mirror.backup(tmp_path / "copy.db")
