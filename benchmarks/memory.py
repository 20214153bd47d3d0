"""How many bytes does an entry take in memory, beside names and texts; and how many does an answer, for a while?"""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np

from benchmarks.account import Account
from benchmarks.measure import Ratio
from benchmarks.questions import QUESTIONS, answers_of
from toggl_pulse.metrics.columns import Snapshot

__all__ = ["ratios"]


def ratios(account: Account) -> Iterator[Ratio]:
    answers = answers_of(account)
    for question in QUESTIONS:
        answers.answer(question.query)  # what is kept of them counts
    account.edit(0)
    answers.answer(QUESTIONS[0].query)
    snapshot = answers._columns.last()  # noqa: SLF001 - what it holds is what is measured
    yield Ratio(
        "memory of the columns and of all that is kept with them",
        64.0,
        sum(array.nbytes for array in arrays_of(snapshot)),
        len(snapshot),
        unit="bytes",
        of="an entry",
    )
    tracemalloc.start()
    peaks = []
    for question in QUESTIONS:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        answers.answer(question.query)
        peaks.append(tracemalloc.get_traced_memory()[1] - before)
    tracemalloc.stop()
    yield Ratio(
        "memory that an answer takes while it is made, the hungriest of these questions",
        None,
        max(peaks),
        len(snapshot),
        unit="bytes",
        of="an entry",
    )


def arrays_of(snapshot: Snapshot) -> list[np.ndarray[Any, Any]]:
    """Every array that a snapshot keeps, each buffer once."""
    kept: list[Any] = [snapshot.hidden]
    for holder in (snapshot.base, snapshot.extra, *snapshot.memo.values()):
        for each in fields(holder):
            value = getattr(holder, each.name)
            kept += value if isinstance(value, tuple) else [value]
    owners = {id(owner): owner for owner in map(_owner, kept) if isinstance(owner, np.ndarray)}
    return list(owners.values())


def _owner(value: Any) -> Any:
    while isinstance(value, np.ndarray) and isinstance(value.base, np.ndarray):
        value = value.base
    return value
