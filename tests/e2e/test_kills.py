"""`kill -9` at random moments of `sync` and of `serve`: one more sync, and the mirror is exactly what Toggl has."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from random import Random

import httpx2
import pytest

from e2e.changes import Hand
from e2e.equal import differences, entry_ids, promised_amounts
from e2e.moments import ENDED, WAYS, Usual, stop_at_some_moment
from e2e.places import Place, PostgresqlDatabase, SqliteFile
from e2e.processes import TOKEN, SimulatedToggl
from e2e.warm import Child, Nursery
from toggl_pulse.mirror import Mirror
from toggl_pulse.service import utc_now
from toggl_pulse.sync.recent import OVERLAP

LOOKS_BACK = OVERLAP.total_seconds()
"""Seconds before its cursor that a sync asks for again: what is older must have been saved with the cursor."""

DAYS_AHEAD = 2
"""Where Toggl's clock is moved on and on, ours is not. Within a day of it a sync would look back to ours, and after
some thousand changes no answer would hold them all; beyond a day it goes by Toggl's clock alone.
"""

AGAIN = 0.3
"""How often the sync that repairs is itself killed."""

SYNCS = ("first sync", "sync", "repair")
SERVICES = ("first start", "start", "request")
BACKUPS = ("backup",)
COUNTED = {"syncs": SYNCS, "services": SERVICES, "backups": BACKUPS}


class Account:
    """An account whose mirror is killed over and over; each `kill` ends with the mirror compared to the truth.

    `clock_moves`: Toggl's clock is set far ahead of ours and then moved on between changes, so that what a sync has
    not saved with its cursor is not merely found again by looking back. Else nobody touches it.
    """

    def __init__(
        self,
        folder: Path,
        place: Place,
        toggl: SimulatedToggl,
        nursery: Nursery,
        *,
        seed: int,
        clock_moves: bool,
    ) -> None:
        self.toggl = toggl
        self.kills: Counter[tuple[str, str]] = Counter()
        self.random = Random(seed)  # noqa: S311 - moments, not secrets
        self._folder = folder
        self._place = place
        self._nursery = nursery
        self._hand = Hand(toggl, self.random)
        self._homes = 0
        self._known: set[int] = set()
        self._revision = 0
        self._usual: dict[str, Usual] = {}
        self._clock_moves = clock_moves
        if clock_moves:
            toggl.post("clock", {"advance": DAYS_AHEAD * 86_400})
        self.forget()

    # the mirror

    def forget(self) -> None:
        """Begin with an empty folder."""
        shutil.rmtree(self._folder / f"home-{self._homes}", ignore_errors=True)
        self._homes += 1
        self.home = self._folder / f"home-{self._homes}"
        self.home.mkdir()
        self.url = self._place.fresh(self.home)
        self._known, self._revision = set(), 0
        self._begun = self.toggl.get("state")

    def start(self, *arguments: str) -> Child:
        settings = {"TOGGL_API_URL": self.toggl.url, "DATA_DIR": str(self.home / "data"), "DATABASE_URL": self.url}
        return self._nursery.start(self.home, *arguments, TOGGL_API_TOKEN=TOKEN, **settings)

    # what happens to it

    def sync(self) -> None:
        """One sync that nobody disturbs; it must not find the lock held."""
        child = self.start("sync", "--wait", self._place.patience, "--json")
        assert child.wait() == 0, child.said()
        assert json.loads(child.said())["outcome"] == "done", child.said()

    def measure(self, kind: str, start: Callable[[], Child], over: Callable[[Child], bool]) -> None:
        """Let a run of a kind pass once, to know how long it lasts."""
        asked, began = len(self.toggl.get("log")), time.monotonic()
        child = start()
        while child.alive() and not over(child):
            child.ends_within(0.05)
        seconds = time.monotonic() - began
        child.kill()
        self._usual[kind] = Usual(seconds, max(1, len(self.toggl.get("log")) - asked))

    def kill(self, kind: str, child: Child, ways: Sequence[str] = WAYS) -> None:
        where = stop_at_some_moment(child, self.toggl, self.random, self._usual[kind], self._place.writes, ways)
        child.kill()
        self.kills[kind, where] += 1

    def killed(self, kinds: Collection[str]) -> int:
        """How many of these kinds were alive when they were killed."""
        return sum(times for (kind, where), times in self.kills.items() if kind in kinds and where != ENDED)

    def change(self) -> None:
        """The user does something at Toggl, often longer ago than the sync looks back by itself."""
        self._hand.change(self.random.randint(3, 12))
        if self._clock_moves and self.random.random() < 0.5:
            self.toggl.post("clock", {"advance": LOOKS_BACK + 60})

    def repair(self) -> None:
        """One more sync, sometimes killed itself, and everything is as Toggl has it."""
        while self.random.random() < AGAIN:
            if self.random.random() < 0.5:
                self.change()
            self.kill("repair", self.start("sync", "--wait", self._place.patience))
        if self.random.random() < 0.3:
            self._place.cut_the_power()
        if self.random.random() < 0.5:
            self.change()
        self.sync()
        self.check()

    def check(self) -> None:
        with Mirror.open(self.url, clock=utc_now) as mirror:
            state = self.toggl.get("state")
            assert [] == differences(mirror, state)
            amounts = promised_amounts(state, self._begun)
            assert amounts == mirror.amounts(amounts)
            held, revision, runs = entry_ids(mirror), mirror.revision(), mirror.runs(1000)
            assert not self._known - held, "a row is lost"
            assert self._revision <= revision
            assert not [run for run in runs if run.outcome == "running"]
            assert "done" == runs[0].outcome
            self._known, self._revision = held, revision
        assert [] == self._place.damages()


def told(account: Account, seed: int) -> str:
    """Every kill, those that came too late and those of the syncs that repair as well."""
    lines = [f"{times:4d} {kind}: {where}" for (kind, where), times in sorted(account.kills.items())]
    alive = (f"{account.killed(kinds)} {name}" for name, kinds in COUNTED.items())
    return "\n".join([f"seed {seed}, killed alive: {', '.join(alive)}", *lines])


def ended(_: Child) -> bool:
    return False


def kill_syncs(account: Account, kills: int) -> None:
    """First syncs, syncs of changes and syncs that repair, until so many were killed alive."""
    account.measure("first sync", lambda: account.start("sync"), ended)
    account.check()
    account.change()
    account.measure("sync", lambda: account.start("sync"), ended)
    account._usual["repair"] = account._usual["sync"]
    account.check()
    while account.killed(SYNCS) < kills:
        if account.random.random() < 0.3:
            account.forget()
            account.kill("first sync", account.start("sync"))
        else:
            account.change()
            account.kill("sync", account.start("sync"))
        account.repair()


def kill_services(account: Account, kills: int) -> None:
    """Services killed from their start to the end of their first run, or while they sync on request.

    They alone count, not the syncs that repair.
    """

    def idle(child: Child) -> bool:
        if "curl " not in child.said():
            return False
        return not httpx2.get(f"{address(child)}/status", timeout=60).json()["sync"]["running"]

    serve = ("serve", "--port", "0")
    account.measure("first start", lambda: account.start(*serve), idle)
    account.sync()
    account.check()
    account.change()
    account.measure("start", lambda: account.start(*serve), idle)
    account.change()
    account.measure("repair", lambda: account.start("sync"), ended)
    account.check()
    account._usual["request"] = account._usual["repair"]
    while account.killed(SERVICES) < kills:
        choice = account.random.random()
        if choice < 0.3:
            account.forget()
            account.kill("first start", account.start(*serve))
        elif choice < 0.6:
            account.change()
            account.kill("start", account.start(*serve))
        else:
            account.kill("request", requested(account))
        account.repair()


def kill_backups(account: Account, kills: int) -> None:
    """Backups killed while a sync writes: a copy is whole or not there, and neither hinders the next one."""
    target = account.home / "copy.db"

    def backup() -> Child:
        return account.start("backup", str(target))

    account.measure("repair", lambda: account.start("sync"), ended)
    account.measure("backup", backup, ended)
    target.unlink()
    while account.killed(BACKUPS) < kills:
        account.change()
        syncing = account.start("sync")
        account.kill("backup", backup(), ways=("time",))
        assert 0 == syncing.wait(), syncing.said()
        if not target.exists():
            again = backup()
            assert 0 == again.wait(), again.said()
        whole = SqliteFile()
        with Mirror.open(whole.at(target), clock=utc_now) as copy:
            held = entry_ids(copy)
        assert account._known <= held, "a row is lost"
        assert [] == whole.damages()
        target.unlink()
        account.repair()


def requested(account: Account) -> Child:
    """A service that has just been asked to sync while it answers."""
    child = account.start("serve", "--port", "0")
    while "curl " not in child.said():
        assert not child.ends_within(0.02), child.said()
    account.change()
    answer = httpx2.post(f"{address(child)}/sync", json={}, timeout=60)
    assert answer.status_code in {202, 409}, answer.text
    return child


def address(child: Child) -> str:
    return child.said().split("curl -s ")[1].split("/query")[0]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "sqlite":
        return SqliteFile()
    return PostgresqlDatabase(request.getfixturevalue("postgresql"))


def campaign(
    account: tuple[Path, Place, SimulatedToggl, Nursery],
    play: Callable[[Account, int], None],
    kills: int,
    *,
    clock_moves: bool = True,
) -> None:
    """Tells the seed and where the kills struck, above all when it fails; `KILL_SEED` repeats one."""
    seed = int(os.environ.get("KILL_SEED", "20261124"))
    played = Account(*account, seed=seed, clock_moves=clock_moves)
    try:
        play(played, kills)
    finally:
        sys.stdout.write(told(played, seed) + "\n")


FEW, MANY = 2, int(os.environ.get("KILLS", "200"))


def test_after_a_few_kills_one_more_sync_makes_the_mirror_exact(
    tmp_path: Path, toggl_in_step: SimulatedToggl, nursery: Nursery
) -> None:
    for verb, play in (("sync", kill_syncs), ("serve", kill_services)):
        folder = tmp_path / verb
        folder.mkdir()
        campaign((folder, SqliteFile(), toggl_in_step, nursery), play, FEW, clock_moves=False)


@pytest.mark.long
@pytest.mark.parametrize("play", [kill_syncs, kill_services])
def test_after_two_hundred_kills_one_more_sync_makes_the_mirror_exact(
    tmp_path: Path, place: Place, toggl: SimulatedToggl, nursery: Nursery, play: Callable[[Account, int], None]
) -> None:
    campaign((tmp_path, place, toggl, nursery), play, MANY)


@pytest.mark.long
@pytest.mark.parametrize("behind", [0, 3600], ids=["in step", "ours an hour behind"])
def test_after_kills_while_the_clocks_are_close_one_more_sync_makes_the_mirror_exact(
    tmp_path: Path, toggl_in_step: SimulatedToggl, nursery: Nursery, behind: int
) -> None:
    if behind:
        toggl_in_step.post("clock", {"advance": behind})
    campaign((tmp_path, SqliteFile(), toggl_in_step, nursery), kill_syncs, MANY // 4, clock_moves=False)


@pytest.mark.long
def test_a_killed_backup_is_whole_or_not_there(tmp_path: Path, toggl: SimulatedToggl, nursery: Nursery) -> None:
    campaign((tmp_path, SqliteFile(), toggl, nursery), kill_backups, MANY // 8)
