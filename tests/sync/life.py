"""The product's life on a clock that is told: the real service and its real alarm clock, in one process, in no time.

APScheduler itself decides what is due; only its idea of "now" is ours, and nobody waits for it.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import Callable, Iterator, MutableMapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import count
from pathlib import Path
from typing import Any, Self, TypeVar
from unittest.mock import patch

import httpx2
import structlog

from toggl_pulse.demo import Clock, World, create_simulator
from toggl_pulse.service import Service
from toggl_pulse.settings import load_settings

RESERVE = 10
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FULL = {"start", "schedule"}

T = TypeVar("T")


class InPlace(ThreadPoolExecutor):
    """Blocking work is done where it stands: nothing else happens meanwhile anyhow, and a thread costs more."""

    def submit(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(work(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001  (as a pool does)
            future.set_exception(error)
        return future


class Network(httpx2.AsyncBaseTransport):
    """Ends at the simulated Toggl while it is up; leaner than the library's own way into an ASGI app."""

    def __init__(self, world: World) -> None:
        self._toggl = create_simulator(world)
        self.up = True
        self.refused = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if not self.up:
            self.refused += 1
            raise httpx2.ConnectError("the simulated network is down")
        body = b"".join([part async for part in request.stream])  # type: ignore[union-attr]
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": request.method,
            "path": request.url.path,
            "query_string": request.url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
        }
        await self._toggl(scope, receive, send)
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return httpx2.Response(sent[0]["status"], headers=sent[0]["headers"], content=content)


class Life:
    """One account, one mirror, and the processes that look after it, one after the other.

    `skew` is how far our clock is ahead of Toggl's. `said` counts what was logged, by event.
    """

    def __init__(self, world: World, folder: Path, **settings: Any) -> None:
        assert isinstance(world.clock, Clock)
        self.world = world
        self.clock = world.clock
        self.skew = timedelta(0)
        self.folder = folder
        self.settings = settings
        self.network = Network(world)
        self.asleep = False
        self.said: Counter[str] = Counter()
        self.warned: list[MutableMapping[str, Any]] = []
        self.processes = 0
        self.turns = 0
        self.after_turn: list[Callable[[], None]] = []
        self._service: Service | None = None
        self._events: list[tuple[datetime, int, Callable[[], Any]]] = []
        self._order = count()
        world.sleep = self.sleep

    @property
    def service(self) -> Service:
        assert self._service is not None, "no process runs"
        return self._service

    @property
    def alive(self) -> bool:
        return self._service is not None

    def now(self) -> datetime:
        return self.clock.now + self.skew

    async def sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)

    # --- processes --------------------------------------------------------------------------------------------

    def open(self) -> Service:
        """A service on the mirror, as any process would make it."""
        settings = load_settings(
            data_dir=self.folder,
            toggl_api_url="https://toggl.example",
            toggl_api_token=self.world.token,
            quota_reserve=RESERVE,
            **self.settings,
        )
        return Service(settings, clock=self.now, sleep=self.sleep, transport=self.network)

    async def start(self) -> None:
        self._service = self.open()
        self.processes += 1
        await self._service.start()
        await self._service.first_run()
        self._turned()

    async def stop(self) -> None:
        if self._service is not None:
            service, self._service = self._service, None
            await service.stop()

    async def restart(self) -> None:
        if self.alive:
            await self.stop()
            await self.start()

    # --- time -------------------------------------------------------------------------------------------------

    def at(self, moment: datetime, event: Callable[[], Any]) -> None:
        """Have something happen then (on Toggl's clock); a coroutine is awaited."""
        heapq.heappush(self._events, (moment, next(self._order), event))

    def due(self) -> datetime | None:
        """The alarm clock's next ringing, on Toggl's clock."""
        if self.asleep or self._service is None or self._service._scheduler is None:
            return None
        ringing = min(self._service._scheduler.next_runs().values(), default=None)
        return None if ringing is None else ringing - self.skew

    async def until(self, moment: datetime) -> None:
        """Everything that happens before then, in its order; what falls into a run happens when it has ended."""
        while True:
            due = self.due()
            event = self._events[0][0] if self._events else None
            following = min(at for at in (due, event, moment) if at is not None)
            if following >= moment:
                self.clock.now = max(self.clock.now, moment)
                return
            self.clock.now = max(self.clock.now, following)
            if event is not None and event <= following:
                result = heapq.heappop(self._events)[2]()
                if asyncio.iscoroutine(result):
                    await result
            else:
                await self.turn()

    async def turn(self) -> None:
        """Let the alarm clock ring once: APScheduler starts what is due, and it runs to its end."""
        assert self._service is not None
        assert self._service._scheduler is not None
        clockwork = self._service._scheduler._scheduler
        clockwork._process_jobs()
        while pending := list(clockwork._executors["default"]._pending_futures):
            await asyncio.gather(*pending)
            await asyncio.sleep(0)  # their callbacks take them off the list
        self.turns += 1
        self._turned()

    def _turned(self) -> None:
        for look in self.after_turn:
            look()

    def run(self, story: Callable[[Self], Any]) -> None:
        """Live this story."""

        async def live() -> None:
            asyncio.get_running_loop().set_default_executor(InPlace())
            try:
                await story(self)
            finally:
                await self.stop()

        with self._told_time(), self._listening():
            asyncio.run(live())

    @contextmanager
    def _told_time(self) -> Iterator[None]:
        """APScheduler asks the system for the time; here it is told."""
        life = self

        class Told(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Any:
                return life.now().astimezone(tz or UTC)

        with (
            patch("apscheduler.schedulers.base.datetime", Told),
            patch("apscheduler.triggers.interval.datetime", Told),
        ):
            yield

    @contextmanager
    def _listening(self) -> Iterator[None]:
        before = structlog.get_config()["processors"]
        structlog.configure(processors=[self._hear])
        try:
            yield
        finally:
            structlog.configure(processors=before)

    def _hear(self, _logger: Any, level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        self.said[event["event"]] += 1
        if level in {"warning", "error", "critical"}:
            self.warned.append({"at": self.clock.now, **event})
        raise structlog.DropEvent
