"""Brings InfluxDB to the mirror's revision: one point for each finished entry, and nothing else.

What is to be done is laid down in the mirror first, so that a run that is killed at any moment is made good by the
next. All calls block. Asks Toggl nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from toggl_pulse.errors import NeedsUser, PulseError
from toggl_pulse.influx import (
    MEASUREMENT,
    SYNC_MEASUREMENT,
    Influx,
    Refused,
    Unanswered,
    encode,
    encode_runs,
    predicate_of,
)
from toggl_pulse.mirror import Mirror, Points, Projection, RunToTell, Stale
from toggl_pulse.model import ANY_LANE, Point
from toggl_pulse.sync.compare import FIRST_NS, LAST_NS, compare
from toggl_pulse.sync.run_points import run_points
from toggl_pulse.sync.sweeps import FEW, Sweep, one_by_one, plan_sweeps
from toggl_pulse.sync.way import Way

__all__ = ["ProjectionProgress", "ProjectionReport", "Projector"]

log = structlog.get_logger()

BATCH = 5_000
"""Points in one write, which is what InfluxDB advises."""

RUNS = 500
MOST_ASIDE = 100
"""So many refused points in one run are not odd entries but a bucket of another kind."""

SETTLED_US = 10 * 60 * 1_000_000
"""A request that nobody waits for any more is done by then, or never: until then a comparison may come too early."""

ROUNDS = 5
"""How often what has changed in the meantime is taken along, before it is left to the next run."""

EVERYTHING = Sweep(FIRST_NS, LAST_NS, ANY_LANE)

ProjectionProgress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


@dataclass(slots=True)
class ProjectionReport:
    """What one projection did: points written and deleted, deletes sent, points refused, compared and found wrong."""

    revision: int | None = None
    written: int = 0
    stale: int = 0
    deletes: int = 0
    set_aside: int = 0
    compared: int = 0
    differing: int = 0
    runs: int = 0
    emptied: bool = False


def _silent(_what: str, _done: int, _total: int) -> None:
    """Where nobody listens."""


class _Stopped(Exception):
    """The process ends: what is left is done by the next run."""


class Projector:
    """Writes one mirror into one bucket. Made once; `project` may be called as often as there is news."""

    def __init__(
        self,
        mirror: Mirror,
        influx: Influx,
        *,
        clock: Callable[[], datetime],
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """`stopping` is asked between two requests, and ends the work there."""
        self._mirror = mirror
        self._points: Points = mirror.points
        self._influx = influx
        self._clock = clock
        self._stopping = stopping
        self._tell: ProjectionProgress = _silent
        self._sending = False
        self._left_open = 0
        self._told_of: set[str] = set()
        self._runs_refused = False
        self._most_aside = MOST_ASIDE

    def project(
        self,
        *,
        rebuild: bool = False,
        verify: bool = False,
        look: bool = False,
        progress: ProjectionProgress = _silent,
    ) -> ProjectionReport:
        """Bring InfluxDB up to date; a failure is raised, remembered, and told once.

        With `rebuild` the bucket is emptied and filled anew, with `verify` what was set aside is tried again, and
        everything is read back, compared, and mended. Where there is nothing to do InfluxDB is asked nothing, but with
        `look` whether the bucket is still there and the same. Raises `Busy` while another process does the same.
        """
        with self._points.lock():
            self._tell = progress
            self._left_open = self._influx.left_open
            self._sending = False  # a run that met no failure of ours, but a bug or a signal, left it as it was
            self._most_aside = MOST_ASIDE
            before = self._points.state()
            try:
                done = self._project(before, rebuild=rebuild, verify=verify, look=look)
            except _Stopped:
                self._at_rest()
                return ProjectionReport()
            except PulseError as failure:
                self._at_rest(unanswered=isinstance(failure, Unanswered))
                self._failed(before, failure)
                raise
            self._at_rest()
            self._recovered(before)
            return done

    def _progress(self, what: str, done: int, total: int) -> None:
        if self._stopping():
            raise _Stopped
        self._tell(what, done, total)

    def _project(self, before: Projection, *, rebuild: bool, verify: bool, look: bool) -> ProjectionReport:
        done = ProjectionReport()
        if not (rebuild or verify or look or self._anything_to_do(before)):
            done.revision = before.revision
            return done
        if before.sending:
            self._doubt()
        bucket = self._influx.prepare()
        if rebuild or bucket.id != before.bucket:
            if before.bucket and not rebuild:
                log.warning("projection.another_bucket")
            self._points.begin_anew(bucket.id)
        if verify:
            self._most_aside += self._points.try_again()  # odd entries of many runs may be refused in this one
        self._bring_up(done, bucket.retention_seconds)
        if verify or self._to_be_read_back(self._points.state()):
            self._read_back(done, bucket.retention_seconds)
        self._tell_runs(done)
        if done.written or done.stale or done.set_aside:
            log.debug(
                "projection.done",
                revision=done.revision,
                written=done.written,
                deleted=done.stale,
                set_aside=done.set_aside,
            )
        return done

    def _anything_to_do(self, state: Projection) -> bool:
        return (
            state.writing
            or state.sending
            or bool(state.trouble)  # nothing but an answer ends it
            or self._to_be_read_back(state)
            or state.revision != self._points.revision()
            or bool(self._mirror.runs_to_tell(state.runs, 1))
        )

    # requests that nobody waits for any more

    def _about_to_send(self) -> None:
        """Whoever finds this noted knows that a process died with a request on its way, which may yet be done."""
        if not self._sending:
            self._points.note(sending=True)
            self._sending = True

    def _at_rest(self, *, unanswered: bool = False) -> None:
        """Every request of this run was answered, or else what stands is doubted."""
        sent, self._sending = self._sending, False
        if unanswered or self._influx.left_open > self._left_open:
            self._doubt()
        elif sent:
            self._points.note(sending=False)

    def _doubt(self) -> None:
        self._points.note(sending=self._sending, doubted=True, doubted_us=self._now_us())

    def _to_be_read_back(self, state: Projection) -> bool:
        """At once after a doubt arose, and again when there can be nothing left that would change what was read."""
        if not state.doubted or state.doubted_us is None or state.verified_us is None:
            return state.doubted
        return state.verified_us <= state.doubted_us or self._now_us() >= state.doubted_us + SETTLED_US

    def _read_back(self, done: ProjectionReport, retention_seconds: int) -> None:
        begun = self._now_us()
        if not self._verify(done):
            self._doubt()
        self._bring_up(done, retention_seconds)
        state = self._points.state()
        settled = state.doubted_us is None or begun >= state.doubted_us + SETTLED_US
        self._points.note(doubted=state.doubted and not settled, verified_us=begun)

    # points

    def _bring_up(self, done: ProjectionReport, retention_seconds: int) -> None:
        self._see_that_it_keeps(retention_seconds)
        self._empty(done)
        with ThreadPoolExecutor(1, thread_name_prefix="influxdb") as pool, Way(pool, self._influx) as way:
            for _ in range(ROUNDS):
                self._intend()
                self._sweep(done)
                self._write(way, done)
                self._arrived(way, done)
                if not self._points.finish(self._now_us()):
                    continue
                done.revision = self._points.state().revision
                if done.revision == self._points.revision():
                    return

    def _intend(self) -> None:
        """Lay everything down first: changes come in any order of time, and InfluxDB is quickest where it rises."""
        left = self._points.intend()
        total = left
        while left:
            self._progress("planning", total - left, total)
            left = self._points.intend()

    def _see_that_it_keeps(self, retention_seconds: int) -> None:
        """Refuse a bucket that would forget what is written into it."""
        if not retention_seconds:
            return
        first = self._mirror.counts().first_start
        keeps_from = self._clock() - timedelta(seconds=retention_seconds)
        if first is not None and first < keeps_from:
            raise NeedsUser(
                f"The bucket of INFLUXDB_BUCKET keeps data since {keeps_from:%Y-%m-%d} only, and the history begins on "
                f"{first:%Y-%m-%d}; let it keep data for ever.",
                code="influxdb_retention",
            )

    def _empty(self, done: ProjectionReport) -> None:
        if self._points.state().emptying:
            self._progress("emptying", 0, 1)
            for measurement in (MEASUREMENT, SYNC_MEASUREMENT):
                self._delete(EVERYTHING, measurement)
            self._points.note(emptying=False)
            done.emptied = True

    def _sweep(self, done: ProjectionReport) -> None:
        stale = self._points.stale()
        if not stale:
            return
        sweeps = self._sweeps(stale)
        for number, sweep in enumerate(sweeps):
            self._progress("deleting", number, len(sweeps))
            self._points.take_back(*sweep)
            self._delete(sweep)
        self._points.gone(stale)
        done.stale += len(stale)
        done.deletes += len(sweeps)

    def _sweeps(self, stale: Sequence[Stale]) -> list[Sweep]:
        targets = [(each.time_ns, each.lane) for each in stale]
        if len(targets) <= FEW:
            return one_by_one(targets)
        times, lanes = self._points.in_stretch(min(targets)[0], max(targets)[0])
        return plan_sweeps(targets, times, lanes)

    def _delete(self, sweep: Sweep, measurement: str = MEASUREMENT) -> None:
        self._about_to_send()
        self._influx.delete(sweep.first_ns, sweep.last_ns, predicate_of(sweep.lane, measurement))

    def _write(self, way: Way, done: ProjectionReport) -> None:
        """One batch is on its way while the next is made ready."""
        after, intended = FIRST_NS, self._points.state().intended
        way.total = done.written + self._points.counts().pending
        while points := self._points.pending(after, BATCH):
            after = points[-1].time_ns
            body = encode(points)
            self._arrived(way, done)
            self._about_to_send()
            way.send(points, intended, body)

    def _arrived(self, way: Way, done: ProjectionReport) -> None:
        """Wait for the batch that is on its way, and note what became of it."""
        points, intended = way.points, way.intended
        if not points:
            return
        try:
            way.arrived()
        except Refused as refused:
            self._halve(points, intended, refused, done)
        self._points.written((point.time_ns for point in points), intended)
        done.written += len(points)
        self._progress("writing", done.written, max(way.total, done.written))

    def _halve(self, points: list[Point], intended: int, refused: Refused, done: ProjectionReport) -> None:
        """Find those that InfluxDB does not take; the others of the batch are written."""
        if len(points) == 1:
            done.set_aside += 1
            if done.set_aside > self._most_aside:
                raise NeedsUser(
                    "InfluxDB refuses our points one after the other; let INFLUXDB_BUCKET name a bucket of its own "
                    "that nobody else writes to.",
                    code="influxdb_refuses",
                ) from refused
            log.warning("projection.set_aside", entry=points[0].entry_id, kind=refused.kind)
            self._points.set_aside(points[0].time_ns, intended)
            done.written -= 1
            return
        middle = len(points) // 2
        for half in (points[:middle], points[middle:]):
            try:
                self._influx.write(encode(half))
            except Refused as again:
                self._halve(half, intended, again, done)

    # reading back

    def _verify(self, done: ProjectionReport) -> bool:
        """Compare every point in InfluxDB with its entry; what differs is laid down to be mended.

        False if an entry has changed in the meantime, so that what is at its time could not be judged.
        """
        total, compared, judged = self._points.standing(), 0, True
        for found in compare(self._points, self._influx):
            if found.wrong or found.ghosts:
                self._points.doubt(found.wrong, found.ghosts)
            judged = judged and found.judged
            compared += found.compared
            done.differing += found.differing
            self._progress("comparing", compared, max(total, compared))
        done.compared += compared
        if done.differing:
            log.warning("projection.differed", compared=compared, differing=done.differing)
        return judged

    # sync runs

    def _tell_runs(self, done: ProjectionReport) -> None:
        """Those that InfluxDB does not take are left out: each comes once, and must not hold up the later ones."""
        while runs := self._mirror.runs_to_tell(self._points.state().runs, RUNS):
            told = len(runs) if self._take(runs) else sum(self._take([run]) for run in runs)
            self._points.note(runs=runs[-1].run.id)
            done.runs += told
            if told < len(runs) and not self._runs_refused:
                log.warning("projection.runs_refused", runs=len(runs) - told)
            self._runs_refused = told < len(runs)

    def _take(self, runs: Sequence[RunToTell]) -> bool:
        """Whether InfluxDB takes them, all together."""
        try:
            self._influx.write(encode_runs(run_points(runs)))
        except Refused:
            return False
        return True

    # trouble

    def _failed(self, before: Projection, failure: PulseError) -> None:
        """Remember the latest code, and when it all began; each code is told once, though two may take turns."""
        code = failure.code
        if code == before.trouble:
            return
        self._points.note(trouble=code, trouble_us=before.trouble_us if before.trouble else self._now_us())
        if code not in self._told_of:
            log.warning("projection.failed", code=code, why=failure.message)
        self._told_of |= {before.trouble, code}

    def _recovered(self, before: Projection) -> None:
        if before.trouble:
            self._points.note(trouble="", trouble_us=None)
            self._told_of = set()
            log.info("projection.recovered", code=before.trouble)

    def _now_us(self) -> int:
        return int(self._clock().timestamp() * 1_000_000)
