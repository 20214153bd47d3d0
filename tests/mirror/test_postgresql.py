"""A mirror on a PostgreSQL server: what is refused in one sentence, what is survived, and that no password is shown."""

from __future__ import annotations

import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest

from mirror.rows import clock, entry, expected, told, write
from postgresql import GUARDED, OwnServer, Server, conninfo
from toggl_pulse.errors import NeedsUser, PulseError, Unavailable
from toggl_pulse.mirror import Mirror

SECRET = "p@ss/w?rd#1"
ROLE = "restricted"


def open_at(url: str, *, busy_seconds: float = 15) -> Mirror:
    return Mirror.open(url, clock=clock, busy_seconds=busy_seconds)


def refused(url: str) -> PulseError:
    with pytest.raises(PulseError) as caught:
        open_at(url)
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message
    return caught.value


@contextmanager
def session(url: str) -> Iterator[psycopg.Connection[Any]]:
    """Somebody else at the same database."""
    with psycopg.connect(conninfo(url)) as connection:
        yield connection


@pytest.fixture
def own(postgresql: Server) -> OwnServer:
    """A server whose roles are ours to make."""
    if not isinstance(postgresql, OwnServer):
        pytest.skip("only on a server of the tests' own: roles, restarts and disks are at stake")
    return postgresql


@pytest.fixture
def role(own: OwnServer) -> Iterator[str]:
    own.run(f"CREATE ROLE {ROLE} LOGIN")
    yield ROLE
    own.run(f"DROP OWNED BY {ROLE}")
    own.run(f"DROP ROLE {ROLE}")


def test_three_ways_to_write_the_address_mean_one_mirror(prepared_url: str) -> None:
    rest = prepared_url.partition("://")[2]
    for number, scheme in enumerate(("postgresql+psycopg", "postgresql", "postgres")):
        with open_at(f"{scheme}://{rest}") as mirror:
            write(mirror, entry(number))
            assert number + 1 == len(mirror.load()[1])


def test_a_server_that_is_not_there_is_a_sentence(own: OwnServer) -> None:
    own.stop()
    try:
        error = refused(own.url("nowhere", user="me", password=SECRET))
    finally:
        own.start()

    assert ("mirror_unreachable", Unavailable) == (error.code, type(error))
    assert f"The server of the mirror nowhere on 127.0.0.1:{own.port} does not answer; see that it runs." == str(error)


def test_a_name_that_no_machine_has_is_a_sentence() -> None:
    error = refused("postgresql://me:hunter22@no-such-host.invalid/pulse")

    assert ("mirror_unreachable", Unavailable) == (error.code, type(error))
    assert "hunter22" not in "".join(traceback.format_exception(error))


def test_a_wrong_password_is_a_sentence_and_never_told(own: OwnServer, prepared_url: str) -> None:
    own.run(f"CREATE ROLE {GUARDED} LOGIN PASSWORD 'right'")
    try:
        error = refused(own.url("postgres", user=GUARDED, password=SECRET))
        told_all = "".join(traceback.format_exception(error))
    finally:
        own.run(f"DROP ROLE {GUARDED}")

    assert ("mirror_refused", NeedsUser) == (error.code, type(error))
    assert not [form for form in (SECRET, "p%40ss%2Fw%3Frd%231") if form in told_all]


def test_a_right_password_is_let_in_and_stands_nowhere(own: OwnServer) -> None:
    own.run(f"CREATE ROLE {GUARDED} LOGIN SUPERUSER PASSWORD '{SECRET}'")
    url = own.fresh()
    try:
        with open_at(own.url(url.rpartition("/")[2], user=GUARDED, password=SECRET)) as mirror:
            write(mirror, entry())
            store = mirror._store
            shown = [repr(mirror), repr(vars(mirror)), repr(store), store.name, repr(store._engine)]  # type: ignore[attr-defined]
            with mirror.lock():
                assert 1 == mirror.revision()
    finally:
        own.drop(url)
        own.run(f"DROP ROLE {GUARDED}")

    assert not [text for text in shown if SECRET in text]


def test_a_user_and_a_database_that_are_not_there_are_sentences(own: OwnServer) -> None:
    assert "mirror_refused" == refused(own.url("postgres", user="nobody_here")).code
    error = refused(own.url("no_such_database"))

    assert ("mirror_missing", NeedsUser) == (error.code, type(error))
    assert "no_such_database on 127.0.0.1" in error.message


def test_no_right_to_make_tables_is_a_sentence(own: OwnServer, role: str, postgresql_url: str) -> None:
    error = refused(own.url(postgresql_url.rpartition("/")[2], user=role))

    assert ("mirror_unwritable", NeedsUser) == (error.code, type(error))
    assert "grant CREATE" in error.message


def test_a_read_only_server_refuses_to_write_but_answers(own: OwnServer, prepared_url: str) -> None:
    with open_at(prepared_url) as mirror:
        write(mirror, entry(0))
    own.run(f"ALTER DATABASE {prepared_url.rpartition('/')[2]} SET default_transaction_read_only = on")
    with open_at(prepared_url) as mirror:
        with pytest.raises(NeedsUser, match="is read-only") as caught:
            write(mirror, entry(1))

        assert "mirror_unwritable" == caught.value.code
        assert expected([entry(0)]) == told(mirror.load()[1])


def test_a_server_without_a_free_connection_is_a_sentence(own: OwnServer, role: str, prepared_url: str) -> None:
    own.run(f"ALTER ROLE {role} CONNECTION LIMIT 0")
    error = refused(own.url(prepared_url.rpartition("/")[2], user=role))

    assert ("mirror_busy", Unavailable) == (error.code, type(error))


def test_a_writer_that_is_held_up_gives_up_with_a_sentence_and_readers_go_on(prepared_url: str) -> None:
    with open_at(prepared_url, busy_seconds=0.05) as mirror, session(prepared_url) as other:
        write(mirror, entry(0))
        other.execute("SELECT * FROM revision FOR UPDATE")
        with pytest.raises(Unavailable, match="is locked by another program") as caught:
            write(mirror, entry(1))

        assert "mirror_locked" == caught.value.code
        assert expected([entry(0)]) == told(mirror.load()[1])
        other.rollback()
        assert 1 == write(mirror, entry(1))


def test_a_statement_that_the_server_cancels_is_a_sentence(prepared_url: str) -> None:
    limited = f"{prepared_url}?options=-cstatement_timeout%3D50"
    with open_at(limited) as mirror, session(prepared_url) as other:
        other.execute("LOCK TABLE entries IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Unavailable, match="statement_timeout") as caught:
            mirror.load()
        assert "mirror_timeout" == caught.value.code


def backends(own: Server, url: str) -> None:
    """End every connection to that database from the server's side."""
    own.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()",
        url=url,
    )


def test_a_connection_cut_within_a_batch_leaves_nothing_of_it(postgresql: Server, prepared_url: str) -> None:
    with open_at(prepared_url) as mirror:
        write(mirror, entry(0))
        with pytest.raises(Unavailable, match="broke") as caught, mirror.batch() as batch:  # noqa: PT012
            batch.write_entries([entry(1)])
            batch.set_state("cursor", 1)
            backends(postgresql, prepared_url)
            batch.write_entries([entry(2)])

        assert "mirror_unreachable" == caught.value.code
        assert (None, expected([entry(0)])) == (mirror.state("cursor"), told(mirror.load()[1]))
        assert 1 == write(mirror, entry(1))


def test_a_connection_cut_within_an_answer_is_a_sentence_and_the_next_one_comes(
    postgresql: Server, prepared_url: str
) -> None:
    with open_at(prepared_url) as mirror:
        write(mirror, entry(0))
        with pytest.raises(Unavailable), mirror._store.reading() as connection:  # noqa: PT012
            connection.exec_driver_sql("SELECT 1")
            backends(postgresql, prepared_url)
            connection.exec_driver_sql("SELECT 1")
        assert 1 == mirror.revision()


def test_a_server_that_was_killed_or_restarted_is_survived(own: OwnServer, prepared_url: str) -> None:
    with open_at(prepared_url) as mirror:
        for number, ended in enumerate((own.stop, own.kill)):
            write(mirror, entry(number))
            mirror.load()
            ended()
            with pytest.raises(Unavailable):
                mirror.revision()
            own.start()
            assert number + 1 == len(mirror.load()[1])


def test_another_programs_tables_are_refused_and_a_schema_beside_them_is_taken(
    postgresql: Server, postgresql_url: str
) -> None:
    postgresql.run("CREATE TABLE songs (name text)", url=postgresql_url)
    postgresql.run("CREATE SCHEMA mine", url=postgresql_url)
    mine = f"{postgresql_url}?options=-csearch_path%3Dmine,public"
    error = refused(postgresql_url)

    assert ("not_a_mirror", "another program's tables" in error.message) == (error.code, True)
    with open_at(mine) as mirror:
        write(mirror, entry())
    with open_at(mine) as mirror:
        assert expected([entry()]) == told(mirror.load()[1])
    schemas = "SELECT DISTINCT table_schema FROM information_schema.tables WHERE table_name IN ('songs', 'entries')"
    assert {("mine",), ("public",)} == set(postgresql.run(schemas, url=postgresql_url))


def test_a_schema_that_is_not_there_is_a_sentence(postgresql_url: str) -> None:
    error = refused(f"{postgresql_url}?options=-csearch_path%3Dnowhere")

    assert ("not_a_mirror", True) == (error.code, "CREATE SCHEMA" in error.message)


def test_a_database_that_cannot_hold_every_name_is_refused(postgresql: Server) -> None:
    postgresql.run("CREATE DATABASE old_letters ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        error = refused(postgresql.url("old_letters"))
    finally:
        postgresql.run("DROP DATABASE old_letters WITH (FORCE)")

    assert ("not_a_mirror", True) == (error.code, "LATIN1" in error.message)


def test_tables_that_were_dropped_under_way_are_a_sentence(postgresql: Server, prepared_url: str) -> None:
    with open_at(prepared_url) as mirror:
        postgresql.run("DROP TABLE entries CASCADE", url=prepared_url)
        with pytest.raises(NeedsUser, match="is damaged") as caught:
            mirror.load()
        assert "mirror_damaged" == caught.value.code


@pytest.fixture
def small_place(own: OwnServer, tmp_path: Path) -> Iterator[str]:
    """A database on a disk of 24 MiB, and a table that can be dropped to make room."""
    disk = own.folder / "small"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(disk)], check=False, capture_output=True
    ).returncode:
        pytest.skip("a disk of its own can be mounted by root only")
    place = disk / "space"
    place.mkdir()
    subprocess.run(["chown", "--reference", str(own.data), str(place)], check=True)
    own.run(f"CREATE TABLESPACE small LOCATION '{place}'")
    own.run("CREATE DATABASE cramped TABLESPACE small")
    yield own.url("cramped")
    own.run("DROP DATABASE cramped WITH (FORCE)")
    own.run("DROP TABLESPACE small")
    subprocess.run(["umount", "--lazy", str(disk)], check=True)
    disk.rmdir()


def test_a_full_disk_loses_nothing_and_on_it_goes_when_there_is_space(own: OwnServer, small_place: str) -> None:
    noise = Random(1)  # noqa: S311 - that it does not shrink is all that counts
    large = [entry(number, description=noise.randbytes(2000).hex()) for number in range(1, 4000)]
    with open_at(small_place) as mirror:
        write(mirror, entry(0))
        own.run(
            "CREATE TABLE ballast AS SELECT repeat(md5(n::text), 50) FROM generate_series(1, 3000) n", url=small_place
        )
        with pytest.raises(NeedsUser, match="is full") as caught, mirror.batch() as batch:  # noqa: PT012
            batch.set_state("cursor", 1)
            batch.write_entries(large)
        assert "disk_full" == caught.value.code
        assert (1, None, expected([entry(0)])) == (mirror.revision(), mirror.state("cursor"), told(mirror.load()[1]))

        own.run("DROP TABLE ballast", url=small_place)
        assert 1 == write(mirror, large[0])


def test_programs_that_open_a_new_mirror_at_once_all_succeed(postgresql_url: str) -> None:
    script = (
        "import sys; from datetime import UTC, datetime; from toggl_pulse.mirror import Mirror\n"
        "mirror = Mirror.open(sys.argv[1], clock=lambda: datetime(2026, 5, 4, tzinfo=UTC))\n"
        "with mirror.batch() as batch: batch.set_state(sys.argv[2], 1)\n"
        "mirror.close()"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", script, postgresql_url, f"of:{number}"], stderr=subprocess.PIPE)
        for number in range(3)
    ]
    errors = [process.communicate(timeout=120)[1] for process in started]

    assert [b""] * 3 == errors
    with open_at(postgresql_url) as mirror:
        assert {f"of:{number}": 1 for number in range(3)} == mirror.states("of:")


def test_sqlite_needs_no_driver_of_another_database(tmp_path: Path) -> None:
    script = (
        "import sys; from datetime import UTC, datetime; from toggl_pulse.mirror import Mirror\n"
        "Mirror.open(sys.argv[1], clock=lambda: datetime(2026, 5, 4, tzinfo=UTC)).close()\n"
        "sys.exit('psycopg' in sys.modules)"
    )

    assert 0 == subprocess.run([sys.executable, "-c", script, f"sqlite:///{tmp_path}/m.db"], check=False).returncode
