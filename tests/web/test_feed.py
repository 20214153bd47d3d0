from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from icalendar import Calendar

from hostile import PLAIN
from toggl_pulse.metrics import EntryRow
from toggl_pulse.web.feed import BLOCK, feed

NOW = datetime(2026, 11, 27, 12, 0, 0, 250_000, tzinfo=UTC)
ENTRY = EntryRow(
    id=7,
    start=datetime(2026, 11, 27, 9, tzinfo=UTC),
    stop=datetime(2026, 11, 27, 10, 30, tzinfo=UTC),
    seconds=5400,
    description="Write, review; mend\nship",
    workspace_id=1,
    workspace="Studio",
    client_id=2,
    client="Acme",
    project_id=3,
    project="Website",
    task_id=None,
    task="",
    user_id=5,
    user="Ada",
    tag_ids=(8, 9),
    tags=("deep, work", "x"),
    billable=True,
)


def read(*entries: EntryRow) -> list[Any]:
    whole = b"".join(feed(entries, now=NOW, until=NOW))
    return list(Calendar.from_ical(whole).walk("VEVENT"))


def test_an_entry_is_an_event_that_reads_back() -> None:
    (event,) = read(ENTRY)
    assert ("toggl-entry-7@toggl-pulse", "Write, review; mend ship") == (event["UID"], event["SUMMARY"])
    assert (ENTRY.start, ENTRY.stop) == (event.start, event.end)
    assert "Project: Website\nClient: Acme\nTags: deep, work, x\nBillable: yes" == event["DESCRIPTION"]
    assert ["deep, work", "x"] == event.categories


def test_without_a_description_the_project_is_the_title() -> None:
    bare = replace(ENTRY, description="")
    assert ["Website", "(no description)"] == [
        event["SUMMARY"] for event in read(bare, replace(bare, id=8, project="", project_id=None))
    ]


def test_a_running_entry_ends_now_and_never_before_it_begins() -> None:
    running = replace(ENTRY, stop=None)
    ahead = replace(running, id=8, start=NOW.replace(microsecond=0) + timedelta(hours=1))
    assert [NOW.replace(microsecond=0), ahead.start] == [event.end for event in read(running, ahead)]
    assert "▶ Write, review; mend ship" == read(running)[0]["SUMMARY"]


def test_the_calendar_is_the_same_one_each_time_and_says_when_to_ask_again() -> None:
    first, again = (b"".join(feed([ENTRY], now=NOW, until=NOW)) for _ in range(2))
    assert first == again
    assert {b"REFRESH-INTERVAL:PT15M", b"X-PUBLISHED-TTL:PT15M"} <= set(first.splitlines())


def test_no_entries_are_a_calendar_all_the_same() -> None:
    assert [] == read()


def test_many_entries_come_in_pieces_of_whole_events() -> None:
    entries = [replace(ENTRY, id=number) for number in range(2 * BLOCK + 1)]
    assert 4 == len(list(feed(entries, now=NOW, until=NOW)))
    assert len(entries) == len(read(*entries))


@pytest.mark.parametrize("name", PLAIN)
def test_no_name_breaks_the_file(name: str) -> None:
    hostile = replace(ENTRY, description=name, project=name, client=name, tags=(name,))
    whole = b"".join(feed([hostile, replace(ENTRY, id=8)], now=NOW, until=NOW))
    assert ["toggl-entry-7@toggl-pulse", "toggl-entry-8@toggl-pulse"] == [
        event["UID"] for event in Calendar.from_ical(whole).walk("VEVENT")
    ]
    assert 2 == whole.count(b"\r\nBEGIN:VEVENT\r\n")
    lines = whole.split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    assert not any(byte < 32 and byte != 9 for line in lines for byte in line)
    assert all(one or not other for one, other in pairwise(lines))
