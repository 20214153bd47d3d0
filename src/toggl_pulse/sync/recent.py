"""What has changed, and the months that `/me/time_entries` reaches: deltas, windows of starts, the running entry.

Asks the client, then saves rows and cursor in one batch. Knows nothing of names' lists or Reports.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from toggl_pulse.errors import BadRequest, PulseError
from toggl_pulse.mirror import Batch
from toggl_pulse.model import TimeEntry
from toggl_pulse.sync import history as past
from toggl_pulse.sync import state as memory
from toggl_pulse.sync.merge import Feed
from toggl_pulse.sync.save import Counts, save_entries, save_names
from toggl_pulse.sync.session import Session
from toggl_pulse.sync.state import Contact, Cursor, Reach, State
from toggl_pulse.sync.windows import Window, day_of, halves
from toggl_pulse.toggl import REACH, Entries, TooOld

__all__ = [
    "AHEAD",
    "OVERLAP",
    "check_current",
    "full_reach",
    "give_up_window",
    "read_all_again",
    "read_changes",
    "read_window",
]

OVERLAP = timedelta(minutes=5)
"""Taken off the cursor when asking, for a change may show in the feed a little after its `at`."""

TRAIL = REACH - timedelta(days=1)
"""How far the cursor may fall behind while answers are empty: an empty answer costs the same however far it reaches."""

HOLD = timedelta(days=1)
"""How long the cursor stays for a row that could not be read: it may come whole the next time."""

FLOOD_HOLD = timedelta(hours=1)
"""How long the cursor stays for empty answers behind a flood, where each poll costs a second request."""

AHEAD = timedelta(days=366)
"""Planned entries lie ahead of now; so far they are looked for."""

A_YEAR = timedelta(days=366)
"""How long before an old timer an entry may have begun that vouches for answers by id."""

LATEST_BACK = timedelta(days=1)
"""The shortest step back that is still tried when Toggl refuses ever later moments as too old."""


def full_reach(now: datetime) -> Reach:
    """Everything that can be asked for by start: what lies ahead, and then the last months."""
    now = now.replace(microsecond=0)
    tomorrow = now + timedelta(days=1)
    return Reach(((tomorrow, now + AHEAD), (now - REACH, tomorrow)))


async def read_changes(session: Session, state: State) -> None:
    """Everything modified since the cursor; when that cannot be had whole, everything is read again."""
    cursor = state.cursor
    if cursor is None:
        raise ValueError("there is no cursor before the first start")
    asked = cursor.since - OVERLAP
    answers: list[Entries] = []
    too_old = session.server_now(state) - asked > REACH
    if not too_old:
        try:
            answers.append(await session.client.entries_since(asked))
        except TooOld:
            too_old = True
    if too_old:
        asked, answer = await _inside_the_reach(session, state)
        answers.append(answer)
    elif answers[-1].truncated and cursor.flooded:
        # The flood that set this cursor still lies in the overlap; without it the answer may be whole.
        answers.append(await session.client.entries_since(cursor.since))
    await session.blocking(lambda: _save_changes(session, state, answers, asked, too_old=too_old))


async def _inside_the_reach(session: Session, state: State) -> tuple[datetime, Entries]:
    """Ask for the longest time back that Toggl grants; each refusal halves it."""
    now = session.server_now(state)
    back = REACH - timedelta(days=1)
    while True:
        try:
            return now - back, await session.client.entries_since(now - back)
        except TooOld:
            if back <= LATEST_BACK:
                raise
            back /= 2


def _save_changes(session: Session, state: State, answers: list[Entries], asked: datetime, *, too_old: bool) -> None:
    cursor, last = state.cursor, answers[-1]
    if cursor is None:
        return
    missed = too_old or last.truncated
    beginning = cursor.gap[0] if cursor.gap else cursor.since
    gap = (beginning, last.server_time) if missed else cursor.gap
    moved = replace(_moved(session, cursor, answers), gap=gap)
    counts = Counts()
    with session.mirror.batch() as batch:
        for answer in answers:
            counts.add(_save(session, batch, answer, "delta"))
        unknown = session.unknown_kinds([entry for answer in answers for entry in answer.entries])
        for answer in answers:
            counts.add(save_names(batch, session.only_unknown(answer.named), run_id=session.run_id))
        batch.set_state(memory.CURSOR, memory.cursor_json(moved))
        _note_contact(session, batch, state, last.server_time if last.dated else session.server_now(state))
        if missed:
            read_all_again(session, batch, state, last.server_time)
        session.ask_for_names(batch, state, unknown)
    session.count(counts)
    session.deltas_saved(missed=missed, why="too_old" if too_old else "truncated", since=asked)


def _note_contact(session: Session, batch: Batch, state: State, server_time: datetime) -> None:
    """Toggl has told its changes; if it was silent for long before, that stays on record.

    By Toggl's clock: a jump of ours is no silence.
    """
    batch.set_state(memory.CONTACT, memory.contact_json(Contact(session.clock(), server_time)))
    if state.contact is not None and server_time - state.contact.server > session.silence:
        known = memory.read_silences(batch.state(memory.SILENCES))
        batch.set_state(memory.SILENCES, memory.silences_json([*known, (state.contact.server, server_time)]))


def _moved(session: Session, cursor: Cursor, answers: list[Entries]) -> Cursor:
    """The cursor after these answers: only rows prove that an answer is Toggl's, and only whole rows are had.

    An answer without a row may be false, and one with a broken row lacks something: both are asked again.
    """
    last = answers[-1]
    newest = max((row.at for answer in answers for row in answer.entries), default=cursor.since)
    reached = max(cursor.since, newest, session.certain(last.server_time))
    if last.truncated:
        # beyond the flood's own second, or the next answer would be cut off at the same place
        return Cursor(max(reached, newest + timedelta(seconds=1)), flooded=True)
    empty = not last.entries and not last.set_aside
    if empty and not cursor.flooded:
        return replace(cursor, since=max(cursor.since, last.server_time - TRAIL))
    if empty or any(answer.set_aside for answer in answers):
        held = cursor.held or last.server_time
        if last.server_time - held < (FLOOD_HOLD if empty else HOLD):
            return replace(cursor, held=held)
    return Cursor(reached)


def read_all_again(session: Session, batch: Batch, state: State, server_now: datetime) -> None:
    """Something may have been missed: every window and every year is due again, and no month counts as verified."""
    batch.set_state(memory.REACH_KEY, memory.reach_json(full_reach(server_now)))
    for history in state.histories.values():
        again = past.restart(history, day_of(server_now, session.zone_of(history.zone)))
        batch.set_state(memory.history_key(history.workspace_id), past.to_json(again))
    session.doubt_months(batch)


async def read_window(session: Session, state: State) -> None:
    """The next window of starts; an answer at the cap is cut off, so its window is read in halves."""
    server_now = session.server_now(state)
    reach = state.reach
    start, end = reach.windows[0]
    start = max(start, server_now - REACH)
    if end - start < timedelta(seconds=1):
        await session.blocking(lambda: _save_window(session, reach, None, ()))
        return
    try:
        answer = await session.client.entries_between(start, end)
    except TooOld as error:
        later = _later(start, end, error)
        await session.blocking(lambda: _save_window(session, reach, None, later))
        return
    rest = halves((start, end)) if answer.truncated else ()
    if rest is None:
        session.refused("reach", BadRequest("One second holds as many entries as Toggl answers.", code="second_full"))
        rest = ()
    newest_first = tuple(reversed(rest))
    await session.blocking(lambda: _save_window(session, reach, answer, newest_first))


def give_up_window(session: Session, state: State, error: PulseError) -> None:
    """Toggl will not answer for this window: Reports read it anyway, and the rest goes on."""
    session.refused("reach", error)
    _save_window(session, state.reach, None, ())


def _later(start: datetime, end: datetime, error: TooOld) -> tuple[Window, ...]:
    """What is left of a window after Toggl refused its beginning as too old."""
    later = start + max((end - start) / 8, timedelta(days=1))
    if error.earliest is not None:
        later = max(later, datetime.combine(error.earliest, datetime.min.time(), tzinfo=start.tzinfo))
    return ((later, end),) if later < end else ()


def _save_window(session: Session, reach: Reach, answer: Entries | None, rest: tuple[Window, ...]) -> None:
    with session.mirror.batch() as batch:
        counts = _save(session, batch, answer, "window") if answer else Counts()
        if answer:
            counts.add(save_names(batch, session.only_unknown(answer.named), run_id=session.run_id))
        left = Reach((*rest, *reach.windows[1:]), reach.done + 1)
        batch.set_state(memory.REACH_KEY, memory.reach_json(left))
    session.count(counts)


async def check_current(session: Session, state: State) -> Counts:
    """See that the mirror and Toggl agree on what runs; entries that only the mirror believes to run are asked for."""
    current = await session.client.current()
    rows = [] if current is None else [current]
    gone = []
    for entry in await session.blocking(session.mirror.running):
        if current is not None and entry.id == current.id:
            continue
        found = await session.client.entry(entry.id)
        if found is not None:
            rows.append(found)
        elif await _is_gone(session, state, entry, current):
            gone.append(entry.id)
    return await session.blocking(lambda: _save_current(session, rows, gone))


async def _is_gone(session: Session, state: State, entry: TimeEntry, current: TimeEntry | None) -> bool:
    """That Toggl does not know an id may be somebody's error page; a list that lacks it and shows another is proof.

    Of what began too long ago for that: proof is that another entry runs, or that Toggl knows another by its id.
    """
    now = session.server_now(state)
    old = now - entry.start > REACH
    if old and current is not None:
        return True
    since = entry.start - A_YEAR if old else now - REACH
    others = await session.blocking(
        lambda: session.mirror.finished(entry.workspace_id, since, now, user_id=session.user_id)
    )
    if not others:
        return False
    if old:
        newest = max(others, key=lambda other: other.start)
        return await _is_known(session, newest)
    # An empty answer proves nothing: the window reaches as far as the nearest entry that it ought to show.
    nearest = min(others, key=lambda other: abs(other.start - entry.start))
    first, last = sorted((nearest.start, entry.start))
    answer = await session.client.entries_between(first, last + timedelta(seconds=1))
    whole = bool(answer.entries) and not answer.truncated and not answer.set_aside
    return whole and all(row.id != entry.id for row in answer.entries)


async def _is_known(session: Session, entry: TimeEntry) -> bool:
    """Whether Toggl knows an entry by its id; whether it may be asked about old ones is not documented."""
    try:
        return await session.client.entry(entry.id) is not None
    except BadRequest:
        return False


def _save_current(session: Session, rows: list[TimeEntry], gone: list[int]) -> Counts:
    with session.mirror.batch() as batch:
        counts = save_entries(batch, rows, "window", run_id=session.run_id)
        counts.deleted += batch.infer_deleted(gone, session.clock())
    return counts


def _save(session: Session, batch: Batch, answer: Entries, feed: Feed) -> Counts:
    return save_entries(batch, answer.entries, feed, set_aside=answer.set_aside, run_id=session.run_id)
