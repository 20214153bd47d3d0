from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient
from syrupy.assertion import SnapshotAssertion

from toggl_pulse.sync import REACH
from toggl_pulse.sync.gaps import Gap, sync_gaps

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LONGEST = timedelta(minutes=20)


def ago(minutes: int) -> datetime:
    return NOON - timedelta(minutes=minutes)


def gaps(*silences: tuple[int, int], last: int | None = 0, start: int = 10_000, end: int = 0) -> list[Gap]:
    """Gaps out of silences and a last contact, all in minutes before noon."""
    heard = None if last is None else ago(last)
    told = [(ago(one), ago(other)) for one, other in silences]
    return sync_gaps(told, last=heard, now=NOON, longest=LONGEST, start=ago(start), end=ago(end))


def test_silences_are_gaps_in_their_order_if_they_are_long_enough() -> None:
    expected = [Gap(ago(300), ago(200), open=False), Gap(ago(100), ago(10), open=False)]

    assert expected == gaps((100, 10), (300, 200), (150, 130))


def test_a_gap_beyond_the_reach_of_the_changes_says_what_that_means() -> None:
    assert "fetched afterwards" in Gap(NOON - REACH, NOON, open=False).sentence
    assert (
        "Toggl was not reached for 85 d 1 h, longer than its list of changes reaches back; everything was read again "
        "afterwards, and what was deleted then is gone from the months that are verified."
    ) == Gap(NOON - REACH - timedelta(hours=1), NOON, open=False).sentence


def test_a_gap_that_lasts_is_open_and_says_so() -> None:
    (gap,) = gaps(last=21)

    assert gap.open
    assert "Toggl has not been reached for 21 min; what happened since is missing." == gap.sentence


def test_before_the_first_contact_nothing_is_a_gap() -> None:
    assert [] == gaps(last=None)
    assert [] == gaps(last=5)


@pytest.mark.parametrize(
    ("start", "end", "count"), [(200, 150, 0), (200, 100, 0), (200, 99, 1), (50, 20, 1), (10, 0, 0)]
)
def test_only_gaps_that_touch_the_range_count(start: int, end: int, count: int) -> None:
    assert count == len(gaps((100, 10), start=start, end=end))


@pytest.mark.parametrize(("minutes", "text"), [(45, "45 min"), (125, "2 h 5 min"), (60 * 24 * 3 + 61, "3 d 1 h")])
def test_a_length_is_readable(minutes: int, text: str) -> None:
    assert f"Toggl was not reached for {text};" in Gap(NOON - timedelta(minutes=minutes), NOON, open=False).sentence


def test_annotations_are_regions(api: TestClient, snapshot: SnapshotAssertion) -> None:
    body = {
        "range": {"from": "2026-11-20T00:00:00Z", "to": "2026-11-24T00:00:00Z"},
        "annotation": {"name": "Sync gaps", "enable": True, "iconColor": "red", "query": "anything"},
    }
    answer = api.post("/annotations", json=body)

    assert 200 == answer.status_code
    assert snapshot == answer.json()


def test_annotations_need_a_range(api: TestClient) -> None:
    assert "bad_value" == api.post("/annotations", json={}).json()["error"]["code"]
    backwards = {"range": {"from": "2026-11-24T00:00:00Z", "to": "2026-11-20T00:00:00Z"}}
    assert "bad_range" == api.post("/annotations", json=backwards).json()["error"]["code"]
