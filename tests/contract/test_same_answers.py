"""Whatever is asked, after whatever has happened: answers from InfluxDB are those from the mirror, digit for digit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.pairs import Pair, fresh_pair
from influx.texts import texts
from metrics.reference import Condition
from metrics.scenes import LONGEST_DAYS, NAMES, conditions, moments, row_lists
from metrics.sources import Row
from toggl_pulse.influx import Influx
from toggl_pulse.metrics import DIMENSIONS, METRICS, Answers, Contact, Filter, Query
from toggl_pulse.metrics.elapsed import PERIODS
from toggl_pulse.metrics.query import ONLY, SORTS
from toggl_pulse.model import NO_ID, EntrySource, TimeEntry, from_epoch


@dataclass(frozen=True)
class Put:
    rows: list[Row]


@dataclass(frozen=True)
class Delete:
    places: list[int]
    """Which of the entries that have been put."""


@dataclass(frozen=True)
class Rename:
    kind: str
    number: int
    name: str


@dataclass(frozen=True)
class DropTag:
    tag: int


@dataclass(frozen=True)
class Settle:
    """InfluxDB comes as far as the mirror, and both are asked."""


@dataclass(frozen=True)
class Look:
    """Both are read while InfluxDB is behind."""


Step = Put | Delete | Rename | DropTag | Settle | Look
KINDS = ("workspaces", "clients", "projects", "tasks", "tags", "users")


@dataclass(frozen=True)
class Story:
    steps: list[Step]
    query: Query
    now: datetime


@st.composite
def stories(draw: st.DrawFn) -> Story:
    zone, moment = draw(moments)
    interval = draw(st.sampled_from(tuple(LONGEST_DAYS)))
    half = LONGEST_DAYS[interval] * 43_200_000
    found: Sequence[Condition] = draw(st.just([]) | st.lists(conditions, max_size=2))
    query = Query(
        "tracked_hours",
        moment * 1000 - draw(st.integers(0, half)),
        moment * 1000 + draw(st.integers(0, half)),
        zone,
        group_by=draw(st.sampled_from(("none", *DIMENSIONS))),
        interval=interval,
        limit=draw(st.none() | st.integers(1, 3)),
        week_start=draw(st.integers(0, 6)),
        filters=tuple(Filter(*condition) for condition in found),  # type: ignore[arg-type]
    )
    put = st.builds(Put, row_lists(moment, LONGEST_DAYS[interval]))
    renames = [st.builds(Rename, st.just(kind), st.sampled_from(sorted(getattr(NAMES, kind))), texts) for kind in KINDS]
    step: st.SearchStrategy[Step] = st.one_of(
        put,
        put,
        st.builds(Delete, st.lists(st.integers(0, 11), min_size=1, max_size=4)),
        st.one_of(renames),
        st.builds(DropTag, st.sampled_from(sorted(NAMES.tags))),
        st.just(Settle()),
        st.just(Look()),
    )
    now = from_epoch(moment + draw(st.integers(-86_400, 5 * 86_400) | st.sampled_from([0, 1, 3600])))
    return Story([draw(put), *draw(st.lists(step, max_size=8))], query, now)


class Play:
    """A story on a mirror, with answers that follow it beside ones that are made anew."""

    def __init__(self, story: Story, pair: Pair) -> None:
        self.story = story
        self.pair = pair
        self.entries: dict[int, TimeEntry] = {}
        self.following = {"mirror": self.answers(pair.mirror), "influxdb": self.answers(pair.source)}
        with pair.mirror.batch() as batch:
            assert NAMES.profile is not None
            batch.write_catalogue([NAMES.profile, *(row for kind in KINDS for row in getattr(NAMES, kind).values())])

    def answers(self, source: EntrySource) -> Answers:
        now = self.story.now
        return Answers(source, clock=lambda: now, contact=lambda: Contact(now, timedelta(minutes=20)))

    def run(self) -> None:
        for step in (*self.story.steps, Settle()):
            match step:
                case Put(rows):
                    self.write(entry_of(row, self.story.now) for row in rows)
                case Delete(places):
                    known = list(self.entries.values())
                    gone = [known[place] for place in places if place < len(known)]
                    self.write(replace(one, deleted_at=self.story.now) for one in gone)
                case Rename(kind, number, name):
                    with self.pair.mirror.batch() as batch:
                        batch.write_catalogue([replace(getattr(self.pair.mirror.catalogue(), kind)[number], name=name)])
                case DropTag(tag):
                    with self.pair.mirror.batch() as batch:
                        batch.write_catalogue([replace(self.pair.mirror.catalogue().tags[tag], deleted=True)])
                case Look():
                    for answers in self.following.values():
                        answers.revision()
                case Settle():
                    self.pair.settle()
                    self.compare()

    def write(self, entries: Iterable[TimeEntry]) -> None:
        given = list(entries)
        self.entries |= {one.id: one for one in given}
        with self.pair.mirror.batch() as batch:
            batch.write_entries(given)

    def compare(self) -> None:
        expected = self.told(self.answers(self.pair.mirror))
        others = self.following | {"influxdb, read whole": self.answers(self.pair.source)}
        for who, answers in others.items():
            assert expected == self.told(answers), who

    def told(self, answers: Answers) -> dict[Any, Any]:
        """All that can be asked, of one range, grouping and choice of entries."""
        query = self.story.query
        found: dict[Any, Any] = {}
        asked = [replace(query, metric=metric) for metric in METRICS]
        for sort, only in product(SORTS, ONLY):
            asked.append(replace(query, metric="entries", sort=sort, only=only))
        asked.append(replace(query, metric="period_change", periods=tuple(PERIODS)))
        asked.append(replace(query, metric="dormant_projects", days=1))
        asked.append(replace(query, metric="weekday_hour_hours", matrix=True))
        for one, attribution in product(asked, ("start", "split")):
            answer = answers.answer(replace(one, attribution=attribution))
            series = [
                (each.key, each.label, each.other, each.times_ms.tolist(), list(map(repr, each.values.tolist())))
                for each in answer.series
            ]
            found[one, attribution] = replace(answer, series=()), series
        found["entries"] = list(answers.entries(query))
        found |= {dimension: answers.values(dimension) for dimension in DIMENSIONS}
        return found


def entry_of(row: Row, at: datetime) -> TimeEntry:
    return TimeEntry(
        row.id,
        row.workspace,
        row.user,
        from_epoch(row.start),
        None if row.stop is None else from_epoch(row.stop),
        -1 if row.stop is None else row.duration,
        at,
        description=row.description,
        project_id=row.project if row.project != NO_ID else None,
        task_id=row.task if row.task != NO_ID else None,
        billable=row.billable,
        tag_ids=row.tags,
    )


@pytest.mark.parametrize("tries", [8, pytest.param(500, marks=pytest.mark.long)])
def test_no_question_tells_the_sources_apart(influx: Influx, tries: int) -> None:
    @settings(max_examples=tries, suppress_health_check=list(HealthCheck))
    @given(stories())
    def each(story: Story) -> None:
        with fresh_pair(influx) as pair:
            Play(story, pair).run()

    each()
