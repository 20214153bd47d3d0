"""The right to sync on PostgreSQL: one at a time, freed by the server, and of no use to a run that has lost it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from mirror.rows import clock, entry, expected, told, write
from postgresql import Server
from toggl_pulse.errors import Busy
from toggl_pulse.mirror import Mirror
from toggl_pulse.mirror.advisory import key_of
from toggl_pulse.model import QuotaBucket

END_HOLDERS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@pytest.fixture
def one(prepared_url: str) -> Iterator[Mirror]:
    with Mirror.open(prepared_url, clock=clock) as mirror:
        yield mirror


@pytest.fixture
def other(prepared_url: str) -> Iterator[Mirror]:
    """The same mirror, as another process has it."""
    with Mirror.open(prepared_url, clock=clock) as mirror:
        yield mirror


def cut_lock(postgresql: Server, url: str) -> None:
    """End the connection that holds the lock, from the server's side; returns when the lock is free."""
    assert [(True,)] == postgresql.run(END_HOLDERS, url=url)


def test_the_key_is_the_documented_one() -> None:
    """Other programs may look for it in pg_locks: another way to make it would let two versions sync at once."""
    assert (4304028117083014146, True) == (
        key_of("sync", "public"),
        key_of("sync", "mine") != key_of("schema", "mine"),
    )


def test_mirrors_in_two_schemas_and_two_databases_do_not_wait_for_one_another(
    postgresql: Server, prepared_url: str, postgresql_url: str
) -> None:
    postgresql.run("CREATE SCHEMA a", url=postgresql_url)
    postgresql.run("CREATE SCHEMA b", url=postgresql_url)
    urls = (prepared_url, postgresql_url, *(f"{postgresql_url}?options=-csearch_path%3D{name}" for name in "ab"))
    with ExitStack() as stack:
        mirrors = [stack.enter_context(Mirror.open(url, clock=clock)) for url in urls]
        others = [stack.enter_context(Mirror.open(url, clock=clock)) for url in urls]
        for mirror in mirrors:
            stack.enter_context(mirror.lock())
        for number, (mirror, other) in enumerate(zip(mirrors, others, strict=True)):
            write(mirror, entry(number))
            with pytest.raises(Busy), other.lock():
                pass


def test_a_run_whose_lock_was_lost_cannot_write_once_another_has_begun(
    postgresql: Server, prepared_url: str, one: Mirror, other: Mirror
) -> None:
    with one.lock():
        write(one, entry(0))
        cut_lock(postgresql, prepared_url)
        with other.lock():
            write(other, entry(1))
            for attempt in (
                lambda: write(one, entry(2)),
                lambda: one.save_quota(QuotaBucket("user", 1, clock(), clock())),
                lambda: one.claim("toggl", 1),
            ):
                with pytest.raises(Busy, match="is lost") as caught:
                    attempt()
                assert "lock_lost" == caught.value.code
            write(other, entry(3))
        with pytest.raises(Busy):
            write(one, entry(4))

    assert expected([entry(0), entry(1), entry(3)]) == told(one.load()[1])
    with one.lock():
        assert 1 == write(one, entry(5))


def test_a_batch_that_was_open_when_the_lock_was_lost_ends_before_the_other_run_writes(
    postgresql: Server, prepared_url: str, one: Mirror, other: Mirror
) -> None:
    with one.lock(), one.batch() as batch:
        batch.write_entries([entry(0)])
        cut_lock(postgresql, prepared_url)
        with other.lock():
            seen = other.revision()
            batch.write_entries([entry(1)])
    with other.lock():
        write(other, entry(2))

    assert (0, [1, 2, 3]) == (seen, sorted(found.revision for found in other.entries(told(other.load()[1])).values()))


def test_a_lock_lost_before_the_first_write_is_noticed(postgresql: Server, prepared_url: str, one: Mirror) -> None:
    with one.lock():
        cut_lock(postgresql, prepared_url)
        with pytest.raises(Busy, match="is lost"):
            write(one, entry(0))
    with one.lock():
        assert 1 == write(one, entry(0))


def test_a_lock_lost_while_nobody_else_syncs_does_no_harm(postgresql: Server, prepared_url: str, one: Mirror) -> None:
    with one.lock():
        write(one, entry(0))
        cut_lock(postgresql, prepared_url)
        assert 1 == write(one, entry(1))


def test_a_first_batch_that_fails_does_not_cost_the_run_its_right(one: Mirror, other: Mirror) -> None:
    with one.lock():
        write(one, entry(0))
    with other.lock():
        with suppress(ZeroDivisionError), other.batch() as batch:
            batch.write_entries([entry(1 // 0)])
        assert 1 == write(other, entry(1))


def test_looking_at_the_lock_changes_nothing(one: Mirror, other: Mirror) -> None:
    """An answer's status looks whether somebody syncs; that must not end the run that does."""
    with one.lock():
        write(one, entry(0))
        before = one.states()
        with suppress(Busy), other.lock():
            pass
        assert (before, 1) == (one.states(), write(one, entry(1)))
