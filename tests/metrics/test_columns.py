from __future__ import annotations

import contextlib
import itertools
import random
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.reference import utc
from metrics.scenes import DEEP, NAMES, QUICK, answers_of, ask_range, row_lists, small_limits
from metrics.sources import MemorySource, Row, columns_of
from toggl_pulse.errors import Unavailable
from toggl_pulse.metrics import Answer, Answers, Query, columns
from toggl_pulse.metrics.columns import Columns
from toggl_pulse.metrics.selection import Rows
from toggl_pulse.model import EntryColumns, Project, Tag

AT = utc(2026, 6, 1, 9)
QUESTIONS = (
    *itertools.product(["tracked_hours"], ["none", "tag", "client"], ["start", "split"]),
    ("entry_count", "description", "start"),
    ("active_days", "tag", "split"),
    ("longest_entry_hours", "project", "start"),
    ("billable_share", "none", "split"),
)


def everything(answers: Answers) -> list[object]:
    """Answers of many kinds, as plain values."""
    found: list[object] = []
    for metric, group_by, attribution in QUESTIONS:
        query = ask_range(AT - 10 * 86_400, days=20, interval="day", metric=metric, group_by=group_by)
        found.append(plain(answers.answer(replace(query, attribution=attribution))))
    query = ask_range(AT - 10 * 86_400, days=20)
    found += [plain(answers.answer(replace(query, metric=metric))) for metric in ("toggl_time_entry", "entries")]
    found += list(answers.entries(query))
    return [*found, *(sorted(map(str, answers.values(name))) for name in ("project", "tag", "description", "user"))]


def plain(answer: Answer) -> object:
    return (
        [(str(each.key), each.label, each.times_ms.tolist(), str(each.values.tolist())) for each in answer.series],
        answer.table,
        answer.running_flagged,
    )


changes = st.lists(
    st.one_of(
        row_lists(AT, 20).map(lambda rows: ("put", rows)),
        st.integers(0, 11).map(lambda number: ("delete", number)),
        st.sampled_from([("rename", 0), ("untag", 0)]),
    ),
    max_size=6,
)


def apply(source: MemorySource, change: tuple[str, object]) -> None:
    kind, what = change
    if kind == "put":
        assert isinstance(what, list)
        for row in what:
            source.put(row)
    elif kind == "delete":
        assert isinstance(what, int)
        with contextlib.suppress(KeyError):
            source.delete(2**31 + 1000 - what)
    elif kind == "rename":
        source.rename(replace(NAMES, projects={**NAMES.projects, 11: Project(11, 1, f"Site {source.number}", 9)}))
    else:  # a tag is deleted: it leaves every entry
        source.rename(replace(source.names, tags={**source.names.tags, 31: Tag(31, 1, "deep", deleted=True)}))
        for row in list(source.rows.values()):
            if 31 in row.tags:
                source.put(replace(row, tags=tuple(tag for tag in row.tags if tag != 31)))


def check_changes(rows: list[Row], history: list[tuple[str, object]], *, small: bool) -> None:
    source = MemorySource.of(rows, NAMES)
    followed = answers_of(source)
    with small_limits() if small else contextlib.nullcontext():
        for change in [*history, ("delete", 99)]:
            assert everything(answers_of(source)) == everything(followed)
            apply(source, change)
        loads = source.loads
        assert everything(followed) == everything(answers_of(source))
        assert loads + 1 == source.loads


@settings(QUICK, max_examples=30)
@given(row_lists(AT, 20), changes, st.booleans())
def test_incremental_changes_equal_a_reload(rows: list[Row], history: list[tuple[str, object]], small: bool) -> None:  # noqa: FBT001 - drawn
    check_changes(rows, history, small=small)


@pytest.mark.long
@settings(DEEP, max_examples=1_500)
@given(row_lists(AT, 20), changes, st.booleans())
def test_incremental_changes_equal_a_reload_in_many_histories(
    rows: list[Row],
    history: list[tuple[str, object]],
    small: bool,  # noqa: FBT001 - drawn
) -> None:
    check_changes(rows, history, small=small)


def test_a_change_is_in_the_next_answer_without_a_reload() -> None:
    source = MemorySource.of([Row(1, AT, AT + 3600)], NAMES)
    answers = answers_of(source)
    assert [1.0] == answers.answer(ask_range(AT)).series[0].values.tolist()
    source.put(Row(1, AT, AT + 7200))
    source.put(Row(2, AT, AT + 3600))

    assert [3.0] == answers.answer(ask_range(AT)).series[0].values.tolist()
    source.delete(1)
    assert [1.0] == answers.answer(ask_range(AT)).series[0].values.tolist()
    assert source.number == answers.revision() == answers.answer(ask_range(AT)).revision
    assert 1 == source.loads


def test_changes_that_come_twice_change_nothing() -> None:
    class Forgetful(MemorySource):
        def changes(self, since: int) -> tuple[int, EntryColumns]:
            return super().changes(since - 2)

    source = Forgetful(NAMES)
    answers = answers_of(source)
    for number in range(5):
        source.put(Row(number, AT, AT + 3600))
        assert [number + 1.0] == answers.answer(ask_range(AT)).series[0].values.tolist()


def test_tombstones_of_entries_never_seen_are_harmless() -> None:
    source = MemorySource.of([Row(1, AT, AT + 3600)], NAMES)
    answers = answers_of(source)
    answers.revision()
    source.put(Row(2, AT, AT + 60))
    source.delete(2)

    assert [1.0] == answers.answer(ask_range(AT)).series[0].values.tolist()


def test_many_changes_become_one_part_again() -> None:
    source = MemorySource.of([Row(number, AT + number, AT + number + 60) for number in range(100)], NAMES)
    followed = Columns(source)
    followed.newest()
    with small_limits():
        for number in range(50, 53):
            source.put(Row(number, AT, AT + 120))
        snapshot = followed.newest()

    assert (100, 0, 0) == (len(snapshot.base), len(snapshot.extra), len(snapshot.hidden))
    assert 100 == len(snapshot)
    assert (np.diff(snapshot.base.start) >= 0).all()


def test_few_changes_stand_beside_the_base_which_is_not_copied() -> None:
    source = MemorySource.of([Row(number, AT + number, AT + number + 60) for number in range(100)], NAMES)
    followed = Columns(source)
    before = followed.newest()
    source.put(Row(50, AT, AT + 120))
    source.delete(51)
    after = followed.newest()

    assert after.base is before.base
    assert ([50, 51], 1, 99) == (after.hidden.tolist(), len(after.extra), len(after))


def test_rows_around_hidden_ones_are_whole_blocks_in_either_order() -> None:
    source = MemorySource.of([Row(number, AT + number, AT + number + 60) for number in range(100)], NAMES)
    followed = Columns(source)
    followed.newest()
    for number in (0, 1, 40, 99):
        source.delete(number)
    base, hidden = followed.newest().parts[0]
    rows = Rows(base, hidden, {}, "all", 0, lambda: None)

    assert [(2, 40, None), (41, 99, None)] == list(rows.between(0, 100))
    assert [(41, 99, None), (2, 40, None)] == list(rows.between(0, 100, newest_first=True))
    assert [(5, 40, None), (41, 50, None)] == list(rows.between(5, 50))
    assert [] == list(rows.between(40, 41))


def test_the_rows_of_ids_are_found_one_by_one_and_many_at_once() -> None:
    ids = [7, 3, 2**40, 5, 2]
    source = MemorySource.of([Row(each, AT + at, AT + at + 60) for at, each in enumerate(ids)], NAMES)
    base = Columns(source).newest().base
    wanted = np.array([2, 4, 7, 2**40, 2**41])

    assert [0, 2, 4] == base.rows_of(wanted).tolist()
    with small_limits():
        assert [0, 2, 4] == base.rows_of(wanted).tolist()
    assert [] == base.rows_of(np.array([1, 2**50])).tolist()


def test_names_are_read_again_only_where_a_number_is_no_entrys() -> None:
    source = MemorySource.of([Row(1, AT, AT + 3600, project=11), Row(2, AT, AT + 60)], NAMES)
    followed = Columns(source)
    followed.newest()
    source.put(Row(1, AT, AT + 60, project=11))
    source.delete(2)
    followed.newest()
    assert 1 == source.catalogues

    source.put(Row(1, AT, AT + 120, project=11))
    source.rename(replace(NAMES, projects={11: Project(11, 1, "Dock", 9)}))
    source.put(Row(2, AT, AT + 60))

    assert "Dock" == followed.newest().catalogue.projects[11].name
    assert 2 == source.catalogues


def test_room_is_asked_for_before_the_load_and_every_so_many_changes() -> None:
    asked: list[int] = []
    source = MemorySource.of([Row(1, AT, AT + 60)], NAMES)
    followed = Columns(source, lambda: asked.append(source.number))
    with small_limits():
        for _ in range(7):
            followed.newest()
            source.put(Row(source.number, AT, AT + 60))

    assert [1, 4, 7] == asked


def test_without_room_nothing_is_read_and_the_next_answer_asks_again() -> None:
    def room() -> None:
        raise Unavailable("No room.")

    source = MemorySource.of([Row(1, AT, AT + 60)], NAMES)
    followed = Columns(source, room)
    for _ in range(2):
        with pytest.raises(Unavailable, match=r"No room\."):
            followed.newest()

    assert 0 == source.loads


def test_what_is_asked_at_one_moment_is_answered_from_the_same_rows() -> None:
    source = MemorySource.of([Row(1, AT, AT + 3600)], NAMES)
    answers = answers_of(source)
    moment = answers.moment()
    source.put(Row(1, AT, AT + 7200))

    assert [1.0] == moment.answer(ask_range(AT)).series[0].values.tolist()
    assert [2.0] == answers.moment().answer(ask_range(AT)).series[0].values.tolist()
    assert [3600] == [row.seconds for row in moment.entries(ask_range(AT))]
    assert moment.answer(ask_range(AT)).revision < answers.answer(ask_range(AT)).revision


def test_a_snapshot_never_changes() -> None:
    source = MemorySource.of([Row(1, AT, AT + 3600, project=11)], NAMES)
    answers = answers_of(source)
    export = answers.entries(ask_range(AT))
    source.put(Row(1, AT, AT + 60, project=99, tags=(77,)))
    answers.revision()

    (row,) = export

    assert (3600, "Site (Acme)") == (row.seconds, row.project)


def test_a_source_that_goes_back_is_read_anew() -> None:
    source = MemorySource.of([Row(1, AT, AT + 3600), Row(2, AT, AT + 3600)], NAMES)
    answers = answers_of(source)
    answers.revision()
    source.rows, source.changed, source.number = {}, {}, 0  # another database in its place
    source.put(Row(1, AT, AT + 60))

    assert [60 / 3600] == answers.answer(ask_range(AT)).series[0].values.tolist()
    assert 2 == source.loads


def test_names_are_asked_for_again_where_a_source_gives_more_than_what_has_changed() -> None:
    class Generous(MemorySource):
        def changes(self, since: int) -> tuple[int, EntryColumns]:
            return super().changes(min(since, 0))

    source = Generous.of([Row(1, AT, AT + 3600)], NAMES)
    source.exact = False
    answers = answers_of(source)
    asked = answers.catalogue(), source.catalogues
    source.number += 1  # a name, and no entry

    answers.revision()
    assert asked[1] < source.catalogues


def test_a_source_that_fails_once_is_asked_again() -> None:
    class Shaky(MemorySource):
        failing = False

        def changes(self, since: int) -> tuple[int, EntryColumns]:
            if self.failing:
                raise Unavailable("The mirror cannot be reached.")
            return super().changes(since)

    source = Shaky(NAMES)
    answers = answers_of(source)
    answers.revision()
    source.put(Row(1, AT, AT + 3600, description="new", tags=(31,)))
    source.failing = True
    with pytest.raises(Unavailable):
        answers.answer(ask_range(AT))
    source.failing = False

    assert [1.0] == answers.answer(ask_range(AT)).series[0].values.tolist()


def test_an_answer_asks_the_source_for_its_revision_only() -> None:
    source = MemorySource.of([Row(1, AT, AT + 3600)], NAMES)
    answers = answers_of(source)
    answers.revision()
    asked = source.loads, source.catalogues

    everything(answers)

    assert asked == (source.loads, source.catalogues)


def test_a_stop_before_the_start_is_an_entry_of_no_length() -> None:
    source = MemorySource.of([Row(1, AT, AT - 60, seconds=0)], NAMES)

    assert [0.0] == answers_of(source).answer(ask_range(AT - 3600, attribution="split")).series[0].values.tolist()


def test_an_entry_takes_at_most_64_bytes() -> None:
    rows = 50_000
    one = columns_of([Row(1, AT, AT + 60)])
    many = EntryColumns(
        **{
            name: np.tile(getattr(one, name), rows)
            for name in one.__dataclass_fields__
            if name not in {"tag_sets", "descriptions"}
        },
        tag_sets=one.tag_sets,
        descriptions=one.descriptions,
    )

    class Many(MemorySource):
        def load(self) -> tuple[int, EntryColumns]:
            return 0, many

    base = Columns(Many()).newest().base
    arrays = [getattr(base, name) for name in base.__dataclass_fields__]
    assert sum(array.nbytes for array in arrays) <= 64 * rows
    assert columns.BLOCK * 64 <= 4 * 2**20


class LockedSource(MemorySource):
    """As a database: each call sees whole transactions."""

    def __init__(self) -> None:
        super().__init__(NAMES)
        self.lock = threading.Lock()

    def load(self) -> tuple[int, EntryColumns]:
        with self.lock:
            return super().load()

    def changes(self, since: int) -> tuple[int, EntryColumns]:
        with self.lock:
            return super().changes(since)

    def move(self, first: int, second: int, minutes: int) -> None:
        """In one transaction one entry grows by as much as another one shrinks."""
        with self.lock:
            number = self.number
            for entry_id, more in ((first, minutes), (second, -minutes)):
                row = self.rows[entry_id]
                assert row.stop is not None
                # new texts, tags and projects all the time: every numbering grows while others read
                self.put(
                    replace(
                        row,
                        stop=row.stop + 60 * more,
                        description=f"{entry_id} {number}",
                        tags=(number % 50 + 100,),
                        project=number % 70 + 200,
                    )
                )
                self.number = number
            self.number = number + 1
            self.changed[first] = self.changed[second] = self.number


def check_threads(moves: int) -> None:
    """Whole answers only: the total never changes, however it is cut, while threads ask and entries move."""
    source = LockedSource()
    for number in range(200):
        source.put(Row(number, AT + number * 60, AT + number * 60 + 360_000))
    total = 200 * 100.0
    answers = answers_of(source)
    done = threading.Event()
    questions: list[Query] = [
        ask_range(AT, days=30, interval=interval, group_by=group_by, attribution=attribution)
        for interval, group_by, attribution in itertools.product(
            ("range", "day"), ("none", "project", "tag", "description"), ("start", "split")
        )
    ]

    def reader(seed: int) -> int:
        dice = random.Random(seed)  # noqa: S311 - an order of questions
        for asked in itertools.count(1):
            series = answers.answer(dice.choice(questions)).series
            assert total == pytest.approx(sum(float(each.values.sum()) for each in series))
            answers.values(dice.choice(["project", "tag", "description"]))
            if done.is_set():
                return asked
        raise AssertionError

    dice = random.Random(0)  # noqa: S311 - an order of moves
    with ThreadPoolExecutor(8) as pool:
        readers = [pool.submit(reader, seed) for seed in range(8)]
        try:
            for _ in range(moves):
                first, second = dice.sample(range(200), 2)
                source.move(first, second, dice.randint(1, 60))
                assert source.number == answers.revision()
        finally:
            done.set()
        assert moves // 20 < sum(each.result(timeout=60) for each in readers)
    assert 1 == source.loads


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Threads that take turns a thousand times as often as usual."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("eager_threads")
def test_many_threads_get_whole_answers_while_changes_come() -> None:
    with small_limits():
        check_threads(150)


@pytest.mark.long
@pytest.mark.usefixtures("eager_threads")
def test_many_threads_get_whole_answers_while_thousands_of_changes_come() -> None:
    check_threads(5_000)
