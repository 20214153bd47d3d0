"""What do answers cost, against merely summing the columns that they need?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from benchmarks.account import BEGIN, END, Account
from benchmarks.measure import Ratio, measure
from toggl_pulse.metrics import Answers, Contact, Query

__all__ = ["questions"]

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 1, 1, tzinfo=UTC)

# question, goal in F (at a million entries, at ten millions), columns that are needed, what is asked
QUESTIONS = (
    (
        "hours per local day per project, five years, by start",
        (6.0, 2.5),
        ("start", "seconds", "project"),
        {"group_by": "project", "interval": "day"},
    ),
    (
        "hours per local day per project, five years, split at midnights",
        (14.0, 7.0),
        ("start", "stop", "project"),
        {"group_by": "project", "interval": "day", "attribution": "split"},
    ),
    (
        "hours by local weekday and hour, five years, by start",
        (20.0, 20.0),
        ("start", "seconds"),
        {"metric": "weekday_hour_hours"},
    ),
    (
        "hours per tag per local month, five years, by start",
        (28.0, 28.0),
        ("start", "seconds", "tag_set"),
        {"group_by": "tag", "interval": "month"},
    ),
    (
        "hours per local day per project, the last 30 days, by start",
        (1.0, 1.0),
        ("start", "seconds", "project"),
        {"group_by": "project", "interval": "day", "days": 30},
    ),
)


def questions(account: Account) -> Iterator[Ratio]:
    """One ratio a question; answers are checked against the sum of all lengths."""
    answers = Answers(account, clock=lambda: NOW, contact=lambda: Contact(NOW, timedelta(minutes=20)))
    part = answers._columns.newest().base  # noqa: SLF001 - the floor sums the engine's own columns
    big = account.size >= 10**7
    for question, goals, columns, asked in QUESTIONS:
        query = _query(asked)
        _check(answers, query, account)
        arrays = [getattr(part, column) for column in columns]
        yield measure(question, goals[big], _asking(answers, query), partial(_floor, arrays))
    yield _after_an_edit(answers, account)


def _after_an_edit(answers: Answers, account: Account) -> Ratio:
    query = _query(QUESTIONS[0][3])
    rows = iter(range(0, account.size, max(1, account.size // 100)))

    def edited() -> None:
        account.edit(next(rows))
        answers.answer(query)

    return measure(
        "the first question after one edit, F being the same answer without (not a sum)",
        1.5,
        edited,
        _asking(answers, query),
    )


def _floor(arrays: list[NDArray[Any]]) -> None:
    for array in arrays:
        np.sum(array)


def _asking(answers: Answers, query: Query) -> Callable[[], object]:
    return lambda: answers.answer(query)


def _query(asked: Mapping[str, object]) -> Query:
    more = dict(asked)
    metric, days = str(more.pop("metric", "tracked_hours")), more.pop("days", None)
    last = END + 86_400
    first = BEGIN - 86_400 if days is None else END - int(str(days)) * 86_400
    return Query(metric, first * 1000, last * 1000, BERLIN, **more)  # type: ignore[arg-type]


def _check(answers: Answers, query: Query, account: Account) -> None:
    answer = answers.answer(query)
    lengths = account.columns.duration[account.columns.start * 1000 >= query.start_ms] / 3600
    if query.group_by == "tag":
        sizes = np.array([len(tags) or 1 for tags in account.columns.tag_sets])
        lengths = lengths * sizes[account.columns.tag_set]
    shown = [row[-1] for row in answer.table.rows] if answer.table else [each.values.sum() for each in answer.series]
    assert np.isclose(lengths.sum(), np.sum(shown)), "a benchmark of wrong answers is worth nothing"
