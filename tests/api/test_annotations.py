from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient
from syrupy.assertion import SnapshotAssertion

from toggl_pulse.api.gaps import Gap, sync_gaps
from toggl_pulse.mirror import SyncRun

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LONGEST = timedelta(minutes=20)


def run(minutes_ago: int, outcome: str = "done") -> SyncRun:
    at = NOON - timedelta(minutes=minutes_ago)
    return SyncRun(minutes_ago, "poll", at, at, outcome)  # type: ignore[arg-type]


def gaps(*runs: SyncRun, start: int = 10_000, end: int = 0) -> list[Gap]:
    span = {"start": NOON - timedelta(minutes=start), "end": NOON - timedelta(minutes=end)}
    return sync_gaps(runs, now=NOON, longest=LONGEST, **span)


def test_regular_contact_leaves_no_gap() -> None:
    assert [] == gaps(*(run(minutes) for minutes in range(0, 600, 10)))


def test_a_gap_lies_between_two_contacts_in_any_order() -> None:
    expected = [Gap(NOON - timedelta(minutes=100), NOON - timedelta(minutes=10), open=False)]

    assert expected == gaps(run(0), run(10), run(100), run(110))
    assert expected == gaps(run(110), run(0), run(100), run(10))


def test_a_run_that_failed_or_was_killed_is_no_contact() -> None:
    killed = SyncRun(9, "poll", NOON - timedelta(minutes=50))

    assert 1 == len(gaps(run(0), run(10), run(50, "failed"), killed, run(100)))
    assert [] == gaps(run(0), run(20), run(40, "partly"), run(60))


def test_a_gap_that_lasts_is_open_and_says_so() -> None:
    (gap,) = gaps(run(21), run(30))

    assert gap.open
    assert "Toggl has not been reached for 21 min; what happened since is missing." == gap.sentence


def test_before_the_first_contact_nothing_is_a_gap() -> None:
    assert [] == gaps()
    assert [] == gaps(run(5))


@pytest.mark.parametrize(
    ("start", "end", "count"), [(200, 150, 0), (200, 100, 0), (200, 99, 1), (50, 20, 1), (10, 0, 0)]
)
def test_only_gaps_that_touch_the_range_count(start: int, end: int, count: int) -> None:
    assert count == len(gaps(run(0), run(10), run(100), start=start, end=end))


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
