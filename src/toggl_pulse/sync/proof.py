"""Entries that the mirror has and Toggl has no more, though no deletion was told: found, proved, and then ended.

Deltas forget a deletion after three months, and a cut-off answer may lack it. That an answer lacks an entry proves
nothing; it is gone when the month as Reports list it and the month as they total it agree without it, to the second.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Literal

from toggl_pulse.mirror import MonthState
from toggl_pulse.model import TimeEntry
from toggl_pulse.sync import history as past
from toggl_pulse.sync.archive import agrees_but_for_running, check, head, put, unproved
from toggl_pulse.sync.history import History, Span
from toggl_pulse.sync.merge import SETTLED
from toggl_pulse.sync.save import Counts, save_entries
from toggl_pulse.sync.session import Session
from toggl_pulse.sync.state import State
from toggl_pulse.sync.windows import day_start, month_name
from toggl_pulse.toggl import PageToken, ReportPage

__all__ = ["find_gone"]

PAGES = 8
"""Pages of one month that are read to prove something; a fuller month stays as it is."""

FEW = 5
"""So many missing entries are asked for one by one as well; what has merely moved is found so.

Entries of no length are asked for however many they are.
"""


async def find_gone(session: Session, state: State, workspace_id: int) -> None:
    """Look for what is gone in the head, a month in which the mirror has more than Toggl."""
    history, span = head(state, workspace_id)
    pages = await _whole(session, workspace_id, span)
    rows = [entry for page in pages for entry in page.entries if entry.user_id == session.user_id]
    toggl = await session.client.report_totals(workspace_id, span.first, span.last, user_id=session.user_id)
    if pages:
        session.count(await session.blocking(lambda: _save(session, state, rows, "report")))
    told = await session.blocking(lambda: _missing(session, state, history, span, rows, toggl)) if pages else None
    missing = told or []
    # no total vouches for an entry of no length
    asked = missing if len(missing) <= FEW else [entry for entry in missing if entry.duration == 0]
    found = {entry.id: await session.client.entry(entry.id) for entry in asked}
    alive = [entry for entry in found.values() if entry is not None]
    if alive:
        session.count(await session.blocking(lambda: _save(session, state, alive, "window")))
    gone = [entry.id for entry in missing if found.get(entry.id) is None]
    await session.blocking(lambda: _end(session, state, history, span, gone, toggl, proved=told is not None))


async def _whole(session: Session, workspace_id: int, span: Span) -> list[ReportPage]:
    """Every page of a month, or nothing when it cannot be had whole."""
    pages: list[ReportPage] = []
    token: PageToken | None = None
    while len(pages) < PAGES:
        page = await session.client.report_page(
            workspace_id, span.first, span.last, user_id=session.user_id, page=token
        )
        short = (page.range_first or span.first) > span.first or (page.range_last or span.last) < span.last
        if page.set_aside or short:
            return []
        pages.append(page)
        token = page.next_page
        if token is None:
            return pages
    return []


def _missing(
    session: Session, state: State, history: History, span: Span, rows: Collection[TimeEntry], toggl: int
) -> list[TimeEntry] | None:
    """What only the mirror has, if Toggl's list and Toggl's total agree without it; None when that tells nothing."""
    shown = {entry.id for entry in rows}
    begin, end = _bounds(session, history, span)
    ours = session.mirror.finished(history.workspace_id, begin, end, user_id=session.user_id)
    missing = [entry for entry in ours if entry.id not in shown]
    left = sum(entry.duration for entry in ours) - sum(entry.duration for entry in missing)
    agrees = left == toggl or agrees_but_for_running(session, state, history, span, toggl - left)
    settled = all(session.server_now(state) - entry.at > SETTLED for entry in missing)
    if not (agrees and settled):
        return None
    if missing and not shown and (len(missing) > FEW or not _shown_before(session, history, span)):
        # A whole month is gone: that is a plan that shows less, or an account's end, unless it is little.
        return None
    return missing


def _shown_before(session: Session, history: History, span: Span) -> bool:
    """Whether Toggl shows something older, so that what is missing is not merely hidden for its age."""
    return any(
        month.workspace_id == history.workspace_id
        and month.month < month_name(span.first)
        and month.state == "verified"
        and (month.toggl_seconds or 0) > 0
        for month in session.mirror.months()
    )


def _save(session: Session, state: State, rows: Collection[TimeEntry], feed: Literal["report", "window"]) -> Counts:
    with session.mirror.batch() as batch:
        return save_entries(batch, rows, feed, run_id=session.run_id, now=session.server_now(state))


def _end(
    session: Session,
    state: State,
    history: History,
    span: Span,
    gone: Collection[int],
    toggl: int,
    *,
    proved: bool,
) -> None:
    """A month that agrees is verified, unless only a list could tell of something in it and none has."""
    with session.mirror.batch() as batch:
        ended = batch.infer_deleted(gone, session.clock())
    begin, end = _bounds(session, history, span)
    ours = session.mirror.tracked_seconds(history.workspace_id, begin, end, user_id=session.user_id)
    equal = ours == toggl or agrees_but_for_running(session, state, history, span, toggl - ours)
    doubted = not proved and span.first in unproved(session, state, history, span)
    verdict: MonthState = "differs" if not equal else "not_verified" if doubted else "verified"
    theirs = toggl if not equal else None if doubted else ours
    with session.mirror.batch() as batch:
        batch.set_month(check(session, history, span.first, verdict, ours, theirs))
        put(batch, past.after_proof(history))
    session.count(Counts(deleted=ended))


def _bounds(session: Session, history: History, span: Span) -> tuple[datetime, datetime]:
    zone = session.zone_of(history.zone)
    return day_start(span.first, zone), day_start(span.last + timedelta(days=1), zone)
