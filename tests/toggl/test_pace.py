import asyncio

from toggl.scene import NOW, Clock
from toggl_pulse.toggl.pace import Pace


def take(pace: Pace, count: int) -> None:
    async def all_of_them() -> None:
        for _ in range(count):
            await pace.slot()

    asyncio.run(all_of_them())


def test_a_burst_goes_out_at_once_and_then_one_request_a_second() -> None:
    clock = Clock()

    take(Pace(1.0, 5, clock=clock, sleep=clock.sleep), 8)

    assert clock.slept == [1.0, 1.0, 1.0]


def test_a_pause_fills_the_burst_again_but_no_further() -> None:
    clock = Clock()
    pace = Pace(1.0, 3, clock=clock, sleep=clock.sleep)
    take(pace, 3)
    clock.advance(3600)

    take(pace, 4)

    assert clock.slept == [1.0]


def test_a_clock_that_jumps_back_costs_no_more_than_a_few_seconds() -> None:
    clock = Clock()
    pace = Pace(1.0, 2, clock=clock, sleep=clock.sleep)
    take(pace, 4)
    clock.now = NOW.replace(year=2025)

    take(pace, 3)

    assert max(clock.slept) <= 1.0


def test_requests_that_wait_together_are_spread() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    async def together() -> None:
        pace = Pace(2.0, 1, clock=lambda: NOW, sleep=sleep)
        await asyncio.gather(*(pace.slot() for _ in range(4)))

    asyncio.run(together())

    assert waits == [0.5, 1.0, 1.5]
