import asyncio
import threading

import pytest

from toggl_pulse.api.work import Check, Workers
from toggl_pulse.errors import BadRequest, Unavailable


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


def test_waiting_for_a_thread_counts_and_what_never_began_never_runs() -> None:
    began: list[str] = []

    async def scene() -> None:
        workers = Workers(1)
        release = threading.Event()
        first = asyncio.create_task(workers.run(lambda _: release.wait(5)))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await workers.run(lambda _: began.append("second"), seconds=0.05)
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
