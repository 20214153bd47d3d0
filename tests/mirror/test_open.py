"""Opening a mirror: what is made, and what is refused in one sentence without being touched."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mirror.rows import NOW, clock, entry, expected, told, write
from toggl_pulse.errors import NeedsUser, PulseError, Unavailable
from toggl_pulse.mirror import Mirror
from toggl_pulse.model import QuotaBucket


def open_at(path: Path, *, busy_seconds: float = 0.05) -> Mirror:
    return Mirror.open(f"sqlite:///{path}", clock=clock, busy_seconds=busy_seconds)


def refused(path: Path) -> PulseError:
    with pytest.raises(PulseError) as caught:
        open_at(path)
    message = caught.value.message
    assert message.endswith(".")
    assert "\n" not in message
    assert str(path) in message or str(path.parent) in message
    return caught.value


def test_directories_are_made_and_nobody_else_may_read_the_file(path: Path) -> None:
    with open_at(path) as mirror:
        write(mirror, entry())
        modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.glob("mirror.db*")}

    assert {0o600} == modes
    assert 0o700 == stat.S_IMODE(path.parent.stat().st_mode)


def test_what_was_written_is_there_after_closing_and_opening(path: Path) -> None:
    with open_at(path) as mirror:
        write(mirror, entry(0), entry(1))
    with open_at(path) as mirror:
        assert expected([entry(0), entry(1)]) == told(mirror.load()[1])


def test_an_empty_file_becomes_a_mirror(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    with open_at(path) as mirror:
        assert mirror.revision() == 0


def test_commits_reach_the_disk_and_readers_do_not_wait(mirror: Mirror) -> None:
    """FULL is 2; see the reason beside the pragmas."""
    with mirror._store.reading() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }

    assert {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1} == settings


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///a.db?mode=ro",
        "mirror.db",
        "",
        "mysql://localhost/a",
        "postgresql+psycopg2://me:secret@localhost/a",
        "postgresql://me:secret@localhost",
        "postgresql://me:secret@localhost:port/a",
    ],
)
def test_an_address_that_names_no_file_is_refused(url: str) -> None:
    with pytest.raises(NeedsUser, match="DATABASE_URL") as caught:
        Mirror.open(url, clock=clock)
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("content", [b"PK\x03\x04" + bytes(5000), b"hello", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)

    assert isinstance(refused(path), NeedsUser)
    assert content == path.read_bytes()


def test_another_programs_database_is_refused_and_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE songs (name)")
    content = path.read_bytes()

    assert "not_a_mirror" == refused(path).code
    assert content == path.read_bytes()


def test_a_directory_in_the_files_place_is_refused(path: Path) -> None:
    path.mkdir(parents=True)

    assert "not_a_mirror" == refused(path).code


def test_a_file_in_the_directorys_place_is_refused(path: Path) -> None:
    path.parent.touch()

    assert "mirror_unwritable" == refused(path).code


def test_a_damaged_file_is_a_sentence_and_not_repaired_by_guessing(path: Path) -> None:
    with open_at(path) as mirror:
        write(mirror, *(entry(number, description="x" * 500) for number in range(500)))
    content = bytearray(path.read_bytes())
    content[8192 : len(content)] = b"\xa5" * (len(content) - 8192)
    path.write_bytes(content)

    with pytest.raises(NeedsUser, match="is damaged") as caught, open_at(path) as mirror:
        mirror.load()
    assert "mirror_damaged" == caught.value.code


def test_a_read_only_directory_is_refused(path: Path, write_protect: Callable[[Path], None]) -> None:
    with open_at(path) as mirror:
        write(mirror, entry())
    content = path.read_bytes()
    write_protect(path.parent)

    error = refused(path)
    assert ("mirror_unwritable", NeedsUser) == (error.code, type(error))
    assert "mirror_unwritable" == refused(path.parent / "new.db").code
    assert content == path.read_bytes()


def test_a_directory_that_turns_read_only_under_way_is_a_sentence(
    path: Path, write_protect: Callable[[Path], None]
) -> None:
    with open_at(path) as mirror:
        write(mirror, entry(0))
        mirror._store.close()  # what is open stays writable, only new connections meet the protection
        write_protect(path.parent)

        with pytest.raises(NeedsUser) as caught:
            write(mirror, entry(1))
        assert "mirror_unwritable" == caught.value.code


def test_a_locked_mirror_refuses_to_write_but_answers(path: Path) -> None:
    with open_at(path) as mirror, closing(sqlite3.connect(path, isolation_level=None)) as other:
        write(mirror, entry(0))
        other.execute("BEGIN IMMEDIATE")
        for attempt in (
            lambda: write(mirror, entry(1)),
            lambda: mirror.save_quota(QuotaBucket("user", 1, NOW, NOW)),
            lambda: mirror.claim("toggl", 1),
        ):
            with pytest.raises(Unavailable, match="is locked by another program") as caught:
                attempt()
            assert "mirror_locked" == caught.value.code
        assert expected([entry(0)]) == told(mirror.load()[1])
        with open_at(path) as second:
            assert second.revision() == 1

        other.execute("ROLLBACK")
        assert write(mirror, entry(1)) == 1


def test_a_file_locked_as_a_whole_is_a_sentence(path: Path) -> None:
    with open_at(path) as mirror:
        write(mirror, entry(0))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        assert "mirror_locked" == refused(path).code


def test_programs_that_open_a_new_mirror_at_once_all_succeed(path: Path) -> None:
    script = (
        "import sys; from datetime import UTC, datetime; from toggl_pulse.mirror import Mirror\n"
        "mirror = Mirror.open(sys.argv[1], clock=lambda: datetime(2026, 5, 4, tzinfo=UTC))\n"
        "with mirror.batch() as batch: batch.set_state(sys.argv[2], 1)\n"
        "mirror.close()"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", script, f"sqlite:///{path}", str(number)], stderr=subprocess.PIPE)
        for number in range(4)
    ]
    errors = [process.communicate(timeout=60)[1] for process in started]

    assert [b""] * 4 == errors
    with open_at(path) as mirror:
        assert {str(number): 1 for number in range(4)} == mirror.states()
