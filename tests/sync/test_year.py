"""A year of the product's life in minutes: two full syncs a day, a poll every ten minutes, and a person who works.

Other tools drain both buckets, the network goes away, the machine is off or sleeps, processes end and begin anew.
Afterwards the mirror is Toggl's to the last field, no request of ours went below the reserve, and `status` told the
truth whenever it was asked.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from sync import watch as truth
from sync.life import DAY, HOUR, Life
from sync.person import Person
from sync.watch import Watch
from toggl_pulse.demo import large_world
from toggl_pulse.sync import silences
from toggl_pulse.sync.gaps import sync_gaps

BEGIN = datetime(2026, 3, 16, 9, 7, tzinfo=UTC)
"""Both changes of Berlin's clocks lie within a year of it, the first within a fortnight."""

REST = 36 * HOUR

FAIR = 0.98
"""The share of all polls that is asked at least; a start or a long run takes the place of one."""


@dataclass(frozen=True)
class Outage:
    """`down`: the network is away; `off`: our process is; `asleep`: the machine sleeps, and wakes with its process."""

    after: timedelta
    lasts: timedelta
    kind: str


class Year:
    """One life as it is drawn from a seed."""

    def __init__(
        self,
        folder: Path,
        *,
        seed: int,
        days: int,
        zone: str = "Europe/Berlin",
        looks: int = 100,
        poll: int = 10,
        entries: int = 1200,
    ) -> None:
        self.seed, self.days, self.poll, self.looks = seed, days, timedelta(minutes=poll), looks
        world = large_world(
            BEGIN, years=2, entries=entries, projects=12, clients=5, tags=4, seed=seed, timezone=zone, running=False
        )
        self.life = Life(world, folder, poll_minutes=poll)
        self.watch = Watch(self.life, poll=self.poll)
        self.person = Person(self.life, seed=seed)
        self.dice = Random(f"year:{seed}")  # noqa: S311  (no secret)
        self.outages: list[Outage] = []
        self.quarters: list[str] = []
        self.gaps: list[str] = []
        for _ in range(looks):
            self.life.at(BEGIN + timedelta(seconds=self.dice.randint(2 * 3600, days * 86_400)), self.watch.look)

    @property
    def end(self) -> datetime:
        return BEGIN + timedelta(days=self.days)

    async def live(self, life: Life) -> None:
        await life.start()
        self.person.begin()
        for outage in self.outages:
            self._plan(outage)
        for _ in range(self.days // 6):
            life.at(BEGIN + timedelta(seconds=self.dice.randint(0, self.days * 86_400)), life.restart)
        quarters = range(91, self.days - 20, 91)
        for day in quarters:
            await life.until(BEGIN + timedelta(days=day))
            self.quarters += await self.at_rest()
        await life.until(self.end)
        self.quarters += await self.at_rest()
        self.gaps = self.untold_gaps()

    async def at_rest(self) -> list[str]:
        """Nothing changes for a while: then everything must be equal."""
        life, self.person.resting = self.life, True
        await life.until(life.clock.now + REST)
        if not life.alive:
            await life.start()
        found = [f"{life.clock.now:%Y-%m-%d}: {what}" for what in truth.differences(life, life.service.mirror)]
        told = life.service.status()["history"]
        if not (told["complete"] and told["gap"] is None and told["detail"] == "complete"):
            found.append(f"{life.clock.now:%Y-%m-%d}: told is {told['detail']}")
        self.person.resting = False
        return found

    def _plan(self, outage: Outage) -> None:
        life, begin = self.life, BEGIN + outage.after

        async def go() -> None:
            if outage.kind == "down":
                life.network.up = False
            elif outage.kind == "off":
                await life.stop()
            else:
                life.asleep = True

        async def come_back() -> None:
            life.network.up = True
            life.asleep = False
            if not life.alive:
                await life.start()

        life.at(begin, go)
        life.at(begin + outage.lasts, come_back)

    def untold_gaps(self) -> list[str]:
        """Where the list of gaps is not what the simulator saw."""
        service = self.life.service
        told = {
            (gap.start.replace(microsecond=0), gap.end.replace(microsecond=0))
            for gap in sync_gaps(
                silences(service.mirror),
                last=service.contact().last,
                start=BEGIN,
                end=self.life.now(),
                now=self.life.now(),
                longest=2 * self.poll,
            )
        }
        return _unlike(told, truth.silences(self.watch, 2 * self.poll))

    @property
    def awake(self) -> timedelta:
        """For how long a process was there that could ask; without a network it asks in vain."""
        away = sum((outage.lasts for outage in self.outages if outage.kind != "down"), timedelta(0))
        return timedelta(days=self.days) + REST - away

    def runs(self) -> Counter[str]:
        """All runs by their reason."""
        service = self.life.open()
        try:
            return Counter(run.reason for run in service.mirror.runs(1_000_000))
        finally:
            service.mirror.close()

    def too_little(self) -> list[str]:
        """What a life of this length must have come to at least, and did not."""
        runs, log = self.runs(), self.life.world.log
        fulls, polls = int(self.awake / (12 * HOUR)), int(self.awake / self.poll * FAIR)
        found = [
            (runs["schedule"] + runs["start"] >= fulls, f"{runs} for {fulls} full syncs"),
            (runs["poll"] >= polls, f"{runs} for {polls} polls"),
            (self.watch.looks == self.looks, f"{self.watch.looks} of {self.looks} looks at the status"),
            (self.watch.checked > 0, "no month was compared"),
            (len(log) < (log.maxlen or 0), f"{len(log)} requests: the simulator's log has lost some"),
        ]
        return [what for enough, what in found if not enough]

    def lived(self) -> str:
        """What it was, for whoever reads the long run's output."""
        life, requests, runs = self.life, truth.spent(self.life), self.runs()
        paid = sum(requests.values()) - requests["/me/quota"]
        return (
            f"seed {self.seed}: {runs['schedule'] + runs['start']} full syncs, {runs['poll']} polls, "
            f"{runs['history']} others, {life.processes} processes; {paid} requests and {requests['/me/quota']} free "
            f"looks, at least {truth.lowest(life)} left: {dict(requests.most_common())}; "
            f"person: {dict(self.person.done)}; status looked at {self.watch.looks} times, "
            f"{self.watch.checked} months found verified and compared"
        )


def _unlike(told: set[tuple[datetime, datetime]], true: list[tuple[datetime, datetime]]) -> list[str]:
    """Pairs that have no partner within a minute."""

    def like(one: tuple[datetime, datetime], other: tuple[datetime, datetime]) -> bool:
        return all(abs(a - b) <= timedelta(minutes=1) for a, b in zip(one, other, strict=True))

    return [
        *(f"not told: {one[0]} to {one[1]}" for one in true if not any(like(one, other) for other in told)),
        *(f"told, but was none: {one[0]} to {one[1]}" for one in told if not any(like(one, other) for other in true)),
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """In memory where the machine has such a place: a year is some hundred thousand commits to a disk."""
    if not Path("/dev/shm").is_dir():  # noqa: S108
        yield tmp_path
        return
    made = Path(tempfile.mkdtemp(dir="/dev/shm"))
    yield made
    shutil.rmtree(made)


def look_back(year: Year) -> None:
    sys.stdout.write(f"{year.lived()}\n")
    assert [] == year.too_little()
    assert [] == truth.below_the_reserve(year.life)
    assert [] == year.watch.lies
    assert [] == year.quarters
    assert [] == year.gaps
    assert [] == truth.missed_fulls(year.watch, BEGIN)
    assert 0 == year.life.said["sync.broke"]
    assert Counter() == Counter(
        {what: count for what, count in year.life.said.items() if what in {"sync.unrecorded", "sync.refused"}}
    )


def test_a_fortnight_of_work_with_an_outage_of_each_kind_ends_exact(folder: Path) -> None:
    year = Year(folder, seed=14, days=13, looks=12, poll=60, entries=500)
    year.outages = [
        Outage(2 * DAY, HOUR, "down"),
        Outage(3.2 * DAY, 14 * HOUR, "off"),
        Outage(5 * DAY, 5 * HOUR, "asleep"),
    ]

    year.life.run(year.live)

    look_back(year)


YEARS = [
    (1, "Europe/Berlin", "down", "off"),
    (2, "Australia/Lord_Howe", "off", "down"),
    (3, "America/St_Johns", "asleep", "down"),
]


def a_year(folder: Path, seed: int, zone: str, long_one: str, week: str, *, poll: int = 10) -> Year:
    """With outages of an hour, a week and two months, and once more changes than an answer holds."""
    year = Year(folder, seed=seed, days=365, zone=zone, poll=poll)
    year.outages = [
        Outage(11 * DAY, HOUR, "down"),
        Outage(12.4 * DAY, HOUR, "off"),
        Outage(13.7 * DAY, HOUR, "asleep"),
        Outage(40 * DAY, 7 * DAY, week),
        Outage(120 * DAY, 61 * DAY, long_one),
        Outage(250.6 * DAY, 7 * DAY, "asleep"),
    ]
    year.life.at(BEGIN + 230 * DAY, lambda: year.person.flood(1250))
    return year


@pytest.mark.long
@pytest.mark.parametrize(("seed", "zone", "long_one", "week"), YEARS)
def test_a_year_ends_exact_and_status_was_true_all_along(
    folder: Path, seed: int, zone: str, long_one: str, week: str
) -> None:
    year = a_year(folder, seed, zone, long_one, week)

    year.life.run(year.live)

    look_back(year)
