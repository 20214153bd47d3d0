"""Best of several, in turns: the floor and what is measured see the same machine at the same moments."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

__all__ = ["Ratio", "measure"]

ROUNDS = 20
FLOORS_A_ROUND = 10  # more than one, or the work would leave it a cold cache and flatter itself


@dataclass(frozen=True, slots=True)
class Ratio:
    """Seconds of the best round, and of the floor's."""

    question: str
    goal: float
    seconds: float
    floor: float

    @property
    def ratio(self) -> float:
        return self.seconds / self.floor

    def __str__(self) -> str:
        verdict = "ok" if self.ratio <= self.goal else "MISSED"
        return (
            f"{self.ratio:7.2f} F  (goal {self.goal:g} F, {verdict}; "
            f"{self.seconds * 1000:.1f} ms over {self.floor * 1000:.2f} ms)  {self.question}"
        )


def measure(question: str, goal: float, work: Callable[[], object], floor: Callable[[], object]) -> Ratio:
    """Both are run once before, so that they are warm."""
    work()
    floor()
    best = lowest = float("inf")
    gc.collect()
    gc.disable()
    try:
        for _ in range(ROUNDS):
            best = min(best, _seconds(work))
            lowest = min(lowest, *(_seconds(floor) for _ in range(FLOORS_A_ROUND)))
    finally:
        gc.enable()
    return Ratio(question, goal, best, lowest)


def _seconds(work: Callable[[], object]) -> float:
    begin = perf_counter()
    work()
    return perf_counter() - begin
