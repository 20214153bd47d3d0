"""Everything that can go wrong between us and Toggl, to be played at any one request of any run."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from structlog.testing import capture_logs

from sync.scene import NOW, RESERVE, Scene
from toggl_pulse.demo import Clock, World
from toggl_pulse.demo.faults import KINDS
from toggl_pulse.demo.world import Request
from toggl_pulse.errors import PulseError, QuotaSpent
from toggl_pulse.sync import RunReport, progress_state
from toggl_pulse.toggl.assumptions import ANSWER_LIMIT

HOUR = timedelta(hours=1)
ATTEMPTS = 3
"""How often a request is sent at most; docs/operations.md says so."""

HINDERED = "sync.hindered"
"""Under which the mirror remembers what could not be had."""

SYNCS = 2
"""Syncs after the last fault until everything is equal: what a run left is gone on with, then one full sync."""

DELETED, RENAMED = 0.3, 0.1
"""How often in an hour."""


BEFORE = {
    "dns": httpx2.ConnectError("[Errno -2] Name or service not known"),
    "refused": httpx2.ConnectError("[Errno 111] Connection refused"),
    "tls": httpx2.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate"),
    "tls_ends": httpx2.ConnectError("[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol"),
    "no_route": httpx2.ConnectTimeout("timed out"),
    "proxy": httpx2.ProxyError("502 Bad Gateway"),
    "os": OSError(24, "Too many open files"),
}
"""What fails before Toggl hears of the request."""

AFTER = {
    "reset": httpx2.ReadError("[Errno 104] Connection reset by peer"),
    "timeout": httpx2.ReadTimeout("timed out"),
    "no_http": httpx2.RemoteProtocolError("illegal status line"),
    "hung_up": httpx2.RemoteProtocolError("Server disconnected without sending a response."),
}
"""What fails when Toggl has already counted the request."""

RETRY_AFTER = {
    "nonsense": "soon",
    "empty": "",
    "huge": "9" * 30,
    "endless": "inf",
    "none": "nan",
    "negative": "-5",
    "date": "Mon, 23 Nov 2026 16:31:00 GMT",
    "past": "Mon, 23 Nov 2020 16:31:00 GMT",
    "no_date": "Mon, 99 Foo 9999 99:99:99 GMT",
}

ODD_HEADERS = {
    "too_many": {"X-Toggl-Quota-Remaining": "1e30"},
    "far": {"X-Toggl-Quota-Resets-In": "1e300"},
    "minus": {"X-Toggl-Quota-Resets-In": "-7"},
    "half": {"X-Toggl-Quota-Remaining": "12.7"},
    "words": {"X-Toggl-Quota-Remaining": "many", "X-Toggl-Quota-Resets-In": "later"},
    "undated": {"Date": ""},
    "misdated": {"Date": "yesterday"},
    "later": {"X-Range-Start": "2199-01-01"},
    "sooner": {"X-Range-End": "1999-01-01"},
    "day": {"X-Range-Start": "never", "X-Range-End": "-", "X-Next-ID": "x", "X-Page-Size": "-1"},
}
"""Right answers under headers that are not."""

WEATHER = (
    *KINDS,
    *BEFORE,
    *AFTER,
    *(f"{status} retry {name}" for status in ("429", "503") for name in RETRY_AFTER),
    *(f"header {name}" for name in ODD_HEADERS),
)
"""The name of everything that `Stormy.play` knows."""


@dataclass(slots=True)
class Squall:
    """One fault of the network: after `skip` requests it meets the next `times`."""

    kind: str
    skip: int
    times: int

    def meets(self) -> bool:
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return self.times >= 0


class Network(httpx2.AsyncBaseTransport):
    """The way to the simulated Toggl, and what happens on it."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self.inner = inner
        self.squalls: list[Squall] = []
        self.hosts: set[str] = set()
        self.sent = 0
        self.attempts = Attempts()
        self.dates: Callable[[], str | None] | None = None
        self.on_request: dict[int, Callable[[], object]] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.sent += 1
        self.hosts.add(request.url.host)
        self.attempts.take(request)
        self.on_request.get(self.sent, lambda: None)()
        kinds = [squall.kind for squall in self.squalls if squall.meets()]
        kind = kinds[0] if kinds else ""
        if kind in BEFORE:
            raise BEFORE[kind]
        response = await self.inner.handle_async_request(request)
        if kind in AFTER:
            raise AFTER[kind]
        changed = ODD_HEADERS.get(kind.removeprefix("header "), {}) if kind.startswith("header ") else {}
        for name, text in changed.items():
            if text:
                response.headers[name] = text
            else:
                response.headers.pop(name, None)
        if self.dates is not None:
            response.headers.pop("Date", None)
            date = self.dates()
            if date is not None:
                response.headers["Date"] = date
        return response


class Stormy(Scene):
    """A scene whose network and whose Toggl fail as told."""

    network: Network

    def transport(self) -> httpx2.AsyncBaseTransport:
        self.network = Network(super().transport())
        return self.network

    def heard(self, go: Callable[[], RunReport], ear: Ear) -> RunReport:
        """A run, whose lines are held against what came of it, and its repeats against what is allowed."""
        self.network.attempts = Attempts()
        with capture_logs() as logs:
            report = go()
        ear.hear(logs, report, set(self.mirror.state(HINDERED) or ()))
        if self.network.attempts.most > ATTEMPTS:
            ear.odd.append(f"{self.network.attempts.most} attempts")
        return report

    def changes_until(self) -> datetime | None:
        """Up to when changes are known, as `status` tells it."""
        told = progress_state(self.mirror)["changes_until"]
        return None if told is None else datetime.fromisoformat(told)

    def play(self, kind: str, *, skip: int, times: int) -> None:
        """Let `kind` meet the request after the next `skip`, and its repeats or followers, `times` in all."""
        name, _, variant = kind.partition(" retry ")
        if variant:
            self.world.fault(name, skip=skip, times=times).retry_after = RETRY_AFTER[variant]
        elif kind in KINDS:
            fault = self.world.fault(kind, skip=skip, times=times)
            fault.size = ANSWER_LIMIT + 1
        else:
            self.network.squalls.append(Squall(kind, skip, times))

    def calm(self) -> None:
        self.world.faults.clear()
        self.network.squalls.clear()


# --- runs -----------------------------------------------------------------------------------------------------


class Kept:
    """Mirrors made once, from which each trial starts with a copy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._count = 0
        self.empty = self._keep(lambda _scene: None)
        self.young = self._keep(lambda scene: scene.sync("start", history=False))
        self.whole = self._keep(lambda scene: scene.sync("start"))

    def _keep(self, fill: Callable[[Scene], Any]) -> tuple[datetime, Path]:
        self._count += 1
        folder = self.folder / f"kept-{self._count}"
        folder.mkdir()
        scene = Scene(world(), folder)
        fill(scene)
        kept = folder / "copy.db"
        scene.mirror.backup(kept)
        scene.close()
        return scene.clock(), kept

    def scene(self, kept: tuple[datetime, Path]) -> Stormy:
        self._count += 1
        folder = self.folder / f"trial-{self._count}"
        folder.mkdir()
        shutil.copy(kept[1], folder / "mirror.db")
        stormy = Stormy(world(), folder)
        stormy.clock.now = kept[0]
        return stormy

    def forget(self, scene: Scene) -> None:
        scene.close()
        shutil.rmtree(scene.folder)


def world() -> World:
    """Eleven months with thirty entries and pages so short that a year has several."""
    born = NOW.replace(month=1, day=8)
    world = World.empty(Clock(born), plan="starter", created_at=born)
    world.behaviour.max_page_size = 20
    clock = world.clock
    assert isinstance(clock, Clock)
    client = world.create_client("Acme")
    project = world.create_project("Site", client_id=client.id, billable=True)
    task = world.create_task("Design", project_id=project.id)
    for number in range(30):
        clock.now = born + timedelta(days=1 + 10 * number)
        world.create_entry(
            start=clock.now - timedelta(hours=3),
            stop=clock.now - timedelta(hours=1, seconds=number),
            description=f"text {number}" if number % 7 else None,
            project_id=project.id if number % 3 else None,
            task_id=task.id if number % 3 == 1 else None,
            tags=("deep", "calm")[: number % 3],
        )
    clock.now = NOW - timedelta(days=9)
    world.create_entry(start=clock.now - 2 * HOUR, stop=clock.now - HOUR, tags=("deep",))
    world.create_entry(start=clock.now - HOUR, stop=clock.now, description="gone before it is told")
    clock.now = NOW
    world.start_timer(description="now", project_id=project.id)
    clock.advance(600)
    return world


def change(world: World) -> None:
    """Edits, a deletion, new names, a rename, a tag's end."""
    alive = sorted(world.live_entries(), key=lambda row: row.start)
    client = world.create_client("Late")
    project = world.create_project("Later", client_id=client.id)
    task = world.create_task("Latest", project_id=project.id)
    world.edit_entry(alive[3].id, description="edited")
    world.delete_entry(alive[20].id)
    world.create_entry(
        start=NOW - HOUR, stop=NOW, description="new", tags=("deep", "odd"), project_id=project.id, task_id=task.id
    )
    world.rename_project(next(iter(world.projects)), name="Site, renamed")
    world.delete_tag(next(iter(world.tags)))


def forget(world: World) -> None:
    """Delete an entry of this month without any answer ever telling so."""
    row = next(row for row in world.live_entries() if row.description == "gone before it is told")
    world.delete_entry(row.id)
    world.by_at.remove(row.at, row.id)


def dice(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  (chance, not secrets)


def live_on(world: World, chance: random.Random, hour: int) -> None:
    """A person at work for an hour: something new, something edited, now and then something deleted or renamed."""
    alive = sorted(row.id for row in world.live_entries() if row.stop is not None)
    now = world.clock()
    world.create_entry(start=now - HOUR, stop=now - HOUR / 2, description=f"hour {hour}", tags=("deep",))
    world.edit_entry(chance.choice(alive), description=f"edited in hour {hour}")
    if chance.random() < DELETED:
        world.delete_entry(chance.choice(alive))
    if chance.random() < RENAMED:
        world.rename_project(next(iter(world.projects)), name=f"Site {hour}")
        world.create_project(f"Project {hour}")


def first(kept: Kept) -> tuple[Stormy, Callable[[], Any]]:
    scene = kept.scene(kept.empty)
    return scene, lambda: scene.sync("start")


def history(kept: Kept) -> tuple[Stormy, Callable[[], Any]]:
    scene = kept.scene(kept.young)
    scene.advance(minutes=2)
    return scene, lambda: scene.sync("history", full=False)


def daily(kept: Kept) -> tuple[Stormy, Callable[[], Any]]:
    scene = kept.scene(kept.whole)
    scene.advance(hours=2)
    change(scene.world)
    forget(scene.world)
    scene.advance(minutes=2)
    return scene, lambda: scene.sync("schedule")


def poll(kept: Kept) -> tuple[Stormy, Callable[[], Any]]:
    scene = kept.scene(kept.whole)
    scene.poll()
    scene.advance(hours=2)
    change(scene.world)
    scene.advance(minutes=2)
    return scene, scene.poll


RUNS = {"first": first, "history": history, "daily": daily, "poll": poll}


# --- what must hold -------------------------------------------------------------------------------------------


def false_deletions(scene: Scene) -> set[int]:
    """Entries that live in Toggl and are dead in the mirror."""
    alive = {row.id for row in scene.world.live_entries()}
    return {number for number, stored in scene.mirror.entries(alive).items() if stored.deletion is not None}


def lowest(scene: Scene) -> int | None:
    """The least that our own requests have left in any bucket; what a fault or another tool takes is not ours."""
    return min((left for request in scene.world.log if (left := _left(request)) is not None), default=None)


def _left(request: Request) -> int | None:
    """What a request left in its bucket; a refusal for the quota is beyond it, unless it was played."""
    if request.status == 402 and request.fault is None:
        return -1
    return None if request.fault == "quota402" or request.path.endswith("/me/quota") else request.remaining


class Attempts:
    """Counts how often each question was sent until it was answered or given up; the transport tells it."""

    def __init__(self) -> None:
        self.most = 0
        self._last: object = None
        self._count = 0

    def take(self, request: httpx2.Request) -> None:
        if request.url.path.endswith("/me/quota"):
            return  # a look before another question is none of its repeats
        line = (request.method, str(request.url), request.content)
        self._count = self._count + 1 if line == self._last else 1
        self._last = line
        self.most = max(self.most, self._count)


# --- one trial ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Trial:
    """What one fault at one request came to."""

    found: list[str]
    requests: int
    syncs: int


def attempt(kept: Kept, run: str, kind: str, skip: int, *, times: int = ATTEMPTS) -> Trial:
    """Play `kind` at one request of a run and then no more; `found` is everything that should not be."""
    scene, go = RUNS[run](kept)
    ear = Ear()
    try:
        scene.play(kind, skip=skip, times=times)
        known = scene.changes_until()
        report = scene.heard(go, ear)
        found = [f"{number} was ended" for number in false_deletions(scene)]
        if report.outcome != "done" and not report.why:
            found.append(f"{report.outcome} without a word")
        if len(ear.loud) > 1:
            found.append(f"said {ear.loud}")
        requests, ear.loud = scene.network.sent, []
        scene.calm()
        syncs = settle(scene, report, ear)
        if syncs > SYNCS:
            found.append(f"{syncs} syncs needed")
        found += goes_on(scene, known, ear)
        if ear.loud:
            found.append(f"said {ear.loud} when all was well")
        found += ear.odd
        found += [f"{what} was never told to be over" for what in sorted(ear.open)]
        found += scene.differences()[:3]
        if {"verified"} != set(scene.month_states().values()):
            found.append(f"months: {scene.month_states()}")
        low = lowest(scene)
        if low is not None and low < RESERVE:
            found.append(f"the reserve: {low}")
        return Trial(found, requests, syncs)
    finally:
        kept.forget(scene)


class Ear:
    """Hears the lines of run after run: every trouble is told once when it begins, and once when it is over.

    `open` is what was told to be wrong and not yet to be over, `loud` every line for people, `odd` what was not so.
    """

    def __init__(self) -> None:
        self.open: set[str] = set()
        self.loud: list[str] = []
        self.odd: list[str] = []

    def hear(self, logs: list[Any], report: RunReport, hindered: set[str]) -> None:
        """What is wrong after a run is what is open, with one line for all that began in it and one for all that ended.

        A run that only waits for the quota has nothing to tell.
        """
        before, names = set(self.open), Counter(line["event"] for line in logs)
        for line in logs:
            what = set(line.get("what", ["run"]))
            if line["event"] in BEGUN:
                self.odd += [f"{line['event']} of {each} twice" for each in sorted(what & self.open)]
                self.open |= what
            elif line["event"] in OVER:
                self.odd += [f"{line['event']} of {each}, which was not" for each in sorted(what - self.open)]
                self.open -= what
        self.odd += [f"{name} {names[name]} times" for name in sorted(BEGUN | OVER) if names[name] > 1]
        wrong = hindered | ({"run"} if report.outcome == "failed" else set())
        if self.open != wrong:
            self.odd.append(f"{sorted(wrong)} after {report.outcome}, told are {sorted(self.open)}")
        failed = report.error if isinstance(report.error, PulseError) else None
        hindrance = report.outcome == "partly" and failed is not None and not isinstance(failed, QuotaSpent)
        if hindrance and not (before | wrong) and not BEGUN & names.keys():
            self.odd.append(f"{failed} without a line")
        self.loud += loud(logs)


BEGUN, OVER = {"sync.hindered", "sync.failed"}, {"sync.unhindered", "sync.recovered"}


def loud(logs: list[Any]) -> list[str]:
    """The lines for people: warnings and worse."""
    return [line["event"] for line in logs if line["log_level"] in {"warning", "error", "critical"}]


def goes_on(scene: Stormy, known: datetime | None, ear: Ear) -> list[str]:
    """The next change is told by the next poll, and the cursor moves beyond it: it does not stand where it stood."""
    settled = scene.changes_until()
    scene.advance(minutes=5)
    row = next(row for row in scene.world.live_entries() if row.stop is not None)
    scene.world.edit_entry(row.id, description="when all was well again")
    scene.advance(minutes=5)
    report = scene.heard(scene.poll, ear)
    cursor, found = scene.changes_until(), []
    if report.outcome != "done" or (report.requests, report.changed) != (1, 1):
        found.append(f"a poll in fair weather is {report}")
    if cursor is None or settled is None or cursor < settled or cursor.timestamp() <= row.at / 1_000_000:
        found.append(f"changes are known until {cursor}, after {settled} and a change at {row.at / 1_000_000}")
    if settled is not None and known is not None and settled < known:
        found.append(f"changes were known until {known}, and then until {settled}")
    return found


def settle(scene: Stormy, report: RunReport, ear: Ear) -> int:
    """Go on when the run said so, then sync once; how many syncs it took until the mirror was equal."""
    for count in range(1, 7):
        if report.waits_until is not None:
            scene.clock.now = max(scene.clock.now, report.waits_until)
            report = scene.heard(lambda: scene.sync("history", full=False), ear)
        else:
            scene.advance(hours=1)
            report = scene.heard(lambda: scene.sync("schedule"), ear)
        if report.outcome == "done" and not scene.differences() and "not_verified" not in scene.month_states().values():
            return count
    return 99
