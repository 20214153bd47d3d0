"""A small account in a real mirror, the real answers over it, and the application before both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from starlette.testclient import TestClient

from toggl_pulse.app import create_app
from toggl_pulse.errors import Busy
from toggl_pulse.metrics import Answers, Contact
from toggl_pulse.mirror import Mirror, SyncRun
from toggl_pulse.model import Client, Profile, Project, Tag, TimeEntry, User, Workspace
from toggl_pulse.sync import iso, status_as_json

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TOKEN = "correct-horse-battery-staple"
WORKSPACE, USER = 4_000_000_001, 5_000_000_001
RANGE = {"from": "2026-11-01T23:00:00.000Z", "to": "2026-11-04T23:00:00.000Z"}


@dataclass
class SmallPulse:
    """The service without a sync: what `Pulse` promises, over a mirror that the test has filled."""

    mirror: Mirror
    now: datetime = NOW
    api_token: str | None = TOKEN
    session_secret: str | None = None
    allowed_hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "::1", "testserver")
    version: str = "1.2.3"
    demo: bool = False
    running: bool = False
    is_ready: bool = True
    projecting: bool = False
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.answers = Answers(self.mirror, clock=self.clock, contact=self.contact)

    def clock(self) -> datetime:
        return self.now

    def contact(self) -> Contact:
        return Contact(NOW - timedelta(minutes=5), timedelta(minutes=20))

    def ready(self) -> bool:
        return self.is_ready

    def status(self) -> dict[str, Any]:
        more = {"version": self.version, "demo": self.demo, "now": iso(self.now)}
        return more | status_as_json(
            self.mirror,
            self.now,
            running=self.running,
            next_runs={"full": NOW + timedelta(hours=6), "poll": NOW + timedelta(minutes=10)},
            reserve=10,
            unwritable=None,
            projecting=self.projecting,
        )

    def default_zone(self) -> ZoneInfo:
        return ZoneInfo("Europe/Berlin")

    def week_start(self) -> int:
        return 1

    async def request_sync(self) -> None:
        if self.running:
            raise Busy("A sync is running already.")
        self.asked.append("sync")

    async def start(self) -> None:
        self.asked.append("start")

    async def stop(self) -> None:
        self.asked.append("stop")


def entry(number: int, start: str, hours: float, **more: Any) -> TimeEntry:
    """A finished entry; `start` is UTC without an offset."""
    begin = datetime.fromisoformat(start).replace(tzinfo=UTC)
    seconds = int(hours * 3600)
    made = TimeEntry(
        6_000_000_000 + number,
        WORKSPACE,
        USER,
        begin,
        begin + timedelta(seconds=seconds),
        seconds,
        begin + timedelta(days=1),
    )
    return replace(made, **more)


def fill(mirror: Mirror) -> None:
    with mirror.batch() as batch:
        batch.write_catalogue(
            [
                Workspace(WORKSPACE, "Studio"),
                User(USER, "Ada"),
                Profile(USER, "ada@example.com", "Ada", "Europe/Berlin", 1, WORKSPACE),
                Client(11, WORKSPACE, "Acme"),
                Client(12, WORKSPACE, 'O\'Brien, "Sons"'),
                Project(21, WORKSPACE, "Website", 11),
                Project(22, WORKSPACE, "Website", 12),
                Project(23, WORKSPACE, "a.b (c|d)", 11),
                Tag(31, WORKSPACE, "deep"),
                Tag(32, WORKSPACE, "call"),
            ]
        )
        batch.write_entries(
            [
                entry(1, "2026-11-02T08:00", 2, project_id=21, description="Plan", billable=True),
                entry(2, "2026-11-02T10:00", 1.5, project_id=22, tags=("deep", "call"), tag_ids=(31, 32)),
                entry(3, "2026-11-03T22:30", 1, project_id=23, description='=HYPERLINK("x")'),
                entry(4, "2026-11-04T09:00", 0.25, description='Ünï 😀, "quoted"\r\nsecond line'),
            ]
        )
    with mirror.batch() as batch:
        for hour, outcome in ((0, "done"), (1, "done"), (7, "partly"), (11, "failed")):
            at = NOW - timedelta(hours=11 - hour)
            run = batch.start_run("poll", started_at=at)
            batch.finish_run(SyncRun(run, "poll", at, at + timedelta(seconds=30), outcome))  # type: ignore[arg-type]
        heard = [*(NOW - timedelta(hours=hours, seconds=-30) for hours in (11, 10, 4)), NOW - timedelta(minutes=5)]
        batch.set_state("contact.silences", [[a.isoformat(), b.isoformat()] for a, b in pairwise(heard)])


@contextmanager
def serving(pulse: SmallPulse, **more: Any) -> Iterator[TestClient]:
    headers = {"Authorization": f"Bearer {pulse.api_token}"} if pulse.api_token else {}
    with TestClient(create_app(pulse), headers=headers, follow_redirects=False, **more) as client:
        yield client
