"""The calendar: what is drawn where, whose hours it says, and the feed with its key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from starlette.testclient import TestClient

from api.scene import NOW, entry, fill
from toggl_pulse.mirror import Mirror
from toggl_pulse.web.feed_key import feed_key, new_feed_key, opens_feed
from web.scene import PagePulse, browsing, signed_in

WEEK = "from=2026-11-02&to=2026-11-08"
OURS = {"Sec-Fetch-Site": "same-origin"}


def test_a_week_draws_every_entry_once_on_each_day_that_it_touches(browser: TestClient) -> None:
    page = browser.get(f"/ui/calendar?{WEEK}").text
    blocks = re.findall(r'<svg class="block([^"]*)"', page)

    assert 7 == page.count('<section class="day')
    # four entries, one of them over midnight
    assert 5 == len(blocks)
    assert (1, 1) == tuple(sum(word in each for each in blocks) for word in ("from-before", "goes-on"))
    assert 'title="23:30 to 00:30, =HYPERLINK(&#34;x&#34;), a.b (c|d), Acme, goes on on the next day"' in page
    assert 'title="23:30 to 00:30, =HYPERLINK(&#34;x&#34;), a.b (c|d), Acme, began on the day before"' in page


def test_each_day_says_the_hours_that_were_worked_on_it(pulse: PagePulse, browser: TestClient) -> None:
    page = browser.get(f"/ui/calendar?{WEEK}").text
    payload = {"interval": "day", "attribution": "split"}
    span = {"from": "2026-11-01T23:00:00Z", "to": "2026-11-08T23:00:00Z"}
    answer = browser.post(
        "/query",
        json={"range": span, "targets": [{"target": "tracked_hours", "payload": payload}]},
        headers={"Authorization": f"Bearer {pulse.api_token}"},
    )

    told = [value for value, _ in answer.json()[0]["datapoints"] if value]
    shown = re.findall(r'<data class="amount muted" value="([^"]+)" data-unit="hours">', page)
    assert told
    assert told == [float(value) for value in shown]
    assert f'<data class="amount " value="{sum(told)}" data-unit="hours">' in page


def test_a_longer_range_is_whole_weeks_from_the_user_s_first_weekday(browser: TestClient) -> None:
    page = browser.get("/ui/calendar?from=2026-11-01&to=2026-11-30").text

    rows = page.count("<tr>") - 1
    assert 7 * rows == page.count("<td")
    assert 30 == page.count("<td>") + page.count('<td class="today">')
    first = re.search(r'<th scope="col"><time datetime="([^T]+)', page)
    assert first
    # Berlin's midnight is on the day before in UTC
    assert "2026-10-25" == first[1]
    assert 6 == date(2026, 10, 25).weekday()


def test_what_overlaps_stands_in_one_row_of_its_day(tmp_path: Path) -> None:
    with Mirror.open(f"sqlite:///{tmp_path / 'mirror.db'}", clock=lambda: NOW) as mirror:
        fill(mirror)
        with mirror.batch() as batch:
            batch.write_entries([entry(9, "2026-11-02T09:00", 0.5, description="Beside")])
        pulse = PagePulse(mirror)
        with browsing(pulse) as client:
            page = signed_in(client, pulse.api_token).get("/ui/calendar?from=2026-11-01&to=2026-11-30").text

    (row,) = re.findall(r'<li class="beside">(.*?)</li>', page, re.DOTALL)
    assert ["Plan", "Beside"] == re.findall(r"<bdi>(.*?)</bdi>", row)


def test_a_crowded_day_of_a_month_counts_what_it_does_not_list_and_its_own_page_has_all(tmp_path: Path) -> None:
    with Mirror.open(f"sqlite:///{tmp_path / 'mirror.db'}", clock=lambda: NOW) as mirror:
        fill(mirror)
        with mirror.batch() as batch:
            batch.write_entries([entry(20 + hour, f"2026-11-10T{hour:02d}:00", 0.5) for hour in range(11)])
        pulse = PagePulse(mirror)
        with browsing(pulse) as client:
            month = signed_in(client, pulse.api_token).get("/ui/calendar?from=2026-11-09&to=2026-11-30").text
            day = client.get("/ui/calendar?from=2026-11-10&to=2026-11-10").text

    assert (8, ["3 more"]) == (month.count('<svg class="block"'), re.findall(r">(\d+ more)</a>", month))
    assert 11 == day.count('<svg class="block')


def test_more_than_six_weeks_are_cut_and_the_page_says_so(browser: TestClient) -> None:
    page = browser.get("/ui/calendar?from=2026-01-01&to=2026-11-30").text

    assert "The calendar shows six weeks at most" in page
    assert 42 == page.count("<td>") + page.count('<td class="today">')


def test_days_without_entries_say_what_to_do(browser: TestClient) -> None:
    assert "No entries in this range. Go back" in browser.get("/ui/calendar?from=2020-01-01&to=2020-01-07").text
    assert "take a filter out" in browser.get("/ui/calendar?from=2020-01-01&to=2020-01-07&client=11").text


def test_a_block_leads_to_a_list_that_has_it(browser: TestClient) -> None:
    page = browser.get(f"/ui/calendar?{WEEK}").text
    found = re.findall(r'<a class="inside" href="([^"]+)" title="[^"]* to [^,]*, ([^,"]+)', page)

    assert found
    for where, what in found:
        listed = browser.get(f"/ui/{where.replace('&amp;', '&')}").text
        assert what == "no description" or what in listed


# --- the feed ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path: Path) -> Iterator[PagePulse]:
    """A mirror to write to."""
    with Mirror.open(f"sqlite:///{tmp_path / 'mirror.db'}", clock=lambda: NOW) as opened:
        fill(opened)
        yield PagePulse(opened)


@pytest.fixture
def owner(own: PagePulse) -> Iterator[TestClient]:
    with browsing(own) as client:
        yield signed_in(client, own.api_token)


def fetched(pulse: PagePulse, key: str | None, more: str = "") -> Any:
    """As a calendar program does: no session, no token."""
    with browsing(pulse) as program:
        return program.get("/ui/calendar.ics" + ("" if key is None else f"?key={key}") + more)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toggl_pulse.web.sessions._PAUSE", 0)


def test_without_a_key_there_is_no_feed(own: PagePulse) -> None:
    assert [404, 404, 404] == [fetched(own, key).status_code for key in (None, "", "None")]


def test_the_key_opens_the_feed_and_the_page_shows_it(own: PagePulse, owner: TestClient) -> None:
    made = owner.post("/ui/feed/new-key", headers=OURS)
    key = feed_key(own.mirror)
    answer = fetched(own, key)
    events = list(Calendar.from_ical(answer.content).walk("VEVENT"))

    assert (303, "../calendar#feed") == (made.status_code, made.headers["location"])
    assert key
    assert f"key={key}" in owner.get("/ui/calendar").text
    assert (200, "text/calendar; charset=utf-8", "no-store") == (
        answer.status_code,
        answer.headers["content-type"],
        answer.headers["cache-control"],
    )
    everything = owner.get("/ui/entries?range=all").text
    assert len(events) == everything.count('<td class="what">')
    assert own.mirror.counts().entries == len(events)


def test_filters_narrow_the_feed(own: PagePulse) -> None:
    new_feed_key(own.mirror)
    key = feed_key(own.mirror)

    whole, narrow = (fetched(own, key, more).text.count("BEGIN:VEVENT") for more in ("", "&client=11"))
    assert 0 < narrow < whole


def test_another_key_and_the_end_close_the_former_address(own: PagePulse, owner: TestClient) -> None:
    new_feed_key(own.mirror)
    first = feed_key(own.mirror)
    owner.post("/ui/feed/new-key", headers=OURS)
    second = feed_key(own.mirror)
    assert [404, 200] == [fetched(own, key).status_code for key in (first, second)]

    owner.post("/ui/feed/end", headers=OURS)
    assert [404, 404] == [fetched(own, key).status_code for key in (first, second)]
    assert feed_key(own.mirror) is None
    assert "Make the address" in owner.get("/ui/calendar").text


def test_the_key_opens_nothing_else(own: PagePulse) -> None:
    new_feed_key(own.mirror)
    key = feed_key(own.mirror)
    with browsing(own) as program:
        assert [401] * 4 == [
            program.get(f"{path}?key={key}").status_code
            for path in ("/ui/", "/ui/entries.csv", "/status", "/entries.csv")
        ]
        assert 401 == program.post("/ui/feed/new-key", headers=OURS).status_code


@pytest.mark.parametrize("path", ["/ui/feed/new-key", "/ui/feed/end"])
def test_another_site_s_page_changes_no_key(own: PagePulse, owner: TestClient, path: str) -> None:
    new_feed_key(own.mirror)
    key = feed_key(own.mirror)

    answer = owner.post(path, headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"})
    assert (403, key) == (answer.status_code, feed_key(own.mirror))


def test_a_key_is_made_of_chance_and_compared_whole(own: PagePulse) -> None:
    new_feed_key(own.mirror, lambda size: "k" * size)

    assert opens_feed(own.mirror, "k" * 24)
    assert not any(opens_feed(own.mirror, wrong) for wrong in ("", "k" * 23, "k" * 25, "K" * 24, "\ud800", "é"))
