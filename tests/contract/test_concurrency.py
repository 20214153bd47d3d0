"""Several readers and writers at once: nobody sees half a batch, nobody gets another's revision."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from contract.conftest import OpenMirror
from mirror.rows import NOW, entry, expected, told, write
from toggl_pulse.errors import Busy
from toggl_pulse.mirror import Mirror
from toggl_pulse.model import Client, QuotaBucket


def test_a_reader_during_a_batch_sees_none_of_it_and_does_not_wait(open_mirror: OpenMirror) -> None:
    writer, reader = open_mirror(), open_mirror()
    write(writer, entry(0))
    with writer.batch() as batch:
        batch.write_entries([entry(0, description="half"), entry(1)])
        batch.set_state("cursor", 7)
        for source in (reader, writer):
            with ThreadPoolExecutor(1) as other:
                revision, columns = other.submit(source.load).result(timeout=5)
            assert (1, expected([entry(0)])) == (revision, told(columns))
            assert (1, None, {}) == (source.revision(), source.state("cursor"), told(source.changes(1)[1]))

    assert (3, 7) == (reader.revision(), reader.state("cursor"))


def test_a_reader_never_sees_half_a_batch_while_batches_come(open_mirror: OpenMirror) -> None:
    """Each batch moves every entry to one new text: two texts at once would be half a batch."""
    writer, reader = open_mirror(), open_mirror()
    done = Event()

    def write_on() -> None:
        for number in range(40):
            write(writer, *(entry(place, description=f"batch {number}") for place in range(50)))
        done.set()

    seen = []
    with ThreadPoolExecutor(1) as other:
        writing = other.submit(write_on)
        while not done.is_set() and not writing.done():
            revision, columns = reader.load()
            seen.append((revision, len(columns), len(columns.descriptions)))
        writing.result()

    assert {(0, 0), (50, 1)} >= {shape for _, *rest in seen for shape in [tuple(rest)]}
    assert {0} == {revision % 50 for revision, *_ in seen}
    assert sorted(seen) == seen


def test_two_writers_share_one_counter(open_mirror: OpenMirror) -> None:
    one, other = open_mirror(), open_mirror()

    def write_on(mirror: Mirror, first: int) -> None:
        for number in range(first, first + 20):
            write(mirror, entry(2 * number), entry(2 * number + 1))

    with ThreadPoolExecutor(2) as threads:
        for running in [threads.submit(write_on, one, 0), threads.submit(write_on, other, 50)]:
            running.result()

    _, columns = one.load()
    revisions = [stored.revision for stored in one.entries(columns.entry_id.tolist()).values()]
    assert list(range(1, 81)) == sorted(revisions)
    assert one.revision() == 80


def test_one_mirror_serves_many_threads(mirror: Mirror) -> None:
    def use(number: int) -> None:
        write(mirror, entry(number))
        mirror.save_quota(QuotaBucket(f"organization:{number % 3}", number, NOW, NOW))
        with mirror.batch() as batch:
            batch.write_catalogue([Client(number + 1, 1, f"client {number}")])
        mirror.load()
        mirror.catalogue()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(use, range(40)))

    assert (80, 40, 3) == (mirror.revision(), len(mirror.load()[1]), len(mirror.load_quota()))


def test_the_lock_lets_one_run_in(open_mirror: OpenMirror) -> None:
    one, other = open_mirror(), open_mirror()
    with one.lock():
        for mirror in (one, other):
            with pytest.raises(Busy, match="Another run"), mirror.lock():
                pass
        write(other, entry(0))
    with other.lock():
        assert other.revision() == 1
    with pytest.raises(RuntimeError), one.lock():
        raise RuntimeError
    with other.lock():
        pass
