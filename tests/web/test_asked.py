"""What an address means, and that it can be written back."""

from __future__ import annotations

from datetime import date
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.scene import NOW
from toggl_pulse.errors import BadRequest
from toggl_pulse.web.asked import CHOICES, FILTERS, Asked

ZONE = ZoneInfo("Europe/Berlin")


def asked(query: str) -> Asked:
    return Asked.read(parse_qsl(query), now=NOW, zone=ZONE, week_start=1)


values = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


@given(
    period=st.sampled_from(
        ["", "range=this-week", "range=last-30-days", "range=last-7-days", "from=2026-01-31&to=2026-03-01"]
    ),
    chosen=st.fixed_dictionaries({}, optional={name: st.sampled_from(words) for name, words in CHOICES.items()}),
    filters=st.dictionaries(st.sampled_from(FILTERS), st.lists(values, min_size=1, max_size=3, unique=True)),
    zone=st.sampled_from([None, "UTC", "Asia/Kolkata"]),
)
def test_an_address_that_is_written_reads_as_the_same(
    period: str, chosen: dict[str, str], filters: dict[str, list[str]], zone: str | None
) -> None:
    given_ = [*parse_qsl(period), *chosen.items(), *((name, each) for name, many in filters.items() for each in many)]
    first = Asked.read(given_ + ([("timezone", zone)] if zone else []), now=NOW, zone=ZONE, week_start=1)

    again = asked(first.link().partition("?")[2])

    assert first == again


def test_nothing_chosen_is_an_address_without_parameters() -> None:
    assert ("./", "entries") == (asked("").link(), asked("range=last-30-days&group=project").link("entries"))


@pytest.mark.parametrize(
    ("query", "before", "after"),
    [
        ("from=2026-11-01&to=2026-11-30", ("2026-10-01", "2026-10-31"), ("2026-12-01", "2026-12-31")),
        ("range=this-month", ("2026-10-01", "2026-10-31"), ("2026-12-01", "2026-12-31")),
        ("range=this-year", ("2025-01-01", "2025-12-31"), ("2027-01-01", "2027-12-31")),
        ("range=this-week", ("2026-11-16", "2026-11-22"), ("2026-11-30", "2026-12-06")),
        ("from=2026-11-02&to=2026-11-04", ("2026-10-30", "2026-11-01"), ("2026-11-05", "2026-11-07")),
        ("from=2026-01-01&to=2026-03-31", ("2025-10-01", "2025-12-31"), ("2026-04-01", "2026-06-30")),
    ],
)
def test_a_stretch_moves_by_its_own_length_and_months_by_months(
    query: str, before: tuple[str, str], after: tuple[str, str]
) -> None:
    moved = [asked(query).moved(direction) for direction in (-1, 1)]

    assert [before, after] == [(each.first.isoformat(), each.last.isoformat()) for each in moved]


@pytest.mark.parametrize(
    ("days", "interval"),
    [(1, "hour"), (2, "hour"), (3, "day"), (62, "day"), (63, "week"), (190, "week"), (400, "month")],
)
def test_steps_are_as_long_as_a_range_is_easy_to_look_at(days: int, interval: str) -> None:
    assert interval == asked(f"range=last-{days}-days").interval


def test_both_ends_of_a_range_are_shown_and_an_open_end_is_today() -> None:
    found = asked("from=2026-11-20")

    assert (date(2026, 11, 20), date(2026, 11, 23)) == (found.first, found.last)
    assert ("2026-11-19T23:00:00+00:00", "2026-11-23T23:00:00+00:00") == (
        found.start.isoformat(),
        found.end.isoformat(),
    )


def test_all_time_without_an_entry_is_today() -> None:
    assert (date(2026, 11, 23), date(2026, 11, 23)) == (asked("range=all").first, asked("range=all").last)


def test_a_filter_that_is_taken_out_leaves_the_others() -> None:
    found = asked("project=1&project=2&tag=x")

    assert "project=2&tag=x" == found.link(**found.without("project", "1")).partition("?")[2]


@pytest.mark.parametrize(
    "query", ["from=2026-13-01", "to=2005-01-01", "from=2026-11-24&to=2026-11-20", "attribution=both"]
)
def test_what_cannot_be_asked_is_a_sentence(query: str) -> None:
    with pytest.raises(BadRequest) as caught:
        asked(query)

    assert caught.value.message.endswith((".", "?"))
