import threading
from pathlib import Path

import pytest

from cli.scene import Run
from toggl_pulse.demo import Loopback
from toggl_pulse.mirror import Mirror
from toggl_pulse.service import utc_now


def entries_in(file: Path) -> int:
    with Mirror.open(f"sqlite:///{file}", clock=utc_now) as mirror:
        return mirror.counts().entries


def test_a_backup_is_a_mirror(run: Run, filled: Path, home: Path) -> None:
    ran = run("backup", "copy.db")

    assert (0, "") == (ran.code, ran.err)
    assert ran.out.startswith("copy.db: 41 entries, 0.")
    assert ["copy.db", "data"] == sorted(path.name for path in home.iterdir())
    assert 41 == entries_in(home / "copy.db")


def test_a_backup_never_overwrites(run: Run, filled: Path, home: Path) -> None:
    (home / "copy.db").write_text("precious")

    assert (2, "", "toggl-pulse: The file copy.db exists already; a backup never overwrites.\n") == run(
        "backup", "copy.db"
    )
    assert "precious" == (home / "copy.db").read_text()


def test_a_backup_where_nothing_can_be_written_is_one_sentence(run: Run, filled: Path) -> None:
    ran = run("backup", "nowhere/copy.db")

    assert (4, "toggl-pulse: The backup nowhere/copy.db cannot be written: no such file or directory.\n") == (
        ran.code,
        ran.err,
    )


def test_backups_while_a_sync_writes_are_whole(run: Run, home: Path, toggl: Loopback) -> None:
    """Between the requests of a first sync, each copy is a mirror that opens and reads through."""
    with Mirror.open(f"sqlite:///{home / 'data' / 'mirror.db'}", clock=utc_now) as mirror:
        copies: list[int] = []
        done = threading.Event()

        def copy() -> None:
            while not done.is_set():
                file = home / f"copy-{len(copies)}.db"
                mirror.backup(file)
                copies.append(entries_in(file))

        copying = threading.Thread(target=copy)
        copying.start()
        ran = run("sync")
        done.set()
        copying.join()

    assert ran.code == 0
    assert copies == sorted(copies)
    assert len(copies) > 1


def test_a_file_or_a_database_must_be_named_and_not_both(run: Run, filled: Path) -> None:
    for arguments in ((), ("copy.db", "--to", "sqlite:///other.db")):
        assert (2, "", "toggl-pulse: Name a FILE to write, or a database with --to URL.\n") == run("backup", *arguments)


def test_an_address_that_is_none_is_not_repeated(run: Run, filled: Path) -> None:
    ran = run("backup", "--to", "mysql://me:hunter22@db/x")

    assert 4 == ran.code
    assert "The address given names mysql" in ran.err
    assert "hunter22" not in ran.err


@pytest.mark.postgresql
def test_a_mirror_moves_to_a_server_and_back_into_a_file(
    run: Run, filled: Path, home: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = run("backup", "--to", postgresql_url)
    again = run("backup", "--to", postgresql_url)
    monkeypatch.setenv("DATABASE_URL", postgresql_url)
    status = run("status")
    back = run("backup", "copy.db")

    assert (0, "") == (there.code, there.err)
    assert there.out.startswith("The other database: 41 entries; ")
    assert there.out.endswith(" tables copied, read back and found equal\n")
    assert (2, "", True) == (again.code, again.out, "is not empty, and a backup never overwrites" in again.err)
    assert "41" in status.out
    assert (0, True) == (back.code, back.out.startswith("copy.db: 41 entries, 0."))
    assert 41 == entries_in(home / "copy.db")
