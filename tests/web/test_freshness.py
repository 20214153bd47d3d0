"""The one sentence about how true the numbers are."""

from __future__ import annotations

from typing import Any

import pytest

from toggl_pulse.web.freshness import freshness

WHOLE: dict[str, Any] = {
    "data_as_of": "2026-11-23T11:55:00Z",
    "seconds_behind": 300.0,
    "sync": {"running": False, "runs": []},
    "mirror": {"revision": 14},
    "history": {"complete": True, "windows_done": 10, "windows_left": 0, "trouble": None, "waits_until": None},
}


def told(**changes: Any) -> tuple[str, str, float | None]:
    status = {
        key: {**WHOLE[key], **changes.pop(key, {})} if isinstance(WHOLE[key], dict) else WHOLE[key] for key in WHOLE
    }
    found = freshness({**status, **changes})
    return found.state, found.sentence, found.share


def test_what_is_whole_and_young_is_in_step() -> None:
    assert ("fresh", "In step with Toggl.", 1.0) == told()
    assert 14 == freshness(WHOLE).revision


@pytest.mark.parametrize(("seconds", "state"), [(13 * 3600, "fresh"), (13 * 3600 + 1, "behind")])
def test_what_is_older_than_two_full_syncs_is_behind(seconds: float, state: str) -> None:
    assert state == told(seconds_behind=seconds)[0]


def test_before_the_first_answer_nothing_is_known() -> None:
    never = {"data_as_of": None, "seconds_behind": None, "history": {"complete": False, "windows_done": 0}}

    assert ("empty", "Nothing has been read yet: “Sync now” begins the first sync.", None) == told(**never)
    assert "reading" == told(**never, sync={"running": True})[0]


def test_while_the_past_is_read_it_says_how_far_and_for_what_it_waits() -> None:
    left = {
        "complete": False,
        "windows_left": 30,
        "detail": "3 years of history left",
        "waits_until": "2026-11-23T13:00:00Z",
    }

    assert (
        "reading",
        "Older entries are still being read: 3 years of history left. It goes on when Toggl allows more requests.",
        0.25,
    ) == told(history=left)


def test_trouble_is_told_in_the_words_of_the_run_that_failed() -> None:
    runs = [
        {"outcome": "running", "why": ""},
        {"outcome": "failed", "why": "Toggl cannot be reached; is the network up?"},
        {"outcome": "failed", "why": "an older one"},
    ]

    trouble = {"trouble": "toggl_unreachable"}
    assert ("trouble", "Toggl cannot be reached; is the network up?") == told(history=trouble, sync={"runs": runs})[:2]
    assert ("trouble", "Toggl cannot be read (toggl unreachable).") == told(history=trouble)[:2]
