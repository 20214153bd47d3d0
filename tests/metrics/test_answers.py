from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from metrics.reference import utc
from metrics.scenes import NAMES, NOW, answers_of, ask_range, small_limits
from metrics.sources import MemorySource, Row
from toggl_pulse.errors import BadRequest
from toggl_pulse.metrics import METRICS, Answer, Answers, Contact, EntryRow, Query, day_edges, entry_lists
from toggl_pulse.metrics import rows as shown_rows
from toggl_pulse.model import epoch, from_epoch

AT = utc(2026, 6, 1, 9)
NOW_S = epoch(NOW)
BERLIN = ZoneInfo("Europe/Berlin")


def answer(rows: list[Row], query: Query, **moments: Any) -> Answer:
    return answers_of(MemorySource.of(rows, NAMES), **moments).answer(query)


def value(rows: list[Row], metric: str, query: Query, **moments: Any) -> float:
    ((only,),) = (series.values.tolist() for series in answer(rows, replace(query, metric=metric), **moments).series)
    return float(only)


def today(**more: Any) -> Query:
    return ask_range(NOW_S - 43_200, days=3, **more)


# --- running entries ------------------------------------------------------------------------------------------


def test_a_running_entry_counts_up_to_now_while_contact_is_fresh() -> None:
    running = [Row(1, NOW_S - 3600, None)]
    found = answer(running, today(), last=NOW - timedelta(minutes=20))

    assert 1.0 == found.series[0].values[0]
    assert found.running_flagged
    assert ("A running entry counts up to now.",) == found.notes


def test_a_running_entry_counts_up_to_the_last_contact_once_that_is_stale() -> None:
    running = [Row(1, NOW_S - 7200, None)]
    found = answer(running, today(), last=NOW - timedelta(minutes=60))

    assert 1.0 == found.series[0].values[0]
    assert found.running_flagged
    assert ("A running entry counts up to the last contact with Toggl, 2026-11-23 11:00 UTC.",) == found.notes


def test_contact_is_stale_a_moment_after_its_time() -> None:
    running = [Row(1, NOW_S - 7200, None)]
    late = NOW - timedelta(minutes=20, microseconds=1)

    assert 2.0 - 20 / 60 == pytest.approx(value(running, "tracked_hours", today(), last=late), abs=2e-3)
    assert 2.0 == value(running, "tracked_hours", today(), last=NOW - timedelta(minutes=20))


def test_a_running_entry_that_starts_ahead_or_after_the_last_contact_counts_nothing_yet() -> None:
    for start in (NOW_S + 3600, NOW_S - 60):
        for attribution in ("start", "split"):
            query = today(attribution=attribution)
            rows = [Row(1, start, None)]
            assert 0.0 == value(rows, "tracked_hours", query, last=NOW - timedelta(hours=1))
            assert 1.0 == value(rows, "entry_count", query, last=NOW - timedelta(hours=1))


def test_a_running_entry_counts_nothing_before_toggl_was_ever_reached() -> None:
    answers = Answers(
        MemorySource.of([Row(1, NOW_S - 60, None)]),
        clock=lambda: NOW,
        contact=lambda: Contact(None, timedelta(minutes=20)),
    )

    found = answers.answer(today())

    assert ([0.0], True) == (found.series[0].values.tolist(), found.running_flagged)
    assert ("A running entry counts nothing yet: Toggl has not been reached so far.",) == found.notes


def test_nothing_is_flagged_where_no_running_entry_counts() -> None:
    running = Row(1, NOW_S - 60, None)
    calm = answer([running], ask_range(AT))
    points = answer([running], today(metric="toggl_time_entry"))

    assert (False, ()) == (calm.running_flagged, calm.notes)
    assert (False, ()) == (points.running_flagged, points.notes)


def test_running_hours_are_those_of_running_entries_only() -> None:
    rows = [Row(1, NOW_S - 3600, None), Row(2, NOW_S - 7200, NOW_S)]

    assert 1.0 == value(rows, "running_hours", today())
    assert 3.0 == value(rows, "tracked_hours", today())


def test_a_running_entry_is_cut_at_midnight_by_split() -> None:
    midnight = utc(2026, 11, 23)
    query = ask_range(midnight - 86_400, days=2, interval="day", attribution="split")

    found = answer([Row(1, midnight - 3600, None)], query).series[0].values

    assert [1.0, (NOW_S - midnight) / 3600] == found.tolist()


# --- values ---------------------------------------------------------------------------------------------------


def test_start_uses_toggls_duration_and_split_the_interval_where_they_differ() -> None:
    old = [Row(1, AT, AT + 3600, seconds=7200)]

    assert 2.0 == value(old, "tracked_hours", ask_range(AT))
    assert 1.0 == value(old, "tracked_hours", ask_range(AT, attribution="split"))
    assert 2.0 == value(old, "longest_entry_hours", ask_range(AT, attribution="split"))


def test_a_range_takes_what_starts_in_it_and_not_what_starts_where_it_ends() -> None:
    rows = [
        Row(1, AT - 1, AT + 100),
        Row(2, AT, AT + 100),
        Row(3, AT + 86_399, AT + 86_400),
        Row(4, AT + 86_400, AT + 90_000),
    ]

    assert 2.0 == value(rows, "entry_count", ask_range(AT))
    assert 101.0 == pytest.approx(3600 * value(rows, "tracked_hours", ask_range(AT)))
    assert 201.0 == pytest.approx(3600 * value(rows, "tracked_hours", ask_range(AT, attribution="split")))


def test_what_ends_where_the_range_begins_is_not_in_it_and_a_second_later_it_is() -> None:
    for begin, found in ((NOW_S, []), (NOW_S - 1, ["Ann"])):
        query = ask_range(begin, attribution="split", group_by="user")
        for stop in (NOW_S, None):  # a running entry counts up to now
            series = answer([Row(1, NOW_S - 60, stop)], query).series
            assert found == [each.label for each in series]
            assert len(found) == len(list(answers_of(MemorySource.of([Row(1, NOW_S - 60, stop)])).entries(query)))


def test_a_range_is_exact_to_the_millisecond() -> None:
    rows = [Row(1, AT, AT + 10)]
    query = ask_range(AT)

    late = replace(query, start_ms=AT * 1000 + 1)
    assert 0.0 == value(rows, "tracked_hours", late)
    assert 9.999 == pytest.approx(3600 * value(rows, "tracked_hours", replace(late, attribution="split")))
    soon = replace(query, end_ms=AT * 1000 + 1)
    assert 10.0 == pytest.approx(3600 * value(rows, "tracked_hours", soon))
    assert 0.001 == pytest.approx(3600 * value(rows, "tracked_hours", replace(soon, attribution="split")))


def test_a_finished_entry_that_lies_ahead_counts() -> None:
    ahead = [Row(1, NOW_S + 86_400, NOW_S + 90_000)]

    assert 1.0 == value(ahead, "tracked_hours", today())
    assert 1.0 == value(ahead, "tracked_hours", today(attribution="split"))


def test_an_entry_of_no_length_is_counted_and_shown_as_a_group_of_no_time() -> None:
    rows = [Row(1, AT, AT, project=13)]
    found = answer(rows, ask_range(AT, group_by="project"))

    assert [(13, [0.0])] == [(series.key, series.values.tolist()) for series in found.series]
    assert 1.0 == value(rows, "entry_count", ask_range(AT))
    assert 0.0 == value(rows, "average_entry_hours", ask_range(AT))


def test_overlapping_entries_count_twice() -> None:
    rows = [Row(1, AT, AT + 3600), Row(2, AT + 1800, AT + 5400)]

    assert 2.0 == value(rows, "tracked_hours", ask_range(AT))


def test_steps_without_time_are_0_for_sums_and_nothing_for_averages_and_shares() -> None:
    rows = [Row(1, AT, AT + 3600, billable=True)]
    expected = {
        "tracked_hours": [1.0, 0.0],
        "billable_hours": [1.0, 0.0],
        "entry_count": [1.0, 0.0],
        "active_days": [1.0, 0.0],
        "running_hours": [0.0, 0.0],
        "billable_share": [1.0, None],
        "average_entry_hours": [1.0, None],
        "longest_entry_hours": [1.0, None],
        "wall_clock_hours": [1.0, 0.0],
        "overlap_hours": [0.0, 0.0],
        "evening_hours": [0.0, 0.0],
        "weekend_hours": [0.0, 0.0],
        "days_off": [0.0, 1.0],
        "first_start": [9.0, None],
        "last_stop": [10.0, None],
    }

    for metric, values in expected.items():
        (series,) = answer(rows, ask_range(AT - 9 * 3600, metric=metric, days=2, interval="day")).series
        assert values == [None if math.isnan(each) else each for each in series.values.tolist()], metric


def test_the_longest_of_a_group_is_the_longest_of_its_parts_and_not_their_sum() -> None:
    rows = [Row(1, AT, AT + 3600, project=11), Row(2, AT, AT + 7200, project=14), Row(3, AT, AT + 10_800, project=12)]

    clients = answer(rows, ask_range(AT, metric="longest_entry_hours", group_by="client")).series
    rest = answer(rows, ask_range(AT, metric="longest_entry_hours", group_by="project", limit=1)).series

    assert {7: 2.0, 9: 3.0} == {each.key: each.values[0] for each in clients}
    assert [3.0, 2.0] == [each.values[0] for each in rest]


def test_billable_share_is_a_part_of_the_time_not_of_the_entries() -> None:
    rows = [Row(1, AT, AT + 3600, billable=True), Row(2, AT, AT + 2 * 3600), Row(3, AT, AT + 3600)]

    assert 0.25 == value(rows, "billable_share", ask_range(AT))


def test_a_day_is_active_from_one_minute_of_wall_clock_time_on() -> None:
    def days(*rows: Row) -> float:
        return value(list(rows), "active_days", ask_range(AT))

    assert 0.0 == days(Row(1, AT, AT + 59))
    assert 1.0 == days(Row(1, AT, AT + 60))
    assert 0.0 == days(Row(1, AT, AT + 40), Row(2, AT + 15, AT + 55))
    assert 1.0 == days(Row(1, AT, AT + 40), Row(2, AT + 15, AT + 55), Row(3, AT + 100, AT + 105))
    assert 1.0 == days(Row(1, AT, AT + 40), Row(2, AT, AT + 40, user=2))


def test_active_days_of_thousands_of_people_and_texts_over_all_years() -> None:
    rows = [Row(n, AT, AT + 3600, user=n, description=str(n)) for n in range(1, 2_200)]
    rows += [Row(5_000, AT, AT + 40, user=5_000), Row(5_001, AT + 15, AT + 55, user=5_000)]
    century = ask_range(utc(2006, 1, 1), metric="active_days", days=34_000, group_by="description")

    found = {series.key: series.values.tolist() for series in answer(rows, century).series}

    assert [0.0] == found.pop("")
    assert 2_199 == sum(days == [1.0] for days in found.values())


def test_an_answer_says_which_attribution_and_interval_it_used() -> None:
    count = answer([], ask_range(AT, metric="entry_count", attribution="split", interval="auto"))
    hours = answer([], ask_range(AT, attribution="split", interval="auto", max_points=10))

    assert ("start", "hour", "entries") == (count.attribution, count.interval, count.unit)
    assert ("split", "day", "hours") == (hours.attribution, hours.interval, hours.unit)


def test_an_empty_account_has_one_series_of_zeros_and_no_groups() -> None:
    assert [0.0] == answer([], ask_range(AT)).series[0].values.tolist()
    assert () == answer([], ask_range(AT, group_by="tag")).series
    assert () == answer([], ask_range(AT, metric="toggl_time_entry", group_by="tag")).series


def test_grouping_by_tag_says_that_entries_count_under_each() -> None:
    (note,) = answer([], ask_range(AT, group_by="tag")).notes

    assert "each of them" in note


def test_a_datapoints_time_is_the_start_of_its_step_in_the_zone() -> None:
    query = ask_range(utc(2026, 3, 28, 12), days=2, interval="day", zone=BERLIN)

    (series,) = answer([], query).series

    assert [utc(2026, 3, 27, 23), utc(2026, 3, 28, 23), utc(2026, 3, 29, 22)] == [
        at // 1000 for at in series.times_ms.tolist()
    ]


def test_sums_are_exact_over_a_day_of_25_hours() -> None:
    night = [Row(1, utc(2026, 10, 24, 22), utc(2026, 10, 25, 23))]

    (series,) = answer(
        night, ask_range(utc(2026, 10, 24, 22), days=2, interval="day", zone=BERLIN, attribution="split")
    ).series

    assert 25.0 == series.values[0]


def test_a_day_begins_with_its_first_start_and_ends_with_its_last_stop() -> None:
    midnight = utc(2026, 5, 31, 22)
    rows = [
        Row(1, midnight + 9 * 3600, midnight + 12 * 3600),
        Row(2, midnight + 8 * 3600 + 1800, midnight + 8 * 3600 + 2700),
        Row(3, midnight + 11 * 3600, midnight + 17 * 3600 + 900),
        Row(4, midnight + (48 + 22) * 3600, midnight + (72 + 1) * 3600),  # over midnight
        Row(5, midnight + 100 * 3600, midnight + 100 * 3600),  # of no length
    ]
    query = ask_range(midnight, days=5, interval="day", zone=BERLIN)

    edges = [answer(rows, replace(query, metric=metric)).series[0].values for metric in ("first_start", "last_stop")]

    assert [(8.5, 17.25), None, (22.0, 24.0), (0.0, 1.0), None] == [
        None if math.isnan(first) else (first, last) for first, last in zip(*edges, strict=True)
    ]


def test_first_starts_of_several_days_are_their_median() -> None:
    midnight = utc(2026, 5, 31, 22)
    hours = (8, 9, 13, 7)
    rows = [
        Row(day, midnight + (24 * day + hour) * 3600, midnight + (24 * day + 14) * 3600)
        for day, hour in enumerate(hours)
    ]

    assert 8.5 == value(rows, "first_start", ask_range(midnight, days=4, zone=BERLIN))
    assert 9.0 == value(rows, "first_start", ask_range(midnight, days=3, zone=BERLIN))
    assert 14.0 == value(rows, "last_stop", ask_range(midnight, days=4, zone=BERLIN))


def test_first_starts_are_those_of_the_clock_also_on_a_day_on_which_it_changes() -> None:
    for midnight in (utc(2026, 3, 28, 23), utc(2026, 10, 24, 22)):
        rows = [
            Row(
                1,
                int(datetime.fromtimestamp(midnight + 80_000, BERLIN).replace(hour=9, minute=0, second=0).timestamp()),
                midnight + 80_000,
            )
        ]
        (found,) = answer(rows, ask_range(midnight, metric="first_start", interval="day", zone=BERLIN)).series

        assert 9.0 == pytest.approx(found.values[0], abs=0.3)


def test_medians_of_too_many_days_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(day_edges, "MOST_DAYS", 3)
    rows = [Row(number, AT + 86_400 * number, AT + 86_400 * number + 60) for number in range(4)]

    assert 9.0 == value(rows[:3], "first_start", ask_range(AT, days=9))
    with pytest.raises(BadRequest) as refused:
        value(rows, "first_start", ask_range(AT, days=9))
    assert "too_many_points" == refused.value.code


def test_wall_clock_time_counts_overlaps_once_and_each_person_apart() -> None:
    rows = [
        Row(1, AT, AT + 7200, project=11),
        Row(2, AT + 3600, AT + 3 * 3600, project=11),
        Row(3, AT + 1800, AT + 5400, project=13),
        Row(4, AT, AT + 3600, user=2),
    ]

    assert (4.0, 2.0) == (
        value(rows, "wall_clock_hours", ask_range(AT)),
        value(rows, "overlap_hours", ask_range(AT)),
    )
    found = answer(rows, ask_range(AT, metric="overlap_hours", group_by="project")).series
    assert {11: 1.0, 13: 0.0, None: 0.0} == {each.key: each.values[0] for each in found}


def test_an_overlap_is_cut_at_midnight_and_an_entry_within_two_others_is_twice_over() -> None:
    midnight = utc(2026, 6, 1)
    rows = [
        Row(1, midnight - 7200, midnight + 7200),
        Row(2, midnight - 3600, midnight + 3600),
        Row(3, midnight - 1800, midnight + 1800),
    ]

    (found,) = answer(rows, ask_range(midnight - 86_400, metric="overlap_hours", days=2, interval="day")).series

    assert [1.5, 1.5] == found.values.tolist()


@pytest.mark.parametrize("users", [[1], [1, 2], [2, 1]])
def test_a_long_entry_lies_under_many_wherever_a_block_of_the_work_ends(users: list[int]) -> None:
    rows = [Row(number, AT, AT + 20 * 3600, user=user) for number, user in enumerate(users, 1)]
    rows += [
        Row(10 + hour, AT + hour * 3600, AT + hour * 3600 + 60, user=users[hour % len(users)]) for hour in range(20)
    ]

    with small_limits():
        assert 20 == pytest.approx(60 * value(rows, "overlap_hours", ask_range(AT)))


FRIDAY = utc(2026, 6, 4, 22)  # midnight in Berlin


@pytest.mark.parametrize(
    ("start", "stop", "evening", "weekend"),
    [
        (9, 17, 0.0, 0.0),
        (17, 20, 1.0, 0.0),
        (22, 31, 8.0, 7.0),  # Friday night to Saturday, 7 o'clock
        (5, 7, 1.0, 0.0),
        (24 + 10, 24 + 12, 0.0, 2.0),
        (48 + 20, 72 + 8, 10.0, 4.0),  # Sunday evening to Monday, 8 o'clock
        (0, 7 * 24, 7 * 11.0, 48.0),
    ],
)
def test_evenings_and_weekends_are_those_of_the_local_clock(
    start: int, stop: int, evening: float, weekend: float
) -> None:
    rows = [Row(1, FRIDAY + start * 3600, FRIDAY + stop * 3600)]
    query = ask_range(FRIDAY, days=7, zone=BERLIN)

    assert (evening, weekend) == (value(rows, "evening_hours", query), value(rows, "weekend_hours", query))
    (by_day,) = answer(rows, replace(query, metric="evening_hours", interval="day")).series
    assert evening == by_day.values.sum()


def test_a_night_is_as_long_as_the_clock_makes_it() -> None:
    for evening, hours in ((utc(2026, 3, 28, 18), 10.0), (utc(2026, 10, 24, 17), 12.0)):
        rows = [Row(1, evening, evening + 14 * 3600)]

        assert hours == value(rows, "evening_hours", ask_range(evening - 3600, days=2, zone=BERLIN))


def test_only_groups_with_time_in_the_evening_are_shown_largest_first() -> None:
    rows = [
        Row(1, FRIDAY + 9 * 3600, FRIDAY + 17 * 3600, project=11),
        Row(2, FRIDAY + 17 * 3600, FRIDAY + 20 * 3600, project=12),
        Row(3, FRIDAY + 20 * 3600, FRIDAY + 22 * 3600, project=13),
        Row(4, FRIDAY + 20 * 3600, FRIDAY + 20 * 3600, project=14),
    ]

    found = answer(rows, ask_range(FRIDAY, metric="evening_hours", group_by="project", zone=BERLIN)).series

    assert [(13, [2.0]), (12, [1.0])] == [(each.key, each.values.tolist()) for each in found]


def test_a_day_is_off_when_it_is_over_and_had_less_than_a_minute() -> None:
    today = utc(2026, 11, 23)
    rows = [Row(1, today - 2 * 86_400, today - 2 * 86_400 + 60), Row(2, today - 4 * 86_400, today - 4 * 86_400 + 59)]
    query = ask_range(today - 5 * 86_400, metric="days_off", days=10, interval="day")

    assert [1, 1, 1, 0, 1, 0, 0, 0, 0, 0] == answer(rows, query).series[0].values.tolist()
    assert 4.0 == value(rows, "days_off", replace(query, interval="range"))


def test_what_nobody_has_asked_toggl_about_is_no_day_off() -> None:
    today = utc(2026, 11, 23)
    query = ask_range(today - 5 * 86_400, metric="days_off", days=10)
    never = Answers(MemorySource.of([]), clock=lambda: NOW, contact=lambda: Contact(None, timedelta(minutes=20)))

    assert 3.0 == value([], "days_off", query, last=NOW - timedelta(days=2))
    assert [0.0] == never.answer(query).series[0].values.tolist()


# --- limits ---------------------------------------------------------------------------------------------------


def test_limit_keeps_the_largest_and_folds_the_rest() -> None:
    rows = [Row(number, AT, AT + number * 3600, description=str(number)) for number in range(1, 6)]

    found = answer(rows, ask_range(AT, group_by="description", limit=2))

    assert [("5", 5.0), ("4", 4.0), ("(other)", 6.0)] == [(each.label, each.values[0]) for each in found.series]
    assert [False, False, True] == [each.other for each in found.series]


def test_a_limit_that_is_not_reached_folds_nothing() -> None:
    found = answer([Row(1, AT, AT + 1)], ask_range(AT, group_by="project", limit=1))

    assert ["(no project)"] == [each.label for each in found.series]


def test_too_many_points_are_refused_with_a_sentence() -> None:
    century = replace(ask_range(AT), end_ms=(AT + 80 * 366 * 86_400) * 1000, interval="hour")
    with pytest.raises(BadRequest, match="ask for a longer interval") as refused:
        answer([], century)
    assert "too_many_points" == refused.value.code


def test_too_many_groups_in_too_many_steps_are_refused() -> None:
    rows = [Row(number, AT, AT + 1, description=str(number)) for number in range(2_000)]
    query = ask_range(AT, days=365, interval="hour", group_by="description")
    with pytest.raises(BadRequest, match=r"2,000 groups in 8,7\d\d steps") as refused:
        answer(rows, query)

    assert "too_many_points" == refused.value.code
    assert 11 == len(answer(rows, replace(query, limit=10)).series)


def test_more_entries_than_a_series_may_have_points_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (shown_rows, entry_lists):
        monkeypatch.setattr(module, "MAX_POINTS", 2)
    rows = [Row(number, AT, AT + 1, project=11 + number % 2) for number in range(4)]

    assert 2 == len(answer(rows, ask_range(AT, metric="toggl_time_entry", group_by="project")).series)
    for metric in ("toggl_time_entry", "entries"):
        with pytest.raises(BadRequest) as refused:
            answer(rows, ask_range(AT, metric=metric))
        assert "too_many_points" == refused.value.code
    table = answer(rows, ask_range(AT, metric="entries", limit=3)).table
    assert table is not None
    assert 3 == len(table.rows)


def test_a_caller_can_stop_the_work_between_blocks() -> None:
    class TimeUpError(Exception):
        pass

    def stop() -> None:
        raise TimeUpError

    answers = answers_of(MemorySource.of([Row(1, AT, AT + 60)]))
    # what runs now, and a period in which nothing is, take no time
    for metric in METRICS.keys() - {"running_entries", "running_hours", "period_change"}:
        with pytest.raises(TimeUpError):
            answers.answer(ask_range(AT, metric=metric), check=stop)


# --- entries one by one ---------------------------------------------------------------------------------------

FULL = Row(
    2**40,
    AT,
    AT + 5400,
    seconds=5401,
    workspace=2,
    project=12,
    task=22,
    user=2,
    billable=True,
    tags=(31, 32),
    description="Kick-off",
)


def test_toggl_time_entry_is_each_finished_entrys_seconds_at_its_start() -> None:
    rows = [Row(3, AT + 50, AT + 60), Row(2, AT, AT + 1), Row(1, AT, AT), FULL, Row(5, AT, None)]

    (series,) = answer(rows, ask_range(AT, metric="toggl_time_entry")).series

    # by start, then by id
    assert [0.0, 1.0, 5401.0, 10.0] == series.values.tolist()
    assert [AT * 1000] * 3 + [(AT + 50) * 1000] == series.times_ms.tolist()


def test_toggl_time_entry_can_be_grouped_and_limited() -> None:
    rows = [Row(1, AT, AT + 5, project=11), Row(2, AT + 1, AT + 8, project=13), Row(3, AT, AT + 100)]

    found = answer(rows, ask_range(AT, metric="toggl_time_entry", group_by="project", limit=1)).series

    assert [("(no project)", [100.0]), ("(other)", [5.0, 7.0])] == [
        (each.label, each.values.tolist()) for each in found
    ]


def test_the_table_of_entries_has_the_newest_first_and_an_empty_cell_for_none() -> None:
    table = answer([FULL, Row(7, AT + 10, AT + 20)], ask_range(AT, metric="entries")).table

    assert table is not None
    assert (
        ("start", "time"),
        ("stop", "time"),
        ("hours", "number"),
        ("description", "string"),
        ("project", "string"),
        ("client", "string"),
        ("task", "string"),
        ("tags", "string"),
        ("billable", "string"),
        ("user", "string"),
        ("workspace", "string"),
        ("id", "string"),
    ) == table.columns
    assert (
        ((AT + 10) * 1000, (AT + 20) * 1000, 10 / 3600, "", "", "", "", "", "false", "Ann", "Home", "7"),
        (
            AT * 1000,
            (AT + 5400) * 1000,
            5401 / 3600,
            "Kick-off",
            "Site (Zoo)",
            "Zoo",
            "Draft (22)",
            "deep, call",
            "true",
            "Bob",
            "Work",
            str(2**40),
        ),
    ) == table.rows


def test_a_running_entry_has_no_stop_in_the_table_and_its_hours_so_far() -> None:
    table = answer([Row(1, NOW_S - 3600, None)], today(metric="entries")).table

    assert table is not None
    assert ((NOW_S - 3600) * 1000, None, 1.0) == table.rows[0][:3]


def test_a_running_entry_that_lies_ahead_is_exported_with_no_time_yet() -> None:
    (row,) = answers_of(MemorySource.of([Row(1, NOW_S + 60, None)])).entries(today())

    assert (None, 0) == (row.stop, row.seconds)


def test_the_export_has_ids_and_names_oldest_first() -> None:
    answers = answers_of(MemorySource.of([Row(7, AT + 10, AT + 20), FULL], NAMES))

    first, second = answers.entries(ask_range(AT, group_by="tag"))

    assert 7 == second.id
    assert first == EntryRow(
        id=2**40,
        start=from_epoch(AT),
        stop=from_epoch(AT + 5400),
        seconds=5401,
        description="Kick-off",
        workspace_id=2,
        workspace="Work",
        client_id=9,
        client="Zoo",
        project_id=12,
        project="Site (Zoo)",
        task_id=22,
        task="Draft (22)",
        user_id=2,
        user="Bob",
        tag_ids=(31, 32),
        tags=("deep", "call"),
        billable=True,
    )


def test_the_heat_map_has_168_rows_from_the_users_first_weekday_on() -> None:
    # Monday 1 June 2026, 09:30 to 11:00 in Berlin
    rows = [Row(1, utc(2026, 6, 1, 7, 30), utc(2026, 6, 1, 9))]
    query = ask_range(utc(2026, 6, 1), metric="weekday_hour_hours", zone=BERLIN, week_start=6)

    by_start = answer(rows, query).table
    split = answer(rows, replace(query, attribution="split")).table

    assert by_start is not None
    assert split is not None
    assert (("weekday", "string"), ("hour", "number"), ("hours", "number")) == split.columns
    assert 168 == len(split.rows)
    assert [("Saturday", 0), ("Friday", 23)] == [split.rows[0][:2], split.rows[-1][:2]]
    assert [("Monday", 9, 1.5)] == [row for row in by_start.rows if row[2]]
    assert [("Monday", 9, 0.5), ("Monday", 10, 1.0)] == [row for row in split.rows if row[2]]


def test_the_heat_map_of_groups_names_them_in_a_column_of_their_own() -> None:
    table = answer([FULL], ask_range(AT, metric="weekday_hour_hours", group_by="tag")).table

    assert table is not None
    assert ("group", "string") == table.columns[0]
    assert ["call (shared)", "deep (shared)"] == list(dict.fromkeys(row[0] for row in table.rows))
    assert 336 == len(table.rows)


def test_the_heat_map_takes_a_range_of_decades() -> None:
    query = replace(
        ask_range(AT, metric="weekday_hour_hours"), end_ms=int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()) * 1000
    )

    table = answer([FULL], query).table

    assert table is not None
    assert 5401 / 3600 == pytest.approx(sum(row[2] for row in table.rows))
