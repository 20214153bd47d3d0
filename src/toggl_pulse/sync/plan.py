"""Which request comes next: decided purely from what is remembered, what the quota allows, and the time.

The order is what people notice first: whose account, what has changed, names, the last months, the whole past.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from toggl_pulse.sync.state import State

__all__ = ["ASK_USER", "Ask", "Budget", "Done", "Job", "Tally", "Wait", "next_job"]

ASK_USER = "user"
"""The bucket of everything under `/me`."""

FOR_POLLS = -1

STAGE_JOBS = {"read": "report", "compare": "totals", "prove": "proof"}

MARGIN = timedelta(seconds=2)
"""Waited beyond the told end of a quota window, because it is told in whole seconds by another clock."""


@dataclass(frozen=True, slots=True)
class Job:
    """One request (or one list with its pages): `what` is me, deltas, names, reach, report, totals or proof.

    `step` names the part of a catalogue refresh, `workspace_id` the history to go on with.
    """

    what: str
    bucket: str = ASK_USER
    step: str = ""
    workspace_id: int = 0


@dataclass(frozen=True, slots=True)
class Wait:
    """Something is left, and no bucket has a request for it before `until`; `buckets` says when each goes on."""

    until: datetime
    buckets: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left to ask."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What one bucket allows: requests to spend (None: unknown, one may be spent to learn) until `resets_at`."""

    spendable: int | None = None
    resets_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """What a run is for: `identify` asks first whose token it is, `full` refreshes names, `history` reads the past."""

    full: bool
    history: bool
    identify: bool
    poll_every: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Tally:
    """What this run has done already; `blocked` are buckets that refused, with the time from which to try again."""

    identified: bool = False
    deltas_at: datetime | None = None
    blocked: Mapping[str, datetime] = field(default_factory=dict)


def next_job(
    state: State,
    budgets: Mapping[str, Budget],
    buckets: Mapping[int, str],
    ask: Ask,
    tally: Tally,
    now: datetime,
) -> Job | Wait | Done:
    """The most urgent request that may be sent now; `buckets` names the bucket of each workspace."""
    waits: dict[str, datetime] = {}
    for job, keep, first in _wanted(state, buckets, ask, tally, now):
        goes_on = _goes_on(job.bucket, keep, budgets, ask, tally, now)
        if goes_on is None:
            return job
        waits[job.bucket] = min(goes_on, waits.get(job.bucket, goes_on))
        if first:
            break
    return Wait(min(waits.values()), waits) if waits else Done()


def _wanted(
    state: State, buckets: Mapping[int, str], ask: Ask, tally: Tally, now: datetime
) -> Iterator[tuple[Job, int, bool]]:
    """Everything to be asked, most urgent first.

    With each job: the requests to leave in its bucket (`FOR_POLLS`: one for each poll of the hour), and whether
    nothing else may come before it.
    """
    if state.cursor is None or ((ask.identify or ask.full) and not tally.identified):
        yield Job("me"), 0, True
    if tally.deltas_at is None or now - tally.deltas_at >= ask.poll_every:
        yield Job("deltas"), 0, False
    for step in state.names.due if state.names else ():
        if ask.full or ask.history or step.startswith("new:"):
            yield _names_job(step, buckets), 0, False
    if not ask.history:
        return
    # What lies in the past must leave the user's bucket enough for the polls until it fills again.
    if state.reach.windows:
        yield Job("reach"), FOR_POLLS, False
    heads = [(history.head, history) for history in state.histories.values() if not history.blocked]
    for head, history in sorted(
        ((head, history) for head, history in heads if head), key=lambda pair: pair[0].last, reverse=True
    ):
        bucket = buckets.get(history.workspace_id, f"workspace:{history.workspace_id}")
        yield Job(STAGE_JOBS[head.stage], bucket, "", history.workspace_id), 0, False


def _names_job(step: str, buckets: Mapping[int, str]) -> Job:
    """Steps are `new:projects`, `changed:tags`, `current`, or `list:<workspace>:clients`."""
    kind, _, rest = step.partition(":")
    if kind != "list":
        return Job("names", ASK_USER, step)
    workspace_id = int(rest.partition(":")[0])
    return Job("names", buckets.get(workspace_id, f"workspace:{workspace_id}"), step, workspace_id)


def _goes_on(
    bucket: str, keep: int, budgets: Mapping[str, Budget], ask: Ask, tally: Tally, now: datetime
) -> datetime | None:
    """None when a request may be sent, else the time from which it may."""
    blocked = tally.blocked.get(bucket)
    if blocked is not None and blocked > now:
        return blocked
    budget = budgets.get(bucket, Budget())
    if budget.spendable is None or budget.resets_at is None or budget.resets_at <= now:
        return None
    kept = polls_until(budget.resets_at, ask.poll_every, now) if keep == FOR_POLLS else keep
    return None if budget.spendable > kept else budget.resets_at + MARGIN


def polls_until(moment: datetime, poll_every: timedelta, now: datetime) -> int:
    """How many light polls fall between now and then."""
    return math.ceil(max(moment - now, timedelta(0)) / poll_every)
