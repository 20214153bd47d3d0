"""Histories made by machine: any change in any order, projections between them that are cut off, left without an
answer or meddled with at any request and any step of the ledger; whenever one is complete, InfluxDB is the mirror.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count
from tempfile import TemporaryDirectory
from typing import Any, Literal, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from influxdb import Server
from mirror.rows import FIRST_ID, NOW, WORKSPACE, clock, entry, write
from sync.projected import LEDGER, REQUESTS, Call, Watched, as_wanted, held, wanted
from toggl_pulse.errors import Busy
from toggl_pulse.influx import Influx, Refused, Unanswered
from toggl_pulse.mirror import Mirror, Points
from toggl_pulse.model import Tag, TimeEntry
from toggl_pulse.sync import ProjectionReport, Projector

TAGS = (5, 6, 7)
ODD = "too much"
"""A description that this InfluxDB does not take; of a batch that holds one it keeps some points."""


# what happens


class Edit(NamedTuple):
    """The entry of that number is so from now on."""

    number: int
    slot: int
    project: int
    billable: bool
    tags: frozenset[int]
    text: str
    state: Literal["finished", "running", "deleted"]

    def play(self, play: Play) -> None:
        write(play.mirror, self.entry())

    def entry(self) -> TimeEntry:
        # starts and the last digits of ids meet, so that points contend for their times
        start = NOW + timedelta(seconds=self.slot)
        one = entry(
            self.number,
            id=FIRST_ID + self.number % 3 + self.number // 3 * 1_000_000,
            start=start,
            stop=start + timedelta(minutes=self.number + 1),
            duration=60 * (self.number + 1),
            project_id=self.project or None,
            billable=self.billable,
            tag_ids=tuple(sorted(self.tags)),
            description=self.text,
        )
        if self.state == "running":
            return replace(one, stop=None, duration=-1)
        return replace(one, deleted_at=NOW) if self.state == "deleted" else one


class Many(NamedTuple):
    """So many entries at once get another project."""

    size: int
    project: int

    def play(self, play: Play) -> None:
        living = [stored.entry for stored in play.entries() if stored.entry.deleted_at is None]
        write(play.mirror, *(replace(one, project_id=self.project or None) for one in living[: self.size]))


class Named(NamedTuple):
    """A tag is called so, or ends."""

    tag: int
    name: str | None

    def play(self, play: Play) -> None:
        name = self.name or "gone"
        with play.mirror.batch() as batch:
            batch.write_catalogue([Tag(self.tag, WORKSPACE, name, deleted=self.name is None)])


class Foreign(NamedTuple):
    """Somebody else writes to the bucket or deletes from it, at the time of an entry or at another."""

    which: int
    what: Literal["ghost", "field", "delete"]

    def play(self, play: Play) -> None:
        times = [point.time_ns for point in play.mirror.points.page(-(2**63), 1000)] or [10**18]
        time = times[self.which % len(times)]
        play.spoiled = True
        if self.what == "delete":
            play.influx.delete(time, time + 10**12, {"_measurement": "toggl_time_entry"})
        elif self.what == "field":
            point = next((each for each in play.mirror.points.page(time - 1, 1)), None)
            lane = f"workspace_id={point.workspace_id},user_id={point.user_id}" if point else "a=b"
            play.server.write(play.bucket, f"toggl_time_entry,{lane},billable=true duration=1i {time}")
        else:
            play.server.write(play.bucket, f"toggl_time_entry,user_id=1 duration=5i,entry_id=7i {time + self.which}")


Change = Edit | Many | Named


class Trouble(NamedTuple):
    """What goes wrong at the step of that number, counting requests or steps of the ledger."""

    where: Literal["request", "ledger"]
    at: int
    how: Literal["dies before", "dies after", "dies, done later", "unanswered", "unanswered, done", "unanswered, late"]


class Project(NamedTuple):
    """A projection, in whose course something may go wrong, or change, or be stopped."""

    mode: Literal["", "rebuild", "verify"]
    trouble: Trouble | None
    meanwhile: tuple[tuple[int, Change], ...]
    stop: int | None

    def play(self, play: Play) -> None:
        play.project(self)


# how it is played


class Play:
    """One mirror, one bucket, and what may stand in it that should not."""

    def __init__(self, mirror: Mirror, influx: Influx, server: Server, bucket: str) -> None:
        self.mirror = mirror
        self.influx = influx
        self.server = server
        self.bucket = bucket
        self.spoiled = False
        self._late: list[Callable[[], Any]] = []
        self._now = NOW

    def entries(self) -> list[Any]:
        ids = [FIRST_ID + low + high * 1_000_000 for high in range(4) for low in range(3)]
        return list(self.mirror.entries(ids).values())

    def project(self, step: Project) -> None:
        """A projection; whatever became of it, the next one is exact."""
        self._now += timedelta(minutes=20)
        done = None
        wrong_is_ours = not (self.spoiled or self._late)
        with suppress(KeyboardInterrupt, Unanswered):
            done = self._projector(step).project(rebuild=step.mode == "rebuild", verify=step.mode == "verify")
        if done is None or done.revision is None:
            return
        if wrong_is_ours:
            assert 0 == done.differing, "what the ledger says does not stand in InfluxDB"
        if done.emptied or done.compared or step.mode:
            self.spoiled = False
        if not step.meanwhile:
            self.check(done)

    def _projector(self, step: Project) -> Projector:
        requests, steps, asked = count(1), count(1), count(1)
        meanwhile = dict(step.meanwhile)

        def request(name: str, real: Call, arguments: Any, named: Any) -> Any:
            number = next(requests)
            while self._late and number == 2:
                self._late.pop(0)()
            if number in meanwhile:
                meanwhile.pop(number).play(self)
                with pytest.raises(Busy):
                    Projector(self.mirror, self.influx, clock=clock).project()
            real = _partly(real) if name == "write" else real
            do = partial(real, *arguments, **named)
            hit = step.trouble and (step.trouble.where, step.trouble.at) == ("request", number)
            return self._hit(step.trouble, do, changes=name != "query") if hit and step.trouble else do()

        def ledger(_: str, real: Call, arguments: Any, named: Any) -> Any:
            do = partial(real, *arguments, **named)
            hit = step.trouble and (step.trouble.where, step.trouble.at) == ("ledger", next(steps))
            return self._hit(step.trouble, do, changes=False) if hit and step.trouble else do()

        client: Any = Watched(self.influx, REQUESTS, request)
        stopping = lambda: next(asked) == step.stop  # noqa: E731 (one word of a call)
        projector = Projector(self.mirror, client, clock=lambda: self._now, stopping=stopping)
        points: Any = Watched(self.mirror.points, LEDGER, ledger)
        projector._points = points
        return projector

    def _hit(self, trouble: Trouble, do: Callable[[], Any], *, changes: bool) -> Any:
        """`changes`: it is a request that changes InfluxDB, and may be done when nobody waits for it any more."""
        if trouble.how.startswith("unanswered") and not changes:
            return do()
        if trouble.how in {"dies after", "unanswered, done"}:
            do()
        elif changes and trouble.how in {"dies, done later", "unanswered, late"}:
            self._late.append(do)
        raise (KeyboardInterrupt if trouble.how.startswith("dies") else Unanswered)

    def end(self) -> None:
        """What is late is done, and one more projection that nobody disturbs is exact."""
        for mode in ("", "verify") if self._late or self.spoiled else ("",):
            self.project(Project("verify" if mode else "", None, (), None))
        done = Projector(self.mirror, self.influx, clock=lambda: self._now).project(verify=True)
        assert 0 == done.differing
        self.check(done, odd=True)  # nobody refuses any more, and a comparison tries again what was refused

    def check(self, done: ProjectionReport, *, odd: bool = False) -> None:
        if self.spoiled or self._late:
            return
        expected = [row for row in wanted(self.mirror) if odd or row[9] != ODD]
        assert expected == as_wanted(held(self.server, self.bucket))
        assert (self.mirror.revision(), False) == self.mirror.points.projected()[:2]
        assert self.mirror.revision() == done.revision
        assert (0, 0) == self.mirror.points.counts()[:2]


def _partly(real: Call) -> Call:
    """InfluxDB as it is with a batch of which it does not take all: some of it is stored, and nobody knows what."""

    def write(body: bytes) -> None:
        lines = body.split(b"\n")
        if not any(ODD.encode() in line for line in lines):
            real(body)
            return
        real(b"\n".join([line for line in lines if ODD.encode() not in line][::2]))
        raise Refused("conflict")

    return write


# what is played

PROJECTS = st.integers(0, 2)
EDITS = st.builds(
    Edit,
    st.integers(0, 11),
    st.integers(0, 4),
    PROJECTS,
    st.booleans(),
    st.frozensets(st.sampled_from(TAGS), max_size=2),
    st.sampled_from(["", "a", "b", "c", ODD]),
    st.sampled_from(["finished", "finished", "finished", "running", "deleted"]),
)  # fmt: skip
MANY = st.builds(Many, st.integers(3, 12), PROJECTS)
NAMED = st.builds(Named, st.sampled_from(TAGS), st.sampled_from(["one", "two", "three", "four, five", None]))
CHANGES = st.one_of(EDITS, EDITS, EDITS, MANY, NAMED)
TROUBLES = st.builds(
    Trouble,
    st.sampled_from(["request", "request", "ledger"]),
    st.integers(1, 12),
    st.sampled_from(
        ["dies before", "dies after", "dies, done later", "unanswered", "unanswered, done", "unanswered, late"]
    ),
)
PROJECTIONS = st.builds(
    Project,
    st.sampled_from(["", "", "", "verify", "rebuild"]),
    st.none() | TROUBLES,
    st.lists(st.tuples(st.integers(1, 8), CHANGES), max_size=3).map(tuple),
    st.none() | st.none() | st.integers(1, 8),
)
FOREIGN = st.builds(Foreign, st.integers(0, 20), st.sampled_from(["ghost", "field", "delete"]))
STEPS = st.lists(st.one_of(CHANGES, CHANGES, PROJECTIONS, PROJECTIONS, FOREIGN), min_size=3, max_size=25)

FreshMirror = Callable[[], AbstractContextManager[Mirror]]


@pytest.fixture(autouse=True)
def small_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dozen entries take several pages, batches and stretches."""
    monkeypatch.setattr(Points.intend, "__defaults__", (4,))
    for name, value in (("project.BATCH", 3), ("compare.COMPARED", 4), ("project.FEW", 2)):
        monkeypatch.setattr(f"toggl_pulse.sync.{name}", value)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.long])])
def fresh_mirror(request: pytest.FixtureRequest) -> FreshMirror:
    if request.param == "sqlite":

        @contextmanager
        def fresh() -> Iterator[Mirror]:
            with TemporaryDirectory() as folder, Mirror.open(f"sqlite:///{folder}/mirror.db", clock=clock) as mirror:
                yield mirror
    else:
        server = request.getfixturevalue("postgresql")
        template = request.getfixturevalue("prepared_template")

        @contextmanager
        def fresh() -> Iterator[Mirror]:
            url = server.fresh(like=template)
            with Mirror.open(url, clock=clock) as mirror:
                yield mirror
            server.drop(url)

    return fresh


def play_out(steps: list[Any], fresh_mirror: FreshMirror, influx: Influx, server: Server, bucket: str) -> None:
    """Each history has a mirror of its own, and begins in a bucket that others have left as it was."""
    with fresh_mirror() as mirror:
        play = Play(mirror, influx, server, bucket)
        with mirror.batch() as batch:
            batch.write_catalogue([Tag(tag, WORKSPACE, f"tag {tag}") for tag in TAGS[:2]])
        for step in steps:
            step.play(play)
        play.end()


SHARED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@given(steps=STEPS)
@settings(max_examples=6, derandomize=True, database=None, suppress_health_check=SHARED)
def test_after_any_history_influxdb_is_the_mirror(
    steps: list[Any], fresh_mirror: FreshMirror, influx: Influx, influxdb: Server, influxdb_bucket: str
) -> None:
    play_out(steps, fresh_mirror, influx, influxdb, influxdb_bucket)


@pytest.mark.long
@given(steps=STEPS)
@settings(max_examples=int(os.environ.get("HISTORIES", "300")), suppress_health_check=SHARED)
def test_after_hundreds_of_histories_influxdb_is_the_mirror(
    steps: list[Any], fresh_mirror: FreshMirror, influx: Influx, influxdb: Server, influxdb_bucket: str
) -> None:
    play_out(steps, fresh_mirror, influx, influxdb, influxdb_bucket)
