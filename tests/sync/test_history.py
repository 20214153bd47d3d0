from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toggl_pulse.sync.history import (
    History,
    after_page,
    after_plan_limit,
    after_refusal,
    after_totals,
    begin,
    deepen,
    extend,
    from_json,
    narrow,
    recheck,
    restart,
    rezone,
    to_json,
)
from toggl_pulse.sync.windows import day_of, day_start, halves, months_between

TODAY = date(2026, 11, 23)
ZONE = "Europe/Berlin"


def start(*, created: date | None = date(2024, 5, 9), backfill_from: date | None = None) -> History:
    return begin(1, ZONE, today=TODAY, created=created, backfill_from=backfill_from)


def years(history: History) -> list[int]:
    return [span.first.year for span in history.queue]


def read_head(history: History, rows: int = 10, *, equal: bool = True) -> History:
    read = after_page(history, rows=rows, oldest=None, more=False)
    return after_totals(read, equal=equal, empty=rows == 0)


def test_the_past_is_read_from_next_year_back_to_the_account_s_beginning() -> None:
    assert [2027, 2026, 2025, 2024] == years(start())


def test_below_the_beginning_it_goes_on_until_a_whole_year_is_empty() -> None:
    history = start()
    for rows in (0, 10, 10, 10, 5, 5):
        history = read_head(history, rows)
    assert [2021] == years(history)

    history = read_head(history, 0)

    assert ([], 7) == (years(history), history.done)


def test_an_account_without_entries_ends_after_one_year_below_its_beginning() -> None:
    history = start()
    for _ in range(5):
        history = read_head(history, 0)

    assert [] == years(history)


def test_backfill_from_is_the_first_day_and_nothing_below_it_is_read() -> None:
    history = start(backfill_from=date(2025, 3, 15))
    assert date(2025, 3, 15) == history.queue[-1].first
    for _ in range(3):
        history = read_head(history)

    assert [] == years(history)


def test_backfill_from_within_december_is_still_a_year() -> None:
    history = start(backfill_from=date(2025, 12, 5))
    for _ in range(3):
        history = read_head(history)

    assert ([], 3, date(2025, 12, 5)) == (years(history), history.done, history.reached)


def test_nothing_is_asked_before_toggl_existed() -> None:
    history = start(created=None)
    while history.queue:
        assert history.queue[0].first.year >= 2006
        history = read_head(history)


def test_a_page_moves_the_bound_to_the_day_of_its_last_row() -> None:
    history = after_page(start(), rows=1000, oldest=date(2027, 7, 13), more=True)
    assert date(2027, 7, 13) == history.queue[0].until

    history = after_page(history, rows=1000, oldest=date(2027, 7, 13), more=True)

    assert (date(2027, 7, 13), 2000) == (history.queue[0].until, history.rows)


def test_a_page_never_moves_the_bound_out_of_its_year_or_back_up() -> None:
    low = after_page(start(), rows=1, oldest=date(2020, 1, 1), more=True)
    high = after_page(start(), rows=1, oldest=date(2030, 1, 1), more=True)

    assert (date(2027, 1, 1), date(2027, 12, 31)) == (low.queue[0].until, high.queue[0].until)


def test_a_year_that_differs_is_compared_by_months_and_a_month_is_read_once_more() -> None:
    history = read_head(start(), equal=False)
    assert ["compare"] * 12 == [span.stage for span in history.queue[:12]]
    history = after_totals(history, equal=True, empty=False)
    again = after_totals(history, equal=False, empty=False)
    assert ("read", True, date(2027, 11, 1)) == (again.queue[0].stage, again.queue[0].last_try, again.queue[0].first)

    given_up = read_head(again, equal=False)

    assert date(2027, 10, 1) == given_up.queue[0].first


def test_where_the_plan_ends_within_a_year_its_newer_months_are_read() -> None:
    history = replace(start(), queue=start().queue[2:])
    history, none = after_plan_limit(history)
    assert () == none
    history = read_head(history)

    history, months = after_plan_limit(history)

    assert [date(2025, month, 1) for month in range(11, 0, -1)] == [first for first, _ in months]
    assert [2024] == years(history)


def test_once_the_plan_has_refused_a_year_older_ones_cost_one_request_each() -> None:
    history, _ = after_plan_limit(start())
    history, months = after_plan_limit(history)
    assert 12 == len(months)

    history, months = after_plan_limit(history)

    assert (12, [2025, 2024]) == (len(months), years(history))


def test_a_refusal_goes_on_with_the_next_year() -> None:
    assert [2026, 2025, 2024] == years(after_refusal(start()))


def test_reading_everything_again_goes_as_deep_as_the_first_time() -> None:
    history = start()
    while history.queue:
        history = read_head(history, 0 if history.queue[0].first.year < 2023 else 1)

    again = restart(history, TODAY)

    assert ([2027, 2026, 2025, 2024, 2023, 2022], 0) == (years(again), again.done)
    while again.queue:
        again = read_head(again, 0 if again.queue[0].first.year < 2023 else 1)
    assert 6 == again.done


def test_when_a_year_begins_the_next_one_is_added() -> None:
    history = extend(start(), date(2027, 1, 1))

    assert [2028, 2027, 2026, 2025, 2024] == years(history)
    assert history == extend(history, date(2027, 6, 1))


def test_another_zone_compares_what_was_read_and_nothing_twice() -> None:
    history = rezone(read_head(read_head(start())), "Asia/Tokyo")

    assert sorted([2025, 2024, 2027, 2026]) == sorted(years(history))
    assert ["read", "read", "compare", "compare"] == [span.stage for span in history.queue]


def test_a_checked_month_is_no_year_left() -> None:
    history = replace(start(), queue=())

    checked = recheck(history, [(date(2026, 2, 14), False)])

    assert (0, date(2026, 2, 1), date(2026, 2, 28)) == (checked.left, checked.queue[0].first, checked.queue[0].last)


def test_years_below_an_empty_one_are_compared_a_few_at_a_time_down_to_the_first() -> None:
    history = start()
    while history.queue:
        history = read_head(history, 0)
    looked = []
    for _ in range(9):
        history = deepen(deepen(history))
        looked.append([span.first.year for span in history.queue])
        assert 0 == history.left
        while history.queue:
            history = after_totals(history, equal=True, empty=True)

    assert [[2022, 2021, 2020], [2019, 2018, 2017], [2016, 2015, 2014]] == looked[:3]
    assert [[2010, 2009, 2008], [2007, 2006], [], [], []] == looked[4:]
    assert 2023 == restart(history, TODAY).queue[-1].first.year


def test_a_year_that_holds_something_far_below_is_read_by_months_and_the_one_before_it_as_a_whole() -> None:
    history = start()
    while history.queue:
        history = read_head(history, 0)

    history = after_totals(deepen(history), equal=False, empty=False)

    assert [2022] * 12 + [2021, 2020] == years(history)
    assert 1 == history.left


@pytest.mark.parametrize("backfill_from", [date(2025, 3, 15), None])
def test_nothing_is_looked_for_below_a_wish_or_below_what_the_plan_shows(backfill_from: date | None) -> None:
    history = start(backfill_from=backfill_from)
    while history.queue:
        history = read_head(history) if backfill_from else after_plan_limit(history)[0]

    assert () == deepen(history).queue


def test_a_year_for_which_toggl_used_fewer_days_is_read_by_months() -> None:
    history = narrow(start())

    assert (12, {"read"}) == (len([s for s in history.queue if s.month]), {s.stage for s in history.queue})


events = st.lists(
    st.sampled_from(["page", "last", "equal", "differs", "empty", "limit", "refusal", "full"]), max_size=60
)


@given(events, st.sampled_from([None, date(2025, 12, 5)]))
def test_whatever_happens_a_history_ends_and_survives_being_saved(happenings: list[str], floor: date | None) -> None:
    history = start(backfill_from=floor)
    for what in happenings:
        head = history.head
        if what == "full":
            history = deepen(recheck(history, [(TODAY, False)]))
        elif head is None:
            break
        elif what == "limit":
            history, _months = after_plan_limit(history)
        elif what == "refusal":
            history = after_refusal(history)
        elif head.stage == "read":
            middle = head.first + (head.until - head.first) // 2
            history = after_page(history, rows=0 if what == "empty" else 5, oldest=middle, more=what == "page")
        else:
            history = after_totals(history, equal=what != "differs", empty=what == "empty")
        assert history == from_json(to_json(history))
        assert all(span.first <= span.until <= span.last for span in history.queue)
    for _ in range(2000):
        if history.head is None:
            break
        history = (
            read_head(history, 0) if history.head.stage == "read" else after_totals(history, equal=True, empty=True)
        )

    assert history.head is None


@given(st.dates(date(2006, 1, 1), date(2030, 1, 1)), st.integers(0, 900))
def test_months_cover_every_day_once(first: date, length: int) -> None:
    last = first + timedelta(days=length)

    days = [
        begin + timedelta(days=number)
        for begin, end in months_between(first, last)
        for number in range((end - begin).days + 1)
    ]

    assert sorted(days) == [first + timedelta(days=number) for number in range(length + 1)]


@given(
    st.dates(date(2006, 1, 2), date(2030, 1, 1)),
    st.sampled_from(["Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata", "Pacific/Apia", "Asia/Beirut"]),
)
def test_days_lie_end_to_end_in_every_zone(day: date, name: str) -> None:
    zone = ZoneInfo(name)
    begin, end = day_start(day, zone), day_start(day + timedelta(days=1), zone)

    if begin < end:
        assert day == day_of(begin, zone) == day_of(end - timedelta(seconds=1), zone)


@given(st.integers(0, 10**9))
def test_halves_make_the_whole(length: int) -> None:
    start_at = datetime(2026, 1, 1, tzinfo=UTC)
    end = start_at + timedelta(seconds=length)

    parts = halves((start_at, end))

    if parts is None:
        assert length <= 1
    else:
        assert (start_at, parts[0][1], end) == (parts[0][0], parts[1][0], parts[1][1])
        assert start_at < parts[0][1] < end
