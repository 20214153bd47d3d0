from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from toggl_pulse.metrics import EntryRow
from toggl_pulse.web.blocks import DAY_MINUTES, Block, blocks_of_days

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 11, 23)
WEEK = [MONDAY + timedelta(days=number) for number in range(7)]
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def entry(number: int, start: datetime, stop: datetime | None) -> EntryRow:
    return EntryRow(
        id=number,
        start=start.astimezone(UTC),
        stop=None if stop is None else stop.astimezone(UTC),
        seconds=0 if stop is None else int((stop - start).total_seconds()),
        description="",
        workspace_id=1,
        workspace="",
        client_id=None,
        client="",
        project_id=None,
        project="",
        task_id=None,
        task="",
        user_id=1,
        user="",
        tag_ids=(),
        tags=(),
        billable=False,
    )


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=BERLIN)


def of(*entries: EntryRow, days: list[date] = WEEK, now: datetime = NOW) -> list[Block]:
    return [block for blocks in blocks_of_days(entries, days, BERLIN, now).values() for block in blocks]


def test_an_entry_of_one_day_is_one_block_of_the_local_clock() -> None:
    (block,) = of(entry(1, at(24, 9, 30), at(24, 11)))
    assert (date(2026, 11, 24), 570.0, 660.0) == (block.day, block.top, block.bottom)
    assert (0, 1, False, False) == (block.lane, block.lanes, block.from_before, block.goes_on)


def test_an_entry_over_midnight_is_cut_and_both_parts_say_so() -> None:
    late, early = of(entry(1, at(24, 22), at(25, 1)))
    assert (date(2026, 11, 24), 1320.0, 1440.0, False, True) == (
        late.day,
        late.top,
        late.bottom,
        late.from_before,
        late.goes_on,
    )
    assert (date(2026, 11, 25), 0.0, 60.0, True, False) == (
        early.day,
        early.top,
        early.bottom,
        early.from_before,
        early.goes_on,
    )


def test_what_stops_at_midnight_has_nothing_on_the_new_day() -> None:
    (block,) = of(entry(1, at(24, 22), at(25, 0)))
    assert (1320.0, 1440.0, False) == (block.top, block.bottom, block.goes_on)


def test_parts_outside_of_the_days_are_left_out_and_marked_at_the_edge() -> None:
    (block,) = of(entry(1, datetime(2026, 11, 22, 20, tzinfo=BERLIN), at(23, 2)))
    assert (MONDAY, 0.0, True) == (block.day, block.top, block.from_before)
    (block,) = of(entry(1, at(29, 20), datetime(2026, 11, 30, 5, tzinfo=BERLIN)))
    assert (date(2026, 11, 29), True) == (block.day, block.goes_on)


def test_overlapping_entries_stand_side_by_side_and_later_ones_have_the_whole_width() -> None:
    blocks = of(
        entry(1, at(24, 9), at(24, 12)),
        entry(2, at(24, 10), at(24, 11)),
        entry(3, at(24, 11), at(24, 13)),
        entry(4, at(24, 14), at(24, 15)),
    )
    assert [(1, 0, 2), (2, 1, 2), (3, 1, 2), (4, 0, 1)] == [
        (block.entry.id, block.lane, block.lanes) for block in blocks
    ]


def test_a_running_entry_goes_up_to_now() -> None:
    (block,) = of(entry(1, at(27, 12), None))
    assert (True, 720.0, 780.0) == (block.running, block.top, block.bottom)  # 12:00 UTC is 13:00


def test_a_running_entry_whose_start_lies_ahead_is_a_small_block() -> None:
    (block,) = of(entry(1, at(27, 15), None))
    assert (900.0, 920.0) == (block.top, block.bottom)


def test_an_hour_that_comes_twice_is_no_block_upside_down() -> None:
    twice = [date(2026, 10, 25)]
    start = datetime(2026, 10, 25, 2, 50, tzinfo=BERLIN)
    stop = datetime(2026, 10, 25, 2, 10, fold=1, tzinfo=BERLIN)
    (block,) = of(entry(1, start, stop), days=twice)
    assert (170.0, 190.0) == (block.top, block.bottom)


MOMENT = st.integers(0, 9 * 24 * 60).map(lambda minute: datetime(2026, 10, 20, tzinfo=UTC) + timedelta(minutes=minute))


@given(st.lists(st.tuples(MOMENT, st.integers(0, 3000)), max_size=25))
def test_no_block_covers_another_and_each_lies_within_its_day(spans: list[tuple[datetime, int]]) -> None:
    days = [date(2026, 10, 21) + timedelta(days=number) for number in range(7)]
    entries = [entry(number, start, start + timedelta(minutes=length)) for number, (start, length) in enumerate(spans)]
    by_day = blocks_of_days(entries, days, BERLIN, NOW)
    assert days == list(by_day)
    for blocks in by_day.values():
        for block in blocks:
            assert 0 <= block.top < block.bottom <= DAY_MINUTES
            assert 0 <= block.lane < block.lanes
        for one, other in combinations(blocks, 2):
            apart = one.bottom <= other.top or other.bottom <= one.top
            assert apart or (one.lane != other.lane and one.lanes == other.lanes)


@given(MOMENT, st.integers(1, 3000))
def test_every_day_that_an_entry_touches_has_one_part_of_it(start: datetime, length: int) -> None:
    days = [date(2026, 10, 19) + timedelta(days=number) for number in range(14)]
    stop = start + timedelta(minutes=length)
    blocks = of(entry(1, start, stop), days=days)
    touched = {(start + timedelta(minutes=each)).astimezone(BERLIN).date() for each in range(length)}
    assert sorted(touched) == [block.day for block in blocks]
    assert [False] + [True] * (len(blocks) - 1) == [block.from_before for block in blocks]
    assert [True] * (len(blocks) - 1) + [False] == [block.goes_on for block in blocks]
