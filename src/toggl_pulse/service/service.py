"""One mirror with what fills it, what follows it and what answers from it; the clock and the network can be handed in.

It decides when a run starts, never what a run does. Longer than other modules: here every part meets every other.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import structlog

from toggl_pulse import __version__
from toggl_pulse.demo import DEMO_TOKEN, Host, World, fresh_folder
from toggl_pulse.errors import BadRequest, Busy, NeedsUser, PulseError
from toggl_pulse.metrics import Answers, Contact, parse_zone
from toggl_pulse.mirror import Mirror
from toggl_pulse.mirror.values import from_micros
from toggl_pulse.scheduler import Schedule, Scheduler
from toggl_pulse.service.parts import credentials_of, demo_settings, influx_of, source_of, utc_now
from toggl_pulse.settings import Settings, is_loopback
from toggl_pulse.sync import (
    Check,
    Progress,
    ProjectionProgress,
    ProjectionReport,
    Projector,
    RunReport,
    Syncer,
    check_influxdb,
    check_mirror,
    check_toggl,
    contact,
    iso,
    progress_state,
    status_as_json,
)
from toggl_pulse.toggl import Credentials, Quota, TogglClient, Transport

__all__ = ["Service"]

DEMO_ZONE = "Europe/Berlin"
MONDAY = 1
# what a process needs at most while it reads entries, measured with a million of them (benchmarks/RESULTS.md)
MIB_BESIDE, BYTES_AN_ENTRY = 110, 200
RUNS_SEARCHED = 500
# a little more than lies between two full syncs of the default schedule
SYNCED_WITHIN = timedelta(hours=13)
FULL_REASONS = {"start", "schedule", "request"}
# these get no better by asking every ten minutes, and are a person's to mend; the full syncs go on trying
HOPELESS = {"token_refused", "another_account", "no_access", "reserve_too_large"}
# 2 ** 6 minutes: an hour between two attempts of a run that goes on failing
LONGEST_PATIENCE = 6
NONE = timedelta(0)
# Toggl asks for about one request a second; a simulated one on this machine needs no such care.
PACE, LOOPBACK_PACE = 1.0, 100.0
log = structlog.get_logger(__name__)


class Service:
    """The running product. Everything but `start`, `stop` and the sync verbs may block and is safe in any thread."""

    version = __version__

    @classmethod
    def reading(cls, settings: Settings, *, demo: bool = False, clock: Callable[[], datetime] = utc_now) -> Self:
        """A service that only answers, from the mirror or from what a demo has left; it must not be started."""
        return cls(demo_settings(settings) if demo else settings, clock=clock)

    def __init__(
        self,
        settings: Settings,
        *,
        demo: bool = False,
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        progress: Callable[[Progress], None] | None = None,
        transport: Transport | None = None,
    ) -> None:
        """Open the mirror and build what needs no network.

        With `demo` what an earlier demo left is removed first; raises `Busy` while another demo uses its folder.
        Raises `BadRequest` for a schedule that is none, `NeedsUser` for a folder or mirror that cannot be used.
        """
        self.demo = demo
        self.clock = clock
        self._sleep = sleep
        self._progress = progress
        self._transport = transport
        self._schedule = Schedule(settings.sync_schedule)
        self.settings = demo_settings(settings) if demo else settings
        self._demo_lock = fresh_folder(self.settings.data_dir) if demo else None
        self.mirror = Mirror.open(self.settings.mirror_url, clock=clock)
        self._influx = influx_of(self.settings)
        self._stopping = threading.Event()
        self.projector = (
            Projector(self.mirror, self._influx, clock=clock, stopping=self._stopping.is_set) if self._influx else None
        )
        self.answers = Answers(
            source_of(self.settings, self._influx, self.mirror), clock=clock, contact=self.contact, room=self._room
        )
        self.world: World | None = None
        self._host: Host | None = None
        self._client: TogglClient | None = None
        self._syncer: Syncer | None = None
        self._scheduler: Scheduler | None = None
        self._task: asyncio.Task[RunReport | None] | None = None
        self._projecting: asyncio.Task[None] | None = None
        self._news = False
        self._refused = False
        self._failures = 0
        self._stood_back = False
        self._unknown_zone: str | None = None

    # --- life -------------------------------------------------------------------------------------------------

    async def connect(self) -> Syncer:
        """Build the Toggl client and the syncer; in demo mode, the simulated Toggl first.

        Raises `NeedsUser` where there are no credentials.
        """
        if self._syncer is None:
            if self.demo:
                self.world = World.seeded(self.clock(), timezone=DEMO_ZONE)
                self.world.clock = self.clock
                self._host = Host(self.world)
                base_url, credentials = await self._host.start(), Credentials.token(DEMO_TOKEN)
            else:
                base_url, credentials = self.settings.toggl_api_url, credentials_of(self.settings)
            quota = await asyncio.to_thread(Quota, self.mirror, reserve=self.settings.quota_reserve, clock=self.clock)
            self._client = TogglClient(
                base_url,
                credentials,
                quota=quota,
                clock=self.clock,
                sleep=self._sleep,
                transport=self._transport,
                pace=LOOPBACK_PACE if is_loopback(urlsplit(base_url).hostname or "") else PACE,
            )
            self._syncer = Syncer(
                self._client,
                self.mirror,
                clock=self.clock,
                origin="demo" if self.demo else "toggl",
                backfill_from=self.settings.backfill_from,
                poll_every=timedelta(minutes=self.settings.poll_minutes or 10),
                progress=self._progress,
                room=self._room,
                projecting=self.projector is not None,
            )
        return self._syncer

    async def start(self) -> None:
        """Connect, start the clockwork, and make up a missed run; needs a running event loop, not the network.

        When no full sync was missed, what the last process left of the history goes on, or else one poll is made.
        """
        await self.connect()
        self._scheduler = Scheduler(
            self._schedule, poll_minutes=self.settings.poll_minutes, full=self._full, poll=self._poll
        )
        self._scheduler.start()
        last = await asyncio.to_thread(self._last_full)
        if self._schedule.missed(last, self.clock()):
            self._begin("start")
        elif await asyncio.to_thread(self._something_left):
            self._begin("history")
        elif self.settings.poll_minutes:
            self._begin("poll")

    async def stop(self) -> None:
        """Stop the clockwork, end a run in progress (it resumes next time) and close everything."""
        if self._scheduler is not None:
            self._scheduler.stop()
        if self._task is not None and not self._task.done():
            # the scheduler may have cancelled it already; once is enough for it to record its end
            if not self._task.cancelling():
                self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._stopping.set()
        if self._projecting is not None:
            # a thread cannot be stopped from outside: it looks at this after each request
            await asyncio.gather(self._projecting, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
        if self._host is not None:
            await self._host.stop()
        if self._influx is not None:
            await asyncio.to_thread(self._influx.close)
        await asyncio.to_thread(self.mirror.close)
        if self._demo_lock is not None:
            self._demo_lock.release()

    # --- runs -------------------------------------------------------------------------------------------------

    async def sync(self, reason: str, *, use_reserve: bool = False) -> RunReport:
        """One run, to its end. Raises `Busy` while another process or task syncs.

        A `poll` is one request, `history` also goes on reading the past, every other reason is a full sync.
        """
        syncer = await self.connect()
        return await syncer.run(reason, full=reason in FULL_REASONS, use_reserve=use_reserve, history=reason != "poll")

    async def examine(self) -> list[Check]:
        """What `doctor` tells: schedule, mirror, and with at most six requests token, clock, quota and Toggl's ways."""
        now = self.clock()
        due = self._schedule.after(now)
        checks = [Check("schedule", due is not None, f"The next full sync of a running service is at {iso(due)}.")]
        checks += await asyncio.to_thread(check_mirror, self.mirror, clock=self.clock, fresh_for=SYNCED_WITHIN)
        if self._influx is not None:
            checks += await asyncio.to_thread(check_influxdb, self._influx, self.mirror)
        try:
            await self.connect()
        except NeedsUser as error:
            return [*checks, Check("token", False, error.message)]
        if self._client is not None:
            checks += await check_toggl(self._client, clock=self.clock)
        return checks

    async def request_sync(self) -> None:
        """Begin a full sync and return at once. Raises `Busy` while one runs."""
        self._refuse_a_second()
        # another process may be syncing: say so now, while someone listens
        await asyncio.to_thread(self._see_that_the_lock_is_free)
        self._refuse_a_second()
        self._begin("request")

    def _refuse_a_second(self) -> None:
        if self._at_work():
            raise Busy("A sync is already running.", code="sync_running")

    def _see_that_the_lock_is_free(self) -> None:
        """Blocks: a database server takes its time, or does not answer at all."""
        with self.mirror.lock():
            pass

    def _begin(self, reason: str) -> None:
        self._task = asyncio.create_task(self._run(reason))

    def _at_work(self) -> bool:
        return self._task is not None and not self._task.done()

    async def _full(self) -> None:
        # the next turn is hours away: rather wait for the poll or the history that runs just now than leave this out
        while self._at_work():
            await self.first_run()
        await self._turn("schedule")

    async def _poll(self) -> None:
        if not self._refused:
            await self._turn("poll")

    async def _go_on(self) -> None:
        if not self._refused:
            await self._turn("history")

    async def _turn(self, reason: str) -> None:
        if not self._at_work():
            self._begin(reason)
            await self.first_run()

    async def project(
        self,
        *,
        rebuild: bool = False,
        verify: bool = False,
        look: bool = False,
        progress: ProjectionProgress = lambda *_: None,
    ) -> ProjectionReport:
        """Bring InfluxDB to the mirror's revision; asks Toggl nothing.

        InfluxDB is asked nothing where there is nothing to do, but with `look` whether its bucket is still there.
        Raises `Busy` while another process does, `NeedsUser` or `Unavailable` for what is wrong with InfluxDB.
        """
        if self.projector is None:
            raise NeedsUser("There is no InfluxDB to write to: set INFLUXDB_URL.", code="no_influxdb")
        work = partial(self.projector.project, rebuild=rebuild, verify=verify, look=look, progress=progress)
        running = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            # a thread cannot be stopped from outside: it looks at this after each request, and the mirror stays open
            self._stopping.set()
            await asyncio.gather(running, return_exceptions=True)
            raise

    def _bring_influxdb_along(self) -> None:
        """After each run, and beside the next ones: a slow InfluxDB keeps no sync waiting."""
        if self.projector is None:
            return
        self._news = True
        if self._projecting is None or self._projecting.done():
            self._projecting = asyncio.create_task(self._project())

    async def _project(self) -> None:
        """Until there is no news; whatever fails has been told by then, and the next run makes it good."""
        while self._news and not self._stopping.is_set():
            self._news = False
            try:
                await self.project()
            except PulseError as error:
                log.debug("projection.left", code=error.code)
            except Exception:
                log.exception("projection.broke")

    async def settled(self) -> None:
        """Wait until the run that is at work has ended, and InfluxDB has what it brought."""
        await self.first_run()
        if self._projecting is not None:
            await asyncio.gather(self._projecting, return_exceptions=True)

    async def _run(self, reason: str) -> RunReport | None:
        try:
            return await self._sync_and_tell(reason)
        finally:
            self._bring_influxdb_along()

    async def _sync_and_tell(self, reason: str) -> RunReport | None:
        try:
            run = await self.sync(reason)
        except Busy:
            log.info("sync.skipped", reason=reason, why="another process is syncing")
            self._stood_back = True
            return None
        except PulseError as error:
            log.warning("sync.failed", reason=reason, code=error.code, why=error.message)
            return None
        except Exception:
            # a bug must not take the answers down with it; the next turn tries again
            log.exception("sync.broke", reason=reason)
            return None
        self._refused = run.error is not None and run.error.code in HOPELESS
        self._failures = self._failures + 1 if run.outcome == "failed" else 0
        if run.waits_until is not None and not self._refused:
            # the longer it fails, the more rarely it is tried between the polls
            patience = timedelta(minutes=2 ** min(self._failures, LONGEST_PATIENCE) - 1) if self._failures > 1 else NONE
            self._wake_at(max(run.waits_until, self.clock()) + patience)
        stood_back, self._stood_back = self._stood_back, False
        if stood_back and not self._refused and await asyncio.to_thread(self._something_left):
            self._wake_at(self.clock())  # the other has gone, perhaps in the middle of its work
        return run

    def _wake_at(self, moment: datetime) -> None:
        """Go on then, or earlier if that was planned already."""
        if self._scheduler is not None:
            planned = self._scheduler.next_runs().get("wake", moment)
            self._scheduler.wake(self._go_on, min(moment, planned))

    def history_left(self) -> str:
        """What is still to be read, in words; `complete` when nothing is."""
        return str(progress_state(self.mirror)["detail"])

    def _something_left(self) -> bool:
        """Whether windows, years or names are still to be read."""
        progress = progress_state(self.mirror)
        return not progress["complete"] or bool(progress["names_due"])

    async def first_run(self) -> None:
        """Wait until the run that is at work, for example the one that `start` began, has ended."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    # --- what others may know ---------------------------------------------------------------------------------

    @property
    def api_token(self) -> str | None:
        token = self.settings.api_token
        return token.get_secret_value() if token is not None else None

    @property
    def session_secret(self) -> str | None:
        secret = self.settings.session_secret
        return secret.get_secret_value() if secret is not None else None

    @property
    def allowed_hosts(self) -> Sequence[str]:
        return self.settings.hosts

    def _room(self) -> None:
        """One sentence instead of the kernel's kill. Raises `NeedsUser`."""
        entries, most = self.mirror.counts().entries, self.settings.max_memory_mib
        needed = MIB_BESIDE + entries * BYTES_AN_ENTRY // 2**20
        if needed > most:
            raise NeedsUser(
                f"Answers about {entries:,} entries need about {needed:,} MiB of memory, and MAX_MEMORY_MIB allows "
                f"{most:,}; raise it if the machine has more.",
                code="too_little_memory",
            )

    def contact(self) -> Contact:
        """When Toggl last answered; a running entry counts on while that is younger than two polls.

        What InfluxDB does not hold yet may have stopped it: where answers come from there, and it lags, a running
        entry counts up to when it was in step.
        """
        last, fresh_for = contact(self.mirror), timedelta(minutes=2 * self.settings.poll_minutes)
        if self.settings.query_source == "influxdb" and last is not None:
            state, lag = self.mirror.points.followed()
            if state.at_us is not None and lag:
                return Contact(min(last, from_micros(state.at_us)), NONE)
        return Contact(last, fresh_for)

    def ready(self) -> bool:
        """Whether the mirror can be read, and InfluxDB where answers come from there."""
        try:
            self.mirror.revision()
            if self.settings.query_source == "influxdb" and self._influx is not None:
                self._influx.bucket()
        except PulseError:
            return False
        return True

    def default_zone(self) -> ZoneInfo:
        """The zone of queries that name none: TIMEZONE, else the profile's, else UTC."""
        name = self.settings.timezone
        if name is None:
            profile = self.answers.catalogue().profile
            name = profile.timezone if profile is not None else None
        if name:
            try:
                return parse_zone(name)
            except BadRequest:
                if name != self._unknown_zone:
                    log.warning("zone.unknown", zone=name)
                self._unknown_zone = name
        return ZoneInfo("UTC")

    def week_start(self) -> int:
        """The user's first weekday, Toggl's way: 0 = Sunday … 6 = Saturday; Monday while it is unknown."""
        profile = self.answers.catalogue().profile
        return profile.week_start if profile is not None else MONDAY

    def sync_running(self) -> bool:
        """Whether this process or another one syncs at this moment."""
        if self._at_work():
            return True
        # only a run that has not ended, or was killed, is worth a look at the lock: looking holds it for a moment
        if all(run.outcome != "running" for run in self.mirror.runs(1)):
            return False
        try:
            with self.mirror.lock():
                return False
        except Busy:
            return True

    def status(self) -> dict[str, Any]:
        """How true the answers are, as JSON: account, contact, runs, quota, history, months; no secret in it."""
        now = self.clock()
        return {
            "version": self.version,
            "demo": self.demo,
            "now": iso(now),
            **status_as_json(
                self.mirror,
                now,
                running=self.sync_running(),
                next_runs=self._next_runs(now),
                reserve=self.settings.quota_reserve,
                unwritable=self._syncer.unwritable if self._syncer is not None else None,
                projecting=self.projector is not None,
            ),
        }

    def _next_runs(self, now: datetime) -> dict[str, datetime]:
        if self._scheduler is not None:
            return self._scheduler.next_runs()
        due = self._schedule.after(now)
        return {"full": due} if due is not None else {}

    def _last_full(self) -> datetime | None:
        runs = self.mirror.runs(RUNS_SEARCHED)
        return next(
            (run.started_at for run in runs if run.reason in FULL_REASONS and run.outcome in {"done", "partly"}), None
        )
