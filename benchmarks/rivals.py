"""The same questions on the same data, asked of Polars, DuckDB, pandas and SQLite; all answers must be equal.

Each rival holds the data as it likes best, sorted by start and loaded beforehand, and may use all processors; ours
uses one. The zone's days are computed by Polars, DuckDB and pandas with their own conversion; SQLite, which knows no
zones, gets the changes of the clock as a CASE.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.account import Account
from benchmarks.measure import Ratio, measure
from benchmarks.questions import QUESTIONS, Question, answers_of, floor_of
from benchmarks.rival_frames import Pandas, Polars
from benchmarks.rival_sql import DuckDB, SQLite
from benchmarks.rivals_data import Cells, cells_of_answer, rounded

__all__ = ["RIVALS", "ratios"]

RIVALS = (Polars, DuckDB, Pandas, SQLite)
ASKED = ("days", "split", "week", "tags", "last")


def ratios(account: Account) -> Iterator[Ratio]:
    answers = answers_of(account)
    asked = [question for question in QUESTIONS if question.name in ASKED]
    expected = {question.name: cells_of_answer(answers.answer(question.query), question) for question in asked}
    sorted_by_start = copy(account)
    order = np.argsort(account.columns.start, kind="stable")
    names = [each.name for each in fields(account.columns) if each.name not in {"tag_sets", "descriptions"}]
    arrays: dict[str, Any] = {name: getattr(account.columns, name)[order] for name in names}
    sorted_by_start.columns = replace(account.columns, **arrays)
    for rival in RIVALS:
        other = rival(sorted_by_start)
        for question in asked:
            ask = getattr(other, question.name)
            _same(expected[question.name], rounded(other.cells(ask())), question, rival.name)
            yield measure(question.text, None, ask, floor_of(account, question.columns), who=rival.name)
        other.close()


def _same(ours: Cells, theirs: Cells, question: Question, name: str) -> None:
    assert np.array_equal(ours, theirs), f"{name} answers otherwise: {question.text}: {_difference(ours, theirs)}"


def _difference(ours: Cells, theirs: Cells) -> NDArray[np.int64]:
    known = {tuple(row) for row in ours.tolist()}
    return np.array([row for row in theirs.tolist() if tuple(row) not in known][:5])
