"""Best of several, in turns: the floor and what is measured see the same machine at the same moments."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter, process_time

__all__ = ["Ratio", "count_processor_time", "measure", "seconds_of"]

ROUNDS = 20
LEAST_ROUNDS = 2
PATIENCE = 3.0  # seconds for one ratio; slow work gets fewer rounds
IN_A_ROW = 10  # runs of a quick thing side by side: each finds the cache as it left it, not as the other did
QUICK = 0.05  # seconds; what takes longer is run once a round


@dataclass(frozen=True, slots=True)
class Ratio:
    """What was measured over its floor, both in `unit`; `goal` None only informs.

    `goal` is the most that is allowed, or with `at_least` the least. `of` names what the floor is. `who` is a rival's
    name; ours are without. `note` is for the results' page: what was tried, where the time goes.
    """

    question: str
    goal: float | None
    measured: float
    floor: float
    unit: str = "s"
    of: str = "F"
    at_least: bool = False
    who: str = ""
    note: str = ""

    @property
    def ratio(self) -> float:
        return self.measured / self.floor

    @property
    def reached(self) -> bool:
        if self.goal is None:
            return True
        return self.ratio >= self.goal if self.at_least else self.ratio <= self.goal

    @property
    def amounts(self) -> str:
        """What was measured and its floor, for people."""
        if self.unit == "s":
            return f"{self.measured * 1000:,.2f} ms over {self.floor * 1000:,.2f} ms"
        return f"{self.measured:,.0f} over {self.floor:,.0f} {self.unit}"

    def __str__(self) -> str:
        bound = "at least" if self.at_least else "at most"
        verdict = "" if self.goal is None else f"; {bound} {self.goal:g}: {'ok' if self.reached else 'MISSED'}"
        who = f"{self.who}: " if self.who else ""
        return f"{self.ratio:8.2f} × {self.of}  {who}{self.question}  ({self.amounts}{verdict})"


def measure(
    question: str,
    goal: float | None,
    work: Callable[[], object],
    floor: Callable[[], object],
    *,
    of: str = "F",
    who: str = "",
    note: str = "",
) -> Ratio:
    """Best times of both, warm: each has been run before, and quick ones are run several times in a row."""
    times = seconds_of(work), seconds_of(floor)
    rows = [IN_A_ROW if each < QUICK else 1 for each in times]
    best, lowest = float("inf"), float("inf")
    began, rounds = perf_counter(), 0
    gc.collect()
    gc.disable()
    try:
        while rounds < LEAST_ROUNDS or (rounds < ROUNDS and perf_counter() - began < PATIENCE):
            best = min(best, *(seconds_of(work) for _ in range(rows[0])), float("inf"))
            lowest = min(lowest, *(seconds_of(floor) for _ in range(rows[1])), float("inf"))
            rounds += 1
    finally:
        gc.enable()
    return Ratio(question, goal, best, lowest, of=of, who=who, note=note)


def seconds_of(work: Callable[[], object]) -> float:
    begin = _clock()
    work()
    return _clock() - begin


def count_processor_time() -> None:
    """For a busy machine: seconds of this process (all its threads) from now on, not those that passed meanwhile."""
    global _clock  # noqa: PLW0603 - one way to measure for all
    _clock = process_time


_clock = perf_counter
