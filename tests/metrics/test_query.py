from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from metrics.reference import utc
from metrics.scenes import QUICK
from toggl_pulse.errors import BadRequest
from toggl_pulse.metrics import (
    DIMENSIONS,
    INTERVAL_NAMES,
    METRICS,
    Filter,
    Query,
    parse_adhoc,
    parse_filters,
    parse_query,
    parse_range,
    parse_zone,
    undo_grafana,
)
from toggl_pulse.metrics.elapsed import PERIODS

BERLIN = ZoneInfo("Europe/Berlin")
START, END = utc(2026, 6, 1) * 1000, utc(2026, 7, 1) * 1000
FIRST, LAST = utc(2005, 12, 31) * 1000, utc(2101, 1, 2) * 1000


def parsed(payload: dict[str, Any], metric: str = "tracked_hours", **more: Any) -> Query:
    return parse_query(metric, payload, start_ms=START, end_ms=END, zone=BERLIN, **more)


def test_what_a_payload_does_not_say_is_the_default() -> None:
    expected = Query("tracked_hours", START, END, BERLIN)

    assert expected == parsed({})
    assert ("none", "auto", "start", None, 1) == (
        expected.group_by,
        expected.interval,
        expected.attribution,
        expected.limit,
        expected.week_start,
    )


@pytest.mark.parametrize("unset", ["", None])
def test_an_unset_variable_is_the_default(unset: object) -> None:
    words = ("group_by", "interval", "attribution", "limit", "week_start", "timezone", "filters")
    keys = (*words, "sort", "only", "periods", "days", "format", *DIMENSIONS)

    assert Query("tracked_hours", START, END, BERLIN, week_start=3) == parsed(dict.fromkeys(keys, unset), week_start=3)


def test_a_whole_payload_is_read() -> None:
    payload = {
        "group_by": "project",
        "interval": "day",
        "timezone": "America/New_York",
        "attribution": "split",
        "filters": {"client": ["Acme"], "billable": ["true"]},
        "format": "time_series",
        "limit": 10,
        "week_start": 0,
        "tag": "deep",
        "project": ["(1|2)", ""],
        "of tomorrow": {"is": "ignored"},
    }

    found = parsed(payload, interval_ms=60_000, max_points=500, adhoc=[Filter("user", "=", ("Ann",))])

    assert found == Query(
        metric="tracked_hours",
        start_ms=START,
        end_ms=END,
        zone=ZoneInfo("America/New_York"),
        group_by="project",
        interval="day",
        attribution="split",
        filters=(
            Filter("client", "one_of", ("Acme",)),
            Filter("billable", "one_of", ("true",)),
            Filter("project", "text", ("(1|2)",)),
            Filter("tag", "text", ("deep",)),
            Filter("user", "=", ("Ann",)),
        ),
        limit=10,
        week_start=0,
        interval_ms=60_000,
        max_points=500,
    )


@pytest.mark.parametrize(
    ("periods", "found"),
    [
        ("this_year", ("this_year",)),
        ("(today|last_week)", ("today", "last_week")),
        (["last_year", "today", "last_year"], ("last_year", "today")),
        (["(yesterday|today)", ""], ("yesterday", "today")),
        ([], ("today", "this_week", "this_month")),
        ([None], ("today", "this_week", "this_month")),
        ("$__all", tuple(PERIODS)),
        (["$__all"], tuple(PERIODS)),
    ],
)
def test_periods_are_one_or_several_in_the_order_asked_for(periods: object, found: tuple[str, ...]) -> None:
    assert found == parsed({"periods": periods}).periods


def test_lists_of_entries_and_heat_maps_are_told_how() -> None:
    found = parsed({"sort": "duration", "only": r"over_midnight", "format": "matrix", "days": "90"})

    assert ("duration", "over_midnight", True, 90) == (found.sort, found.only, found.matrix, found.days)


@pytest.mark.parametrize("week_start", [0, 6, "0", "6", "sunday", "Saturday", 6.0])
def test_week_start_is_a_number_or_a_weekdays_name(week_start: object) -> None:
    assert parsed({"week_start": week_start}).week_start in {0, 6}


def test_numbers_come_as_text_and_as_whole_floats_too() -> None:
    assert (10, 10, 10) == tuple(parsed({"limit": limit}).limit for limit in (10, "10", 10.0))


def test_maximum_points_are_clamped() -> None:
    assert (1, 100_000, 100_000) == tuple(parsed({}, max_points=points).max_points for points in (-5, 100_000, 10**9))
    assert parsed({}, interval_ms=-1).interval_ms == 0


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"group_by": "colour"}, "unknown_group"),
        ({"group_by": 7}, "unknown_group"),
        ({"group_by": ["project"]}, "unknown_group"),
        ({"group_by": {"project": 1}}, "unknown_group"),
        ({"interval": "minute"}, "unknown_interval"),
        ({"interval": 60}, "unknown_interval"),
        ({"attribution": "end"}, "bad_value"),
        ({"sort": "end"}, "unknown_sort"),
        ({"sort": 7}, "unknown_sort"),
        ({"only": "mine"}, "unknown_only"),
        ({"only": ["long"]}, "unknown_only"),
        ({"days": 0}, "bad_value"),
        ({"days": 36_501}, "bad_value"),
        ({"days": "month"}, "bad_value"),
        ({"periods": "tomorrow"}, "unknown_period"),
        ({"periods": ["today", "tomorrow"]}, "unknown_period"),
        ({"periods": [7]}, "unknown_period"),
        ({"periods": [["today"]]}, "unknown_period"),
        ({"periods": {"today": True}}, "unknown_period"),
        ({"timezone": "Mars/Olympus"}, "unknown_timezone"),
        ({"timezone": "../../etc/passwd"}, "unknown_timezone"),
        ({"timezone": "/etc/localtime"}, "unknown_timezone"),
        ({"timezone": "Europe"}, "unknown_timezone"),
        ({"timezone": "Europe/Berlin\x00"}, "unknown_timezone"),
        ({"timezone": "\ud800"}, "unknown_timezone"),
        ({"timezone": "x" * 10_000}, "unknown_timezone"),
        ({"timezone": 7}, "unknown_timezone"),
        ({"timezone": []}, "unknown_timezone"),
        ({"timezone": {}}, "unknown_timezone"),
        ({"limit": 0}, "bad_value"),
        ({"limit": -1}, "bad_value"),
        ({"limit": 1.5}, "bad_value"),
        ({"limit": float("nan")}, "bad_value"),
        ({"limit": float("inf")}, "bad_value"),
        ({"limit": True}, "bad_value"),
        ({"limit": "ten"}, "bad_value"),
        ({"limit": "\u0661"}, "bad_value"),
        ({"limit": [1]}, "bad_value"),
        ({"week_start": 7}, "bad_value"),
        ({"week_start": -1}, "bad_value"),
        ({"week_start": "someday"}, "bad_value"),
        ({"week_start": {}}, "bad_value"),
        ({"filters": {"colour": ["red"]}}, "unknown_filter"),
        ({"filters": "nonsense"}, "bad_value"),
        ({"tag": {"deep": True}}, "bad_value"),
    ],
)
def test_a_bad_payload_is_refused_with_a_code_and_a_sentence(payload: dict[str, Any], code: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parsed(payload)

    assert (code, 400) == (refused.value.code, refused.value.status)
    assert refused.value.message.endswith(".")
    assert len(refused.value.message) < 400
    assert refused.value.message.isprintable()


def test_an_unknown_metric_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(BadRequest, match=r"“earnings”.*tracked_hours") as refused:
        parsed({}, "earnings")
    assert refused.value.code == "unknown_metric"


@pytest.mark.parametrize(("start_ms", "end_ms"), [(2, 1), (END, START), (FIRST - 1, END), (START, LAST + 1)])
def test_a_range_must_be_in_order_and_within_2006_to_2100(start_ms: int, end_ms: int) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_range(start_ms, end_ms)
    assert refused.value.code == "bad_range"


def test_a_range_may_be_empty_and_as_long_as_the_years_allow() -> None:
    assert (START, START) == parse_range(START, START)
    assert (FIRST, LAST) == parse_range(FIRST, LAST)


def test_a_zone_is_read_with_grafanas_backslashes_too() -> None:
    assert parse_zone("America/New_York") == parse_zone(r"America\/New_York") == ZoneInfo("America/New_York")
    assert parse_zone("utc") == ZoneInfo("UTC")  # as Grafana calls it
    assert parse_zone("Etc/GMT-3") == parse_zone(r"Etc\/GMT\-3")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", ("plain",)),
        (r"a\.b", ("a.b",)),
        ("(a|b)", ("a", "b")),
        ("(a)", ("a",)),
        (r"(a\|b|c\(d\))", ("a|b", "c(d)")),
        (r"(Pro \(2026\)|x)", ("Pro (2026)", "x")),
        ("(a\nb|c)", ("a\nb", "c")),
        ("()", ()),
        ("(", ("(",)),
        (")", (")",)),
        ("", ("",)),
        (r"back\\slash", (r"back\slash",)),
        (r"\d", (r"\d",)),
    ],
)
def test_grafanas_forms_are_undone(text: str, expected: tuple[str, ...]) -> None:
    assert expected == undo_grafana(text)


def escaped(text: str) -> str:
    """As Grafana escapes a variable's value for a regular expression."""
    return "".join("\\" + letter if letter in r"\^$*+?.()|[]{}/-" else letter for letter in text)


@settings(QUICK)
@given(st.lists(st.text(min_size=1), min_size=2, max_size=4))
@example(["a|b", "(c)", "d\\"])
def test_undoing_is_the_inverse_of_grafanas_escaping(names: list[str]) -> None:
    assert tuple(names) == undo_grafana(f"({'|'.join(escaped(name) for name in names)})")
    if not names[0].startswith("("):
        assert (names[0],) == undo_grafana(escaped(names[0]))


loose = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["$__all", "day"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
payload_keys = st.sampled_from(
    ["group_by", "interval", "timezone", "attribution", "filters", "limit", "week_start", *DIMENSIONS]
)


def refusal(read: Callable[[], object]) -> str | None:
    try:
        read()
    except BadRequest as refused:
        return refused.message
    return None


@pytest.mark.parametrize("key", ["group_by", "interval", "timezone", "attribution", "filters", "limit", "tag"])
def test_deep_json_is_refused_as_any_other_nonsense(key: str) -> None:
    deep: object = []
    for _ in range(5_000):
        deep = [deep]

    assert refusal(lambda: parsed({key: deep})) is not None


@settings(QUICK)
@given(st.dictionaries(payload_keys, loose, max_size=4), st.lists(loose, max_size=2))
def test_any_json_is_read_or_refused_with_a_sentence(payload: dict[str, Any], adhoc: list[Any]) -> None:
    for read in (lambda: parsed(payload), lambda: parse_adhoc(adhoc), lambda: parse_filters(payload)):
        sentence = refusal(read)
        assert sentence is None or sentence.endswith(".")
        assert sentence is None or sentence.isprintable()


def test_every_metric_has_a_title_a_unit_and_one_line_of_meaning() -> None:
    for slug, metric in METRICS.items():
        assert slug == metric.slug
        assert metric.title
        assert metric.unit
        assert metric.meaning.endswith(".")
        assert "\n" not in metric.meaning
        assert metric.shape != "series" or metric.value is not None


def test_the_metrics_of_the_contract_are_there() -> None:
    assert {
        "toggl_time_entry",
        "tracked_hours",
        "billable_hours",
        "billable_share",
        "entry_count",
        "average_entry_hours",
        "longest_entry_hours",
        "active_days",
        "running_hours",
        "weekday_hour_hours",
        "entries",
        "running_entries",
        "period_change",
        "project_overview",
        "dormant_projects",
        "first_start",
        "last_stop",
        "days_off",
        "evening_hours",
        "weekend_hours",
        "overlaps",
        "overlap_hours",
        "wall_clock_hours",
    } <= METRICS.keys()
    assert ("auto", "hour", "day", "week", "month", "quarter", "year", "range") == INTERVAL_NAMES
