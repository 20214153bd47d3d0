"""A running entry while Toggl has not been heard for long: every view stops it where the numbers stop counting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from starlette.testclient import TestClient

from api.scene import NOW, entry, fill
from toggl_pulse.metrics import Contact
from toggl_pulse.mirror import Mirror
from toggl_pulse.web.feed_key import feed_key, new_feed_key
from web.scene import PagePulse, browsing

BEGAN, HEARD = NOW - timedelta(hours=4), NOW - timedelta(hours=3)
HEARD_MS = int(HEARD.timestamp()) * 1000


@dataclass
class Unheard(PagePulse):
    def contact(self) -> Contact:
        return Contact(HEARD, timedelta(minutes=20))


@pytest.fixture
def unheard(tmp_path: Path) -> Iterator[TestClient]:
    with Mirror.open(f"sqlite:///{tmp_path / 'mirror.db'}", clock=lambda: NOW) as mirror:
        fill(mirror)
        with mirror.batch() as batch:
            batch.write_entries([entry(99, f"{BEGAN:%Y-%m-%dT%H:%M}", 0, stop=None, duration=-1)])
        new_feed_key(mirror)
        with browsing(Unheard(mirror, api_token=None)) as client:
            yield client


@pytest.mark.parametrize("view", ["", "entries"])
def test_no_timer_ticks_on_in_any_list(unheard: TestClient, view: str) -> None:
    timers = re.findall(r'<data class="ticking"([^>]*)>([^<]*)<', unheard.get(f"/ui/{view}").text)

    assert timers
    assert {f'data-until="{HEARD_MS}"'} == {attributes.rpartition(" ")[2] for attributes, _ in timers}
    assert {"1:00"} == {text for _, text in timers}


def test_the_calendar_draws_it_as_long_as_the_day_counts_it(unheard: TestClient) -> None:
    page = unheard.get("/ui/calendar?range=today").text

    (height,) = re.findall(r'<svg class="block running[^"]*"[^>]* height="([\d.]+)%"', page)
    (column,) = re.findall(r'<svg class="column" width="100%" height="(\d+)"', page)
    assert '<data class="amount muted" value="1.0" data-unit="hours">' in page
    assert 46 == round(float(height) * int(column) / 100)


def test_the_feed_ends_it_there_too(unheard: TestClient, tmp_path: Path) -> None:
    with Mirror.open(f"sqlite:///{tmp_path / 'mirror.db'}", clock=lambda: NOW) as mirror:
        key = feed_key(mirror)
    events: list[Any] = Calendar.from_ical(unheard.get(f"/ui/calendar.ics?key={key}").content).walk("VEVENT")

    assert [(BEGAN, HEARD)] == [(event.start, event.end) for event in events if str(event["SUMMARY"])[0] == "▶"]
