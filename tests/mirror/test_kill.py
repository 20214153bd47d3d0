"""A writer killed at any moment: every batch is there whole or not at all, and its locks are gone."""

from __future__ import annotations

import os
import random
import select
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from mirror.rows import FIRST_ID, clock
from toggl_pulse.errors import Busy
from toggl_pulse.mirror import Mirror

TESTS = Path(__file__).parent.parent
SCRIPT = Path(__file__).with_name("killed.py")


def start(url: str, first: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), url, str(first)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent / 'src'}"},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    return process


def kill(process: subprocess.Popen[str]) -> int | None:
    """The last batch whose commit was told before the end."""
    process.send_signal(signal.SIGKILL)
    told, _ = process.communicate(timeout=30)
    numbers = [int(line) for line in told.split("\n")[:-1]]
    return max(numbers, default=None)


def check_whole(path: Path, told: int) -> int:
    """Every told commit is there, and nothing of a batch that has no cursor; returns the last batch there."""
    with Mirror.open(f"sqlite:///{path}", clock=clock) as mirror:
        with mirror.lock():
            pass
        state = mirror.state("cursor")
        cursor = -1 if state is None else int(state)
        _, columns = mirror.load()
        moved = {f"batch {cursor}"} if cursor >= 0 else set()
        assert cursor >= told
        assert moved == {text for text in columns.descriptions if text.startswith("batch")}
        assert [FIRST_ID + 1000 + number for number in range(cursor + 1)] == sorted(
            columns.entry_id[columns.entry_id >= FIRST_ID + 1000].tolist()
        )
        # A new entry takes a revision, and so does each of the 50 whose text has moved.
        assert 51 * (cursor + 1) == mirror.revision()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    return cursor


def kill_many(path: Path, times: int) -> int:
    moments = random.Random(4)  # noqa: S311 - moments, not secrets
    last = -1
    for _ in range(times):
        process = start(f"sqlite:///{path}", last + 1)
        time.sleep(moments.uniform(0, 0.15))  # the moment of the kill is what is tested, not waited for
        told = kill(process)
        last = check_whole(path, last if told is None else told)
    return last


def test_a_writer_killed_at_random_moments_leaves_whole_batches(path: Path) -> None:
    assert kill_many(path, 4) > 0


@pytest.mark.long
def test_a_writer_killed_at_two_hundred_moments_leaves_whole_batches(path: Path) -> None:
    assert kill_many(path, 200) > 0


def test_a_batch_that_was_under_way_is_gone_and_its_lock_too(path: Path) -> None:
    """Stopped between two writes of one batch, then killed: the place is certain here, not random."""
    script = (
        "import sys, time\nfrom mirror.rows import clock, entry\nfrom toggl_pulse.mirror import Mirror\n"
        "mirror = Mirror.open(sys.argv[1], clock=clock)\n"
        "with mirror.lock(), mirror.batch() as batch:\n"
        "    batch.write_entries(entry(number) for number in range(5000))\n"
        "    batch.set_state('cursor', 1)\n"
        "    print('inside', flush=True)\n"
        "    time.sleep(600)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, f"sqlite:///{path}"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent / 'src'}"},
    )
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], 60)
    assert ready
    with Mirror.open(f"sqlite:///{path}", clock=clock) as mirror:
        with pytest.raises(Busy), mirror.lock():
            pass
        process.kill()
        process.communicate(timeout=30)

        with mirror.lock(), mirror.batch() as batch:
            assert batch.state("cursor") is None
            batch.set_state("cursor", 2)
        assert (0, 0, 2) == (mirror.revision(), len(mirror.load()[1]), mirror.state("cursor"))
