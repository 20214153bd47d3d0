"""One run of the sync: asks the plan what comes next, has it done, and records what happened.

Every expected failure ends in the run's own record, so that a caller need not catch anything but `Busy`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from functools import partial

import structlog

from toggl_pulse.errors import BadRequest, Busy, NeedsUser, PlanLimit, PulseError, QuotaSpent, RetryLater
from toggl_pulse.mirror import Account, Mirror, Outcome, RunFigures, SyncRun
from toggl_pulse.model import Catalogue
from toggl_pulse.sync import archive, hindrance, names, proof, recent, steps
from toggl_pulse.sync import state as memory
from toggl_pulse.sync.plan import Ask, Budget, Done, Job, Wait, next_job
from toggl_pulse.sync.progress import STAGES, Progress, progress_of
from toggl_pulse.sync.session import Session, in_thread
from toggl_pulse.sync.state import PREFIX, State, Trouble, read_state
from toggl_pulse.toggl import TogglClient

__all__ = ["RunReport", "Syncer"]

log = structlog.get_logger()

SKEW_WORTH_TELLING = timedelta(minutes=2)
QUIET = {"poll", "history"}
ESSENTIAL = {"me", "deltas"}


@dataclass(frozen=True, slots=True)
class RunReport(SyncRun):
    """A finished run, with the error that ended or hindered it and the time from which it can go on."""

    error: PulseError | None = None
    waits_until: datetime | None = None


class Syncer:
    """Keeps one mirror equal to one account. Made once; `run` may be called as often as the schedule likes."""

    def __init__(
        self,
        client: TogglClient,
        mirror: Mirror,
        *,
        clock: Callable[[], datetime],
        origin: str = "toggl",
        backfill_from: date | None = None,
        poll_every: timedelta = timedelta(minutes=10),
        progress: Callable[[Progress], None] | None = None,
        room: Callable[[], None] = lambda: None,
        projecting: bool = False,
    ) -> None:
        """`room` raises when there are too many entries to be held in memory at once.

        `projecting`: InfluxDB follows the mirror, so that how far it lags belongs to what a run is told with.
        """
        self._client = client
        self._mirror = mirror
        self._clock = clock
        self._origin = origin
        self._backfill_from = backfill_from
        self._poll_every = poll_every
        self._progress = progress
        self._room = room
        self._projecting = projecting
        self._lag = (0, 0)
        self._identified = False
        self._skew_told = False
        self._catalogue: tuple[int, Catalogue] | None = None
        self._account: Account | None = None
        self.unwritable: Trouble | None = None
        """Why the mirror does not take the record of a run, and since when; None while it does."""

    async def run(self, reason: str, *, full: bool, use_reserve: bool = False, history: bool = True) -> RunReport:
        """Bring the mirror up to date, as far as the quota allows; raises only `Busy`.

        A run that is not `full` and not for `history` is a light poll of one request. The outcome is `partly` when
        something is left that has to wait, `failed` when the changes could not be read.
        """
        with ExitStack() as held:
            try:
                held.enter_context(self._mirror.lock())
            except Busy:
                raise
            except PulseError as failure:
                return self._unrecorded(reason, self._clock(), failure)
            reserve_before = self._client.use_reserve
            self._client.use_reserve = use_reserve
            try:
                return await self._run(reason, full=full, history=history)
            finally:
                self._client.use_reserve = reserve_before

    async def _run(self, reason: str, *, full: bool, history: bool) -> RunReport:
        requests = self._client.requests
        began = self._clock()
        try:
            session, owed = await in_thread(lambda: self._begin(reason, began, full=full))
        except PulseError as failure:
            return self._unrecorded(reason, began, failure)
        # a full sync that could not even begin is made up by the next run that may take its time
        full = full or (owed and history)
        ask = Ask(full=full, history=history, identify=not self._identified, poll_every=self._poll_every)
        try:
            ending = await self._work(session, ask)
        except PulseError as failure:
            ending = _failed(failure)
        except asyncio.CancelledError:
            stopped = _Ending("partly", "It was stopped before it was done.")
            await in_thread(lambda: self._end(session, reason, began, requests, stopped))
            raise
        except Exception:
            bug = _Ending("failed", "An error in the program ended it; the log tells more.")
            await in_thread(lambda: self._end(session, reason, began, requests, bug))
            raise
        try:
            return await in_thread(lambda: self._end(session, reason, began, requests, ending))
        except PulseError as failure:
            return self._unrecorded(reason, began, failure)

    def _begin(self, reason: str, began: datetime, *, full: bool) -> tuple[Session, bool]:
        """Record the run; tells also whether a full sync is owed."""
        catalogue = self._names()
        # a mirror belongs to one account for ever
        self._account = self._account or self._mirror.account()
        account = self._account
        self._client.know_workspaces(catalogue.workspaces.values())
        if account is not None:
            self._client.know_account(account.user_id)
        if self._client.quota.free_look is None:
            self._client.quota.free_look = self._mirror.state(memory.FREE_LOOK)
        self._lag = self._behind(began) if self._projecting else (0, 0)
        killed = [run for run in self._mirror.runs(5) if run.outcome == "running"]
        with self._mirror.batch() as batch:
            # The lock is ours, so that a run which still says `running` cannot be.
            for run in killed:
                why = "Its end could not be written down." if self.unwritable else "It was killed."
                batch.finish_run(replace(run, finished_at=began, outcome="failed", why=why))
            run_id = batch.start_run(reason, began)
            owed = bool(batch.state(memory.OWED))
            if full and not owed:
                batch.set_state(memory.OWED, value=True)
        session = Session(
            client=self._client,
            mirror=self._mirror,
            clock=self._clock,
            user_id=account.user_id if account else 0,
            run_id=run_id,
            catalogue=catalogue,
            silence=2 * self._poll_every,
        )
        return session, owed

    def _names(self) -> Catalogue:
        """The catalogue; most polls find it as the one before has, which its revision tells."""
        revision = self._mirror.revision()
        if self._catalogue is None or self._catalogue[0] != revision:
            self._catalogue = revision, self._mirror.catalogue()
        return self._catalogue[1]

    async def _work(self, session: Session, ask: Ask) -> _Ending:
        """Job after job until nothing is left, or nothing may be asked any more."""
        hindered: PulseError | None = None
        while True:
            state = await in_thread(self._state)
            job = next_job(state, self._budgets(), self._buckets(state), ask, session.tally, self._clock())
            if isinstance(job, Done):
                self._tell(progress_of(state, "done"))
                return _done(session)
            if isinstance(job, Wait):
                self._tell(progress_of(state, "waiting", waits_until=job.until))
                return _waiting(job, hindered)
            self._tell(progress_of(state, STAGES[job.what]))
            what = hindrance.question(state, job)
            try:
                await self._do(session, state, ask, job)
                session.helped.add(what)
                if job.what in steps.STEP_OF:
                    session.succeeded[steps.STEP_OF[job.what]] = self._clock()
            except RetryLater as error:
                if not isinstance(error, QuotaSpent):
                    if job.what in ESSENTIAL:
                        raise
                    session.hindered[what] = error
                hindered = error
                later = max(error.at, self._clock() + timedelta(seconds=1))
                blocked = {**session.tally.blocked, job.bucket: later}
                session.tally = replace(session.tally, blocked=blocked)
            except (PlanLimit, NeedsUser, BadRequest) as error:
                if job.what in ESSENTIAL or (isinstance(error, NeedsUser) and error.code != "no_access"):
                    raise
                await in_thread(partial(_give_up, session, state, job, error))

    async def _do(self, session: Session, state: State, ask: Ask, job: Job) -> None:
        if job.what == "me":
            await names.read_me(session, state, self._origin, full=ask.full, backfill_from=self._backfill_from)
            self._identified = True
            self._tell_skew(session)
        elif job.what == "deltas":
            await recent.read_changes(session, state)
        elif job.what == "names":
            await names.read_names(session, state, job.step)
        elif job.what == "reach":
            await recent.read_window(session, state)
        elif job.what == "report":
            await archive.read_page(session, state, job.workspace_id)
        elif job.what == "totals":
            await archive.read_total(session, state, job.workspace_id)
        else:
            await proof.find_gone(session, state, job.workspace_id)

    def _state(self) -> State:
        return read_state(self._mirror.states(PREFIX))

    def _budgets(self) -> Mapping[str, Budget]:
        quota, now = self._client.quota, self._clock()
        reserve = self._client.use_reserve
        return {
            name: Budget(quota.spendable(name, now, use_reserve=reserve), bucket.resets_at)
            for name, bucket in quota.view().items()
        }

    def _buckets(self, state: State) -> Mapping[int, str]:
        return {workspace_id: self._client.bucket_of(workspace_id) for workspace_id in state.workspace_ids}

    def _tell(self, progress: Progress) -> None:
        if self._progress is not None:
            self._progress(progress)

    def _tell_skew(self, session: Session) -> None:
        off = session.skew is not None and abs(session.skew) > SKEW_WORTH_TELLING
        if off and not self._skew_told and session.skew is not None:
            log.warning("sync.clock_differs", seconds_behind_toggl=round(session.skew.total_seconds()))
        self._skew_told = off

    def _end(self, session: Session, reason: str, began: datetime, requests: int, ending: _Ending) -> RunReport:
        now = self._clock()
        counts = session.counts
        run = SyncRun(
            id=session.run_id,
            reason=reason,
            started_at=began,
            finished_at=now,
            outcome=ending.outcome,
            why=ending.why,
            requests=self._client.requests - requests,
            new=counts.new,
            changed=counts.changed,
            deleted=counts.deleted,
            unchanged=counts.unchanged,
            set_aside=counts.set_aside,
        )
        state = self._state()
        with self._mirror.batch() as batch:
            batch.finish_run(run)
            batch.note_figures(run.id, self._figures(state, now, ending))
            steps.note(batch, session.succeeded)
            if dict(ending.buckets or {}) != dict(state.waits):
                batch.set_state(memory.WAITS, memory.waits_json(ending.buckets) or None)
            if state.cursor is not None and state.cursor.gap is not None and not state.reading_again:
                batch.set_state(memory.CURSOR, memory.cursor_json(replace(state.cursor, gap=None)))
            hindered = hindrance.after(state, session, now)
            if hindered != state.hindered:
                batch.set_state(memory.HINDERED, memory.hindered_json(hindered) or None)
            trouble = self._trouble(state, run, ending)
            if trouble != state.trouble:
                batch.set_state(memory.TROUBLE, memory.trouble_json(trouble) if trouble else None)
        self._log(state, run, trouble)
        hindrance.tell(state, session, hindered, run)
        self.unwritable = None
        self._keep_columns(run)
        return _report(run, ending)

    def _behind(self, now: datetime) -> tuple[int, int]:
        """By how many revisions, and since how many seconds, InfluxDB lags before this run brings any."""
        state, lag = self._mirror.points.followed()
        return lag, int(now.timestamp() - (state.at_us or 0) / 1e6) if lag and state.at_us is not None else 0

    def _figures(self, state: State, now: datetime, ending: _Ending) -> RunFigures:
        quota, (lag, seconds) = self._client.quota, self._lag
        return RunFigures(
            since_success=max(0, round((now - state.contact.ours).total_seconds())) if state.contact else None,
            lag=lag,
            lag_seconds=seconds,
            # what a window had left that is over says nothing of the next one
            quota={
                name: (bucket.remaining, quota.reserve)
                for name, bucket in quota.view().items()
                if bucket.resets_at > now
            },
            token_refused=ending.error is not None and ending.error.code == "token_refused",
        )

    def _keep_columns(self, run: SyncRun) -> None:
        """The rows are safe by now: what only makes a start quicker fails no run."""
        try:
            self._mirror.keep_columns(room=self._room)
        except PulseError as failure:
            # too little memory is what every answer says: no news after each run
            tell = log.debug if failure.code == "too_little_memory" else log.warning
            tell("mirror.columns_not_kept", code=failure.code, run=run.id)

    def _trouble(self, state: State, run: SyncRun, ending: _Ending) -> Trouble | None:
        """A failure lasts until a run reads the changes again; one that merely waits for quota is none."""
        if run.outcome == "failed":
            code = ending.error.code if ending.error else "bug"
            return state.trouble or self.unwritable or Trouble(code, self._clock())
        return None

    def _log(self, state: State, run: SyncRun, trouble: Trouble | None) -> None:
        before = state.trouble or self.unwritable
        if trouble is not None and before is None:
            log.warning("sync.failed", code=trouble.code, run=run.id, reason=run.reason)
        elif trouble is None and before is not None:
            log.info("sync.recovered", code=before.code, since=before.since.isoformat(timespec="seconds"), run=run.id)
        tell = log.debug if run.reason in QUIET or run.outcome == "failed" else log.info
        tell(
            "sync.run",
            run=run.id,
            reason=run.reason,
            outcome=run.outcome,
            requests=run.requests,
            new=run.new,
            changed=run.changed,
            deleted=run.deleted,
            set_aside=run.set_aside,
        )

    def _unrecorded(self, reason: str, began: datetime, error: PulseError) -> RunReport:
        """The mirror itself fails: there is nowhere to write the run, and its failure is told once all the same."""
        if self.unwritable is None:
            self.unwritable = Trouble(error.code, began)
            log.warning("sync.unrecorded", code=error.code, reason=reason, why=error.message)
        run = SyncRun(0, reason, began, finished_at=self._clock(), outcome="failed", why=error.message)
        return _report(run, _Ending("failed", error.message, error))


@dataclass(frozen=True, slots=True)
class _Ending:
    outcome: Outcome
    why: str
    error: PulseError | None = None
    waits_until: datetime | None = None
    buckets: Mapping[str, datetime] | None = None


def _waiting(wait: Wait, hindered: PulseError | None) -> _Ending:
    until = f"it goes on at {wait.until:%Y-%m-%d %H:%M} UTC"
    what = hindered.message.rstrip(".") if hindered else "Toggl's hourly quota is used up"
    return _Ending("partly", f"{what}; {until}.", hindered, wait.until, wait.buckets)


def _done(session: Session) -> _Ending:
    """Nothing is left to ask, but an answer may have been refused that should have come."""
    refused = [error for error in session.hindered.values() if isinstance(error, BadRequest)]
    if not refused:
        return _Ending("done", "")
    return _Ending("partly", f"{refused[0].message.rstrip('.')}; the next full sync asks again.", refused[0])


def _failed(error: PulseError) -> _Ending:
    return _Ending("failed", error.message, error, error.at if isinstance(error, RetryLater) else None)


def _report(run: SyncRun, ending: _Ending) -> RunReport:
    values = {field.name: getattr(run, field.name) for field in fields(SyncRun)}
    return RunReport(**values, error=ending.error, waits_until=ending.waits_until)


def _give_up(session: Session, state: State, job: Job, error: PulseError) -> None:
    """Something the run can do without was refused for good: note it, and leave it."""
    if job.what == "names":
        names.give_up_names(session, state, job.step, error)
    elif job.what == "reach":
        recent.give_up_window(session, state, error)
    elif isinstance(error, PlanLimit):
        archive.plan_refuses_days(session, state, job.workspace_id)
    elif isinstance(error, NeedsUser):
        archive.block(session, state, job.workspace_id, error)
    else:
        archive.give_up_days(session, state, job.workspace_id, error)
