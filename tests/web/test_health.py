"""The view of the sync shows what the tables about the sync say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from api.scene import NOW, WORKSPACE, fill
from toggl_pulse.mirror import Mirror
from toggl_pulse.mirror.records import MonthCheck
from toggl_pulse.model import QuotaBucket
from web.scene import PagePulse, browsing

FORM = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with Mirror.open(f"sqlite:///{tmp_path_factory.mktemp('health') / 'mirror.db'}", clock=lambda: NOW) as mirror:
        fill(mirror)
        with mirror.batch() as batch:
            batch.set_month(MonthCheck(WORKSPACE, "2026-10", "verified", 3600, 3600, NOW))
            batch.set_month(MonthCheck(WORKSPACE, "2026-11", "differs", 16200, 16260, NOW))
        mirror.save_quota(QuotaBucket("user", 17, NOW + timedelta(minutes=20), NOW, 30))
        with browsing(PagePulse(mirror, api_token=None)) as client:
            yield client


def test_each_month_has_its_state_and_those_that_differ_their_numbers(browser: TestClient) -> None:
    page = browser.get("/ui/health").text

    assert 1 == page.count('class="state verified"')
    assert 1 == page.count('class="state differs"')
    assert '<data class="amount " value="-60" data-unit="seconds">' in page
    assert 'value="1" data-unit=""' in page
    assert "<small> of " in page


def test_the_quota_says_what_is_left_of_what_and_the_reserve(browser: TestClient) -> None:
    page = browser.get("/ui/health").text

    assert '<rect width="56.67" height="4"/>' in page
    assert '<rect class="reserve" x="33.33"' in page


def test_runs_and_gaps_are_listed_with_the_words_of_the_tables(browser: TestClient) -> None:
    page = browser.get("/ui/health").text

    assert 4 == page.count("<bdi>poll</bdi>")
    assert '<td class="word failed"><bdi>failed</bdi></td>' in page
    assert "Toggl was not reached for" in page
    assert "What was left or failed, in a sentence." in page


def test_a_sync_from_here_comes_back_here(browser: TestClient) -> None:
    answer = browser.post("/ui/sync", data={"to": "health"}, headers=FORM)

    assert (303, "./health") == (answer.status_code, answer.headers["location"])
