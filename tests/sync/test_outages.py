"""Outages longer than Toggl's list of changes reaches back: nothing is lost, no month is called verified too early."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sync import watch as truth
from sync.life import DAY, HOUR, Life
from sync.watch import Watch
from toggl_pulse.demo import World, large_world
from toggl_pulse.model import epoch
from toggl_pulse.sync import REACH, silences
from toggl_pulse.sync.gaps import sync_gaps

BEGIN = datetime(2026, 5, 11, 9, 7, tzinfo=UTC)
SECOND = timedelta(seconds=1)
OFF = timedelta(minutes=30)


class Outage:
    """A life that has begun, and a Toggl that goes on without it."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.world: World = life.world
        self.watch = Watch(life, poll=timedelta(minutes=60))
        self.left: list[str] = []

    def entries(self, days: float, count: int, *, seconds: int | None = None) -> list[int]:
        """Living entries that began at least so many days ago, newest first."""
        before = int(self.world.now() - days * 86_400)
        numbers = [
            n for n in self.world.by_start.between(None, before) if seconds in {None, self.world.entries[n].duration}
        ]
        return numbers[-count:][::-1]

    def create(self, days_ago: float, seconds: int = 1800) -> int:
        start = self.life.clock.now - timedelta(days=days_ago)
        return self.world.create_entry(start=start, stop=start + timedelta(seconds=seconds), description="late").id

    async def settle(self, *, days: float = 3) -> None:
        """A few full syncs; what differs then is in `left`."""
        await self.life.until(self.life.clock.now + timedelta(days=days))
        self.left = truth.differences(self.life, self.life.service.mirror)
        history = self.life.service.status()["history"]
        self.left += [] if history["complete"] and history["gap"] is None else [f"told is {history}"]


@pytest.fixture
def outage(tmp_path: Path) -> Outage:
    return made(tmp_path)


def made(folder: Path, *, entries: int = 200) -> Outage:
    world = large_world(BEGIN, years=1.6, entries=entries, projects=4, clients=2, tags=3, running=False)
    return Outage(Life(world, folder, poll_minutes=60))


def states(outage: Outage) -> dict[str, str]:
    return {month.month: month.state for month in outage.life.service.mirror.months()}


def leave_little(world: World) -> None:
    """Other tools leave a few requests of ours in each bucket: the past cannot be read again now."""
    for bucket in ("user", f"organization:{next(iter(world.organizations))}"):
        world.drain(bucket, 16)


def ghosts(outage: Outage) -> dict[int, str]:
    """Entries that live only in the mirror, with the month that they stand in there."""
    world, mirror = outage.world, outage.life.service.mirror
    held = mirror.entries(number for number, row in world.entries.items() if row.deleted_at is not None)
    return {
        number: truth.month_of(world, epoch(stored.entry.start))
        for number, stored in held.items()
        if stored.deletion is None
    }


def look_at_the_return(outage: Outage, heard: datetime) -> None:
    """Right after a silence beyond the reach, when little could be read again: what is not known is told as that."""
    told, found = outage.life.service.status(), states(outage)
    assert not told["history"]["complete"]
    assert told["history"]["gap"] is not None
    since, until = map(datetime.fromisoformat, told["history"]["gap"])
    assert since <= heard
    assert until >= outage.watch.contacts[-1] - SECOND
    others = {month["month"]: month["state"] for month in told["months"]["others"]}
    assert others == {month: state for month, state in found.items() if state != "verified"}
    assert told["months"]["verified"] == len(found) - len(others)
    untold = ghosts(outage)
    assert untold
    assert set() == {month for month in untold.values() if found.get(month) == "verified"}
    assert "not_verified" in others.values()


def test_after_four_months_off_all_is_exact_and_no_month_with_a_ghost_was_ever_called_verified(outage: Outage) -> None:
    gone: list[int] = []
    tag = next(row.id for row in outage.world.tags.values() if row.name == "tag 2")

    async def story(life: Life) -> None:
        await life.start()
        await outage.settle(days=1)
        outage.create(2, seconds=0)
        outage.create(40, seconds=0)
        await life.until(life.clock.now + 2 * HOUR)
        await life.stop()
        await life.until(life.clock.now + 3 * DAY)
        # told for no longer than three months: these deletions nobody will hear of
        gone.extend([*outage.entries(20, 1), *outage.entries(200, 2), *outage.entries(3, 2, seconds=0)])
        for number in gone:
            outage.world.delete_entry(number)
        outage.world.delete_tag(tag)
        outage.world.edit_entry(outage.entries(300, 1)[0], description="edited unseen")
        outage.create(100)
        await life.until(life.clock.now + 60 * DAY)
        outage.world.delete_entry(outage.entries(10, 1)[0])
        outage.world.delete_entry(outage.entries(150, 5)[4])
        outage.world.edit_entry(outage.entries(90, 1)[0], billable=True)
        for days in (1, 40, 70, 250):
            outage.create(days)
        await life.until(life.clock.now + 60 * DAY)
        began, heard = life.clock.now, outage.watch.contacts[-1]
        leave_little(outage.world)
        await life.start()
        look_at_the_return(outage, heard)
        await outage.settle()
        (gap,) = [
            found
            for found in sync_gaps(
                silences(life.service.mirror), last=None, start=BEGIN, end=life.now(), now=life.now(), longest=2 * HOUR
            )
            if found.end - found.start > DAY
        ]
        assert began - gap.start > 120 * DAY
        assert "longer than its list of changes reaches back" in gap.sentence

    outage.life.run(story)

    assert [] == outage.watch.lies
    assert [] == outage.left
    assert [] == truth.below_the_reserve(outage.life)


def hide(outage: Outage) -> set[str]:
    """From now on the plan shows Reports no more than a year: a month of which it lacks a day is hidden whole."""
    outage.world.behaviour.free_history_days = 365
    floor, first = outage.life.clock.now - 365 * DAY, min(row.start for row in outage.world.entries.values())
    # what was read goes back to the January before the account's first day
    begun = int(truth.month_of(outage.world, first)[:4])
    months = {f"{year}-{month:02}" for year in range(begun, floor.year + 1) for month in range(1, 13)}
    return {month for month in months if month <= f"{floor:%Y-%m}"}


def empty_the_oldest(outage: Outage) -> set[str]:
    """All that began in the three oldest months goes: Toggl shows nothing there, and nothing before them."""
    world = outage.world
    oldest = set(sorted({truth.month_of(world, row.start) for row in world.live_entries()})[:3])
    for row in [row for row in world.live_entries() if truth.month_of(world, row.start) in oldest]:
        world.delete_entry(row.id)
    return oldest


@pytest.mark.parametrize(
    ("untold", "state"),
    [
        pytest.param(hide, "unavailable", marks=pytest.mark.long, id="hidden"),
        pytest.param(empty_the_oldest, "differs", id="emptied"),
    ],
)
def test_what_no_repair_can_mend_stays_unproved_and_nothing_else_does(
    outage: Outage, untold: Callable[[Outage], set[str]], state: str
) -> None:
    lasting: set[str] = set()
    left: dict[int, str] = {}
    found: dict[str, str] = {}

    async def story(life: Life) -> None:
        await life.start()
        await outage.settle(days=1)
        assert {"verified"} == set(states(outage).values())
        await life.stop()
        await life.until(life.clock.now + 3 * DAY)
        # one of a month that is shown and one of a month that may not be
        for number in (*outage.entries(30, 1), *outage.entries(500, 1)):
            outage.world.delete_entry(number)
        if untold is empty_the_oldest:
            lasting.update(untold(outage))
        await life.until(life.clock.now + 120 * DAY)
        if untold is hide:
            lasting.update(untold(outage))
        heard = outage.watch.contacts[-1]
        leave_little(outage.world)
        await life.start()
        look_at_the_return(outage, heard)
        await outage.settle(days=6)
        left.update(ghosts(outage))
        found.update(states(outage))
        told = life.service.status()
        assert (None, True) == (told["history"]["gap"], told["history"]["complete"])
        assert lasting == {month["month"] for month in told["months"]["others"]}

    outage.life.run(story)

    assert [] == outage.watch.lies
    assert len(lasting) > 2
    assert dict.fromkeys(lasting, state) == {m: s for m, s in found.items() if s != "verified"}
    assert left
    assert set(left.values()) <= lasting


@pytest.mark.long
@pytest.mark.parametrize(
    "away",
    [
        REACH - 2 * DAY,
        REACH - timedelta(minutes=5) - SECOND,
        REACH - timedelta(minutes=5),
        REACH - timedelta(minutes=5) + SECOND,
        REACH,
        REACH + SECOND,
        88 * DAY,
        90 * DAY,
        95 * DAY,
    ],
)
def test_outages_about_as_long_as_the_reach_lose_nothing(outage: Outage, away: timedelta) -> None:
    async def story(life: Life) -> None:
        await life.start()
        outage.create(1)
        await life.turn()
        heard = outage.watch.contacts[-1]
        await life.stop()
        life.clock.advance(1)
        for number in (*outage.entries(100, 1), *outage.entries(3, 1)):
            outage.world.delete_entry(number)
        outage.world.edit_entry(outage.entries(200, 1)[0], description="just after the last contact")
        await life.until(heard + away)
        leave_little(outage.world)
        await life.start()
        told = life.service.status()["history"]["gap"]
        if away > REACH - timedelta(minutes=5):
            look_at_the_return(outage, heard)
        else:
            assert (None, {}) == (told, ghosts(outage))
        await outage.settle()

    outage.life.run(story)

    assert [] == outage.watch.lies
    assert [] == outage.left


@pytest.mark.long
def test_two_long_outages_in_a_row_with_no_time_to_read_between_them(outage: Outage) -> None:
    async def story(life: Life) -> None:
        await life.start()
        await outage.settle(days=1)
        for _ in range(2):
            await life.stop()
            life.clock.advance(3600)
            for number in (*outage.entries(150, 2), *outage.entries(5, 1)):
                outage.world.delete_entry(number)
            outage.create(130)
            await life.until(life.clock.now + 100 * DAY)
            heard = outage.watch.contacts[-1]
            leave_little(outage.world)
            await life.start()
            look_at_the_return(outage, heard)
            await life.until(life.clock.now + timedelta(minutes=9))
        await outage.settle(days=4)

    outage.life.run(story)

    assert [] == outage.watch.lies
    assert [] == outage.left
    assert [] == truth.below_the_reserve(outage.life)


@pytest.mark.long
def test_an_outage_in_the_middle_of_the_first_history(outage: Outage) -> None:
    outage.world.behaviour.plan_quota["free"] = 12

    async def story(life: Life) -> None:
        await life.start()
        assert "years" in life.service.history_left() or "year" in life.service.history_left()
        await life.stop()
        life.clock.advance(60)
        for number in (*outage.entries(10, 1), *outage.entries(400, 2)):
            outage.world.delete_entry(number)
        outage.create(450)
        await life.until(life.clock.now + 110 * DAY)
        await life.start()
        await outage.settle(days=6)

    outage.life.run(story)

    assert [] == outage.watch.lies
    assert [] == outage.left


@pytest.mark.long
@pytest.mark.parametrize("jump", [400 * DAY, -400 * DAY, 5 * HOUR, -5 * HOUR])
def test_a_clock_that_jumps_and_jumps_back_loses_nothing_and_doubts_nothing(outage: Outage, jump: timedelta) -> None:
    async def story(life: Life) -> None:
        await life.start()
        await outage.settle(days=1)
        before = len(silences(life.service.mirror))
        for skew in (jump, timedelta(0)):
            life.skew = skew
            await life.restart()
            outage.create(2)
            outage.world.delete_entry(outage.entries(50, 1)[0])
            await life.until(life.clock.now + 3 * HOUR)
            told = life.service.status()
            assert [] == [month for month in told["months"]["others"] if month["state"] != "verified"]
            assert 0 <= told["seconds_behind"] <= 2 * 3600 + 5
        assert before == len(silences(life.service.mirror))
        await outage.settle(days=2)

    outage.life.run(story)

    assert [] == outage.left
    assert [] == truth.below_the_reserve(outage.life)


def test_a_full_sync_for_which_nothing_was_left_is_made_up_within_the_hour(outage: Outage) -> None:
    async def story(life: Life) -> None:
        await life.start()
        await life.until(BEGIN.replace(hour=13, minute=59))
        outage.world.drain("user", 25)
        names = outage.life.world.rename_project(next(iter(outage.world.projects)), "renamed before two o'clock")
        await life.until(BEGIN.replace(hour=14, minute=5))
        (full,) = [run for run in life.service.mirror.runs() if run.reason == "schedule"]
        assert ("partly", 0) == (full.outcome, full.requests)
        assert names.name != life.service.mirror.catalogue().projects[names.id].name
        await life.until(BEGIN.replace(hour=15, minute=10))
        assert names.name == life.service.mirror.catalogue().projects[names.id].name
        polls = [run.requests for run in life.service.mirror.runs(3) if run.reason == "poll"]
        await life.until(BEGIN.replace(hour=17, minute=30))
        assert {1} == {run.requests for run in life.service.mirror.runs(2)}, polls

    outage.life.run(story)

    assert [] == truth.below_the_reserve(outage.life)


def test_a_day_without_a_network_is_tried_ever_more_rarely_and_told_once(outage: Outage) -> None:
    async def story(life: Life) -> None:
        await life.start()
        life.network.up = False
        before = len(life.service.mirror.runs(1000))
        await life.until(life.clock.now + DAY)
        # a poll each hour, two full syncs, and hardly more than one try between them
        assert 26 <= len(life.service.mirror.runs(1000)) - before <= 60
        life.network.up = True
        await outage.settle(days=1)

    outage.life.run(story)

    assert [] == outage.left
    assert (1, 1) == (outage.life.said["sync.failed"], outage.life.said["sync.recovered"])
