"""When syncs run: full ones by cron, light polls between, and one-off wake-ups; the only file that knows APScheduler.

It knows neither what a sync is nor where it is recorded: jobs are handed in as coroutines.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from toggl_pulse.errors import BadRequest

__all__ = ["Schedule", "Scheduler"]

Job = Callable[[], Awaitable[None]]

_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY_PART = re.compile(r"(?:\*|(?P<first>[0-7])(?:-(?P<last>[0-7]))?)(?:/(?P<step>[1-7]))?")
_FIELDS = 5


class Schedule:
    """A cron line in UTC, weekdays counted as cron does (0 and 7 are Sunday).

    Raises `BadRequest` that names `SYNC_SCHEDULE` when the line is malformed or would never fire.
    """

    def __init__(self, line: str) -> None:
        self.line = line
        fields = line.split()
        if len(fields) != _FIELDS:
            raise _refused("must have five fields, for example `0 2,14 * * *`")
        if fields[2] != "*" and fields[4] != "*":
            # cron runs when either matches, APScheduler when both do: refuse what would surprise someone
            raise _refused("may name days of the month or days of the week, not both")
        try:
            self.trigger = CronTrigger.from_crontab(" ".join([*fields[:4], _weekdays(fields[4])]), timezone=UTC)
        except ValueError as error:
            raise _refused("is not a cron line, for example `0 2,14 * * *`") from error
        if self.after(datetime(2026, 1, 1, tzinfo=UTC)) is None:
            raise _refused("never fires")

    def after(self, moment: datetime) -> datetime | None:
        """The first firing later than `moment` (aware UTC)."""
        found: datetime | None = self.trigger.get_next_fire_time(None, moment + timedelta(microseconds=1))
        return found

    def missed(self, last: datetime | None, now: datetime) -> bool:
        """Whether a run was due after `last` (None: there was none yet) and not later than `now`."""
        if last is None:
            return True
        due = self.after(last)
        return due is not None and due <= now


def _refused(why: str) -> BadRequest:
    return BadRequest(f"SYNC_SCHEDULE {why}.", code="bad_setting")


def _weekdays(field: str) -> str:
    """Turn cron's weekday numbers into names, for APScheduler 3 counts them from Monday."""
    if field == "*" or re.search("[a-z]", field, re.IGNORECASE):
        return field
    names: list[str] = []
    for part in field.split(","):
        found = _WEEKDAY_PART.fullmatch(part)
        if found is None:
            raise _refused(f"has a weekday that cron does not know ({part})")
        first = int(found["first"] or 0)
        last = int(found["last"] or (6 if part.startswith("*") or found["step"] else first))
        if last < first:
            raise _refused(f"has a weekday range that runs backwards ({part})")
        names += [_WEEKDAYS[day] for day in range(first, last + 1, int(found["step"] or 1))]
    return ",".join(dict.fromkeys(names))


class Scheduler:
    """Runs `full` by `schedule` and `poll` every `poll_minutes` (0: never) on the running event loop.

    A job that is still running when its next turn comes is not started twice, and turns missed while the machine
    slept are made up once.
    """

    def __init__(self, schedule: Schedule, *, poll_minutes: int, full: Job, poll: Job) -> None:
        self._schedule = schedule
        self._poll_minutes = poll_minutes
        self._full = full
        self._poll = poll
        defaults = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
        self._scheduler = AsyncIOScheduler(timezone=UTC, job_defaults=defaults)

    def start(self) -> None:
        """Start the clockwork; must be called on the event loop that the jobs shall run on."""
        self._scheduler.add_job(self._full, self._schedule.trigger, id="full")
        if self._poll_minutes:
            self._scheduler.add_job(self._poll, "interval", minutes=self._poll_minutes, id="poll")
        self._scheduler.start()

    def stop(self) -> None:
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def wake(self, job: Job, at: datetime) -> None:
        """Run `job` once at `at`; a later call replaces an earlier one that has not fired."""
        self._scheduler.add_job(job, "date", run_date=at, id="wake", replace_existing=True)

    def next_runs(self) -> dict[str, datetime]:
        """The next firing of each job that has one."""
        return {job.id: job.next_run_time for job in self._scheduler.get_jobs() if job.next_run_time}
