"""`kill -9` at random moments of everything that writes to InfluxDB, and of InfluxDB: one more sync, and every entry
that stands in Toggl is one point there, and nothing else is.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from signal import SIGKILL
from typing import Any

import pytest

from e2e.between import Between, between
from e2e.changes import Hand
from e2e.moments import ENDED, stop_after
from e2e.places import Place, PostgresqlDatabase, SqliteFile
from e2e.processes import TOKEN, SimulatedToggl
from e2e.warm import Child, Nursery
from influxdb import OwnServer
from sync.projected import as_wanted, held
from toggl_pulse.mirror import Mirror
from toggl_pulse.mirror.projection import Projection
from toggl_pulse.service import utc_now

VERBS: dict[str, tuple[str, ...]] = {
    "project": ("project",),
    "rebuild": ("project", "--rebuild"),
    "verify": ("project", "--verify"),
    "sync": ("sync", "--wait", "60"),
}
FEW, MANY = 3, int(os.environ.get("KILLS", "100"))
AGAIN = 0.4
"""How often what follows a kill is killed itself."""


class Projected:
    """An account, its mirror and its bucket."""

    def __init__(
        self, folder: Path, place: Place, toggl: SimulatedToggl, nursery: Nursery, influxdb: OwnServer, way: Between
    ) -> None:
        self.random = Random(int(os.environ.get("KILL_SEED", "20261127")))  # noqa: S311 - moments, not secrets
        self.kills: Counter[str] = Counter()
        self.left: Counter[str] = Counter()
        self._toggl, self._nursery, self._influxdb, self._way, self._home = toggl, nursery, influxdb, way, folder
        self._hand = Hand(toggl, self.random)
        self._url = place.fresh(folder)
        self._place = place
        self._bucket = influxdb.fresh()
        self._settings = {
            "TOGGL_API_URL": toggl.url, "DATA_DIR": str(folder / "data"), "DATABASE_URL": self._url,
            "INFLUXDB_URL": way.url, "INFLUXDB_TOKEN": influxdb.service_token(self._bucket),
            "INFLUXDB_ORG": influxdb.org, "INFLUXDB_BUCKET": self._bucket,
        }  # fmt: skip
        self._usual = dict.fromkeys(VERBS, (1.0, 4))

    def start(self, *arguments: str) -> Child:
        return self._nursery.start(self._home, *arguments, TOGGL_API_TOKEN=TOKEN, **self._settings)

    def measure(self) -> None:
        """Let each verb pass once, to know how long it lasts and how often it asks InfluxDB."""
        self.sync()
        for verb, arguments in VERBS.items():
            self.change()
            if verb != "sync":
                self.sync_alone()
            self._way.expect(0, "before", lambda: None)
            began = time.monotonic()
            child = self.start(*arguments)
            assert 0 == child.wait(), child.said()
            self._usual[verb] = time.monotonic() - began, max(1, self._way.asked)
        self.check()

    def change(self) -> None:
        self._hand.change(self.random.randint(3, 12))

    def sync(self) -> None:
        """One sync that nobody disturbs, with the projection after it."""
        child = self.start("sync", "--wait", self._place.patience, "--json")
        assert 0 == child.wait(), child.said()
        told = child.said().splitlines()
        assert "done" == json.loads(told[-1])["outcome"], told
        assert 1 == len(told), told

    def sync_alone(self) -> None:
        """The mirror goes ahead of InfluxDB."""
        settings = {name: value for name, value in self._settings.items() if not name.startswith("INFLUXDB")}
        child = self._nursery.start(self._home, "sync", "--wait", "60", TOGGL_API_TOKEN=TOKEN, **settings)
        assert 0 == child.wait(), child.said()

    # striking

    def kill(self) -> None:
        """Something that writes to InfluxDB is killed, or InfluxDB is killed while it writes."""
        self.change()
        verb = self.random.choice(list(VERBS))
        if verb != "sync" and self.random.random() < 0.7:
            self.sync_alone()
        seconds, requests = self._usual[verb]
        way = self.random.choice(["time", "before", "after", "late", "influxdb"])
        number = 0 if way == "time" else self.random.randint(1, requests + 1)
        child: list[Child] = []

        def strike() -> None:
            if way == "influxdb":
                self._influxdb.kill()
                return
            while not child:
                time.sleep(0.001)  # it asks before we have been told that it was born
            with suppress(ProcessLookupError):
                os.kill(child[0].pid, SIGKILL)

        self._way.expect(number, way if way in {"after", "late"} else "before", strike)  # type: ignore[arg-type]
        child.append(self.start(*VERBS[verb]))
        where = way
        if way == "time":
            where = stop_after(child[0], self.random.uniform(0, 1.1 * seconds), self._place.writes)
            child[0].kill()
        code = child[0].wait()
        self._influxdb.start()
        if way == "influxdb":
            where = ENDED if self._way.asked < number else where
        elif way != "time" and code != -SIGKILL:
            where = ENDED
        self.kills[f"{verb}: {where}"] += 1
        state = self.state()
        if where != ENDED:
            self.left["sending" if state.sending else "writing" if state.writing else "at rest"] += 1

    def struck(self) -> int:
        return sum(times for told, times in self.kills.items() if not told.endswith(ENDED))

    def repair(self) -> None:
        """One more sync, and everything is as Toggl has it; and so the comparison says."""
        if self.random.random() < 0.5:
            self.change()
        self._way.expect(0, "before", lambda: None)
        self.sync()
        self.check()
        if self.random.random() < 0.3:
            child = self.start("project", "--verify", "--json")
            assert 0 == child.wait(), child.said()
            assert 0 == json.loads(child.said())["differing"], child.said()

    def state(self) -> Projection:
        with Mirror.open(self._url, clock=utc_now) as mirror:
            return mirror.points.state()

    def check(self) -> None:
        state = self._toggl.get("state")
        assert standing(state) == as_wanted(held(self._influxdb, self._bucket))
        with Mirror.open(self._url, clock=utc_now) as mirror:
            assert (mirror.revision(), False) == mirror.points.projected()[:2]
        assert [] == self._place.damages()

    def told(self) -> str:
        lines = [f"{times:4d} {where}" for where, times in sorted(self.kills.items())]
        return "\n".join([f"struck alive: {self.struck()}; left behind: {dict(self.left)}", *lines])


def standing(state: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What every finished entry that stands in Toggl should be in InfluxDB, from Toggl's own truth."""
    names = {row["id"]: row["name"] for row in state["tags"]}
    return sorted(
        (
            time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(row["start"])),
            str(row["id"]),
            str(row["workspace_id"]),
            str(row["project_id"]) if row["project_id"] else None,
            str(row["user_id"]),
            "true" if row["billable"] else "false",
            "|".join(sorted(names[tag] for tag in row["tag_ids"])) or None,
            ",".join(map(str, sorted(row["tag_ids"]))) or " ",
            str(row["duration"]),
            row["description"] or " ",
            str(row["task_id"] or 0),
            str(row["stop"] * 1000),
        )
        for row in state["entries"]
        if row["user_id"] == state["me"] and not row["deleted_at"] and row["stop"] is not None
    )


def campaign(projected: Projected, kills: int) -> None:
    try:
        if kills > FEW:
            projected.measure()
        while projected.struck() < kills:
            projected.kill()
            while projected.random.random() < AGAIN:
                projected.kill()
            projected.repair()
    finally:
        sys.stdout.write(projected.told() + "\n")


@pytest.fixture
def way(own_influxdb: OwnServer) -> Iterator[Between]:
    with between(own_influxdb.url) as way:
        yield way


def test_after_a_few_kills_one_more_sync_makes_influxdb_exact(
    tmp_path: Path, toggl_in_step: SimulatedToggl, nursery: Nursery, own_influxdb: OwnServer, way: Between
) -> None:
    campaign(Projected(tmp_path, SqliteFile(), toggl_in_step, nursery, own_influxdb, way), FEW)


@pytest.mark.long
@pytest.mark.parametrize(
    ("store", "kills"), [("sqlite", MANY), pytest.param("postgresql", MANY // 3, marks=pytest.mark.postgresql)]
)
def test_after_a_hundred_kills_one_more_sync_makes_influxdb_exact(
    store: str,
    kills: int,
    tmp_path: Path,
    toggl_in_step: SimulatedToggl,
    nursery: Nursery,
    own_influxdb: OwnServer,
    way: Between,
    request: pytest.FixtureRequest,
) -> None:
    place = SqliteFile() if store == "sqlite" else PostgresqlDatabase(request.getfixturevalue("postgresql"))
    campaign(Projected(tmp_path, place, toggl_in_step, nursery, own_influxdb, way), kills)
