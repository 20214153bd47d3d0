import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import stamina

from toggl.scene import NOW, Scene, answer, bucket, entry_row
from toggl_pulse.errors import BadRequest, NeedsUser, PlanLimit, QuotaSpent, RetryLater

PASSING: list[Any] = [
    httpx2.Response(500),
    httpx2.Response(503),
    httpx2.Response(429),
    httpx2.ConnectError("no such host"),
    httpx2.ReadTimeout("slow"),
    httpx2.ReadError("cut"),
    httpx2.RemoteProtocolError("cut in the middle"),
    ConnectionResetError("cut"),
    httpx2.Response(200, content=b""),
    httpx2.Response(200, content=b"  \n"),
    httpx2.Response(200, html="<html>Please log in</html>"),
    httpx2.Response(200, content=b'[{"id": 1, "wor'),
    httpx2.Response(200, content=b"[" * 100_000),
]


@pytest.mark.parametrize("reply", PASSING, ids=lambda reply: repr(reply)[:40])
def test_what_passes_is_repeated(reply: Any) -> None:
    scene = Scene(reply, reply, answer([entry_row()]))

    entries = scene.ask(lambda client: client.entries_since(NOW))

    assert (len(entries.entries), len(scene.requests)) == (1, 3)
    assert [note.trouble is None for note in scene.notes] == [False, False, True]


@pytest.mark.parametrize("reply", PASSING, ids=lambda reply: repr(reply)[:40])
def test_what_does_not_pass_in_time_is_left_for_later_after_three_attempts(reply: Any) -> None:
    scene = Scene(reply)

    with pytest.raises(RetryLater) as caught:
        scene.ask(lambda client: client.entries_since(NOW))

    assert len(scene.requests) == 3
    assert caught.value.at >= scene.clock() + timedelta(minutes=1)


def test_waits_grow_and_use_the_sleep_that_was_given() -> None:
    scene = Scene(httpx2.Response(500), attempts=5)

    with pytest.raises(RetryLater):
        scene.ask(lambda client: client.current())

    assert scene.clock.slept == [1.0, 2.0, 4.0, 8.0]


def test_jitter_lengthens_a_wait_by_up_to_half() -> None:
    scene = Scene(httpx2.Response(500), answer(), jitter=lambda: 1.0)

    scene.ask(lambda client: client.current())

    assert scene.clock.slept == [1.5]


def test_the_servers_own_wait_is_kept() -> None:
    scene = Scene(httpx2.Response(429, headers={"Retry-After": "17"}), answer())

    scene.ask(lambda client: client.current())

    assert scene.clock.slept == [17.0]


def test_a_long_wait_is_passed_on_instead_of_slept() -> None:
    scene = Scene(httpx2.Response(429, headers={"Retry-After": "1800"}))

    with pytest.raises(RetryLater) as caught:
        scene.ask(lambda client: client.current())

    assert (scene.clock.slept, len(scene.requests)) == ([], 1)
    assert caught.value.at == NOW + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (httpx2.Response(400), BadRequest),
        (httpx2.Response(401), NeedsUser),
        (httpx2.Response(402, json="not in your plan"), PlanLimit),
        (httpx2.Response(402, text="hourly limit, quota resets in 60 seconds"), QuotaSpent),
        (httpx2.Response(403), NeedsUser),
        (httpx2.Response(302, headers={"Location": "https://evil.test/"}), RetryLater),
        (httpx2.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]"), RetryLater),
    ],
)
def test_what_a_repeat_cannot_cure_is_asked_once(reply: Any, kind: type[Exception]) -> None:
    scene = Scene(reply)

    with pytest.raises(kind):
        scene.ask(lambda client: client.entries_since(NOW))

    assert len(scene.requests) == 1


def test_repeats_stop_at_the_reserve() -> None:
    headers = {"X-Toggl-Quota-Remaining": "10", "X-Toggl-Quota-Resets-In": "600"}
    scene = Scene(httpx2.Response(500, headers=headers))

    with pytest.raises(QuotaSpent):
        scene.ask(lambda client: client.current())

    assert len(scene.requests) == 1


@pytest.mark.parametrize("free_look", [None, True])
def test_a_spent_bucket_sends_nothing(free_look: bool | None) -> None:  # noqa: FBT001
    scene = Scene(answer(), buckets=[bucket(remaining=10, age=120)])
    scene.quota.free_look = free_look

    with pytest.raises(QuotaSpent):
        scene.ask(lambda client: client.current())

    assert scene.requests == []


def test_the_reserve_is_spent_on_a_persons_wish() -> None:
    scene = Scene(answer(remaining=9), buckets=[bucket(remaining=10)])

    async def wish(client: Any) -> None:
        client.use_reserve = True
        await client.current()

    scene.ask(wish)

    assert scene.store.buckets["user"].remaining == 9


def test_headers_are_kept_for_the_next_process_on_success_and_error_alike() -> None:
    headers = {"X-Toggl-Quota-Remaining": "23", "X-Toggl-Quota-Resets-In": "600"}
    for reply in (answer(remaining=23, resets_in=600), httpx2.Response(404, headers=headers)):
        scene = Scene(reply)

        scene.ask(lambda client: client.current())

        assert scene.store.buckets["user"] == bucket(remaining=23, resets_in=600)


def test_a_refusal_of_the_quota_is_remembered_without_headers() -> None:
    scene = Scene(httpx2.Response(402, text="Your quota will reset in 900 seconds"))
    for _ in range(2):
        with pytest.raises(QuotaSpent) as caught:
            scene.ask(lambda client: client.current())

        assert caught.value.at == NOW + timedelta(seconds=902)

    assert len(scene.requests) == 1


def test_reports_draw_on_the_organisations_bucket() -> None:
    scene = Scene(
        answer([{"id": 11, "name": "Studio", "organization_id": 5}]),
        answer({"seconds": 60}, remaining=200),
        buckets=[bucket("workspace:11", 240, total=240)],
    )

    async def two(client: Any) -> None:
        await client.workspaces()
        await client.report_totals(11, NOW.date(), NOW.date(), user_id=41)

    scene.ask(two)

    assert {name: kept.remaining for name, kept in scene.quota.view().items()} == {"user": 25, "organization:5": 200}
    assert [note.bucket for note in scene.notes] == ["user", "organization:5"]


def test_a_free_look_is_taken_before_a_request_when_other_tools_may_have_been_at_work() -> None:
    rows = [
        {"organization_id": None, "remaining": 10, "resets_in_secs": 600, "total": 30},
        {"organization_id": 5, "remaining": -2, "resets_in_secs": 700, "total": 240},
    ]
    scene = Scene(answer(rows, remaining=None), buckets=[bucket(remaining=29, age=120)])
    scene.quota.free_look = True

    with pytest.raises(QuotaSpent):
        scene.ask(lambda client: client.entries_since(NOW))

    assert [request.url.path for request in scene.requests] == ["/api/v9/me/quota"]
    assert scene.quota.view()["organization:5"].remaining == -2


def test_a_look_that_fails_does_not_stop_the_request() -> None:
    scene = Scene(httpx2.Response(500), answer(), buckets=[bucket(remaining=29, age=120)])
    scene.quota.free_look = True

    scene.ask(lambda client: client.current())

    assert len(scene.requests) == 2


def test_nothing_is_looked_up_while_looking_is_not_known_to_be_free() -> None:
    scene = Scene(answer(), buckets=[bucket(remaining=29, age=120)])

    scene.ask(lambda client: client.current())

    assert len(scene.requests) == 1


def test_asking_for_the_quota_after_a_request_shows_whether_that_is_free() -> None:
    rows = [{"organization_id": None, "remaining": 25, "resets_in_secs": 1800, "total": 30}]
    for left, free in ((25, True), (24, False)):
        scene = Scene(answer(None, remaining=25), answer(rows, remaining=left))

        async def both(client: Any) -> None:
            await client.current()
            await client.quotas()

        scene.ask(both)

        assert scene.quota.free_look is free


def test_one_broken_character_costs_one_name_not_the_answer() -> None:
    content = b'[{"id":31,"workspace_id":11,"name":"\\ud83d"},{"id":32,"workspace_id":11,"name":"\xff"}]'
    scene = Scene(httpx2.Response(200, content=content))

    tags = scene.ask(lambda client: client.tags(11))

    assert [tag.name for tag in tags.rows] == ["\ufffd", "\ufffd"]


def test_requests_go_out_one_after_another() -> None:
    running: list[int] = []
    most: list[int] = []

    async def handle(request: httpx2.Request) -> httpx2.Response:
        running.append(1)
        most.append(len(running))
        await asyncio.sleep(0)
        running.pop()
        return answer()

    scene = Scene(transport=httpx2.MockTransport(handle))

    async def together(client: Any) -> None:
        await asyncio.gather(*(client.current() for _ in range(5)))

    scene.ask(together)

    assert max(most) == 1


def test_a_cancelled_request_frees_the_way_for_the_next() -> None:
    async def handle(request: httpx2.Request) -> httpx2.Response:
        if "current" in request.url.path:
            await asyncio.Event().wait()
        return answer([])

    scene = Scene(transport=httpx2.MockTransport(handle))

    async def cancel(client: Any) -> int:
        task = asyncio.create_task(client.current())
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return len((await client.workspaces()).rows)

    assert scene.ask(cancel) == 0


def test_stamina_switched_off_means_no_repeats() -> None:
    scene = Scene(httpx2.Response(500))
    stamina.set_active(False)
    try:
        with pytest.raises(RetryLater):
            scene.ask(lambda client: client.current())
    finally:
        stamina.set_active(True)

    assert len(scene.requests) == 1


def test_repeats_print_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    scene = Scene(httpx2.Response(500), answer())

    scene.ask(lambda client: client.current())

    assert capfd.readouterr() == ("", "")
