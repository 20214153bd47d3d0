"""`kill -9` at random moments of `sync` and of `serve`: one more sync, and the mirror is exactly what Toggl has."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import httpx2
import pytest

from e2e.changes import Hand
from e2e.equal import differences, entry_ids
from e2e.moments import Usual, stop_at_some_moment, writes_sqlite
from e2e.processes import TOKEN, SimulatedToggl
from e2e.warm import Child, Nursery
from toggl_pulse.mirror import Mirror
from toggl_pulse.service import utc_now

AGAIN = 0.3
"""How often the sync that repairs is itself killed."""


class Account:
    """An account whose mirror is killed over and over; each `kill` ends with the mirror compared to the truth."""

    def __init__(self, folder: Path, toggl: SimulatedToggl, nursery: Nursery, seed: int) -> None:
        self.toggl = toggl
        self.kills: Counter[str] = Counter()
        self.random = Random(seed)  # noqa: S311 - moments, not secrets
        self._folder = folder
        self._nursery = nursery
        self._hand = Hand(toggl, self.random)
        self._homes = 0
        self._known: set[int] = set()
        self._revision = 0
        self._usual: dict[str, Usual] = {}
        self.forget()

    # the mirror

    def forget(self) -> None:
        """Begin with an empty folder."""
        shutil.rmtree(self._folder / f"home-{self._homes}", ignore_errors=True)
        self._homes += 1
        self.home = self._folder / f"home-{self._homes}"
        self.home.mkdir()
        self._known, self._revision = set(), 0

    @property
    def database(self) -> Path:
        return self.home / "data" / "mirror.db"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.database}"

    def start(self, *arguments: str) -> Child:
        settings = {"TOGGL_API_URL": self.toggl.url, "DATA_DIR": str(self.home / "data"), "DATABASE_URL": self.url}
        return self._nursery.start(self.home, *arguments, TOGGL_API_TOKEN=TOKEN, **settings)

    def writes(self, child: Child) -> bool:
        return writes_sqlite(self.database)(child)

    # what happens to it

    def sync(self) -> None:
        """One sync that nobody disturbs; it must not find the lock held."""
        child = self.start("sync", "--wait", "0", "--json")
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

    def kill(self, kind: str, child: Child) -> None:
        where = stop_at_some_moment(child, self.toggl, self.random, self._usual[kind], self.writes)
        child.kill()
        self.kills[f"{kind}: {where}"] += 1

    def change(self) -> None:
        self._hand.change(self.random.randint(3, 12))

    def repair(self) -> None:
        """One more sync, sometimes killed itself, and everything is as Toggl has it."""
        while self.random.random() < AGAIN:
            if self.random.random() < 0.5:
                self.change()
            self.kill("repair", self.start("sync", "--wait", "0"))
        if self.random.random() < 0.3:
            self.cut_the_power()
        if self.random.random() < 0.5:
            self.change()
        self.sync()
        self.check()

    def cut_the_power(self) -> None:
        """Keep what a disk would hold: the database and its log, without the memory that programs shared."""
        for name in ("mirror.db-shm", "mirror.db.lock"):
            (self.home / "data" / name).unlink(missing_ok=True)

    def check(self) -> None:
        with Mirror.open(self.url, clock=utc_now) as mirror:
            assert [] == differences(mirror, self.toggl.get("state"))
            held, revision, runs = entry_ids(mirror), mirror.revision(), mirror.runs(1000)
            assert not self._known - held, "a row is lost"
            assert self._revision <= revision
            assert not [run for run in runs if run.outcome == "running"]
            assert "done" == runs[0].outcome
            self._known, self._revision = held, revision
        with closing(sqlite3.connect(self.database)) as connection:
            assert [("ok",)] == connection.execute("PRAGMA integrity_check").fetchall()
            assert [] == connection.execute("PRAGMA foreign_key_check").fetchall()


def told(account: Account, seed: int) -> str:
    lines = [f"{times:4d} {where}" for where, times in sorted(account.kills.items())]
    return "\n".join([f"seed {seed}: {account.kills.total()} kills", *lines])


def ended(_: Child) -> bool:
    return False


def kill_syncs(account: Account, kills: int) -> None:
    """First syncs and syncs of changes, killed until there are so many kills."""
    account.measure("first sync", lambda: account.start("sync"), ended)
    account.check()
    account.change()
    account.measure("sync", lambda: account.start("sync"), ended)
    account._usual["repair"] = account._usual["sync"]
    account.check()
    while account.kills.total() < kills:
        if account.random.random() < 0.3:
            account.forget()
            account.kill("first sync", account.start("sync"))
        else:
            account.change()
            account.kill("sync", account.start("sync"))
        account.repair()


def kill_services(account: Account, kills: int) -> None:
    """Services killed from their start to the end of their first run, or while they sync on request."""

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
    while account.kills.total() < kills:
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


CAMPAIGNS = [
    pytest.param(3, id="3"),
    pytest.param(200, id="200", marks=pytest.mark.long),
]


@pytest.mark.parametrize("kills", CAMPAIGNS)
def test_after_kills_of_sync_one_more_sync_makes_the_mirror_exact(
    tmp_path: Path, toggl: SimulatedToggl, nursery: Nursery, kills: int
) -> None:
    campaign(tmp_path, toggl, nursery, kill_syncs, kills)


@pytest.mark.parametrize("kills", CAMPAIGNS)
def test_after_kills_of_serve_one_more_sync_makes_the_mirror_exact(
    tmp_path: Path, toggl: SimulatedToggl, nursery: Nursery, kills: int
) -> None:
    campaign(tmp_path, toggl, nursery, kill_services, kills)


def campaign(
    folder: Path, toggl: SimulatedToggl, nursery: Nursery, play: Callable[[Account, int], None], kills: int
) -> None:
    seed = int(os.environ.get("KILL_SEED", "0")) or 20261124
    account = Account(folder, toggl, nursery, seed)
    try:
        play(account, kills)
    finally:
        sys.stdout.write(told(account, seed) + "\n")
