"""The reading of one workspace's whole past by Reports: which days come next, and what an answer changes; pure.

A history is a queue of spans. The head is read page by page, newest day first, then compared with Toggl's total.
A year that does not agree becomes months, a month that does not agree is read once more, and where the mirror then
still has more than Toggl, what is gone is looked for. Knows no request.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from toggl_pulse.model import JSON
from toggl_pulse.sync.windows import FIRST_DAY, months_between, year_of

__all__ = [
    "History",
    "Span",
    "after_page",
    "after_plan_limit",
    "after_proof",
    "after_refusal",
    "after_totals",
    "begin",
    "deepen",
    "months_of",
]

DEEPER = 3
"""Years below everything that was found, compared in one full sync."""

FLAGS = ("month", "last_try", "probe", "limited", "check")


@dataclass(frozen=True, slots=True)
class Span:
    """Local days `first` to `last`, both included.

    `bound` is the day up to which is still to be read (resuming: the day of the last saved row). `rows` counts what
    came. `month`: part of a year, looked at by itself. `last_try`: a difference stands. `probe`: a year below the
    account's beginning. `limited`: a month tried because the plan refused its whole year. `check`: a month that was
    read before, or a year far below the beginning, that is only compared.
    """

    first: date
    last: date
    stage: Literal["read", "compare", "prove"] = "read"
    bound: date | None = None
    rows: int = 0
    month: bool = False
    last_try: bool = False
    probe: bool = False
    limited: bool = False
    check: bool = False

    @property
    def until(self) -> date:
        return self.bound or self.last


@dataclass(frozen=True, slots=True)
class History:
    """One workspace's past. `floor` is the first day that must be read; `below` allows years before it.

    `newest` is the latest year ever queued, `reached` the first day of the oldest finished year, `looked` that of the
    oldest one below it that was seen to be empty. `limited` is set once the plan refused something as a whole.
    `blocked` is why this workspace cannot be read at present.
    """

    workspace_id: int
    zone: str
    floor: date
    below: bool
    newest: int
    queue: tuple[Span, ...] = ()
    done: int = 0
    rows: int = 0
    reached: date | None = None
    looked: date | None = None
    limited: bool = False
    blocked: str = ""

    @property
    def head(self) -> Span | None:
        return self.queue[0] if self.queue else None

    @property
    def left(self) -> int:
        """Years still to be read or compared; months of a year that is looked at closely count as one."""
        return len({span.first.year for span in self.queue if not span.check})


def begin(workspace_id: int, zone: str, *, today: date, created: date | None, backfill_from: date | None) -> History:
    """Every year from the next one (planned entries lie ahead) back to the first, newest first."""
    floor = backfill_from or (date(created.year, 1, 1) if created else FIRST_DAY)
    history = History(workspace_id, zone, max(floor, FIRST_DAY), below=backfill_from is None, newest=today.year + 1)
    return replace(history, queue=tuple(_years(history.newest, history.floor)))


def restart(history: History, today: date) -> History:
    """Read everything anew, as far back as it was ever read: something may have been missed."""
    oldest = min(history.floor, history.reached or history.floor)
    newest = max(history.newest, today.year + 1)
    queue = tuple(_probing(history, _years(newest, oldest)))
    return replace(history, newest=newest, queue=queue, done=0, rows=0, looked=None, limited=False)


def extend(history: History, today: date) -> History:
    """When a year has begun, the next one is read too."""
    ahead = today.year + 1
    if ahead <= history.newest:
        return history
    added = tuple(_years(ahead, date(history.newest + 1, 1, 1)))
    return replace(history, newest=ahead, queue=(*added, *history.queue))


def rezone(history: History, zone: str) -> History:
    """The profile moved to another zone: days and months have other borders, so all totals are compared again."""
    queued = {span.first.year for span in history.queue}
    oldest = history.reached or date(history.newest + 1, 1, 1)
    years = [span for span in _years(history.newest, oldest) if span.first.year not in queued]
    again = [replace(span, stage="compare") for span in _probing(history, years)]
    return replace(history, zone=zone, queue=(*history.queue, *again), done=max(0, history.done - len(again)))


def reread(history: History, years: Iterable[int]) -> History:
    """Read years once more that were given up as a whole."""
    queued = {span.first.year for span in history.queue}
    again = [
        Span(*year_of(year, not_before=history.floor if history.floor.year == year else FIRST_DAY))
        for year in years
        if year not in queued
    ]
    queue = (*history.queue, *_probing(history, again))
    return replace(history, queue=queue, done=max(0, history.done - len(again)))


def recheck(history: History, months: Iterable[tuple[date, bool]]) -> History:
    """Compare single months again before all else, each as `(any day of it, last_try)`, unless its year is queued."""
    queued = {span.first.year for span in history.queue}
    added = []
    for day, last_try in months:
        first, last = _month(day)
        if first.year not in queued:
            added.append(Span(first, last, stage="compare", month=True, last_try=last_try, check=True))
    return replace(history, queue=(*added, *history.queue))


def deepen(history: History) -> History:
    """Compare a few more years below the beginning: hours that were imported may lie below an empty year."""
    low = history.looked or history.reached
    if not history.below or history.limited or low is None or any(map(_is_deep, history.queue)):
        return history
    years = range(low.year - 1, max(low.year - DEEPER, FIRST_DAY.year) - 1, -1)
    deep = [Span(*year_of(year), stage="compare", probe=True, check=True) for year in years]
    return replace(history, queue=(*history.queue, *deep))


def after_page(history: History, *, rows: int, oldest: date | None, more: bool) -> History:
    """`rows` were saved, the last one began on the local day `oldest`; `more` says that a page follows."""
    span = _head(history)
    read = replace(span, rows=span.rows + rows)
    if more and oldest is not None:
        read = replace(read, bound=max(min(oldest, span.until), span.first))
    elif not more:
        read = replace(read, stage="compare", bound=None)
    return replace(history, queue=(read, *history.queue[1:]), rows=history.rows + rows)


def after_totals(
    history: History, *, equal: bool, empty: bool, surplus: bool = False, silent: Collection[date] = ()
) -> History:
    """The head was compared with Toggl's total.

    `empty` says that neither side has anything there, `surplus` that the mirror has more. `silent` are the first days
    of months that the total does not prove though it agrees.
    """
    span = _head(history)
    if span.month:
        if equal and silent:
            return replace(history, queue=(replace(span, stage="prove"), *history.queue[1:]))
        if span.last_try and surplus and not equal:
            return replace(history, queue=(replace(span, stage="prove"), *history.queue[1:]))
        if equal or span.last_try:
            return _drop_head(history)
        again = replace(span, stage="read", last_try=True, rows=0)
        return replace(history, queue=(again, *history.queue[1:]))
    if equal:
        months = tuple(month for month in _months(span, stage="prove") if month.first in silent)
    else:
        months = tuple(_months(span, stage="compare"))
    return _finish_year(history, months, empty=empty and span.rows == 0)


def after_proof(history: History) -> History:
    """Whether something of the head is gone at Toggl was looked into."""
    return _drop_head(history)


def after_plan_limit(history: History) -> tuple[History, tuple[tuple[date, date], ...]]:
    """The plan does not include the head: what comes next, and the months that are not available."""
    span = _head(history)
    if span.stage != "read":
        return after_refusal(history), ()
    if span.probe:
        return _drop_head(history), ()
    if span.month:
        gone = [span, *(s for s in history.queue[1:] if span.limited and s.limited and s.last < span.first)]
        rest = tuple(s for s in history.queue if s not in gone)
        after = replace(history, queue=rest, limited=history.limited or span.limited)
        return after, tuple((s.first, s.last) for s in gone)
    if history.limited:
        return _finish_year(history, (), empty=True), tuple(months_between(span.first, span.last))
    return _finish_year(history, tuple(_months(span, stage="read", limited=True)), empty=True), ()


def after_refusal(history: History) -> History:
    """Toggl will not answer this: its months stay not verified, and the reading goes on."""
    if _is_deep(_head(history)):
        return replace(history, queue=tuple(span for span in history.queue if not _is_deep(span)))
    return _drop_head(history) if _head(history).month else _finish_year(history, (), empty=True)


def narrow(history: History) -> History:
    """Toggl used fewer days than it was asked for: the year is read by months."""
    span = _head(history)
    months = _months(span, stage="read")
    return replace(history, queue=(*months, *history.queue[1:]))


def months_of(span: Span) -> tuple[tuple[date, date], ...]:
    return tuple(months_between(span.first, span.last))


def _probing(history: History, years: Iterable[Span]) -> Iterable[Span]:
    return (replace(span, probe=span.first < history.floor) for span in years)


def _head(history: History) -> Span:
    if not history.queue:
        raise ValueError("this history has nothing left to read")
    return history.queue[0]


def _is_deep(span: Span) -> bool:
    return span.probe and span.check


def _drop_head(history: History) -> History:
    return replace(history, queue=history.queue[1:])


def _finish_year(history: History, instead: tuple[Span, ...], *, empty: bool) -> History:
    span, rest = _head(history), history.queue[1:]
    if _is_deep(span) and empty:
        return replace(history, queue=rest, looked=span.first)
    lowest = all(other.first > span.first for other in rest) and span.first <= (history.reached or span.first)
    deeper: tuple[Span, ...] = ()
    if history.below and lowest and span.first > FIRST_DAY and not (span.probe and empty):
        first, last = year_of(span.first.year - 1)
        deeper = (Span(first, last, probe=True),)
    reached = min(span.first, history.reached or span.first)
    return replace(history, queue=(*instead, *rest, *deeper), done=history.done + 1, reached=reached)


def _years(newest: int, floor: date) -> list[Span]:
    return [Span(*year_of(year, not_before=floor)) for year in range(newest, floor.year - 1, -1)]


def _months(span: Span, *, stage: Literal["read", "compare", "prove"], limited: bool = False) -> list[Span]:
    return [
        Span(first, last, stage=stage, month=True, limited=limited, last_try=stage == "read")
        for first, last in months_between(span.first, span.last)
    ]


def _month(day: date) -> tuple[date, date]:
    first = day.replace(day=1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return first, date.fromordinal(following.toordinal() - 1)


def to_json(history: History) -> JSON:
    return {
        "workspace_id": history.workspace_id,
        "zone": history.zone,
        "floor": history.floor.isoformat(),
        "below": history.below,
        "newest": history.newest,
        "queue": [_span_to_json(span) for span in history.queue],
        "done": history.done,
        "rows": history.rows,
        "reached": history.reached.isoformat() if history.reached else None,
        "looked": history.looked.isoformat() if history.looked else None,
        "limited": history.limited,
        "blocked": history.blocked,
    }


def from_json(value: JSON) -> History:
    return History(
        workspace_id=value["workspace_id"],
        zone=value["zone"],
        floor=date.fromisoformat(value["floor"]),
        below=value["below"],
        newest=value["newest"],
        queue=tuple(_span_from_json(span) for span in value["queue"]),
        done=value["done"],
        rows=value["rows"],
        reached=date.fromisoformat(value["reached"]) if value["reached"] else None,
        looked=date.fromisoformat(value["looked"]) if value.get("looked") else None,
        limited=value["limited"],
        blocked=value["blocked"],
    )


def _span_to_json(span: Span) -> JSON:
    flags = [name for name in FLAGS if getattr(span, name)]
    bound = span.bound.isoformat() if span.bound else None
    return [span.first.isoformat(), span.last.isoformat(), span.stage, bound, span.rows, flags]


def _span_from_json(value: JSON) -> Span:
    first, last, stage, bound, rows, flags = value
    return Span(
        date.fromisoformat(first),
        date.fromisoformat(last),
        stage,
        date.fromisoformat(bound) if bound else None,
        rows,
        **dict.fromkeys(flags, True),
    )
