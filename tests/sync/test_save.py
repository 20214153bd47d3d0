from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from toggl_pulse.mirror import Mirror
from toggl_pulse.model import Amount, SetAside, Tag, TimeEntry
from toggl_pulse.sync.save import Counts, save_entries
from toggl_pulse.sync.session import in_thread

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
TAG = Tag(7, 1, "deep")
ENTRY = TimeEntry(
    id=3_950_000_001,
    workspace_id=1,
    user_id=2,
    start=START,
    stop=START + timedelta(hours=1),
    duration=3600,
    at=START + timedelta(hours=2, microseconds=400_000),
    description="text",
    tags=("deep",),
    tag_ids=(7,),
)
REPORT = replace(ENTRY, at=ENTRY.at.replace(microsecond=0))


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    with Mirror.open(f"sqlite:///{tmp_path}/mirror.db", clock=lambda: START) as mirror:
        with mirror.batch() as batch:
            batch.write_catalogue([TAG])
            save_entries(batch, [ENTRY], "delta", run_id=batch.start_run("test"))
        yield mirror


def test_a_report_of_the_same_second_takes_a_tag_off_and_leaves_the_text(mirror: Mirror) -> None:
    with mirror.batch() as batch:
        counts = save_entries(batch, [replace(REPORT, description="lag", tags=(), tag_ids=())], "report", run_id=1)

    entry = mirror.entries([ENTRY.id])[ENTRY.id].entry
    assert Counts(changed=1) == counts
    assert ("text", (), ENTRY.at) == (entry.description, entry.tag_ids, entry.at)


@pytest.mark.parametrize(("days", "kept"), [(0.9, (7,)), (1.1, ())])
def test_within_a_day_of_the_change_such_a_report_may_show_what_was_before(
    mirror: Mirror, days: float, kept: tuple[int, ...]
) -> None:
    now = ENTRY.at + timedelta(days=days)
    with mirror.batch() as batch:
        save_entries(batch, [replace(REPORT, tags=(), tag_ids=())], "report", run_id=1, now=now)

    assert kept == mirror.entries([ENTRY.id])[ENTRY.id].entry.tag_ids


def test_amounts_are_kept_beside_and_make_no_version(mirror: Mirror) -> None:
    amount = Amount(ENTRY.id, 6000, 6000, "EUR")
    with mirror.batch() as batch:
        counts = save_entries(batch, [REPORT], "report", amounts=[amount], run_id=1)

    assert (Counts(unchanged=1), [], {ENTRY.id: amount}) == (counts, mirror.versions(ENTRY.id), mirror.amounts())


def test_a_row_that_only_brings_a_dead_tag_back_counts_as_unchanged(mirror: Mirror) -> None:
    with mirror.batch() as batch:
        batch.write_catalogue([replace(TAG, deleted=True)])
    revision = mirror.revision()

    with mirror.batch() as batch:
        counts = save_entries(batch, [ENTRY], "delta", run_id=1)

    assert (Counts(unchanged=1), revision) == (counts, mirror.revision())


def test_the_same_entry_twice_in_one_answer_is_merged_in_turn(mirror: Mirror) -> None:
    later = replace(ENTRY, at=ENTRY.at + timedelta(minutes=1), description="later")
    with mirror.batch() as batch:
        save_entries(batch, [later, ENTRY], "window", set_aside=[SetAside("time_entry", 5, "odd", "{}")], run_id=1)

    assert "later" == mirror.entries([ENTRY.id])[ENTRY.id].entry.description
    assert 1 == mirror.counts().set_aside


def test_a_cancelled_write_ends_before_the_run_lets_go() -> None:
    begun, ended = threading.Event(), threading.Event()
    go_on = threading.Event()

    def write() -> None:
        begun.set()
        go_on.wait(5)
        ended.set()

    async def run() -> bool:
        task = asyncio.ensure_future(in_thread(write))
        await asyncio.to_thread(begun.wait, 5)
        task.cancel()
        asyncio.get_running_loop().call_later(0.01, go_on.set)
        with pytest.raises(asyncio.CancelledError):
            await task
        return ended.is_set()

    assert asyncio.run(run())
