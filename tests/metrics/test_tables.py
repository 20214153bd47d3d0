"""Tables by example: what a person sees in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from metrics.reference import utc
from metrics.scenes import NAMES, answers_of, ask_range, small_limits
from metrics.sources import MemorySource, Row
from toggl_pulse.metrics import METRICS, Answer, Filter, Query
from toggl_pulse.metrics.elapsed import PERIODS, compared, range_before
from toggl_pulse.model import Project, from_epoch

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600

# Wednesday, 11 March 2026, 12:00 in Berlin
NOW = datetime(2026, 3, 11, 11, tzinfo=UTC)
NOW_S = int(NOW.timestamp())


def answer(rows: list[Row], query: Query, now: datetime = NOW, last: datetime | None = None) -> Answer:
    return answers_of(MemorySource.of(rows, NAMES), now, last).answer(query)


def rows_of(rows: list[Row], query: Query, now: datetime = NOW) -> list[dict[str, Any]]:
    table = answer(rows, query, now).table
    assert table is not None
    return [dict(zip([name for name, _ in table.columns], row, strict=True)) for row in table.rows]


def asked(metric: str, **more: Any) -> Query:
    """Of a range in another year: what is of the present does not look at it."""
    return ask_range(utc(2020, 1, 1), metric=metric, zone=BERLIN, **more)


@pytest.mark.parametrize("metric", [slug for slug, metric in METRICS.items() if metric.columns])
def test_every_row_has_its_tables_columns(metric: str) -> None:
    rows = [Row(1, NOW_S - HOUR, None, project=11), Row(2, NOW_S - 90 * 86_400, NOW_S - 89 * 86_400, project=13)]
    rows.append(Row(3, NOW_S - 90 * 86_400, NOW_S - 89 * 86_400))

    table = answer(rows, ask_range(NOW_S - 100 * 86_400, days=101, metric=metric, zone=BERLIN)).table

    assert table is not None
    assert METRICS[metric].columns == table.columns
    assert table.rows
    assert {len(table.columns)} == {len(row) for row in table.rows}


# --- changes --------------------------------------------------------------------------------------------------


def test_change_compares_with_the_same_elapsed_part_of_the_period_before() -> None:
    rows = [
        Row(1, NOW_S - 3 * HOUR, NOW_S - HOUR),  # today, 9 to 11
        Row(2, NOW_S - 27 * HOUR, NOW_S - 26 * HOUR),  # yesterday, 9 to 10
        Row(3, NOW_S - 23 * HOUR, NOW_S - 20 * HOUR),  # yesterday afternoon
        Row(4, NOW_S - 8 * 86_400, NOW_S - 8 * 86_400 + HOUR),  # last Tuesday
        Row(5, NOW_S - 6 * 86_400, NOW_S - 6 * 86_400 + HOUR),  # last Thursday, which this week has not seen yet
        Row(6, NOW_S - 28 * 86_400 - HOUR, NOW_S - 28 * 86_400),  # 11 February, 11 to 12
        Row(7, NOW_S - 28 * 86_400, NOW_S - 28 * 86_400 + HOUR),  # an hour later
    ]

    found = rows_of(rows, asked("period_change"))

    assert [("Today", 2.0, 1.0, 1.0), ("This week", 6.0, 1.0, 5.0), ("This month", 8.0, 1.0, 7.0)] == [
        (row["period"], row["hours"], row["hours_before"], row["change"]) for row in found
    ]
    midnight = utc(2026, 3, 10, 23)
    assert (midnight * 1000, NOW_S * 1000) == (found[0]["from"], found[0]["to"])
    assert ((midnight - 86_400) * 1000, (NOW_S - 86_400) * 1000) == (found[0]["from_before"], found[0]["to_before"])


def test_periods_that_are_over_are_compared_whole() -> None:
    rows = [
        Row(1, NOW_S - 86_400 + 8 * HOUR, NOW_S - 86_400 + 9 * HOUR),
        Row(2, NOW_S - 2 * 86_400 + 8 * HOUR, NOW_S - 2 * 86_400 + 10 * HOUR),
    ]

    (found,) = rows_of(rows, asked("period_change", periods=("yesterday",)))

    assert ("Yesterday", 1.0, 2.0, -0.5) == (
        found["period"],
        found["hours"],
        found["hours_before"],
        found["change"],
    )


def test_a_change_from_nothing_has_no_share() -> None:
    (found,) = rows_of([Row(1, NOW_S - HOUR, NOW_S)], asked("period_change", periods=("today",)))

    assert (1.0, 0.0, None) == (found["hours"], found["hours_before"], found["change"])


def test_a_running_entry_counts_up_to_now_in_a_change_and_is_flagged() -> None:
    found = answer([Row(1, NOW_S - HOUR, None)], asked("period_change", periods=("today",)))
    calm = answer([Row(1, NOW_S - HOUR, None)], asked("period_change", periods=("yesterday",)))

    assert found.table is not None
    assert 1.0 == found.table.rows[0][1]
    assert (True, ("A running entry counts up to now.",)) == (found.running_flagged, found.notes)
    assert (False, ()) == (calm.running_flagged, calm.notes)


def test_a_change_is_up_to_now_and_leaves_out_what_lies_ahead() -> None:
    ahead = [Row(1, NOW_S + HOUR, NOW_S + 2 * HOUR)]

    assert [0.0] == [row["hours"] for row in rows_of(ahead, asked("period_change", periods=("today",)))]


def local(year: int, month: int, day: int, hour: int = 0, minute: int = 0, *, zone: ZoneInfo = BERLIN) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=zone).timestamp())


DAY = local(2026, 3, 2)


@pytest.mark.parametrize(
    ("name", "now", "before"),
    [
        ("this_month", local(2026, 5, 31, 10), (local(2026, 4, 1), local(2026, 5, 1))),
        ("this_month", local(2026, 5, 30, 10), (local(2026, 4, 1), local(2026, 4, 30, 10))),
        ("this_month", local(2026, 3, 30, 10), (local(2026, 2, 1), local(2026, 3, 1))),
        ("this_month", local(2026, 1, 31, 10), (local(2025, 12, 1), local(2025, 12, 31, 10))),
        ("this_year", local(2024, 2, 29, 10), (local(2023, 1, 1), local(2023, 3, 1))),
        ("this_year", local(2025, 2, 28, 10), (local(2024, 1, 1), local(2024, 2, 28, 10))),
        # the clock went an hour ahead on 29 March, at 2
        ("today", local(2026, 3, 29, 10), (local(2026, 3, 28), local(2026, 3, 28, 10))),
        ("today", local(2026, 3, 30, 2, 30), (local(2026, 3, 29), local(2026, 3, 29, 3))),
        ("this_week", local(2026, 4, 1, 10), (local(2026, 3, 23), local(2026, 3, 25, 10))),
        # and back on 25 October, at 3: what it showed twice is cut where it showed it first
        ("today", local(2026, 10, 26, 2, 30), (local(2026, 10, 25), local(2026, 10, 25, 2, 30))),
        ("today", local(2026, 10, 26, 3), (local(2026, 10, 25), local(2026, 10, 25, 3))),
    ],
)
def test_the_same_elapsed_part_at_the_ends_of_months_and_at_changes_of_the_clock(
    name: str, now: int, before: tuple[int, int]
) -> None:
    found = compared(name, now, BERLIN, 1)

    assert before == (found.start_before, found.end_before)
    assert now == found.end


def test_the_day_before_a_skipped_one_is_the_one_before_that() -> None:
    apia = ZoneInfo("Pacific/Apia")  # which had no 30 December 2011
    found = compared("today", local(2011, 12, 31, 9, zone=apia), apia, 1)

    assert local(2011, 12, 29, zone=apia) == found.start_before
    assert local(2011, 12, 29, 9, zone=apia) == found.end_before


def test_weeks_begin_where_the_question_says() -> None:
    monday, sunday = (compared("this_week", NOW_S, BERLIN, week_start).start for week_start in (1, 0))

    assert (local(2026, 3, 9), local(2026, 3, 8)) == (monday, sunday)


@pytest.mark.parametrize("name", list(PERIODS))
def test_a_period_never_overlaps_the_one_before(name: str) -> None:
    for now in range(NOW_S, NOW_S + 400 * 86_400, 7 * HOUR + 61):
        found = compared(name, now, BERLIN, 1)

        assert found.start_before <= found.end_before <= found.start <= found.end <= now


# --- what runs now --------------------------------------------------------------------------------------------


def test_what_runs_now_is_shown_whatever_the_range() -> None:
    rows = [Row(1, NOW_S - HOUR, None, project=12, task=22, tags=(31,), description="Talk"), Row(2, NOW_S - 60, NOW_S)]

    found = answer(rows, asked("running_entries"))

    assert found.table is not None
    assert (
        (
            (NOW_S - HOUR) * 1000,
            1.0,
            "Talk",
            "Site (Zoo)",
            "Zoo",
            "Draft (22)",
            "deep",
            "false",
            "Ann",
            "Home",
            "12",
            "9",
            "1",
        ),
    ) == found.table.rows
    assert (True, ("A running entry counts up to now.",)) == (found.running_flagged, found.notes)


def test_nothing_runs() -> None:
    found = answer([Row(2, NOW_S - 60, NOW_S)], asked("running_entries"))

    assert found.table is not None
    assert ((), False, ()) == (found.table.rows, found.running_flagged, found.notes)


# --- projects -------------------------------------------------------------------------------------------------

FEBRUARY, MARCH = local(2026, 2, 1), local(2026, 3, 1)


def in_march(**more: Any) -> Query:
    query = ask_range(MARCH, metric="project_overview", zone=BERLIN, **more)
    return replace(query, end_ms=local(2026, 4, 1) * 1000)


def test_projects_have_their_shares_and_their_change_on_the_same_part_of_the_month_before() -> None:
    rows = [
        Row(1, MARCH + 10 * HOUR, MARCH + 13 * HOUR, project=11, billable=True),
        Row(2, MARCH + 34 * HOUR, MARCH + 35 * HOUR, project=11),
        Row(3, MARCH + 12 * HOUR, MARCH + 13 * HOUR),
        Row(4, FEBRUARY + 9 * HOUR, FEBRUARY + 11 * HOUR, project=11),
        Row(5, local(2026, 2, 20, 9), local(2026, 2, 20, 10), project=11),  # later than 11 February, noon
        Row(6, local(2026, 2, 20, 9), local(2026, 2, 20, 10), project=13),  # of another project, with nothing in March
    ]

    site, none = rows_of(rows, in_march())

    assert site == {
        "project": "Site (Acme)",
        "client": "Acme (Home)",
        "hours": 4.0,
        "share": 0.8,
        "billable_share": 0.75,
        "entries": 2,
        "hours_before": 2.0,
        "change": 1.0,
        "last_activity": (MARCH + 35 * HOUR) * 1000,
        "days_since": 9,
        "project_id": "11",
        "client_id": "7",
    }
    assert ("(no project)", "", 1.0, None, None, None) == (
        none["project"],
        none["client"],
        none["hours"],
        none["change"],
        none["project_id"],
        none["client_id"],
    )


def test_what_lies_ahead_is_in_the_range_and_not_in_the_change() -> None:
    rows = [
        Row(1, MARCH, MARCH + HOUR, project=11),
        Row(2, NOW_S + HOUR, NOW_S + 6 * HOUR, project=11),
        Row(3, FEBRUARY, FEBRUARY + 2 * HOUR, project=11),
    ]

    (found,) = rows_of(rows, in_march())

    assert (6.0, 2.0, -0.5) == (found["hours"], found["hours_before"], found["change"])
    assert (MARCH + HOUR) * 1000 == found["last_activity"]


@pytest.mark.parametrize(
    ("start", "end", "before"),
    [
        (local(2026, 3, 1), local(2026, 3, 8), (local(2026, 2, 22), local(2026, 3, 1))),
        (local(2026, 1, 1), local(2026, 3, 1), (local(2025, 11, 1), local(2026, 1, 1))),
        (local(2025, 1, 1), local(2026, 1, 1), (local(2024, 1, 1), local(2025, 1, 1))),
        # a day of 23 hours is compared with one of 24
        (local(2025, 3, 30), local(2025, 3, 31), (local(2025, 3, 29), local(2025, 3, 30))),
        # as far as the range has elapsed by 11 March, noon
        (local(2026, 3, 10), local(2026, 3, 12), (local(2026, 3, 8), local(2026, 3, 9, 12))),
        (local(2026, 3, 1), local(2026, 4, 1), (local(2026, 2, 1), local(2026, 2, 11, 12))),
        # ahead of now, whole
        (local(2026, 5, 1), local(2026, 6, 1), (local(2026, 4, 1), local(2026, 5, 1))),
    ],
)
def test_the_stretch_before_a_range(start: int, end: int, before: tuple[int, int]) -> None:
    found = range_before(start * 1000, end * 1000, NOW_S, BERLIN)

    assert tuple(1000 * each for each in before) == found[:2]


@pytest.mark.parametrize(
    ("start", "end", "before"),
    [
        (local(2026, 2, 1), local(2026, 3, 1), (local(2026, 1, 1), local(2026, 2, 1))),
        (local(2026, 3, 1), local(2026, 4, 1), (local(2026, 2, 1), local(2026, 2, 11, 12))),
        (local(2026, 3, 1), local(2026, 3, 8), (local(2026, 2, 22), local(2026, 3, 1))),
        (local(2026, 3, 10), local(2026, 3, 11), (local(2026, 3, 9), local(2026, 3, 10))),
    ],
)
def test_a_range_that_grafana_rounds_and_ends_a_millisecond_early_is_the_whole_one(
    start: int, end: int, before: tuple[int, int]
) -> None:
    found = range_before(start * 1000, end * 1000 - 1, NOW_S, BERLIN)

    assert tuple(1000 * each for each in before) == found[:2]


def test_a_day_that_last_month_did_not_have_is_compared_with_all_of_it() -> None:
    found = range_before(MARCH * 1000, local(2026, 4, 1) * 1000, local(2026, 3, 30, 9), BERLIN)

    assert (FEBRUARY * 1000, MARCH * 1000, local(2026, 3, 30, 9) * 1000) == found


TWICE = utc(2026, 10, 25)  # 02:00 in Berlin, an hour before the clock shows it again


@pytest.mark.parametrize(
    ("start", "end", "now", "before"),
    [
        # from midnight to 02:10 as it is shown again, when it is 02:50 for the first time
        (TWICE - 7200, TWICE + 4200, TWICE + 3000, (TWICE - 7200 - 7800, TWICE - 7200)),
        # from 02:50 when it is shown first to 05:00, when it is 02:10 again
        (TWICE + 3000, TWICE + 14_400, TWICE + 4200, (TWICE - 4800, TWICE - 4800)),
        # from 02:50 when it is shown first to 02:10 as it is shown again
        (TWICE + 3000, TWICE + 4200, TWICE, (TWICE + 1800, TWICE + 3000)),
    ],
)
def test_the_stretch_before_stays_before_while_the_clock_shows_an_hour_again(
    start: int, end: int, now: int, before: tuple[int, int]
) -> None:
    found = range_before(start * 1000, end * 1000, now, BERLIN)

    assert tuple(1000 * each for each in before) == found[:2]


def test_an_old_entry_that_ends_late_is_the_last_activity_wherever_a_block_of_the_work_ends() -> None:
    rows = [Row(1, MARCH, MARCH + 40 * HOUR, project=11)]
    rows += [Row(number, MARCH + number * HOUR, MARCH + number * HOUR + 60, project=11) for number in range(2, 12)]

    with small_limits():
        assert (MARCH + 40 * HOUR) * 1000 == rows_of(rows, in_march())[0]["last_activity"]


def test_a_timer_that_starts_ahead_is_no_activity_yet() -> None:
    (found,) = rows_of([Row(1, NOW_S + HOUR, None, project=11)], in_march())

    assert (0.0, None, None) == (found["hours"], found["last_activity"], found["days_since"])


def test_a_timer_that_runs_since_the_stretch_before_is_told_of() -> None:
    found = answer([Row(1, FEBRUARY, None, project=11), Row(2, MARCH, MARCH + HOUR, project=11)], in_march())

    assert found.table is not None
    assert (NOW_S - FEBRUARY) / HOUR == found.table.rows[0][6]
    assert found.running_flagged


def test_a_projects_last_activity_is_of_all_time_and_of_the_entries_that_pass() -> None:
    rows = [
        Row(1, MARCH, MARCH + HOUR, project=11, user=1),
        Row(2, MARCH + 48 * HOUR, MARCH + 49 * HOUR, project=11, user=2),
        Row(3, local(2026, 4, 2), local(2026, 4, 2, 5), project=11),
    ]
    later = datetime(2026, 6, 1, tzinfo=UTC)

    assert local(2026, 4, 2, 5) * 1000 == rows_of(rows, in_march(), later)[0]["last_activity"]
    anns = in_march(filters=(Filter("user", "=", ("Bob",)),))
    assert (MARCH + 49 * HOUR) * 1000 == rows_of(rows, anns, later)[0]["last_activity"]


def test_a_running_entry_is_activity_up_to_now() -> None:
    query = in_march()
    found = answer([Row(1, NOW_S - HOUR, None, project=11), Row(2, NOW_S - 2 * HOUR, NOW_S - HOUR)], query)

    assert found.table is not None
    assert [((NOW_S - HOUR) * 1000, 0), (NOW_S * 1000, 0)] == [row[8:10] for row in found.table.rows]
    assert found.running_flagged


PROJECTS = {
    1: Project(1, 1, "Fresh"),
    2: Project(2, 1, "Old"),
    3: Project(3, 1, "Older", 7),
    4: Project(4, 1, "Never"),
    5: Project(5, 1, "Archived", active=False),
    6: Project(6, 1, "Deleted", deleted=True),
    7: Project(7, 2, "Ahead", 8),
}


def dormant(**more: Any) -> list[tuple[str, int | None]]:
    rows = [
        Row(1, local(2026, 2, 10, 9), local(2026, 2, 10, 10), project=1),  # 29 days ago
        Row(2, local(2026, 2, 9, 9), local(2026, 2, 9, 10), project=2),  # 30
        Row(3, local(2025, 2, 9, 9), local(2025, 2, 9, 10), project=3),
        Row(4, local(2025, 2, 9, 9), local(2025, 2, 9, 10), project=5),
        Row(5, local(2025, 2, 9, 9), local(2025, 2, 9, 10), project=6),
        Row(6, local(2027, 2, 9, 9), local(2027, 2, 9, 10), project=7),
        Row(7, local(2020, 2, 9, 9), local(2027, 2, 9, 10)),  # of no project
        Row(8, local(2026, 1, 9, 9), local(2026, 1, 9, 10), project=1, user=2),
    ]
    names = replace(NAMES, projects=PROJECTS)
    table = answers_of(MemorySource.of(rows, names), NOW).answer(replace(asked("dormant_projects"), **more)).table
    assert table is not None
    return [(row[0], row[3]) for row in table.rows]


def test_dormant_projects_come_longest_first_and_those_never_used_last() -> None:
    assert [("Older", 395), ("Old", 30), ("Ahead", None), ("Never", None)] == dormant()
    assert [("Older", 395), ("Old", 30), ("Fresh", 29), ("Ahead", None), ("Never", None)] == dormant(days=29)
    assert [("Older", 395)] == dormant(days=30, limit=1)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([Filter("workspace", "=", ("Work",))], ["Ahead"]),
        ([Filter("client", "one_of", ("7", "8"))], ["Older", "Ahead"]),
        ([Filter("client", "=", ("(no client)",))], ["Old", "Never"]),
        ([Filter("project", "!~", ("^O",))], ["Ahead", "Never"]),
        ([Filter("project", "=", ("Never",))], ["Never"]),
        # who asks what one person has not worked on hears of projects that others have
        ([Filter("user", "=", ("Bob",))], ["Fresh", "Ahead", "Never", "Old", "Older"]),
    ],
)
def test_filters_of_dormant_projects_are_about_the_project_or_about_its_entries(
    filters: list[Filter], found: list[str]
) -> None:
    assert found == [name for name, _ in dormant(filters=tuple(filters))]


# --- overlaps -------------------------------------------------------------------------------------------------


def test_overlaps_are_pairs_with_what_they_have_in_common_the_newest_first() -> None:
    rows = [
        Row(1, DAY + 9 * HOUR, DAY + 12 * HOUR, project=11, description="Talk"),
        Row(2, DAY + 10 * HOUR, DAY + 11 * HOUR, project=13),
        Row(3, DAY + 11 * HOUR, DAY + 13 * HOUR),
        Row(4, DAY + 9 * HOUR, DAY + 12 * HOUR, user=2),  # of another person
        Row(5, DAY + 12 * HOUR, DAY + 12 * HOUR),  # of no length
    ]

    later, earlier = rows_of(rows, ask_range(DAY, metric="overlaps", zone=BERLIN))

    assert ("1", "3", 1.0) == (later["first_id"], later["second_id"], later["hours"])
    assert earlier == {
        "from": (DAY + 10 * HOUR) * 1000,
        "to": (DAY + 11 * HOUR) * 1000,
        "hours": 1.0,
        "user": "Ann",
        "first_start": (DAY + 9 * HOUR) * 1000,
        "first_stop": (DAY + 12 * HOUR) * 1000,
        "first_description": "Talk",
        "first_project": "Site (Acme)",
        "first_id": "1",
        "second_start": (DAY + 10 * HOUR) * 1000,
        "second_stop": (DAY + 11 * HOUR) * 1000,
        "second_description": "",
        "second_project": "Garden",
        "second_id": "2",
    }


def test_overlaps_are_of_the_entries_that_pass_and_within_the_range() -> None:
    rows = [Row(1, DAY - HOUR, DAY + 2 * HOUR, project=11), Row(2, DAY - HOUR, DAY + HOUR, project=13)]
    query = ask_range(DAY, metric="overlaps", zone=BERLIN)

    (found,) = rows_of(rows, query)

    assert (DAY * 1000, (DAY + HOUR) * 1000, 1.0) == (found["from"], found["to"], found["hours"])
    assert [] == rows_of(rows, replace(query, filters=(Filter("project", "=", ("Garden",)),)))


def test_of_two_entries_that_began_before_the_range_the_earlier_one_stands_first() -> None:
    rows = [Row(1, DAY - HOUR, DAY + HOUR), Row(2, DAY - 2 * HOUR, DAY + HOUR)]

    (found,) = rows_of(rows, ask_range(DAY, metric="overlaps", zone=BERLIN))

    assert ("2", "1") == (found["first_id"], found["second_id"])


def test_a_forgotten_timer_overlaps_up_to_now() -> None:
    rows = [Row(1, NOW_S - 10 * HOUR, None), Row(2, NOW_S - HOUR, NOW_S + HOUR)]

    found = answer(rows, ask_range(NOW_S - 86_400, days=2, metric="overlaps", zone=BERLIN))

    assert found.table is not None
    assert [(NOW_S * 1000, 1.0, None)] == [(row[1], row[2], row[5]) for row in found.table.rows]
    assert (True, ("A running entry counts up to now.",)) == (found.running_flagged, found.notes)


def test_pairs_without_end_are_counted_and_the_newest_of_them_shown() -> None:
    """A hundred thousand entries over each other are five thousand million pairs."""
    rows = [Row(number, NOW_S - 300_000 + number, NOW_S - number) for number in range(1, 100_001)]
    query = ask_range(NOW_S - 4 * 86_400, days=5, metric="overlaps", zone=BERLIN)

    found = answer(rows, query)

    assert found.table is not None
    assert [("99999", "100000"), ("99998", "100000")] == [(row[8], row[13]) for row in found.table.rows[:2]]
    assert 1_000 == len(found.table.rows)
    assert ("4,999,950,000 pairs of entries overlap; the newest 1,000 are shown.",) == found.notes
    assert 3 == len(rows_of(rows[:1_000], replace(query, limit=3)))


# --- lists of entries -----------------------------------------------------------------------------------------

KINDS = [
    Row(1, DAY + 9 * HOUR, DAY + 18 * HOUR),  # nine hours
    Row(2, DAY + 22 * HOUR, DAY + 26 * HOUR),  # over midnight
    Row(3, DAY + 12 * HOUR, DAY + 12 * HOUR + 59),  # a minute is not short
    Row(4, DAY + 20 * HOUR, DAY + 24 * HOUR),  # up to midnight
    Row(5, DAY + 13 * HOUR, DAY + 13 * HOUR + 60),
    Row(6, DAY + 6 * HOUR, DAY + 14 * HOUR),  # eight hours are not long
]


@pytest.mark.parametrize(
    ("more", "ids"),
    [
        ({}, ["2", "4", "5", "3", "1", "6"]),
        ({"sort": "duration"}, ["1", "6", "2", "4", "5", "3"]),
        ({"sort": "duration", "limit": 2}, ["1", "6"]),
        ({"only": "over_midnight"}, ["2"]),
        ({"only": "long"}, ["1"]),
        ({"only": "short"}, ["3"]),
        ({"only": "running"}, []),
    ],
)
def test_a_list_of_entries_can_be_the_longest_ones_or_of_one_kind(more: dict[str, Any], ids: list[str]) -> None:
    query = ask_range(DAY, metric="entries", zone=BERLIN, **more)

    assert ids == [row["id"] for row in rows_of(KINDS, query)]


@pytest.mark.parametrize(
    ("more", "ids"),
    [
        ({"only": "long", "limit": 1}, ["1"]),
        ({"sort": "duration", "limit": 2}, ["1", "2"]),
        ({"sort": "duration", "limit": 4}, ["1", "2", "3", "9"]),
    ],
)
def test_a_limit_keeps_the_first_rows_wherever_a_block_of_the_work_ends(more: dict[str, Any], ids: list[str]) -> None:
    rows = [Row(1, DAY, DAY + 9 * HOUR), Row(2, DAY + 1, DAY + 8 * HOUR), Row(3, DAY + 2, DAY + 7 * HOUR)]
    rows += [Row(number, DAY + number * HOUR, DAY + number * HOUR + 60 + number) for number in range(4, 10)]

    with small_limits():
        assert ids == [row["id"] for row in rows_of(rows, ask_range(DAY, metric="entries", zone=BERLIN, **more))]


def test_a_forgotten_timer_is_long_and_goes_over_midnight_by_now() -> None:
    query = ask_range(NOW_S - 20 * HOUR, metric="entries", zone=BERLIN)
    rows = [Row(1, NOW_S - 13 * HOUR, None), Row(2, NOW_S - HOUR, None)]

    for only in ("long", "over_midnight"):
        assert ["1"] == [row["id"] for row in rows_of(rows, replace(query, only=only))]
    assert ["2", "1"] == [row["id"] for row in rows_of(rows, replace(query, only="running"))]
    later = replace(query, only="long")
    assert ["2", "1"] == [row["id"] for row in rows_of(rows, later, NOW + timedelta(hours=8))]


def test_the_heat_map_as_a_matrix_has_a_row_a_weekday() -> None:
    rows = [Row(1, local(2026, 3, 2, 9), local(2026, 3, 2, 11), project=11)]
    query = replace(ask_range(DAY, metric="weekday_hour_hours", zone=BERLIN, attribution="split"), matrix=True)

    found = rows_of(rows, query)

    assert ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] == [
        row["weekday"] for row in found
    ]
    assert {("Monday", "09:00"): 1.0, ("Monday", "10:00"): 1.0} == {
        (row["weekday"], hour): value
        for row in found
        for hour, value in row.items()
        if isinstance(value, float) and value
    }
    grouped = rows_of(rows, replace(query, group_by="project"))
    assert {"Site (Acme)"} == {row["group"] for row in grouped}


def test_now_is_a_whole_second() -> None:
    found = rows_of([Row(1, NOW_S - 1, None)], asked("period_change", periods=("today",)), from_epoch(NOW_S))

    assert found[0]["to"] == NOW_S * 1000
