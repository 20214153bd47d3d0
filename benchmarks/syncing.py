"""How quick is a sync? The first against merely downloading the same pages; a poll of 50 changes by the mirror's size.

All in one process, through the simulated Toggl without a server between; quota and pace stand in nobody's way.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter

import httpx2
import orjson
import structlog

from benchmarks.account import Account
from benchmarks.measure import Ratio
from toggl_pulse.demo import Behaviour, Clock, World, create_simulator
from toggl_pulse.demo.generate import large_world
from toggl_pulse.mirror import Mirror
from toggl_pulse.sync import Syncer
from toggl_pulse.toggl import Credentials, Quota, TogglClient

__all__ = ["ratios"]

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
CHANGES, POLLS = 50, 5
NOTE = (
    "Each page begins with the day in which the one before ended, so that nothing is missed when something is deleted "
    "between two; with 547 entries a day nearly every second row is read twice. "
    "Looked at 250 times a second, a sixth of the time is the simulated Toggl's own, which is in both; a third is "
    "SQLite's (inserts and amounts, commits, looking up what stands, in equal parts), a fifth goes into reading JSON "
    "and fields, a twelfth into garbage collection, a twentieth into keeping the columns at the end, the rest into "
    "comparing and making rows. "
    "Tried: rows handed to the driver without a detour, amounts put without being looked up, each page looked up once "
    "and by one parameter of all its ids, statements made once, texts checked once; that took it from 0.2. "
    "Without gain: a longer write-ahead log, parsing while the quota is being written down. "
    "Not done: writing a page while the next one is asked for. It would hide SQLite's part here and nothing where a "
    "real Toggl grants a request a second, and a kill could then cost two answers instead of one."
)
PLENTY = 10**7


def ratios(account: Account) -> Iterator[Ratio]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))  # a log line a run is no part of this
    with TemporaryDirectory() as folder:
        large = Scene(account.size, Path(folder) / "large")
        gc.collect()
        gc.freeze()  # Toggl's rows are another machine's, and no garbage collection of ours walks over them
        seconds = large.sync("start")
        assert large.mirror.counts().entries == account.size
        asked = large.transport.asked
        bare = asyncio.run(_download(large.world, asked))
        yield Ratio(
            f"first sync of {account.size:,} entries: its speed against downloading the same {len(asked):,} answers",
            0.3,
            account.size / seconds,
            account.size / bare,
            unit="/s",
            of="a bare loop",
            at_least=True,
            note=NOTE,
        )
        empty = Scene(0, Path(folder) / "empty")
        empty.sync("start")
        for scene in (large, empty):  # from here on both have entries to edit and to delete
            scene.change()
            scene.sync("poll")
        times: dict[str, list[float]] = {"large": [], "empty": []}
        for _ in range(POLLS):
            for name, scene in (("large", large), ("empty", empty)):
                scene.change()
                times[name].append(scene.sync("poll"))
        yield Ratio(
            f"a sync of {CHANGES} changes into a mirror of {account.size:,}",
            2.0,
            min(times["large"]),
            min(times["empty"]),
            of="the same into an empty one",
        )
        gc.unfreeze()
        large.mirror.close()
        empty.mirror.close()


class Scene:
    """A simulated account and a mirror of it."""

    def __init__(self, entries: int, folder: Path) -> None:
        folder.mkdir()
        plans = dict.fromkeys(Behaviour().plan_quota, PLENTY)
        behaviour = Behaviour(user_quota=PLENTY, plan_quota=plans)
        self.world = large_world(NOW, years=5, entries=entries, projects=200, behaviour=behaviour, running=False)
        assert isinstance(self.world.clock, Clock)
        self.clock = self.world.clock
        self.dice = Random(entries)  # noqa: S311 - changes, not secrets
        self.transport = Recording(self.world)
        self.mirror = Mirror.open(f"sqlite:///{folder}/mirror.db", clock=self.clock)

    async def sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def change(self) -> None:
        """Fifty: new entries, edits and deletions in turn, of all the years; new ones where there are no others."""
        living = [row.id for row in self.world.entries.values() if row.deleted_at is None]
        others = self.dice.sample(living, min(len(living), CHANGES))
        for number in range(CHANGES):
            self.clock.advance(60)
            now = self.clock()
            if number % 3 == 0 or not others:
                self.world.create_entry(start=now - timedelta(seconds=50), stop=now, description=f"Change {number}")
            elif number % 3 == 1:
                self.world.edit_entry(others.pop(), description=f"Change {number}")
            else:
                self.world.delete_entry(others.pop())
        self.clock.advance(600)

    def sync(self, reason: str) -> float:
        """Seconds of one run, its client made before."""
        quota = Quota(self.mirror, reserve=10, clock=self.clock)
        client = TogglClient(
            "http://toggl.example",
            Credentials.token(self.world.token),
            quota=quota,
            clock=self.clock,
            sleep=self.sleep,
            transport=self.transport,
        )
        syncer = Syncer(client, self.mirror, clock=self.clock)
        full = reason == "start"
        self.transport.asked.clear()
        begin = perf_counter()
        run = asyncio.run(syncer.run(reason, full=full, history=full))
        seconds = perf_counter() - begin
        assert run.outcome == "done", run.why
        return seconds


class Recording(httpx2.ASGITransport):
    """Keeps what was asked."""

    def __init__(self, world: World) -> None:
        super().__init__(app=create_simulator(world))
        self.asked: list[httpx2.Request] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        return await super().handle_async_request(request)


async def _download(world: World, asked: list[httpx2.Request]) -> float:
    """Seconds of the same requests, made again with nothing but parsing."""
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=create_simulator(world))) as client:
        begin = perf_counter()
        for each in asked:
            request = client.build_request(each.method, each.url, headers=each.headers, content=each.content)
            orjson.loads((await client.send(request)).content)
        return perf_counter() - begin
