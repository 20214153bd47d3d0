"""Which days a year's calendar shows, and where each stands."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toggl_pulse.web.year import Year, days_shown

TODAY = date(2026, 11, 23)
days = st.dates(date(2006, 1, 1), date(2100, 12, 31))


@given(first=days, length=st.integers(0, 400), week_start=st.integers(0, 6))
def test_every_day_stands_once_in_its_weekday_s_row_and_after_those_before(
    first: date, length: int, week_start: int
) -> None:
    year = Year(first, min(first + timedelta(days=length), date(2100, 12, 31)), week_start)

    rows = year.rows
    assert [(week_start + number) % 7 for number in range(7)] == [weekday for weekday, _ in rows]
    assert all(day.isoweekday() % 7 == weekday for weekday, row in rows for day in row if day)
    by_column = [day for column in zip(*(row for _, row in rows), strict=True) for day in column if day]
    assert [year.first + timedelta(days=number) for number in range((year.last - year.first).days + 1)] == by_column
    assert len(rows[0][1]) == sum(weeks for _, weeks in year.months)


@given(first=days, length=st.integers(0, 4000), today=days, week_start=st.integers(0, 6))
def test_never_more_than_a_year_is_shown_and_its_end_is_the_range_s_or_today(
    first: date, length: int, today: date, week_start: int
) -> None:
    last = min(first + timedelta(days=length), date(2100, 12, 31))

    begin, end = days_shown(first, last, today, week_start)

    assert date(2006, 1, 1) <= begin <= end
    assert (end - begin).days < 371
    assert end in {last, today}
    assert end <= last


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        (date(2026, 1, 1), date(2026, 12, 31), (date(2026, 1, 1), date(2026, 12, 31))),
        (date(2026, 10, 25), TODAY, (date(2025, 12, 1), TODAY)),
        (date(2026, 11, 1), date(2026, 11, 30), (date(2025, 12, 1), TODAY)),
        (date(2024, 1, 1), date(2026, 6, 30), (date(2025, 7, 7), date(2026, 6, 30))),
        (date(2027, 1, 1), date(2027, 1, 31), (date(2026, 2, 2), date(2027, 1, 31))),
    ],
)
def test_a_range_of_about_a_year_is_shown_as_it_is_and_any_other_by_the_year_before_its_end(
    first: date, last: date, shown: tuple[date, date]
) -> None:
    assert shown == days_shown(first, last, TODAY, 1)
