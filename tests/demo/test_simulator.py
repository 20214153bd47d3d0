from collections.abc import Callable
from datetime import datetime

import httpx2
import pytest

from toggl_pulse.demo import World

Ask = Callable[..., httpx2.Response]


def left(answer: httpx2.Response) -> tuple[int, int]:
    return int(answer.headers["x-toggl-quota-remaining"]), int(answer.headers["x-toggl-quota-resets-in"])


def test_a_missing_or_foreign_authorization_opens_nothing(world: World) -> None:
    assert not world.admits(None)
    assert not world.admits("Bearer x")
    assert not world.admits("Basic ???")


def test_token_or_password_open_the_account_and_nothing_else_does(world: World, ask: Ask) -> None:
    statuses = [
        ask("/me", auth=pair).status_code
        for pair in (
            (world.token, "api_token"),
            (world.email, world.password),
            (world.token, "wrong"),
            ("wrong", "api_token"),
            (world.email, "api_token"),
        )
    ]

    assert [200, 200, 403, 403, 403] == statuses


def test_refused_credentials_cost_nothing(world: World, ask: Ask) -> None:
    ask("/me", auth=("x", "y"))

    assert {} == world.buckets


def test_every_answer_tells_what_is_left_and_errors_do_too(world: World, ask: Ask) -> None:
    world.behaviour.user_quota = 30

    assert (29, 3600) == left(ask("/me"))
    world.clock.advance(60)  # type: ignore[attr-defined]
    assert (28, 3540) == left(ask("/me/time_entries", since=1))
    assert (27, 3540) == left(ask("/me/nothing/here"))


def test_over_the_limit_comes_a_402_in_plain_text_and_the_rest_goes_negative(world: World, ask: Ask) -> None:
    world.behaviour.user_quota = 2
    ask("/me")
    ask("/me")

    refused = [ask("/me") for _ in range(2)]

    assert [402, 402] == [answer.status_code for answer in refused]
    assert [-1, -2] == [left(answer)[0] for answer in refused]
    assert "hourly limit" in refused[0].text
    assert "3600 seconds" in refused[0].text
    assert refused[0].headers["content-type"].startswith("text/plain")


def test_the_window_opens_at_the_first_request_and_fills_again_after_an_hour(world: World, ask: Ask) -> None:
    world.behaviour.user_quota = 1
    ask("/me")
    world.clock.advance(3599)  # type: ignore[attr-defined]
    assert ask("/me").status_code == 402
    world.clock.advance(1)  # type: ignore[attr-defined]

    assert (0, 3600) == left(ask("/me"))


def test_the_two_buckets_are_apart(world: World, ask: Ask) -> None:
    world.behaviour.user_quota = 1
    world.behaviour.plan_quota["starter"] = 1
    (home,) = world.workspaces

    assert [200, 200] == [ask(path).status_code for path in ("/me", f"/workspaces/{home}/tags")]
    assert [402, 402] == [ask(path).status_code for path in ("/me", f"/workspaces/{home}/tags")]
    assert [-1, -1] == [row["remaining"] for row in ask("/me/quota").json()]


@pytest.mark.parametrize(("counted", "remaining"), [(False, 30), (True, 28)])
def test_asking_for_the_quota_is_free_or_counted(world: World, ask: Ask, *, counted: bool, remaining: int) -> None:
    world.behaviour.user_quota = 30
    world.behaviour.quota_counted = counted
    ask("/me/quota")

    (mine, _) = ask("/me/quota").json()

    assert (None, remaining, 30) == (mine["organization_id"], mine["remaining"], mine["total"])


def test_other_tools_drain_the_same_bucket(world: World, ask: Ask) -> None:
    world.behaviour.user_quota = 30
    world.drain("user", 29)

    assert (0, 3600) == left(ask("/me"))
    assert ask("/me").status_code == 402


def test_headers_can_be_left_off(world: World, ask: Ask) -> None:
    world.behaviour.headers = False

    assert "x-toggl-quota-remaining" not in ask("/me").headers


def test_what_comes_too_fast_is_a_429_that_costs_nothing(world: World, ask: Ask) -> None:
    world.behaviour.rate_limit = 1.0
    world.behaviour.rate_burst = 2
    world.behaviour.retry_after = True

    answers = [ask("/me") for _ in range(3)]
    world.clock.advance(1)  # type: ignore[attr-defined]

    assert [200, 200, 429] == [answer.status_code for answer in answers]
    assert "60" == answers[2].headers["retry-after"]
    assert 200 == ask("/me").status_code
    assert 3 == world.bucket("user").used


def test_the_date_header_is_the_worlds_clock(ask: Ask) -> None:
    assert "Mon, 23 Nov 2026 14:30:00 GMT" == ask("/me").headers["date"]


def test_unknown_routes_and_broken_json_are_refused(world: World, ask: Ask) -> None:
    (home,) = world.workspaces

    assert ask("/nowhere").status_code == 404
    assert ask("/me/time_entries", {}).status_code == 404
    assert ask(f"/reports/api/v3/workspace/{home}/search/time_entries", "text").status_code == 400


def test_the_log_notes_each_request(world: World, ask: Ask, now: datetime) -> None:
    ask("/me/time_entries", since=1)

    (request,) = world.log

    assert (now, "GET", "/api/v9/me/time_entries", "since=1", 400, "user", None) == request[:7]
