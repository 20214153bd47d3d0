"""What do answers cost, against merely summing the columns that they need?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from benchmarks.account import BEGIN, END, Account
from benchmarks.measure import Ratio, measure, seconds_of
from benchmarks.stored import stored
from toggl_pulse.metrics import Answers, Contact, Query

__all__ = ["BERLIN", "QUESTIONS", "Question", "answers_of", "floor_of", "ratios"]

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
MANY = 10**7
A_DAY = 86_400
EDITS, REPEATS = 20, 10
AFTER_AN_EDIT = (
    "Beyond the answer itself some 1 ms, whatever the range, and most of it because nothing of this has run just "
    "before: two questions to the database (the revision; the changed rows and their tags), new arrays of the few rows "
    "that are to be summed beside the others, and the columns themselves, which the edit has driven out of the "
    "processor's cache. Nothing is loaded anew. Tried and done: names are read again only where a number since the "
    "last answer is no entry's, the old row is found by its id in an order that is made at the load, and rows around "
    "it are summed without a list of rows; that took it from 2 ms."
)


@dataclass(frozen=True)
class Question:
    """`goals` are in F: at a million entries, and at ten millions. `columns` are those that the answer needs."""

    name: str
    text: str
    goals: tuple[float | None, float | None]
    columns: tuple[str, ...]
    asked: Mapping[str, object] = field(default_factory=dict)
    days: int | None = None
    note: str = ""

    @property
    def first(self) -> int:
        """The range's first second; a day before everything where it is not the last days."""
        return BEGIN - A_DAY if self.days is None else END - self.days * A_DAY

    @property
    def query(self) -> Query:
        more: dict[str, Any] = {"metric": "tracked_hours", **self.asked}
        return Query(start_ms=self.first * 1000, end_ms=(END + A_DAY) * 1000, zone=BERLIN, **more)


QUESTIONS = (
    Question(
        "days",
        "hours per local day per project, five years, by start",
        (6.0, 2.5),
        ("start", "duration", "project_id"),
        {"group_by": "project", "interval": "day"},
    ),
    Question(
        "split",
        "hours per local day per project, five years, split at midnights",
        (14.0, 7.0),
        ("start", "stop", "project_id"),
        {"group_by": "project", "interval": "day", "attribution": "split"},
    ),
    Question(
        "week",
        "hours by local weekday and hour, five years, by start",
        (20.0, None),
        ("start", "duration"),
        {"metric": "weekday_hour_hours"},
    ),
    Question(
        "week_split",
        "hours by local weekday and hour, five years, split at the hours",
        (None, None),
        ("start", "stop"),
        {"metric": "weekday_hour_hours", "attribution": "split"},
    ),
    Question(
        "tags",
        "hours per tag per local month, five years, by start",
        (28.0, None),
        ("start", "duration", "tag_set"),
        {"group_by": "tag", "interval": "month"},
    ),
    Question(
        "last",
        "hours per local day per project, the last 30 days, by start",
        (1.0, None),
        ("start", "duration", "project_id"),
        {"group_by": "project", "interval": "day"},
        days=30,
    ),
)


def answers_of(account: Account) -> Answers:
    return Answers(account, clock=lambda: NOW, contact=lambda: Contact(NOW, timedelta(minutes=20)))


def ratios(account: Account) -> Iterator[Ratio]:
    """One ratio a question; answers are checked against the sum of all lengths."""
    answers = answers_of(account)
    for question in QUESTIONS:
        _check(answers, question, account)
        yield measure(
            question.text,
            question.goals[account.size >= MANY],
            _asking(answers, question.query),
            floor_of(account, question.columns),
            note=question.note,
        )
    if account.size < MANY:
        yield _after_an_edit(account)


def floor_of(account: Account, columns: tuple[str, ...]) -> Callable[[], None]:
    """F: `np.sum` over columns as plain 64-bit whole numbers, in whatever way the engine holds them."""
    arrays = [getattr(account.columns, column).astype(np.int64) for column in columns]

    def floor() -> None:
        for array in arrays:
            np.sum(array)

    return floor


def _after_an_edit(account: Account) -> Ratio:
    """On a real mirror. Each edit is the first one that a set of answers sees; writing it is not measured."""
    query = QUESTIONS[0].query
    warm, edited = [], []
    with TemporaryDirectory() as folder, stored(account, Path(folder)) as mirror:
        for number in np.random.default_rng(1).choice(account.size, EDITS).tolist():
            answers = Answers(mirror, clock=lambda: NOW, contact=lambda: Contact(NOW, timedelta(minutes=20)))
            answers.answer(query)
            warm += [seconds_of(_asking(answers, query)) for _ in range(REPEATS)]
            (entry,) = (found.entry for found in mirror.entries([2**32 + number]).values())
            assert entry.stop is not None
            longer = replace(entry, stop=entry.stop + timedelta(minutes=1), duration=entry.duration + 60)
            with mirror.batch() as batch:
                batch.write_entries([longer])
            edited.append(seconds_of(_asking(answers, query)))
    return Ratio(
        "the first of these questions after one edit, from a mirror",
        1.5,
        min(edited),
        min(warm),
        of="the same without",
        note=AFTER_AN_EDIT,
    )


def _asking(answers: Answers, query: Query) -> Callable[[], object]:
    return lambda: answers.answer(query)


def _check(answers: Answers, question: Question, account: Account) -> None:
    answer = answers.answer(question.query)
    columns = account.columns
    if question.asked.get("attribution") == "split":
        lengths = columns.stop - np.maximum(columns.start, question.first)
    else:
        lengths = columns.duration
    lengths = lengths[columns.start >= question.first]
    if question.asked.get("group_by") == "tag":
        sizes = np.array([len(tags) or 1 for tags in columns.tag_sets])
        lengths = lengths * sizes[columns.tag_set]
    shown = [row[-1] for row in answer.table.rows] if answer.table else [each.values.sum() for each in answer.series]
    assert np.isclose(lengths.sum() / 3600, np.sum(shown)), "a benchmark of wrong answers is worth nothing"
