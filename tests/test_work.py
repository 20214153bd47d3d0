import asyncio
import threading

import pytest

from toggl_pulse.errors import BadRequest, Unavailable
from toggl_pulse.service.work import Check, Workers


def test_work_is_done_in_another_thread() -> None:
    async def scene() -> str:
        return await Workers(1).run(lambda _: threading.current_thread().name)

    assert asyncio.run(scene()).startswith("toggl-pulse-api")


def test_an_error_of_the_work_is_the_callers() -> None:
    def refuse(_: Check) -> None:
        raise BadRequest("No.")

    with pytest.raises(BadRequest):
        asyncio.run(Workers(1).run(refuse))


def test_a_timeout_inside_the_work_is_not_mistaken_for_ours() -> None:
    def slow_disk(_: Check) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        asyncio.run(Workers(1).run(slow_disk))


def test_work_that_takes_too_long_is_given_up_and_told_so() -> None:
    stopped = threading.Event()

    def endless(check: Check) -> None:
        try:
            while True:
                check()
        except Unavailable:
            stopped.set()
            raise

    with pytest.raises(Unavailable) as error:
        asyncio.run(Workers(1).run(endless, seconds=0.05))

    assert "query_timeout" == error.value.code
    assert stopped.wait(5)


def test_what_finds_no_thread_in_time_never_runs() -> None:
    began: list[str] = []

    async def scene() -> None:
        workers = Workers(1)
        release = threading.Event()
        first = asyncio.create_task(workers.run(lambda _: release.wait(5)))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable) as error:
            await workers.run(lambda _: began.append("second"), seconds=0.05)
        assert ("too_busy", 5) == (error.value.code, error.value.retry_after)
        release.set()
        assert await first
        await workers.run(lambda _: began.append("third"))

    asyncio.run(scene())

    assert ["third"] == began


def test_the_loop_turns_while_work_is_done() -> None:
    async def scene() -> int:
        release = threading.Event()
        working = asyncio.create_task(Workers(1).run(lambda _: release.wait(5)))
        turns = 0
        while turns < 1000:
            await asyncio.sleep(0)
            turns += 1
        assert not working.done()
        release.set()
        await working
        return turns

    assert 1000 == asyncio.run(scene())


@pytest.mark.long
def test_waiting_takes_nothing_from_the_time_of_the_work() -> None:
    """Two seconds of waiting and three of work are more than the four that the work has."""

    async def scene() -> bool:
        workers = Workers(1)
        release, never = threading.Event(), threading.Event()
        first = asyncio.create_task(workers.run(lambda _: release.wait(60)))
        await asyncio.sleep(0)
        second = asyncio.create_task(workers.run(lambda _: not never.wait(3), seconds=4))
        asyncio.get_running_loop().call_later(2, release.set)
        assert await first
        return await second

    assert asyncio.run(scene())


def test_more_than_may_wait_is_refused_at_once_and_says_when_to_come_back() -> None:
    async def scene() -> None:
        workers = Workers(2, waiting=3)
        release = threading.Event()
        taken = [asyncio.create_task(workers.run(lambda _: release.wait(5))) for _ in range(5)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable) as error:
            await workers.run(lambda _: None)
        assert ("too_busy", 5) == (error.value.code, error.value.retry_after)
        release.set()
        assert [True] * 5 == await asyncio.gather(*taken)
        assert await workers.run(lambda _: "room again") == "room again"

    asyncio.run(scene())


def test_who_leaves_the_queue_leaves_room_in_it() -> None:
    async def scene() -> None:
        workers = Workers(1, waiting=1)
        release = threading.Event()
        first = asyncio.create_task(workers.run(lambda _: release.wait(5)))
        leaver = asyncio.create_task(workers.run(lambda _: None))
        await asyncio.sleep(0)
        assert workers.pending == 2
        leaver.cancel()
        await asyncio.gather(leaver, return_exceptions=True)
        stayer = asyncio.create_task(workers.run(lambda _: "stayed"))
        await asyncio.sleep(0)
        release.set()
        assert await first
        assert await stayer == "stayed"

    asyncio.run(scene())


def test_who_leaves_while_the_work_is_done_stops_it() -> None:
    reached, stopped = threading.Event(), threading.Event()

    def endless(check: Check) -> None:
        reached.set()
        try:
            while True:
                check()
        finally:
            stopped.set()

    async def scene() -> None:
        working = asyncio.create_task(Workers(1).run(endless))
        await asyncio.to_thread(reached.wait, 5)
        working.cancel()

    asyncio.run(scene())

    assert stopped.wait(5)
