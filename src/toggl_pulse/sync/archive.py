"""The whole past by Reports: one page of days, or one comparison with Toggl's own total, at a time.

What comes next is decided in `history`; here it is asked, and rows and progress are saved in one batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta

from toggl_pulse.errors import PulseError
from toggl_pulse.mirror import Batch, MonthCheck, MonthState
from toggl_pulse.model import TimeEntry, epoch
from toggl_pulse.sync import history as past
from toggl_pulse.sync import state as memory
from toggl_pulse.sync.history import History, Span
from toggl_pulse.sync.save import save_entries, save_names, set_months
from toggl_pulse.sync.session import Session
from toggl_pulse.sync.state import State
from toggl_pulse.sync.windows import day_of, day_start, month_name
from toggl_pulse.toggl import Named, ReportPage

__all__ = [
    "agrees_but_for_running",
    "block",
    "check",
    "give_up_days",
    "head",
    "plan_refuses_days",
    "put",
    "question",
    "read_page",
    "read_total",
    "unproved",
]

RUNNING_TOLERANCE_SECONDS = 10
"""Whether totals count a running entry is not documented; if they do, this much may pass while they are asked."""


async def read_page(session: Session, state: State, workspace_id: int) -> None:
    """The next page of the head, from the day of the last saved row on.

    Asking again from that day, and not by the page's own token, misses nothing when something was deleted between
    two pages; only a single day of more than one page goes on by token.
    """
    history, span = head(state, workspace_id)
    key = (workspace_id, f"{span.first}/{span.until}")
    token = session.pages.get(key)
    page = await session.client.report_page(workspace_id, span.first, span.until, user_id=session.user_id, page=token)
    if _narrowed(page, span):
        await session.blocking(lambda: _write_history(session, past.narrow(history)))
        return
    oldest = _oldest(session, history, page)
    await session.blocking(lambda: _save_page(session, state, history, page, oldest))
    if page.next_page is not None and max(oldest or span.until, span.first) >= span.until:
        session.pages[key] = page.next_page


def _narrowed(page: ReportPage, span: Span) -> bool:
    """Whether Toggl looked at fewer days than a year that it was asked for."""
    short = (page.range_first or span.first) > span.first or (page.range_last or span.until) < span.until
    return short and not span.month


def _oldest(session: Session, history: History, page: ReportPage) -> date | None:
    """The earliest local day. Where a clock goes back over midnight it need not be that of the earliest start."""
    if not page.entries:
        return None
    zone = session.zone_of(history.zone)
    soon = min(entry.start for entry in page.entries) + timedelta(days=1)
    return min(day_of(entry.start, zone) for entry in page.entries if entry.start <= soon)


def _save_page(session: Session, state: State, history: History, page: ReportPage, oldest: date | None) -> None:
    own = [entry for entry in page.entries if entry.user_id == session.user_id]
    mine = {entry.id for entry in own}
    amounts = [amount for amount in page.amounts if amount.entry_id in mine]
    after = past.after_page(
        history,
        rows=len(page.entries),
        oldest=oldest,
        more=page.next_page is not None,
    )
    with session.mirror.batch() as batch:
        counts = save_entries(
            batch,
            own,
            "report",
            amounts=amounts,
            set_aside=page.set_aside,
            run_id=session.run_id,
            now=session.server_now(state),
        )
        named = session.only_unknown(_named_by(own, page.named))
        counts.add(save_names(batch, named, run_id=session.run_id))
        put(batch, after)
    session.count(counts)


def _named_by(entries: Iterable[TimeEntry], named: Iterable[Named]) -> Iterator[Named]:
    """Names that belong to these entries: a page may hold, or be, somebody else's."""
    ids = {(entry.project_id, entry.task_id, entry.user_id) for entry in entries}
    wanted = {number for row in ids for number in row}
    return (row for row in named if row.id in wanted)


async def read_total(session: Session, state: State, workspace_id: int) -> None:
    """Compare the head with Toggl's total; what agrees is verified, a year that does not is looked at by months."""
    history, span = head(state, workspace_id)
    toggl = await session.client.report_totals(workspace_id, span.first, span.last, user_id=session.user_id)
    await session.blocking(lambda: _save_total(session, state, history, span, toggl))


def _save_total(session: Session, state: State, history: History, span: Span, toggl: int) -> None:
    if span.check and _was_hidden(session, history, span):
        today = day_of(session.server_now(state), session.zone_of(history.zone))
        _write_history(session, past.restart(history, today))
        return
    ours = _seconds(session, history, span.first, span.last)
    equal = ours == toggl or agrees_but_for_running(session, state, history, span, toggl - ours)
    silent = unproved(session, state, history, span) if equal else frozenset()
    # Totals may count what runs: then only what is beyond that tells that the mirror has more.
    surplus = ours + max(_running_for(session, state, history, span), default=0) > toggl
    after = past.after_totals(history, equal=equal, empty=toggl == 0 and ours == 0, surplus=surplus, silent=silent)
    today = day_of(session.server_now(state), session.zone_of(history.zone))
    known = {month.month for month in session.mirror.months() if month.workspace_id == history.workspace_id}
    findings = []
    if equal or not span.month:
        for first, last in past.months_of(span):
            seconds = ours if span.month else _seconds(session, history, first, last)
            if seconds or month_name(first) in known or (history.floor <= last and first <= today):
                proved = equal and first not in silent
                verdict: MonthState = "verified" if proved else "not_verified"
                findings.append(check(session, history, first, verdict, seconds, seconds if proved else None))
    else:
        findings.append(
            check(session, history, span.first, "differs" if span.last_try else "not_verified", ours, toggl)
        )
    with session.mirror.batch() as batch:
        for finding in findings:
            batch.set_month(finding)
        put(batch, after)


def unproved(session: Session, state: State, history: History, span: Span) -> frozenset[date]:
    """First days of the months in which something may be gone that no total shows: entries of no length.

    Only while deletions may have been missed, or for a month that could not be proved when they had been; else the
    deltas have told them.
    """
    missed = state.cursor is not None and state.cursor.gap is not None
    if not (missed or (span.check and _still_doubted(session, history, span))):
        return frozenset()
    zone = session.zone_of(history.zone)
    begin, end = day_start(span.first, zone), day_start(span.last + timedelta(days=1), zone)
    held = session.mirror.finished(history.workspace_id, begin, end, user_id=session.user_id)
    days = {day_of(entry.start, zone) for entry in held if entry.duration == 0}
    return frozenset(first for first, last in past.months_of(span) if any(first <= day <= last for day in days))


def _still_doubted(session: Session, history: History, span: Span) -> bool:
    return any(
        (month.workspace_id, month.month, month.state) == (history.workspace_id, month_name(span.first), "not_verified")
        for month in session.mirror.months()
    )


def _was_hidden(session: Session, history: History, span: Span) -> bool:
    """Whether the plan did not show this month so far: now that it does, it may show more of the past."""
    return any(
        (month.workspace_id, month.month, month.state) == (history.workspace_id, month_name(span.first), "unavailable")
        for month in session.mirror.months()
    )


def agrees_but_for_running(session: Session, state: State, history: History, span: Span, more: int) -> bool:
    """Whether what Toggl has more is what the running entry has come to."""
    return any(
        abs(more - seconds) <= RUNNING_TOLERANCE_SECONDS for seconds in _running_for(session, state, history, span)
    )


def _running_for(session: Session, state: State, history: History, span: Span) -> list[int]:
    """Seconds that entries which began in these days and still run have come to."""
    zone = session.zone_of(history.zone)
    begin, end = day_start(span.first, zone), day_start(span.last + timedelta(days=1), zone)
    now = epoch(session.server_now(state))
    return [
        now - epoch(entry.start)
        for entry in session.mirror.running()
        if entry.workspace_id == history.workspace_id and begin <= entry.start < end
    ]


def _seconds(session: Session, history: History, first: date, last: date) -> int:
    zone = session.zone_of(history.zone)
    begin, end = day_start(first, zone), day_start(last + timedelta(days=1), zone)
    return session.mirror.tracked_seconds(history.workspace_id, begin, end, user_id=session.user_id)


def check(
    session: Session, history: History, first: date, state: MonthState, ours: int | None, toggl: int | None
) -> MonthCheck:
    """What was found about the month of this day, now."""
    return MonthCheck(history.workspace_id, month_name(first), state, ours, toggl, session.clock())


def plan_refuses_days(session: Session, state: State, workspace_id: int) -> None:
    """The plan does not show these days to Reports: their months are not available, and the rest goes on."""
    history, _span = head(state, workspace_id)
    after, months = past.after_plan_limit(history)
    with session.mirror.batch() as batch:
        set_months(batch, workspace_id, months, "unavailable", session.clock())
        put(batch, after)


def give_up_days(session: Session, state: State, workspace_id: int, error: PulseError) -> None:
    """Toggl will not answer this question: its months stay not verified, and the rest goes on.

    A year that nothing is known of, far below the beginning, is left alone until the next full sync.
    """
    history, span = head(state, workspace_id)
    if span.probe and span.check:
        _write_history(session, past.after_refusal(history))
        return
    session.refused(question(span, workspace_id), error)
    with session.mirror.batch() as batch:
        set_months(batch, workspace_id, past.months_of(span), "not_verified", session.clock())
        put(batch, past.after_refusal(history))


def block(session: Session, state: State, workspace_id: int, error: PulseError) -> None:
    """The account may not see this workspace's Reports; it is tried again with the next full sync."""
    history, span = head(state, workspace_id)
    session.refused(question(span, workspace_id), error)
    _write_history(session, replace(history, blocked=error.message))


def question(span: Span, workspace_id: int) -> str:
    """What was asked, under which a lasting refusal is remembered."""
    return f"reports:{workspace_id}:{span.first.year}"


def head(state: State, workspace_id: int) -> tuple[History, Span]:
    """A workspace's history, and the days that are next."""
    history = state.histories[workspace_id]
    if history.head is None:
        raise ValueError("this history has nothing left to read")
    return history, history.head


def _write_history(session: Session, history: History) -> None:
    with session.mirror.batch() as batch:
        put(batch, history)


def put(batch: Batch, history: History) -> None:
    """Remember how far a history is."""
    batch.set_state(memory.history_key(history.workspace_id), past.to_json(history))
