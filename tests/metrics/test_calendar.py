from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics import reference
from metrics.reference import Question, utc
from metrics.scenes import LONGEST_DAYS, MOMENTS, QUICK
from toggl_pulse.errors import BadRequest
from toggl_pulse.metrics import calendar
from toggl_pulse.metrics.calendar import INTERVALS, MAX_POINTS, Steps, choose_interval, day_of_week_and_hour, steps

BERLIN = ZoneInfo("Europe/Berlin")
UTC = ZoneInfo("UTC")
HOUR_MS, DAY_MS = 3_600_000, 86_400_000


def local(zone: str, *moment: int) -> int:
    """Epoch milliseconds of a local clock reading."""
    return int(datetime(*moment, tzinfo=ZoneInfo(zone)).timestamp() * 1000)  # type: ignore[misc, arg-type]


def hours(found: Steps) -> list[float]:
    return [length / 3600 for length in np.diff(found.borders).tolist()]


def starts(found: Steps, zone: str) -> list[str]:
    return [
        datetime.fromtimestamp(at // 1000, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M") for at in found.times_ms.tolist()
    ]


@pytest.mark.parametrize("interval", [*INTERVALS, "range"])
@pytest.mark.parametrize(("zone", "moment"), [(zone, each) for zone, of_zone in MOMENTS.items() for each in of_zone])
def test_steps_around_every_moment_of_interest_equal_the_reference(zone: str, moment: int, interval: str) -> None:
    reach = LONGEST_DAYS[interval] * DAY_MS // 2
    q = Question("", moment * 1000 - reach - 1, moment * 1000 + reach + 1, ZoneInfo(zone), interval)

    found = steps(q.start_ms, q.end_ms, interval, ZoneInfo(zone))

    assert [low for low, _ in reference.steps(q)] == found.times_ms.tolist()


@settings(QUICK)
@given(
    zone=st.sampled_from(sorted(MOMENTS)),
    start=st.datetimes(datetime(2006, 1, 1), datetime(2100, 1, 1)),  # noqa: DTZ001 - naive, as hypothesis wants it
    length=st.timedeltas(timedelta(0), timedelta(days=800)),
    interval=st.sampled_from(["day", "week", "month", "quarter", "year"]),
    week_start=st.integers(0, 6),
)
def test_steps_cover_the_range_without_hole_and_each_begins_in_a_period_of_its_own(
    zone: str, start: datetime, length: timedelta, interval: str, week_start: int
) -> None:
    where = ZoneInfo(zone)
    start_ms = int(start.replace(tzinfo=where).timestamp() * 1000)
    end_ms = start_ms + length // timedelta(milliseconds=1)

    found = steps(start_ms, end_ms, interval, where, week_start)

    assert found.borders[0] * 1000 <= start_ms < found.borders[1] * 1000
    assert found.borders[-2] * 1000 < max(end_ms, start_ms + 1) <= found.borders[-1] * 1000
    assert (np.diff(found.borders) > 0).all()
    period = reference.period_of(interval, week_start)
    for low, high in pairwise(found.borders.tolist()):
        assert period(reference.clock(low * 1000 - 1000, where)) != period(reference.clock(low * 1000, where))
        assert period(reference.clock(low * 1000, where)) == period(reference.clock(high * 1000 - 1000, where))


def test_a_day_has_23_hours_when_the_clock_goes_forward_and_25_when_it_goes_back() -> None:
    spring = steps(local("Europe/Berlin", 2026, 3, 28), local("Europe/Berlin", 2026, 3, 31), "day", BERLIN)
    autumn = steps(local("Europe/Berlin", 2026, 10, 24), local("Europe/Berlin", 2026, 10, 27), "day", BERLIN)

    assert [24, 23, 24] == hours(spring)
    assert [24, 25, 24] == hours(autumn)


def test_lord_howe_moves_its_clock_by_half_an_hour() -> None:
    zone = "Australia/Lord_Howe"

    back = steps(local(zone, 2026, 4, 5), local(zone, 2026, 4, 6), "day", ZoneInfo(zone))
    forward = steps(local(zone, 2026, 10, 4), local(zone, 2026, 10, 5), "day", ZoneInfo(zone))

    assert ([24.5], [23.5]) == (hours(back), hours(forward))


def test_a_day_whose_midnight_is_skipped_begins_at_one() -> None:
    zone = "America/Santiago"

    found = steps(local(zone, 2026, 9, 5), local(zone, 2026, 9, 8), "day", ZoneInfo(zone))

    assert ["2026-09-05 00:00", "2026-09-06 01:00", "2026-09-07 00:00"] == starts(found, zone)
    assert [24, 23, 24] == hours(found)


def test_a_day_that_was_skipped_has_no_step() -> None:
    zone = "Pacific/Apia"

    found = steps(local(zone, 2011, 12, 29), local(zone, 2012, 1, 1), "day", ZoneInfo(zone))

    assert ["2011-12-29 00:00", "2011-12-31 00:00"] == starts(found, zone)


def test_a_day_begins_at_its_first_instant_where_the_clock_goes_back_over_midnight() -> None:
    zone = "America/St_Johns"  # until 2011 the clock went back at one minute past midnight

    found = steps(utc(2010, 11, 6, 12) * 1000, utc(2010, 11, 8, 12) * 1000, "day", ZoneInfo(zone))

    assert [utc(2010, 11, 6, 2, 30), utc(2010, 11, 7, 2, 30), utc(2010, 11, 8, 3, 30)] == found.borders[:3].tolist()
    assert [24, 25, 24] == hours(found)


@pytest.mark.parametrize("week_start", range(7))
def test_weeks_begin_on_the_users_first_weekday(week_start: int) -> None:
    found = steps(local("Europe/Berlin", 2026, 1, 1), local("Europe/Berlin", 2026, 12, 31), "week", BERLIN, week_start)

    days = {datetime.fromtimestamp(at, BERLIN).isoweekday() % 7 for at in found.borders.tolist()}
    assert {week_start} == days
    assert {7 * 24 - 1, 7 * 24, 7 * 24 + 1} == set(hours(found))


def test_hours_are_the_clocks_own_where_offsets_are_no_whole_hours() -> None:
    found = steps(utc(2026, 6, 1, 0, 10) * 1000, utc(2026, 6, 1, 2) * 1000, "hour", ZoneInfo("Asia/Kolkata"))

    assert ["2026-06-01 05:00", "2026-06-01 06:00", "2026-06-01 07:00"] == starts(found, "Asia/Kolkata")


def test_kathmandu_is_a_quarter_of_an_hour_off() -> None:
    found = steps(utc(2026, 6, 1) * 1000, utc(2026, 6, 2) * 1000, "day", ZoneInfo("Asia/Kathmandu"))

    assert ["2026-06-01 00:00", "2026-06-02 00:00"] == starts(found, "Asia/Kathmandu")
    assert [utc(2026, 5, 31, 18, 15), utc(2026, 6, 1, 18, 15)] == found.borders[:2].tolist()


def test_an_hour_that_the_clock_shows_twice_is_two_steps() -> None:
    found = steps(utc(2026, 10, 24, 23) * 1000, utc(2026, 10, 25, 3) * 1000, "hour", BERLIN)

    assert ["2026-10-25 01:00", "2026-10-25 02:00", "2026-10-25 02:00", "2026-10-25 03:00"] == starts(
        found, "Europe/Berlin"
    )


def test_an_hour_of_half_an_hour_where_the_clock_moves_by_half_an_hour() -> None:
    zone = "Australia/Lord_Howe"

    found = steps(utc(2026, 4, 4, 14) * 1000, utc(2026, 4, 4, 16) * 1000, "hour", ZoneInfo(zone))

    assert ["2026-04-05 01:00", "2026-04-05 01:30", "2026-04-05 02:00"] == starts(found, zone)
    assert [1, 0.5, 1] == hours(found)


def test_quarters_begin_in_january_april_july_and_october() -> None:
    found = steps(local("Europe/Berlin", 2026, 2, 14), local("Europe/Berlin", 2027, 1, 1), "quarter", BERLIN)

    assert ["2026-01-01 00:00", "2026-04-01 00:00", "2026-07-01 00:00", "2026-10-01 00:00"] == starts(
        found, "Europe/Berlin"
    )


def test_a_range_is_one_step_that_begins_to_the_millisecond_where_it_begins() -> None:
    found = steps(1_700_000_000_123, 1_700_000_009_999, "range", BERLIN)

    assert [1_700_000_000_123] == found.times_ms.tolist()


@pytest.mark.parametrize("interval", [*INTERVALS, "range"])
def test_an_empty_range_has_one_step(interval: str) -> None:
    moment = local("Europe/Berlin", 2026, 6, 1)

    assert len(steps(moment, moment, interval, BERLIN)) == 1
    assert len(steps(moment + 1, moment + 1, interval, BERLIN)) == 1


def test_a_range_that_ends_on_a_border_has_no_step_behind_it() -> None:
    found = steps(local("Europe/Berlin", 2026, 6, 1), local("Europe/Berlin", 2026, 6, 3), "day", BERLIN)

    assert len(found) == 2
    assert len(steps(local("Europe/Berlin", 2026, 6, 1), local("Europe/Berlin", 2026, 6, 3) + 1, "day", BERLIN)) == 3


def test_more_than_100_000_steps_are_refused_with_a_sentence() -> None:
    begin = utc(2010, 1, 1) * 1000

    assert len(steps(begin, begin + MAX_POINTS * HOUR_MS, "hour", UTC)) == MAX_POINTS
    for hours_more in (1, 10**6):
        with pytest.raises(BadRequest, match=r"more than 100,000 steps of one hour") as refused:
            steps(begin, begin + (MAX_POINTS + hours_more) * HOUR_MS, "hour", UTC)
        assert refused.value.code == "too_many_points"


@pytest.mark.parametrize(
    ("days", "interval_ms", "max_points", "expected"),
    [
        (1, 0, 100, "hour"),
        (1, HOUR_MS, 24, "hour"),
        (1, HOUR_MS, 23, "day"),
        (1, HOUR_MS + 1, 1000, "day"),
        (30, DAY_MS, 1000, "day"),
        (30, DAY_MS + 1, 1000, "week"),
        (364, 0, 60, "week"),
        (364, 0, 30, "month"),
        (364, 30 * DAY_MS, 1000, "month"),
        (364, 30 * DAY_MS + 1, 1000, "quarter"),
        (364, 0, 3, "year"),
        (800, 0, 2, "range"),
        (364, 366 * DAY_MS, 1000, "range"),
    ],
)
def test_auto_is_the_smallest_interval_that_is_long_enough_and_keeps_to_the_points(
    days: int, interval_ms: int, max_points: int, expected: str
) -> None:
    begin = utc(2026, 1, 1) * 1000

    found = choose_interval(begin, begin + days * DAY_MS, UTC, 1, interval_ms, max_points)

    assert expected == found.interval
    assert len(found) <= max_points


def test_weekday_and_hour_are_those_of_the_local_clock() -> None:
    sunday_in_kolkata = np.array([utc(2026, 6, 6, 18, 29), utc(2026, 6, 6, 18, 30)], np.int64)

    weekday, hour = day_of_week_and_hour(sunday_in_kolkata, ZoneInfo("Asia/Kolkata"))

    assert ([6, 0], [23, 0]) == (weekday.tolist(), hour.tolist())
    assert date(2026, 6, 7).isoweekday() == 7


@settings(QUICK)
@given(st.sampled_from(sorted(MOMENTS)), st.lists(st.integers(utc(2006, 1, 1), utc(2100, 1, 1)), max_size=5))
def test_weekday_and_hour_of_any_moments(zone: str, moments: list[int]) -> None:
    weekday, hour = day_of_week_and_hour(np.array(moments, np.int64), ZoneInfo(zone))

    clocks = [datetime.fromtimestamp(moment, ZoneInfo(zone)) for moment in moments]
    assert [(each.isoweekday() % 7, each.hour) for each in clocks] == list(
        zip(weekday.tolist(), hour.tolist(), strict=True)
    )


@pytest.mark.long
def test_no_clock_goes_back_by_more_than_the_time_since_it_last_changed() -> None:
    for name in sorted(available_timezones()):
        offsets = calendar.offsets_of(ZoneInfo(name), utc(2006, 1, 1), utc(2101, 1, 1))

        assert (np.diff(offsets.since[1:] + offsets.offset) > 0).all(), name
