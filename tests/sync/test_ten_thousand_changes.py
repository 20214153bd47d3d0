"""Ten thousand changes at Toggl, the projection killed a hundred times and InfluxDB stopped ten times between them:
then every entry that the mirror has is one point, and nothing else is.

All of it in one process: a kill is an exception that cuts the work off at a random request or step of the ledger, whose
request may still be done later. Real kills of real processes are in `e2e/test_projection_kills.py`.
"""

from __future__ import annotations

import csv
import io
import math
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from influxdb import OwnServer
from sync.histories.steps import FIELDS, TEXTS
from sync.histories.user import User
from sync.projected import ALL, LEDGER, REQUESTS, Call, Watched, agree, wanted
from sync.scene import NOW, Scene
from toggl_pulse.demo import Clock, World
from toggl_pulse.errors import PulseError
from toggl_pulse.influx import Influx
from toggl_pulse.sync import ProjectionReport, Projector

CHANGES = ("write", "delete")
DAY, YEAR = 86_400, 365 * 86_400
YEARS = 6
A_TURN = 75
"""Changes between two syncs."""


class Mover(User):
    """Who also moves whole entries, and counts what was changed by its kind."""

    def __init__(self, world: World, seed: int) -> None:
        super().__init__(world)
        self.random = Random(seed)  # noqa: S311 - changes, not secrets
        self.kinds: Counter[str] = Counter()

    def change(self) -> None:
        """One change of any kind, or the attempt at one."""
        draw, before = self.random, self.count
        any_, few = draw.randrange(10_000), draw.randrange(12)
        seconds = draw.choice((1, -1, 59, -600, 3_600, -5_000))
        length = draw.choice((0, 1, 600, 3_599, 20_000, draw.randrange(90_000)))
        field = draw.choice(FIELDS)
        steps: dict[str, tuple[int, tuple[Any, ...]]] = {
            "create": (30, (-draw.randrange(YEARS * YEAR), length, few, few, few % 8, few % 2, draw.choice(TEXTS), 0)),
            "edit": (30, (any_, field, few, seconds)),
            "move": (12, (any_, draw.choice((seconds, draw.randrange(-DAY, DAY), draw.randrange(-3, 4) * YEAR)))),
            "add_tag": (4, (any_, few)),
            "remove_tag": (3, (any_, few)),
            "delete": (9, (any_,)),
            "restore": (6, (any_,)),
            "bulk_edit": (1, (any_, draw.choice((2, 15, 60)), draw.choice(("project", "tags", "billable")), few, 0)),
            "start": (1, (-draw.randrange(3_600), few, few % 8)),
            "stop": (1, (0,)),
            "create_tag": (0, (few,)),
            "rename_tag": (1, (few, draw.randrange(12))),
            "delete_tag": (0, (few,)),
            "create_project": (1, (few, 0, few % 2)),
            "create_task": (1, (few, few)),
            "delete_project": (0, (few,)),
        }
        name = draw.choices(list(steps), [weight or 0.3 for weight, _ in steps.values()])[0]
        self.do((name, *steps[name][1]))
        if self.count > before:
            self.kinds[f"edit {field}" if name == "edit" else name] += 1

    def move(self, ref: int, shift: int) -> None:
        row = self._entry(ref)
        if row is None or row.stop is None:
            return
        start, length = self._now() + timedelta(seconds=row.start + shift - self.world.now()), row.stop - row.start
        if NOW - timedelta(days=365 * YEARS) < start < NOW + timedelta(days=365):
            self.world.edit_entry(row.id, start=start, stop=start + timedelta(seconds=length))


class Killed(BaseException):
    """The process that projects has ended."""


class Trouble:
    """What is done in the place of the request, or the step of the ledger, of that number."""

    def __init__(self, kind: str, at: int, strike: Call) -> None:
        self.kind, self.at, self.strike = kind, at, strike


class Campaign:
    """An account, its mirror, its bucket, and what befalls the projection; `kills` and `stops` count what struck."""

    def __init__(self, folder: Path, server: OwnServer, seed: int) -> None:
        world = World.empty(Clock(NOW), plan="premium", created_at=NOW - timedelta(days=365 * YEARS))
        world.behaviour.user_quota = 1_000_000
        world.behaviour.plan_quota = dict.fromkeys(world.behaviour.plan_quota, 1_000_000)
        world.create_workspace("Second", plan="free")
        for number in range(4):
            world.create_project(f"Project {number}")
        self.scene = Scene(world, folder)
        self.user = Mover(world, seed)
        self.server, self.bucket = server, server.fresh()
        token = server.service_token(self.bucket)
        self.influx = Influx(server.url, token, server.org, self.bucket, sleep=lambda _: None)
        self.random = Random(seed + 1)  # noqa: S311 - moments, not secrets
        self.kills: Counter[str] = Counter()
        self.stops: Counter[str] = Counter()
        self.whole = self.checks = self.read_back = self.mended = 0
        self._disturbed = False
        self._late: list[tuple[int, Callable[[], Any]]] = []
        self._turns = 0
        self._usual: Counter[str] = Counter(ledger=10)

    def close(self) -> None:
        self.influx.close()
        self.scene.close()

    def turn(self, *, kills: int, stop: bool, full: bool) -> None:
        """Some changes, a sync, and a projection; where told, some before it that are killed or lose the server."""
        self._turns += 1
        for _ in range(A_TURN):
            self.user.change()
            self.scene.advance(seconds=5)
        done = self.scene.sync("request") if full else self.scene.poll()
        assert "done" == done.outcome, done
        for _ in range(kills):
            self.project(self.kill, mode=self.random.choices(("", "verify", "rebuild"), (8, 1, 1))[0])
        if stop:
            self.project(self.stop)
            self.server.start()
        if self.random.random() < 0.6:
            self.project()
            self.check()
        self._deliver(self._turns - 1)

    def project(self, trouble: Callable[[], Trouble] | None = None, *, mode: str = "") -> ProjectionReport | None:
        """None if it did not come to its end."""
        trouble_, late = trouble() if trouble else None, bool(self._late)
        made: Counter[str] = Counter()

        def step(name: str, real: Call, arguments: Any, named: Any) -> Any:
            kind = name if name in REQUESTS else "ledger"
            made[kind] += 1
            if kind != "ledger" and self.random.random() < 0.05:
                self._deliver()
            do = partial(real, *arguments, **named)
            if trouble_ is None or (kind, made[kind]) != (trouble_.kind, trouble_.at):
                return do()
            return trouble_.strike(do)

        client: Any = Watched(self.influx, REQUESTS, step)
        projector = Projector(self.scene.mirror, client, clock=self.scene.our_clock)
        points: Any = Watched(self.scene.mirror.points, LEDGER, step)
        projector._points = points
        with suppress(*(Killed, PulseError) if trouble_ else ()):
            done = projector.project(rebuild=mode == "rebuild", verify=mode == "verify")
            self._usual = self._usual if mode or trouble_ else made
            self.whole += 1
            self.read_back += bool(done.compared)
            self.mended += done.differing
            assert self._disturbed or not done.differing, "what the ledger says does not stand in InfluxDB"
            self._disturbed &= late or not done.compared
            return done
        return None

    def _deliver(self, turn: int | None = None) -> None:
        """What was on its way when its sender died, in that turn at the latest, is done now, if there is a server.

        Nothing is on its way for longer than until the end of the next turn, which is less than ten minutes.
        """
        for late in [each for each in self._late if turn is None or each[0] <= turn]:
            self._late.remove(late)
            with suppress(PulseError):
                late[1]()

    # what goes wrong

    def kill(self) -> Trouble:
        kind = self.random.choices(("write", "delete", "query", "ledger"), (4, 4, 1, 4))[0]
        how = self.random.choice(("before", "after", "later") if kind in CHANGES else ("before", "after"))

        def strike(do: Callable[[], Any]) -> None:
            self.kills[f"{kind} {how}"] += 1
            if how == "after":
                do()
            elif how == "later":
                self._late.append((self._turns, do))
                self._disturbed = True
            raise Killed

        return Trouble(kind, self._some(kind), strike)

    def stop(self) -> Trouble:
        kind, after = self.random.choice(CHANGES), self.random.random() < 0.5

        def strike(do: Callable[[], Any]) -> Any:
            self.stops[f"{'after' if after else 'before'} a {kind}"] += 1
            done = do() if after else None
            self.server.stop()
            return done if after else do()

        return Trouble(kind, self._some(kind), strike)

    def _some(self, kind: str) -> int:
        """Which of them, counted as the last projection that nobody disturbed made them."""
        return self.random.randint(1, max(1, self._usual[kind]))

    # what must be

    def check(self) -> None:
        """InfluxDB's own count and sum of each project are the mirror's."""
        if not self._disturbed:
            assert counted_and_summed(self.server, self.bucket) == as_mirrored(self.scene)
            self.checks += 1

    def end(self) -> dict[str, int]:
        """What was on its way is done, one projection that nobody disturbs, and nothing differs anywhere."""
        self.scene.finish()
        assert [] == self.scene.differences()
        self._deliver()
        self.scene.advance(minutes=20)
        assert self.project() is not None
        self._disturbed = False
        self.check()
        assert agree(self.scene.mirror, self.server, self.bucket)
        verified = self.project(mode="verify")
        assert verified is not None
        assert 0 == verified.differing
        assert len(wanted(self.scene.mirror)) == verified.compared
        return {
            "changes": self.user.count,
            "kills": self.kills.total(),
            "stops": self.stops.total(),
            "whole projections": self.whole,
            "of which read back": self.read_back,
            "counted and summed": self.checks,
            "points": verified.compared,
            "deleted entries": self.scene.mirror.counts().deleted,
            "mended": self.mended,
        }


def counted_and_summed(server: OwnServer, bucket: str) -> dict[str, tuple[int, int]]:
    """Points and seconds by project, as InfluxDB itself adds them up."""
    found: list[dict[str, int]] = []
    for fold in ("count", "sum"):
        answer = server.flux(
            f'from(bucket: "{bucket}") |> {ALL} |> filter(fn: (r) => r._measurement == "toggl_time_entry" and '
            f'r._field == "duration") |> group(columns: ["project_id"]) |> {fold}()'
        )
        rows = [row for block in answer.split("\r\n\r\n") for row in csv.DictReader(io.StringIO(block, newline=""))]
        found.append({row.get("project_id") or "": int(row["_value"]) for row in rows})
        assert len(rows) == len(found[-1])
    counts, sums = found
    return {project: (counts[project], sums[project]) for project in counts | sums}


def as_mirrored(scene: Scene) -> dict[str, tuple[int, int]]:
    counts: Counter[str] = Counter()
    sums: Counter[str] = Counter()
    for one in wanted(scene.mirror):
        counts[one[3] or ""] += 1
        sums[one[3] or ""] += int(one[8])
    return {project: (counts[project], sums[project]) for project in counts}


@pytest.fixture
def campaign(tmp_path: Path, own_influxdb: OwnServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Campaign]:
    # so that there are more requests to be killed at
    monkeypatch.setattr("toggl_pulse.sync.project.BATCH", 500)
    monkeypatch.setattr("toggl_pulse.sync.compare.COMPARED", 1_000)
    campaign = Campaign(tmp_path, own_influxdb, int(os.environ.get("KILL_SEED", "20261127")))
    yield campaign
    campaign.close()


def play(campaign: Campaign, changes: int, kills: int, stops: int) -> None:
    """All of each; kills and stops are spread over the changes."""
    turns = 0
    while campaign.user.count < changes or campaign.kills.total() < kills or campaign.stops.total() < stops:
        turns += 1
        share = campaign.user.count / changes
        campaign.turn(
            kills=math.ceil(min(kills, kills * share * 1.1 + 2) - campaign.kills.total()),
            stop=campaign.stops.total() < min(stops, stops * share * 1.1),
            full=turns % 20 == 1,
        )
    figures = campaign.end()
    sys.stdout.write(f"{figures}\n{dict(campaign.kills)}\n{dict(campaign.stops)}\n{dict(campaign.user.kinds)}\n")
    assert changes <= figures["changes"]
    assert (kills, stops) == (figures["kills"], figures["stops"])


def test_after_some_changes_kills_and_stops_every_entry_is_one_point(campaign: Campaign) -> None:
    play(campaign, 300, 8, 1)


@pytest.mark.long
def test_after_ten_thousand_changes_a_hundred_kills_and_ten_stops_every_entry_is_one_point(campaign: Campaign) -> None:
    play(campaign, 10_000, 100, 10)
    assert {f"{each} {how}" for each in CHANGES for how in ("before", "after", "later")} <= set(campaign.kills)
    assert {"ledger before", "ledger after"} <= set(campaign.kills)
    kinds = {*(f"edit {field}" for field in FIELDS), "create", "move", "add_tag", "remove_tag", "delete", "restore"}
    assert set() == kinds - set(campaign.user.kinds)
