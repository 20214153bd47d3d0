"""Whose account it is, and the names of things: profile, workspaces, clients, projects, tasks, tags, users.

Asks the client, then saves rows and what is left to ask in one batch. Absence from a list deletes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import structlog

from toggl_pulse.errors import NeedsUser, PlanLimit, PulseError
from toggl_pulse.mirror import Batch, CatalogueRow, MonthCheck
from toggl_pulse.model import Profile, Workspace
from toggl_pulse.sync import history as past
from toggl_pulse.sync import state as memory
from toggl_pulse.sync.ended import Named, ended, related, unheard
from toggl_pulse.sync.history import History
from toggl_pulse.sync.recent import check_current, full_reach
from toggl_pulse.sync.save import Counts, save_entries, save_names
from toggl_pulse.sync.session import Session
from toggl_pulse.sync.state import Contact, Cursor, Names, State
from toggl_pulse.sync.windows import day_of, day_start, month_name, months_between
from toggl_pulse.toggl import REACH, Me, Rows

__all__ = ["give_up_names", "question", "read_me", "read_names"]

log = structlog.get_logger()

LISTS = ("clients", "projects", "tags", "tasks", "users")
CHANGES = ("clients", "projects", "tags", "tasks")

OVERLAP = timedelta(days=7)
"""Taken off when changes of names are asked for: a tag's end shows nowhere else."""

MANY = 6
"""Months of one year that were not verified, above which the year is read again as a whole."""

RECHECKS = 3
"""Months that differ, again months that were never verified, and years given up: tried anew in one full sync."""


async def read_me(session: Session, state: State, origin: str, *, full: bool, backfill_from: date | None) -> None:
    """See whose token it is, and refuse another account than the mirror's before anything is written.

    On the first start, and when the run is a full one, it brings the catalogue and the last days too.
    """
    first = state.cursor is None
    me = await session.client.me(related=first or full)
    await session.blocking(lambda: session.mirror.claim(origin, me.profile.id))
    session.skew = me.server_time - session.clock()
    session.user_id = me.profile.id
    session.related = related(me) if first or full else None
    session.client.know_account(me.profile.id)
    counts = await session.blocking(lambda: _save_me(session, state, me, full=first or full, since=backfill_from))
    session.count(counts)
    session.tally = replace(session.tally, identified=True, deltas_at=session.clock() if first else None)
    await _learn_the_look(session)


async def _learn_the_look(session: Session) -> None:
    """Find out, once, whether `/me/quota` may be asked freely: then other tools' requests are seen before ours.

    It tells something only right after another `/me` request, which has just been sent.
    """
    if _look(session) is not None:
        return
    try:
        await session.client.quotas()
    except PulseError as error:
        log.debug("sync.quota_unknown", code=error.code)
        return
    free = _look(session)
    if free is not None:
        await session.blocking(lambda: _remember_the_look(session, free=free))


def _look(session: Session) -> bool | None:
    return session.client.quota.free_look


def _remember_the_look(session: Session, *, free: bool) -> None:
    with session.mirror.batch() as batch:
        batch.set_state(memory.FREE_LOOK, free)


def _save_me(session: Session, state: State, me: Me, *, full: bool, since: date | None) -> Counts:
    rows: Sequence[CatalogueRow] = (me.profile, *me.workspaces, *me.clients, *me.projects, *me.tasks, *me.tags)
    months = session.mirror.months()
    with session.mirror.batch() as batch:
        counts = save_names(batch, rows, set_aside=me.set_aside, run_id=session.run_id)
        counts.add(save_entries(batch, me.entries, "window", run_id=session.run_id))
        if state.cursor is None:
            batch.set_state(memory.CURSOR, memory.cursor_json(Cursor(session.certain(me.server_time))))
            batch.set_state(memory.REACH_KEY, memory.reach_json(full_reach(me.server_time)))
            batch.set_state(memory.CONTACT, memory.contact_json(Contact(session.clock(), me.server_time)))
        if full:
            batch.set_state(memory.NAMES, memory.names_json(_refresh(state, me)))
            batch.set_state(memory.OWED, None)
        _follow_zone(session, batch, state, me.profile)
        if full:
            _plan_histories(session, batch, state, me, months, since)
    return counts


def _refresh(state: State, me: Me) -> Names:
    """Everything that a full sync asks about names; at the first start nothing can have been deleted unseen."""
    workspaces = [workspace for workspace in me.workspaces if not workspace.deleted]
    lists = tuple(f"list:{workspace.id}:{kind}" for workspace in workspaces for kind in LISTS)
    if state.names is None:
        return Names(dict.fromkeys(CHANGES, me.server_time), me.server_time, lists)
    changes = tuple(f"changed:{kind}" for kind in CHANGES)
    pending = tuple(step for step in state.names.due if step.startswith("new:"))
    silent = unheard(state.names.since, [workspace.id for workspace in workspaces], me.server_time, REACH - OVERLAP)
    return replace(
        state.names,
        following=me.server_time,
        due=(*pending, *changes, "current", *lists),
        refused=(),
        unheard=tuple(dict.fromkeys((*state.names.unheard, *silent))),
    )


def _follow_zone(session: Session, batch: Batch, state: State, profile: Profile) -> None:
    """Days and months of the past are those of the profile's zone: a move gives them other borders."""
    moved = [history for history in state.histories.values() if history.zone != profile.timezone]
    for history in moved:
        _write(batch, past.rezone(history, profile.timezone))
    session.doubt_months(batch, [history.workspace_id for history in moved])


def _plan_histories(
    session: Session, batch: Batch, state: State, me: Me, months: list[MonthCheck], since: date | None
) -> None:
    """A past for every workspace, new ones too; a finished one gets all comparisons of a full sync, else this month."""
    zone = session.zone_of(me.profile.timezone)
    today = day_of(me.server_time, zone)
    created = me.profile.created_at
    for workspace in me.workspaces:
        if workspace.deleted:
            continue
        known = state.histories.get(workspace.id)
        if known is None:
            begun = day_of(created, zone) if created else None
            _write(
                batch, past.begin(workspace.id, me.profile.timezone, today=today, created=begun, backfill_from=since)
            )
            continue
        if known.zone != me.profile.timezone:
            known = past.rezone(known, me.profile.timezone)
        history = replace(past.extend(known, today), blocked="")
        if history.left:
            history = past.recheck(history, [(today, False)])
        else:
            history = past.reread(history, _given_up(workspace, months))
            chosen = _doubtful(session, workspace, months, today, me.profile.timezone)
            chosen |= {day: False for day in _ahead(session, history, months, today) if day not in chosen}
            history = past.deepen(past.recheck(history, chosen.items()))
        if history != known:
            _write(batch, history)


def _given_up(workspace: Workspace, months: list[MonthCheck]) -> list[int]:
    """Years, newest first, most of which was never verified: as wholes they are sooner read than by months."""
    years = Counter(
        int(month.month[:4]) for month in months if month.workspace_id == workspace.id and month.state == "not_verified"
    )
    return [year for year in sorted(years, reverse=True) if years[year] > MANY][:RECHECKS]


def _doubtful(
    session: Session, workspace: Workspace, months: list[MonthCheck], today: date, zone_name: str
) -> dict[date, bool]:
    """Months to compare with Toggl once more, with `last_try`: this one, the last until it is over, and open ones."""
    zone = session.zone_of(zone_name)
    known = {month.month: month for month in months if month.workspace_id == workspace.id}
    this = today.replace(day=1)
    last = (this - timedelta(days=1)).replace(day=1)
    chosen = {this: False}
    over = day_start(this, zone) + timedelta(days=1)
    checked = known[month_name(last)].checked_at if month_name(last) in known else None
    if checked is None or checked < over:
        chosen[last] = False
    hidden = max((month.month for month in known.values() if month.state == "unavailable"), default=None)
    if hidden is not None:
        # A plan that shows more than it did shows the newest of its hidden months.
        chosen.setdefault(date.fromisoformat(f"{hidden}-01"), False)
    for state, last_try in (("differs", True), ("not_verified", False)):
        open_ones = [month for month in known.values() if month.state == state]
        oldest_first = sorted(open_ones, key=lambda month: month.checked_at or datetime.min.replace(tzinfo=zone))
        for month in oldest_first[:RECHECKS]:
            chosen.setdefault(date.fromisoformat(f"{month.month}-01"), last_try)
    return chosen


def _ahead(session: Session, history: History, months: list[MonthCheck], today: date) -> list[date]:
    """Months to come, the nearest first, in which something else is planned than when they were last compared."""
    zone = session.zone_of(history.zone)
    compared = {month.month: month.mirror_seconds for month in months if month.workspace_id == history.workspace_id}
    changed = []
    for first, last in reversed([*months_between(today, date(history.newest, 12, 31))]):
        begin, end = day_start(first, zone), day_start(last + timedelta(days=1), zone)
        planned = session.mirror.tracked_seconds(history.workspace_id, begin, end, user_id=session.user_id)
        if first > today and planned != (compared.get(month_name(first)) or 0):
            changed.append(first)
    return changed[:RECHECKS]


def _write(batch: Batch, history: History) -> None:
    batch.set_state(memory.history_key(history.workspace_id), past.to_json(history))


async def read_names(session: Session, state: State, step: str) -> None:
    """One step of a refresh."""
    if step == "current":
        counts = await check_current(session, state)
        await session.blocking(lambda: _finish_step(session, state, step, None))
        session.count(counts)
        return
    rows = await _ask(session, state, step)
    counts = await session.blocking(lambda: _finish_step(session, state, step, rows))
    session.count(counts)


async def _ask(session: Session, state: State, step: str) -> Rows[Any]:
    client = session.client
    how, _, rest = step.partition(":")
    if how == "list":
        workspace_id, kind = int(rest.partition(":")[0]), rest.partition(":")[2]
        whole: dict[str, Callable[[int], Awaitable[Rows[Any]]]] = {
            "clients": client.clients,
            "projects": client.projects,
            "tags": client.tags,
            "tasks": client.tasks,
            "users": client.users,
        }
        return await whole[kind](workspace_id)
    names = state.names
    if names is None:
        raise ValueError("there is no refresh before the first start")
    since = max(names.since[rest] - OVERLAP, session.server_now(state) - REACH)
    changed: dict[str, Callable[[datetime], Awaitable[Rows[Any]]]] = {
        "clients": client.changed_clients,
        "projects": client.changed_projects,
        "tags": client.changed_tags,
        "tasks": client.changed_tasks,
    }
    return await changed[rest](since)


def _finish_step(session: Session, state: State, step: str, rows: Rows[Any] | None) -> Counts:
    with session.mirror.batch() as batch:
        counts = Counts()
        if rows is not None:
            counts = save_names(batch, rows.rows, set_aside=rows.set_aside, run_id=session.run_id)
            gone = _ended(session, state, step, rows)
            if gone is not None:
                counts.add(save_names(batch, gone, run_id=session.run_id))
                state = replace(state, names=_heard(state, step))
        # Only rows prove that an answer is Toggl's: an empty one may be false, and is asked for again from as far back.
        _drop_step(batch, state, step, covered=rows is not None and bool(rows.rows) and rows.complete)
    if rows is not None:
        session.catalogue = session.mirror.catalogue()
    return counts


def _ended(session: Session, state: State, step: str, rows: Rows[Any]) -> list[Named] | None:
    """Names that a whole list and the account lack alike, where an end may have been missed; None where none may."""
    key = step.removeprefix("list:")
    if state.names is None or key not in state.names.unheard or session.related is None or not rows.complete:
        return None
    workspace_id, _, kind = key.partition(":")
    listed = {row.id for row in rows.rows}
    return ended(session.mirror.catalogue(), int(workspace_id), kind, listed, session.related)


def _heard(state: State, step: str) -> Names | None:
    key = step.removeprefix("list:")
    names = state.names
    return names and replace(names, unheard=tuple(other for other in names.unheard if other != key))


def give_up_names(session: Session, state: State, step: str, error: PulseError) -> None:
    """Toggl will not give this list: it is remembered, and the refresh goes on without it."""
    if not isinstance(error, PlanLimit | NeedsUser) or not step.endswith((":tasks", ":users")):
        session.refused(question(step), error)
    with session.mirror.batch() as batch:
        _drop_step(batch, state, step, refused=True)


def question(step: str) -> str:
    """What a step asks, under which a lasting refusal is remembered; what is new is also found with what changed."""
    return "names:" + step.removeprefix("new:").removeprefix("changed:")


def _drop_step(batch: Batch, state: State, step: str, *, covered: bool = False, refused: bool = False) -> None:
    names = state.names
    if names is None:
        return
    due = tuple(other for other in names.due if other != step)
    after = replace(names, due=due)
    if refused:
        after = replace(after, refused=(*names.refused, step))
    how, _, kind = step.partition(":")
    if how == "changed" and covered:
        after = replace(after, since={**names.since, kind: names.following})
    batch.set_state(memory.NAMES, memory.names_json(after))
