import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toggl_pulse.errors import BadRequest
from toggl_pulse.scheduler import Schedule, Scheduler

DEFAULT = "0 2,14 * * *"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def test_the_default_fires_at_two_and_at_fourteen_utc() -> None:
    schedule = Schedule(DEFAULT)

    assert schedule.after(at(23, 1)) == at(23, 2)
    assert schedule.after(at(23, 2)) == at(23, 14)
    assert schedule.after(at(23, 14)) == at(24, 2)


def test_weekday_numbers_count_as_in_cron() -> None:
    sunday = at(29, 6)

    assert Schedule("0 6 * * 0").after(at(23, 0)) == sunday
    assert Schedule("0 6 * * 7").after(at(23, 0)) == sunday
    assert Schedule("0 6 * * 1-5").after(at(27, 7)) == at(30, 6)
    assert Schedule("0 6 * * fri").after(at(23, 0)) == at(27, 6)
    assert Schedule("0 6 * * */2").after(at(23, 0)) == at(24, 6)


@pytest.mark.parametrize(
    "line", ["", "* * * *", "61 * * * *", "0 2 30 2 *", "0 2 * * 8", "0 2 * * 5-1", "0 2 1 * 1", "never"]
)
def test_a_line_that_is_no_schedule_is_refused_by_name(line: str) -> None:
    with pytest.raises(BadRequest, match=r"^SYNC_SCHEDULE .*\.$"):
        Schedule(line)


@given(
    last=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 (hypothesis adds it)
    later=st.timedeltas(timedelta(0), timedelta(days=3)),
)
def test_a_run_was_missed_exactly_if_two_or_fourteen_lies_between(last: datetime, later: timedelta) -> None:
    now = last + later
    hours = int((now - last) / timedelta(hours=1)) + 2
    whole = last.replace(minute=0, second=0, microsecond=0)
    due = [whole + timedelta(hours=n) for n in range(hours + 1)]

    expected = any(moment.hour in {2, 14} and last < moment <= now for moment in due)

    assert expected == Schedule(DEFAULT).missed(last, now)


def test_without_any_run_one_is_due() -> None:
    assert Schedule(DEFAULT).missed(None, at(23, 0))


def test_polls_come_every_so_many_minutes_to_the_second() -> None:
    async def scene() -> timedelta:
        async def job() -> None:
            """Nothing."""

        scheduler = Scheduler(Schedule(DEFAULT), poll_minutes=10, full=job, poll=job)
        before = datetime.now(UTC)
        scheduler.start()
        found = scheduler.next_runs()
        scheduler.stop()
        assert {"full", "poll"} == set(found)
        return found["poll"] - before

    wait = asyncio.run(scene())

    assert timedelta(minutes=10) <= wait < timedelta(minutes=10, seconds=1)


def test_stopping_twice_or_before_the_start_is_no_mistake() -> None:
    async def scene() -> None:
        async def job() -> None:
            """Nothing."""

        scheduler = Scheduler(Schedule(DEFAULT), poll_minutes=10, full=job, poll=job)
        scheduler.stop()
        scheduler.start()
        scheduler.stop()
        await asyncio.sleep(0)
        scheduler.stop()

    asyncio.run(scene())


def test_jobs_run_on_the_loop_and_polls_can_be_off() -> None:
    async def scene() -> tuple[list[str], set[str]]:
        ran: list[str] = []
        done = asyncio.Event()

        async def woken() -> None:
            ran.append("woken")
            done.set()

        async def other() -> None:
            ran.append("other")

        scheduler = Scheduler(Schedule(DEFAULT), poll_minutes=0, full=other, poll=other)
        scheduler.start()
        scheduler.wake(other, datetime.now(UTC) + timedelta(hours=1))
        scheduler.wake(woken, datetime.now(UTC))
        await asyncio.wait_for(done.wait(), timeout=10)
        names = set(scheduler.next_runs())
        scheduler.stop()
        return ran, names

    assert asyncio.run(scene()) == (["woken"], {"full"})
