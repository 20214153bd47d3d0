"""A random moment in the life of a process: when to stop it, and what it was at when it stood still.

A process is first stopped, so that it can be looked at, and then killed: to it that is one moment.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from e2e.processes import SimulatedToggl
from e2e.warm import Child

WRITE_LOCK_BYTE = "120"
"""Where SQLite locks its `-shm` file while a transaction writes, https://sqlite.org/walformat.html."""

GLANCE = 0.0005
"""Seconds a process runs on between two looks for an open transaction."""

LOOK = 0.003
"""Seconds between two looks at how many answers were given."""

WAYS = ("time", "answer", "writing")

ENDED = "after its end"
"""Where a process was that nobody could kill any more."""


@dataclass(frozen=True, slots=True)
class Usual:
    """How long a run of a kind takes when nobody kills it, and how many answers it gets."""

    seconds: float
    answers: int


def writes_sqlite(database: Path) -> Callable[[Child], bool]:
    """Tells whether a stopped process holds the right to write in this file."""

    def holds(child: Child) -> bool:
        try:
            number = database.with_name(f"{database.name}-shm").stat().st_ino
        except FileNotFoundError:
            return False
        locks = Path("/proc/locks").read_text().splitlines()
        wanted = (str(child.pid), f":{number}", WRITE_LOCK_BYTE)
        return any(
            (fields[-4], fields[-3][-len(wanted[1]) :], fields[-2]) == wanted
            for fields in (line.split() for line in locks)
        )

    return holds


def stop_at_some_moment(
    child: Child,
    toggl: SimulatedToggl,
    random: Random,
    usual: Usual,
    writes: Callable[[Child], bool],
    ways: Sequence[str] = WAYS,
) -> str:
    """Let a process run, stop it somewhere in its run, and tell where that was.

    The moment is a time of its usual run, or a little after one of its answers, or the first open transaction
    after such an answer, and at most twice as long as it usually takes. What asks for no answers has the first of these
    `ways` only.
    """
    asked, until = len(toggl.get("log")), time.monotonic() + 2 * usual.seconds
    way = random.choice(ways)
    if way == "time":
        child.ends_within(random.uniform(0, 1.1 * usual.seconds))
    else:
        _after_answer(child, toggl, asked + random.randint(1, usual.answers), until)
        child.ends_within(random.uniform(0, 0.01))
    stopped = _stop(child)
    while way == "writing" and stopped and not writes(child) and time.monotonic() < until:
        child.send(signal.SIGCONT)
        child.ends_within(GLANCE)
        stopped = _stop(child)
    if not stopped:
        return ENDED
    if writes(child):
        return "in a transaction"
    return "between transactions" if len(toggl.get("log")) > asked else "before the first answer"


def stop_after(child: Child, seconds: float, writes: Callable[[Child], bool]) -> str:
    """Let a process run that long, stop it, and tell where that was."""
    child.ends_within(seconds)
    if not _stop(child):
        return ENDED
    return "in a transaction" if writes(child) else "between transactions"


def _after_answer(child: Child, toggl: SimulatedToggl, number: int, until: float) -> None:
    """Returns at the latest `until`: a service that has nothing more to ask does not end."""
    while child.alive() and len(toggl.get("log", skip=str(number - 1))) < 1 and time.monotonic() < until:
        child.ends_within(LOOK)


def _stop(child: Child) -> bool:
    """False when it has ended by itself."""
    child.send(signal.SIGSTOP)
    state = Path(f"/proc/{child.pid}/stat")
    while child.alive():
        if state.read_text().rpartition(")")[2].split()[0] in "Tt":
            return True
        os.sched_yield()
    return False
