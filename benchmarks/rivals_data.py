"""What the rivals are given, and the form in which answers are compared: step, group and whole seconds, sorted."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.account import BEGIN, END, Account
from benchmarks.questions import BERLIN, Question
from toggl_pulse.metrics import Answer
from toggl_pulse.model import NO_ID

__all__ = ["DAY", "Cells", "cells_of_answer", "clock_changes", "local_day", "rounded", "tag_members"]

DAY = 86_400
HOURS = 24
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")

Ints = NDArray[np.int64]
Cells = NDArray[np.int64]
"""Rows of (step, group, seconds): a step is a local day or month since 1970, or 24 × weekday (0 = Sunday) + hour."""


def rounded(cells: Any) -> Cells:
    """Sorted, whole, and without the cells that have no time."""
    found: Cells = np.array(cells, np.float64).round().astype(np.int64).reshape(-1, 3)
    found = found[found[:, 2] != 0]
    return found[np.lexsort((found[:, 1], found[:, 0]))]


def cells_of_answer(answer: Answer, question: Question) -> Cells:
    if answer.table is not None:
        return rounded(
            [(WEEKDAYS.index(day) * HOURS + hour, 0, hours * 3600) for day, hour, hours in answer.table.rows]
        )
    rows = []
    for each in answer.series:
        step = local_day(each.times_ms // 1000)
        if question.name == "tags":
            step = step.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        group = NO_ID if each.key is None else int(each.key)
        rows.append(np.stack((step, np.full(len(step), group), each.values * 3600), axis=1))
    return rounded(np.concatenate(rows))


@cache
def clock_changes() -> list[tuple[int, int]]:
    """(moment, offset from then on) for the account's years; the first has always been."""
    hours = np.arange(BEGIN - 40 * DAY, END + 40 * DAY, 3600)
    offsets = local(hours) - hours
    changed = np.flatnonzero(np.diff(offsets)) + 1
    return [(0, int(offsets[0])), *((int(hours[at]), int(offsets[at])) for at in changed)]


def local(moments: Ints) -> Ints:
    """Local clock readings, by Python's own zones."""
    found = [datetime.fromtimestamp(moment, BERLIN).replace(tzinfo=UTC) for moment in moments.tolist()]
    return np.array([int(each.timestamp()) for each in found], np.int64)


def local_day(moments: Ints) -> Ints:
    return local(moments) // DAY


def tag_members(account: Account) -> tuple[Ints, Ints]:
    """(set, tag) of every set's members; a set without any has the tag of none."""
    sets = account.columns.tag_sets
    number = [each for each, tags in enumerate(sets) for _ in tags or (NO_ID,)]
    return np.array(number, np.int64), np.array([tag for tags in sets for tag in tags or (NO_ID,)], np.int64)
