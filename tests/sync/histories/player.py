"""Plays a history: a person works at Toggl, things break, a mirror is kept in step, and nothing may go wrong.

When the steps are played, peace comes, and the repairs that are promised must make the mirror exact.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx2
from structlog.testing import capture_logs

from sync.histories.answers import check_answers
from sync.histories.peace import Peace
from sync.histories.steps import DEFAULTS, SYNCS, History, Step
from sync.histories.user import User
from sync.histories.watch import Breach, Watch
from sync.scene import NOW, Scene
from toggl_pulse.demo import Clock, World
from toggl_pulse.demo.faults import Fault
from toggl_pulse.demo.world import Request
from toggl_pulse.metrics import Answers, Contact
from toggl_pulse.sync import RunReport
from toggl_pulse.toggl import RequestNote

__all__ = ["Tally", "play"]

TRUSTED = timedelta(days=83)
"""Silence that the deltas bridge without anything being read again."""

EMPTY = {"empty", "null", "empty_list"}
ACCOUNT = ("age", "timezone", "plan", "skew", "begun")


class Killed(BaseException):
    """The process ended in the middle of a request."""


@dataclass
class Tally:
    """What was played."""

    histories: int = 0
    operations: int = 0
    syncs: int = 0
    requests: int = 0
    kills: int = 0
    faults: int = 0
    quiet_syncs: int = 0
    excused: int = 0


def play(history: History, folder: Path, tally: Tally | None = None) -> None:
    """Raise a `Breach` where the mirror is not what it must be."""
    count = Tally() if tally is None else tally
    count.histories += 1
    cap = {**DEFAULTS, **history.options}["entry_cap"]
    with patch("toggl_pulse.toggl.client.ENTRY_CAP", cap), capture_logs(), _scene(history, folder) as scene:
        player = _Player(scene, count)
        for step in history.steps:
            player.play(step)
        player.end()
        count.operations += player.user.count
        count.requests += len(scene.world.log)
        count.faults += sum(request.fault is not None for request in scene.world.log)


@contextmanager
def _scene(history: History, folder: Path) -> Iterator[Scene]:
    options = {**DEFAULTS, **history.options}
    place = folder / "played"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    shutil.copy(_beginning(options, folder), place / "mirror.db")
    scene = Scene(_world(options, NOW), place)
    scene.skew = timedelta(seconds=options["skew"])
    for name, value in options.items():
        if name not in ACCOUNT:
            setattr(scene.world.behaviour, name, value)
    try:
        yield scene
    finally:
        scene.close()


def _world(options: Mapping[str, Any], now: datetime) -> World:
    born = NOW - timedelta(days=options["age"])
    return World.empty(Clock(now), plan=options["plan"], timezone=options["timezone"], created_at=born)


def _beginning(options: Mapping[str, Any], folder: Path) -> Path:
    """An empty mirror, or that of an account in which nothing was tracked yet, an hour ago; each made once."""
    begun = options["begun"] and not options["skew"] and not options["quota_counted"]
    key = "-".join(str(options[name]).replace("/", "-") for name in ("age", "timezone", "plan")) if begun else "empty"
    kept = folder / f"{key}.db"
    if not kept.exists():
        making = folder / "making"
        making.mkdir()
        scene = Scene(_world(options, NOW - timedelta(hours=1)), making)
        if begun:
            scene.finish()
        scene.mirror.backup(kept)
        scene.close()
        shutil.rmtree(making)
    return kept


class _Player:
    def __init__(self, scene: Scene, tally: Tally) -> None:
        self.scene = scene
        self.tally = tally
        self.user = User(scene.world)
        self.watch = Watch(scene.world, scene.mirror)
        self.answers = Answers(
            scene.mirror,
            clock=scene.clock,
            contact=lambda: Contact(scene.clock(), timedelta(hours=1)),
        )
        self.whole = False
        """Whether deltas alone keep the mirror exact: it was exact, and nothing has been missed since."""
        self.flooded = False
        self.missed = False
        """Whether an end may never have been told: a cut-off answer, or a silence of months."""
        self.heard = scene.clock()
        self.kill: tuple[int, bool] | None = None
        self.cancel: int | None = None
        self.during: dict[int, list[Step]] = {}
        self.watch.note()

    def play(self, step: Step) -> None:
        name = step[0]
        if name in SYNCS:
            self.sync(name)
        elif name in {"wait", "outage"}:
            self.scene.clock.advance(step[1])
        elif name == "fault":
            _, kind, place, skip, times = step
            self.scene.world.fault(kind, place, skip=skip, times=times)
        elif name == "drain":
            bucket = step[1]
            if bucket == "organization":
                bucket = f"organization:{next(iter(self.scene.world.organizations))}"
            self.scene.world.drain(bucket, step[2])
        elif name == "kill":
            self.kill = step[1:]
        elif name == "cancel":
            self.cancel = step[1]
        elif name == "during":
            self.during.setdefault(step[1], []).append(step[2])
        else:
            self.user.do(step)
            self.watch.note()

    # --- one sync ---------------------------------------------------------------------------------------------

    def sync(self, kind: str) -> RunReport | None:
        if kind == "start_again":
            self.scene.restart()
        if kind == "finish":
            return self._finish()
        full, history = {"poll": (False, False), "go_on": (False, True)}.get(kind, (True, True))
        disturbed = bool(self.during)
        run = self._run(full=full, history=history)
        self._check(run, disturbed=disturbed)
        return run

    def _finish(self) -> RunReport | None:
        """A full sync that goes on whenever the quota returns."""
        run = self.sync("full")
        for _ in range(60):
            if run is None or run.outcome != "partly" or run.waits_until is None:
                break
            self.scene.clock.now = max(self.scene.clock.now, run.waits_until - self.scene.skew)
            run = self.sync("go_on")
        return run

    def _run(self, *, full: bool, history: bool) -> RunReport | None:
        world, scene = self.scene.world, self.scene
        self.tally.syncs += 1
        cut = world.cut_error
        if self.kill is not None:
            skip, after = self.kill
            world.faults.insert(0, Fault("lost" if after else "cut", "", skip=skip))
            first = world.faults[0]
            world.cut_error = lambda: Killed() if first not in world.faults else httpx2.ReadError("broken")
        asked = 0

        def on_request(_: RequestNote) -> None:
            nonlocal asked
            for step in self.during.pop(asked, []):
                self.user.do(step)
                self.watch.note()
            if self.cancel == asked:
                self.cancel = None
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            asked += 1

        scene.on_request = on_request
        try:
            return scene.sync("poll" if not (full or history) else "request", full=full, history=history)
        except (Killed, asyncio.CancelledError):
            self.tally.kills += 1
            scene.restart()
            return None
        finally:
            if self.kill is not None and first in world.faults:
                world.faults.remove(first)
            world.cut_error, self.kill, scene.on_request = cut, None, None

    def _check(self, run: RunReport | None, *, disturbed: bool) -> None:
        requests = self.watch.look()
        answered = self._deltas(requests)
        if run is not None and run.outcome == "failed" and run.error is None:
            raise Breach("crash", run.why)
        if run is None or disturbed:
            self.whole = self.whole and not (disturbed and self.flooded)
            self.watch.checked = set(self.scene.mirror.months())
            return
        exact = not self.watch.differences(strict_tags=False)
        if answered and self.whole and not exact:
            raise Breach("inexact", f"{self.watch.differences(strict_tags=False)} after {run.reason} {run.outcome}")
        self.whole = exact and (answered or self.whole)
        self.watch.months(every=answered and self.whole)
        lags = self.scene.world.behaviour.since_lag
        if self.whole and answered and not lags and not self.watch.differences(strict_tags=True):
            check_answers(self.scene.world, self.answers, self.tally.syncs)

    def _deltas(self, requests: list[Request]) -> bool:
        """Whether this sync heard everything that has changed; notes where something may have been missed."""
        asked = [r for r in requests if r.path.endswith("/me/time_entries") and r.query.startswith("since=")]
        if any(r.fault == "broken_row" for r in asked):
            self.whole = False
        if self.flooded and any(r.fault in EMPTY for r in asked):
            self.whole = False
        heard = [r for r in asked if r.status == 200 and r.fault is None]
        if self.scene.clock() - self.heard > TRUSTED:
            self.whole, self.missed = False, True
        if not heard:
            return False
        since = int(heard[-1].query.removeprefix("since=").partition("&")[0])
        world = self.scene.world
        rows = [r for r in world.entries.values() if r.user_id == world.me and r.at >= since * 1_000_000]
        cap = world.behaviour.entry_cap
        if len(rows) >= cap:
            self.whole, self.flooded, self.missed = False, True, True
            return False
        self.flooded = self.flooded and not rows
        self.heard = self.scene.clock()
        return True

    def end(self) -> None:
        """Peace comes."""
        self.kill, self.cancel, self.during = None, None, {}
        peace = Peace(self.scene, self.watch, self.answers, self.sync, missed=lambda: self.missed)
        try:
            peace.come()
        finally:
            self.tally.quiet_syncs += peace.syncs
            self.tally.excused += len(peace.excused)
