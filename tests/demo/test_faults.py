from collections.abc import Callable
from datetime import datetime, timedelta

import httpx2
import pytest

from toggl_pulse.demo import Fault, World
from toggl_pulse.demo.faults import KINDS

Ask = Callable[..., httpx2.Response]


async def _no_sleep(_seconds: float) -> None:
    return


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.isdigit()])
def test_a_status_is_played_once(world: World, ask: Ask, kind: str) -> None:
    world.fault(kind)

    assert [int(kind), 200] == [ask("/me").status_code for _ in range(2)]


def test_both_402_are_told_apart_by_header_and_text(world: World, ask: Ask) -> None:
    world.fault("plan402")
    plan = ask("/me")
    world.fault("quota402")
    quota = ask("/me")

    assert [402, 402] == [plan.status_code, quota.status_code]
    assert int(plan.headers["x-toggl-quota-remaining"]) > 0 >= int(quota.headers["x-toggl-quota-remaining"])
    assert ("hourly limit" in plan.text, "hourly limit" in quota.text) == (False, True)
    assert ask("/me").status_code == 402


@pytest.mark.parametrize("explicit", [None, 7])
def test_retry_after_is_sent_when_told(world: World, ask: Ask, explicit: int | None) -> None:
    for kind in ("429", "503"):
        world.fault(kind).retry_after = explicit
        world.fault(kind)

    sent = [ask("/me").headers.get("retry-after") for _ in range(4)]

    assert [None if explicit is None else "7", None] * 2 == sent


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("empty", ""),
        ("null", "null"),
        ("empty_list", "[]"),
        ("html", "<!doctype html>"),
        ("object", "{}"),
        ("text", '"text"'),
        ("number", "7"),
        ("swapped", '{"items"'),
    ],
)
def test_a_wrong_body_comes_with_200(world: World, ask: Ask, kind: str, text: str) -> None:
    world.create_tag("deep")
    world.fault(kind)

    answer = ask("/me/tags")

    assert (200, True) == (answer.status_code, answer.text.startswith(text))


def test_half_a_json_text_is_not_json(world: World, ask: Ask) -> None:
    world.fault("non_json")

    with pytest.raises(ValueError, match=r"."):
        ask("/me").json()


@pytest.mark.parametrize("kind", ["cut", "cut_body", "stall", "wrong_length", "lost"])
def test_a_cut_raises_what_the_test_chose(world: World, ask: Ask, kind: str) -> None:
    world.cut_error = lambda: httpx2.ReadError("cut")
    world.sleep = _no_sleep
    world.fault(kind)

    with pytest.raises(httpx2.ReadError):
        ask("/me")

    assert ("cut" if kind == "cut" else kind) == world.log[-1].fault


def test_a_lost_answer_has_cost_its_request_and_a_cut_one_has_not(world: World, ask: Ask) -> None:
    for kind in ("cut", "lost"):
        world.fault(kind)
        with pytest.raises(ConnectionResetError):
            ask("/me")

    assert 1 == world.bucket("user").used


def test_a_slow_answer_waits_by_the_injected_sleep(world: World, ask: Ask) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    world.sleep = sleep
    world.fault("slow").seconds = 45

    assert 200 == ask("/me").status_code
    assert [45] == slept


@pytest.mark.parametrize("kind", ["gzip_garbage", "gzip_bomb"])
def test_a_packed_answer_is_garbage_or_grows(world: World, ask: Ask, kind: str) -> None:
    world.fault(kind).size = 3_000_000

    if kind == "gzip_garbage":
        with pytest.raises(httpx2.DecodingError):
            ask("/me")
    else:
        answer = ask("/me")
        assert (3_000_000, True) == (len(answer.content), int(answer.headers["content-length"]) < 10_000)


def test_a_redirect_leads_to_another_host(world: World, ask: Ask) -> None:
    world.fault("redirect")

    answer = ask("/me")

    assert (302, True) == (answer.status_code, answer.headers["location"].startswith("https://elsewhere.example/"))


def test_somebody_elses_answer_shares_no_id_with_ours(world: World, ask: Ask, now: datetime) -> None:
    world.create_entry(start=now - timedelta(hours=1), stop=now)
    ours = ask("/me", with_related_data="true").json()
    world.fault("other_account")

    theirs = ask("/me", with_related_data="true").json()

    assert (ours["id"] + 10**9, ours["fullname"]) == (theirs["id"], theirs["fullname"])
    assert ours["time_entries"][0]["user_id"] + 10**9 == theirs["time_entries"][0]["user_id"]


@pytest.mark.parametrize(("kind", "told"), [("no_quota", None), ("odd_quota", "nan")])
def test_quota_headers_can_be_missing_or_garbage(world: World, ask: Ask, kind: str, told: str | None) -> None:
    world.fault(kind)

    assert told == ask("/me").headers.get("x-toggl-quota-remaining")


def test_a_402_can_come_without_a_word(world: World, ask: Ask) -> None:
    world.fault("bare402")

    answer = ask("/me")

    assert (402, "") == (answer.status_code, answer.text)


def test_a_huge_answer_has_the_size_it_announces(world: World, ask: Ask) -> None:
    world.fault("huge").size = 3_000_001

    answer = ask("/me")

    assert (3_000_001, "3000001") == (len(answer.content), answer.headers["content-length"])


@pytest.mark.parametrize("path", ["/me/time_entries", "/me", "reports"])
def test_a_broken_row_has_lost_its_id_and_the_others_have_not(world: World, ask: Ask, now: datetime, path: str) -> None:
    for n in range(3):
        world.create_entry(start=now - timedelta(hours=n), stop=now)
    (home,) = world.workspaces
    world.fault("broken_row")

    if path == "reports":
        answer = ask(f"/reports/api/v3/workspace/{home}/search/time_entries", {"start_date": "2026-11-20"})
        rows = [row["time_entries"][0] for row in answer.json()]
    else:
        answer = ask(path, with_related_data="true")
        rows = answer.json() if path == "/me/time_entries" else answer.json()["time_entries"]

    assert [False, True, True] == ["id" in row for row in rows]


def test_a_fault_waits_for_its_request_skips_and_repeats(world: World, ask: Ask) -> None:
    world.fault("500", r"GET /api/v9/me/tags", skip=1, times=2)

    statuses = [ask(path).status_code for path in ("/me", "/me/tags", "/me/tags", "/me", "/me/tags", "/me/tags")]

    assert [200, 200, 500, 200, 500, 200] == statuses
    assert [] == world.faults


def test_a_fault_without_an_end_stays(world: World, ask: Ask) -> None:
    world.fault("503", times=None)

    assert {503} == {ask("/me").status_code for _ in range(5)}


def test_an_unknown_fault_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="cut_body"):
        Fault("earthquake")
    assert "huge" in KINDS
