from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from toggl_pulse.errors import BadRequest
from toggl_pulse.metrics.period import PERIODS, days_of, instant, span_of

ZONES = (
    "Europe/Berlin", "UTC", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo",
    "America/Havana", "America/Sao_Paulo", "Asia/Tehran", "Pacific/Kwajalein", "Pacific/Kiritimati", "Asia/Pyongyang",
)  # fmt: skip
days = st.dates(date(2006, 2, 1), date(2040, 12, 31))


def first_moment_of(day: date, zone: ZoneInfo) -> datetime:
    """Slow and obvious: walk minute by minute until the local calendar shows the day, or one behind it."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=27)
    while moment.astimezone(zone).date() < day:
        moment += timedelta(hours=3)
    # a clock that goes back over midnight shows the day for a minute, and again later: the first time counts
    moment -= timedelta(hours=6)
    while moment.astimezone(zone).date() < day:
        moment += timedelta(minutes=1)
    return moment


def named_days(period: str, today: date, week_start: int) -> list[date]:
    """Every day of the period, found by asking each day near today."""
    around = [today + timedelta(days=n) for n in range(-800, 801)]
    sundays_first = (today.weekday() + 1) % 7
    week = today - timedelta(days=(sundays_first - week_start) % 7)
    month = (today.year, today.month)
    before = (today.replace(day=1) - timedelta(days=1)).timetuple()[:2]
    belongs: dict[str, Callable[[date], bool]] = {
        "today": lambda day: day == today,
        "yesterday": lambda day: (today - day).days == 1,
        "this-week": lambda day: 0 <= (day - week).days < 7,
        "last-week": lambda day: -7 <= (day - week).days < 0,
        "this-month": lambda day: (day.year, day.month) == month,
        "last-month": lambda day: (day.year, day.month) == before,
        "this-year": lambda day: day.year == today.year,
        "last-year": lambda day: day.year == today.year - 1,
        "last-30-days": lambda day: 0 <= (today - day).days < 30,
    }
    return [day for day in around if belongs[period](day)]


@given(
    period=st.sampled_from([period for period in PERIODS if period != "all"]),
    today=days,
    zone=st.sampled_from(ZONES),
    week_start=st.integers(0, 6),
)
@example(period="yesterday", today=date(2011, 12, 31), zone="Pacific/Apia", week_start=1)  # a day that never was
@example(period="today", today=date(2018, 11, 4), zone="America/Sao_Paulo", week_start=0)  # begins at one o'clock
@example(period="today", today=date(2018, 2, 18), zone="America/Sao_Paulo", week_start=0)  # after a repeated hour
@example(period="today", today=date(2011, 11, 6), zone="America/St_Johns", week_start=0)  # back at 00:01
@example(period="today", today=date(2011, 3, 13), zone="America/St_Johns", week_start=0)
def test_a_period_is_its_days_from_the_first_moment_to_the_first_one_behind(
    period: str, today: date, zone: str, week_start: int
) -> None:
    found = named_days(period, today, week_start)
    place = ZoneInfo(zone)

    expected = (first_moment_of(found[0], place), first_moment_of(found[-1] + timedelta(days=1), place))

    assert expected == span_of(period, today, place, week_start)


def test_all_is_everything_that_can_be_asked_for() -> None:
    assert (datetime(2006, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)) == span_of(
        "all", date(2026, 11, 23), ZoneInfo("UTC"), 1
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-01", "2026-10-31T23:00:00+00:00"),
        ("20261101", "2026-10-31T23:00:00+00:00"),
        ("2026-11-01T08:30", "2026-11-01T07:30:00+00:00"),
        ("2026-11-01 08:30", "2026-11-01T07:30:00+00:00"),
        ("2026-11-01T08:30Z", "2026-11-01T08:30:00+00:00"),
        ("2026-11-01T08:30:15-05:00", "2026-11-01T13:30:15+00:00"),
        ("2026-10-25T02:30", "2026-10-25T00:30:00+00:00"),  # twice that day: the first one
    ],
)
def test_a_date_is_where_that_day_begins_and_a_time_is_local_unless_it_says_its_zone(text: str, expected: str) -> None:
    assert expected == instant(text, ZoneInfo("Europe/Berlin")).isoformat()


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "2026-11-31", "01.11.2026", "1795000000000", "x" * 99])
def test_what_is_no_date_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadRequest, match=r"is no date or time: write 2026-11-01 or 2026-11-01T08:30\.$") as caught:
        instant(text, ZoneInfo("UTC"))

    assert len(caught.value.message) < 150


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize(
    "text", ["0001-01-01", "0001-01-01T00:00", "2005-12-31", "2101-01-02", "9999-12-31", "9999-12-31T23:59"]
)
def test_what_lies_beyond_what_can_be_asked_for_is_refused(text: str, zone: str) -> None:
    with pytest.raises(BadRequest, match=rf"^“{text}” lies outside of what can be asked for: 2006 to 2100\.$"):
        instant(text, ZoneInfo(zone))


@pytest.mark.parametrize("number", [1, 7, 90])
def test_any_number_of_last_days_ends_with_today(number: int) -> None:
    today = date(2026, 11, 23)

    assert (today - timedelta(days=number - 1), today + timedelta(days=1)) == days_of(f"last-{number}-days", today, 1)


def test_last_days_reach_back_no_further_than_what_can_be_asked_for() -> None:
    assert (date(2006, 1, 1), date(2026, 11, 24)) == days_of("last-9999-days", date(2026, 11, 23), 1)


@pytest.mark.parametrize("period", ["last-0-days", "last-10000-days", "last--1-days", "last-٣-days", "last-days"])
def test_a_number_of_last_days_that_is_none_is_refused(period: str) -> None:
    with pytest.raises(BadRequest, match="There is no period"):
        days_of(period, date(2026, 11, 23), 1)


def test_an_unknown_period_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadRequest, match=r"There is no period “never”: use one of today, yesterday, .*, all\."):
        span_of("never", date(2026, 11, 23), ZoneInfo("UTC"), 1)
