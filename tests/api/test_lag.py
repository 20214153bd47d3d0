import asyncio
from contextlib import suppress

from toggl_pulse.api.lag import EVERY_SECONDS, LoopLag


def measured(lates: list[float]) -> tuple[list[float], float, float]:
    """Each delay that was told, and the longest of the last minute at the end and fifty seconds later."""
    now = 1000.0
    told: list[float] = []

    async def sleep(seconds: float) -> None:
        nonlocal now
        if not lates:
            raise asyncio.CancelledError
        now += seconds + lates.pop(0)

    lag = LoopLag(told.append, clock=lambda: now, sleep=sleep)
    with suppress(asyncio.CancelledError):
        asyncio.run(lag.run())
    most = lag.most()
    now += 50
    return [round(each, 6) for each in told], round(most, 6), round(lag.most(), 6)


def test_each_delay_is_told_and_the_longest_is_remembered() -> None:
    assert ([0.0, 0.5, 0.2], 0.5, 0.5) == measured([0.0, 0.5, 0.2])


def test_a_delay_is_forgotten_after_a_minute_and_the_next_longest_stands() -> None:
    quiet = [0.0] * int(20 / EVERY_SECONDS)

    assert (0.9, 0.3) == measured([0.9, *quiet, 0.3, 0.1])[1:]


def test_before_the_first_look_there_is_no_delay() -> None:
    assert 0.0 == LoopLag(lambda _: None, clock=lambda: 5.0).most()
