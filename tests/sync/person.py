"""A person at work, drawn from a seed: what they track, change and throw away, and the other tools that they use.

Speaks to the simulated Toggl only, and never looks at the mirror.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sync.life import Life
from toggl_pulse.demo import World

MINUTE, HOUR, DAY = 60, 3600, 86_400
TEXTS = ("write", "review", "call", "plan", "fix", "read", "travel", "")
TAGS = ("deep", "calm", "urgent", "meeting", "call, external", "später")


class Person:
    """Works on weekdays, a little at the weekend; `done` counts what was done. Stops when told."""

    def __init__(self, life: Life, *, seed: int, tools: bool = True) -> None:
        self.life = life
        self.world: World = life.world
        self.zone = ZoneInfo(self.world.profile.timezone)
        self.dice = Random(f"person:{seed}")  # noqa: S311  (a drawn person, no secret)
        self.done: Counter[str] = Counter()
        self.resting = False
        self.tools = tools
        self.greedy_until = life.clock.now

    def begin(self) -> None:
        """From now on, day by day."""
        self._morning(self.life.clock.now.astimezone(self.zone).date())

    # --- a day ------------------------------------------------------------------------------------------------

    def _morning(self, day: date) -> None:
        following = day + timedelta(days=1)
        self.life.at(self._moment(following, 4), lambda: self._morning(following))
        if self.resting:
            return
        begin = self._moment(day, 0)
        free = day.weekday() > 4
        for _ in range(self.dice.randint(0, 1) if free else self.dice.randint(2, 5)):
            self._plan_timer(begin + timedelta(seconds=self.dice.randint(7 * HOUR, 19 * HOUR)))
        if self.dice.random() < 0.06 or self._changes_clock(day):
            # left running over midnight, in the nights of the clock changes always
            self.life.at(begin + timedelta(hours=22, minutes=self.dice.randint(0, 50)), self._start)
            self.life.at(begin + timedelta(hours=28, minutes=self.dice.randint(0, 50)), self._stop)
        for what, chance in (
            (self._edit, 2.5), (self._delete, 0.35), (self._revive, 0.03), (self._type_in, 0.8),
            (self._last_month, 0.1), (self._bulk, 0.12), (self._of_no_length, 0.08), (self._ahead, 0.05),
            (self._tag, 0.15), (self._names, 0.3),
        ):  # fmt: skip
            for _ in range(int(chance) + (self.dice.random() < chance % 1)):
                self._somewhen(begin, what)
        if self.tools:
            for _ in range(self.dice.randint(3, 25)):
                self._somewhen(begin, self._other_tool)
            if self.dice.random() < 0.05:
                self._somewhen(begin, self._greedy)

    def _moment(self, day: date, hour: int) -> datetime:
        return datetime.combine(day, time(hour), self.zone).astimezone(UTC)

    def _changes_clock(self, day: date) -> bool:
        one, other = (self._moment(day + timedelta(days=n), 12).astimezone(self.zone).utcoffset() for n in (0, 1))
        return one != other

    def _somewhen(self, begin: datetime, what: object) -> None:
        assert callable(what)
        self.life.at(begin + timedelta(seconds=self.dice.randint(5 * HOUR, 28 * HOUR)), lambda: self._do(what))

    def _do(self, what: object) -> None:
        assert callable(what)
        if not self.resting:
            what()

    # --- entries ----------------------------------------------------------------------------------------------

    def _plan_timer(self, begin: datetime) -> None:
        self.life.at(begin, self._start)
        self.life.at(begin + timedelta(seconds=self.dice.randint(2 * MINUTE, 3 * HOUR)), self._stop)

    def _start(self) -> None:
        if not self.resting:
            self.world.start_timer(**self._fields())
            self.done["timers"] += 1

    def _stop(self) -> None:
        if self.world.running() is not None:
            self.world.stop_timer()

    def _fields(self) -> dict[str, Any]:
        project = self._pick([p.id for p in self.world.projects.values() if p.deleted_at is None and p.active])
        tasks = [t.id for t in self.world.tasks.values() if t.deleted_at is None and t.project_id == project]
        return {
            "description": f"{self.dice.choice(TEXTS)} {self.dice.randint(1, 40)}",
            "project_id": project if self.dice.random() < 0.85 else None,
            "task_id": self._pick(tasks) if project and self.dice.random() < 0.3 else None,
            "tags": self.dice.sample(TAGS, self.dice.choice((0, 0, 1, 1, 2))),
        } | ({} if self.dice.random() < 0.6 else {"billable": self.dice.random() < 0.5})

    def _pick(self, ids: list[int]) -> int | None:
        return self.dice.choice(ids) if ids else None

    def _aged(self, *, running: bool = False) -> int | None:
        """A living entry between minutes and most of a year old, young ones far more often."""
        age = MINUTE * 10 ** self.dice.uniform(0.7, 5.6)
        numbers = list(self.world.by_start.between(int(self.world.now() - age - 5 * DAY), int(self.world.now() - age)))
        numbers = [n for n in numbers if running or self.world.entries[n].stop is not None]
        return min(numbers, key=lambda n: abs(self.world.now() - age - self.world.entries[n].start), default=None)

    def _edit(self) -> None:
        number = self._aged(running=True)
        if number is None:
            return
        row = self.world.entries[number]
        fields = self._fields()
        kind = self.dice.randrange(5)
        start = datetime.fromtimestamp(row.start, UTC)
        if kind == 0 and row.stop is not None:
            start += timedelta(seconds=self.dice.randint(-3 * HOUR, 3 * HOUR))
            self.world.edit_entry(number, start=start, stop=start + timedelta(seconds=self.dice.randint(0, 4 * HOUR)))
        elif kind == 1 and row.stop is not None:
            self.world.edit_entry(number, stop=start + timedelta(seconds=self.dice.randint(60, 2 * HOUR)))
        elif kind == 2:
            self.world.edit_entry(number, tags=fields["tags"])
        elif kind == 3:
            self.world.edit_entry(number, project_id=fields["project_id"], task_id=None)
        else:
            self.world.edit_entry(number, description=fields["description"], billable=not row.billable)
        self.done["edits"] += 1

    def _delete(self) -> None:
        number = self._aged(running=self.dice.random() < 0.1)
        if number is not None:
            self.world.delete_entry(number)
            self.done["deletions"] += 1

    def _revive(self) -> None:
        gone = [row.id for row in self.world.entries.values() if row.deleted_at is not None and row.stop is not None]
        number = self._pick(gone[-20:])
        if number is not None:
            self.world.revive_entry(number)
            self.done["revivals"] += 1

    def _type_in(self) -> None:
        self._create(self.world.now() - self.dice.randint(0, 3 * DAY), self.dice.randint(5 * MINUTE, 5 * HOUR))

    def _last_month(self) -> None:
        for _ in range(self.dice.randint(1, 6)):
            self._create(self.world.now() - self.dice.randint(25 * DAY, 45 * DAY), self.dice.randint(MINUTE, 8 * HOUR))

    def _of_no_length(self) -> None:
        self._create(self.world.now() - self.dice.randint(0, 10 * DAY), 0)

    def _ahead(self) -> None:
        self._create(self.world.now() + self.dice.randint(HOUR, 40 * DAY), self.dice.randint(MINUTE, 2 * HOUR))

    def _create(self, start: int, seconds: int) -> None:
        begin = datetime.fromtimestamp(start, UTC)
        self.world.create_entry(start=begin, stop=begin + timedelta(seconds=seconds), **self._fields())
        self.done["typed in"] += 1

    def _bulk(self, count: int | None = None) -> None:
        age = self.dice.randint(0, 300 * DAY)
        rows = list(self.world.by_start.between(None, self.world.now() - age))[-(count or self.dice.randint(5, 60)) :]
        fields = self._fields()
        for number in rows:
            self.world.edit_entry(number, project_id=fields["project_id"], task_id=None, tags=fields["tags"])
        self.done["edits in bulk"] += len(rows)

    def flood(self, count: int) -> None:
        """More changes at once than an answer holds, deletions among them."""
        numbers = list(self.world.by_start.between(None, self.world.now()))[-count:]
        for number in numbers:
            if number % 25 == 0 and self.world.entries[number].stop is not None:
                self.world.delete_entry(number)
            else:
                self.world.edit_entry(number, billable=not self.world.entries[number].billable)
        self.done["floods"] += 1

    # --- names ------------------------------------------------------------------------------------------------

    def _tag(self) -> None:
        living = [tag for tag in self.world.tags.values() if tag.deleted_at is None]
        tag = self.dice.choice(living) if living else None
        if tag is None:
            return
        if self.dice.random() < 0.7:
            name = f"{tag.name.split()[0]} {self.dice.randint(1, 99)}"
            if all(other.name != name for other in living):
                self.world.rename_tag(tag.id, name)
        else:
            self.world.delete_tag(tag.id)
        self.done["tags"] += 1

    def _names(self) -> None:  # noqa: C901  (a list of what people do)
        world, dice = self.world, self.dice
        projects = [p.id for p in world.projects.values() if p.deleted_at is None]
        clients = [c.id for c in world.clients.values() if c.deleted_at is None]
        tasks = [t.id for t in world.tasks.values() if t.deleted_at is None]
        project, client, task = self._pick(projects), self._pick(clients), self._pick(tasks)
        kind = dice.randrange(12)
        if kind == 0 or len(projects) < 4:
            world.create_project(
                f"Project {dice.randint(1, 999)}", client_id=client, color=f"#{dice.randrange(16**6):06x}"
            )
        elif kind == 1 and project:
            world.rename_project(project, f"Renamed {dice.randint(1, 999)}")
        elif kind == 2 and project:
            world.edit_project(project, client_id=client)
        elif kind == 3 and project:
            world.archive_project(project, archived=world.projects[project].active)
        elif kind == 4 and project and dice.random() < 0.3:
            world.delete_project(project)
        elif kind == 5 or not clients:
            world.create_client(f"Client {dice.randint(1, 999)}")
        elif kind == 6 and client:
            world.rename_client(client, f"Client {dice.randint(1, 999)}")
        elif kind == 7 and client:
            world.archive_client(client, archived=not world.clients[client].archived)
        elif kind == 8 and client and dice.random() < 0.5:
            world.delete_client(client)
        elif kind == 9 and project:
            world.create_task(f"Task {dice.randint(1, 99)}", project_id=project)
        elif kind == 10 and task:
            world.finish_task(task, active=not world.tasks[task].active)
        elif kind == 11 and task and dice.random() < 0.5:
            world.delete_task(task)
        self.done["names"] += 1

    # --- other tools ------------------------------------------------------------------------------------------

    def _other_tool(self) -> None:
        bucket = "user" if self.dice.random() < 0.6 else f"organization:{next(iter(self.world.organizations))}"
        self.world.drain(bucket, self.dice.choice((1, 1, 2, 3, 5, 8, 15, 29, 35)))
        self.done["other tools"] += 1

    def _greedy(self) -> None:
        """A tool gone wild: for some hours it takes all it can get."""
        self.greedy_until = self.life.clock.now + timedelta(hours=self.dice.randint(1, 9))
        self._grab()

    def _grab(self) -> None:
        if self.life.clock.now < self.greedy_until and not self.resting:
            for bucket in ("user", *(f"organization:{number}" for number in self.world.organizations)):
                self.world.drain(bucket, max(0, self.world.bucket(bucket).remaining(self.world.now()) - 2))
            self.life.at(self.life.clock.now + timedelta(minutes=7), self._grab)
            self.done["greed"] += 1
