"""What the product claims, held against the simulated Toggl: rows, months, contact, quota, gaps, what comes next.

Everything here is computed from the simulator's rows and its own log of requests, never with the product's code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sync.life import RESERVE, Life
from toggl_pulse.demo import World
from toggl_pulse.demo.world import Request
from toggl_pulse.mirror import Mirror
from toggl_pulse.model import epoch

MICROS = 1_000_000
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Difference:
    """`at` is when Toggl changed it (epoch seconds); `month` the local month of the entry here or there."""

    entry: int
    what: str
    at: float
    months: frozenset[str]


@cache
def zone_of(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def month_of(world: World, start: int) -> str:
    return f"{datetime.fromtimestamp(start, zone_of(world.profile.timezone)):%Y-%m}"


def theirs(world: World, number: int, ended: frozenset[int] = frozenset()) -> tuple[object, ...] | None:
    row = world.entries[number]
    if row.deleted_at is not None:
        return None
    tags = sorted((tag, world.tags[tag].name) for tag in row.tag_ids if tag not in ended)
    return (
        row.workspace_id, row.start, row.stop, row.duration if row.stop is not None else 0, row.project_id, row.task_id,
        row.billable, row.description or "", tuple(tag for tag, _ in tags),
    )  # fmt: skip


def ours(
    mirror: Mirror, numbers: list[int], ended: frozenset[int] = frozenset()
) -> dict[int, tuple[object, ...] | None]:
    found: dict[int, tuple[object, ...] | None] = {}
    for number, stored in mirror.entries(numbers).items():
        entry = stored.entry
        found[number] = None if stored.deletion is not None else (
            entry.workspace_id, epoch(entry.start), None if entry.stop is None else epoch(entry.stop),
            entry.duration if entry.stop is not None else 0, entry.project_id, entry.task_id, entry.billable,
            entry.description, tuple(sorted(set(entry.tag_ids) - ended)),
        )  # fmt: skip
    return found


def entry_differences(life: Life, mirror: Mirror, *, ended: frozenset[int] = frozenset()) -> list[Difference]:
    """Entries that the mirror has otherwise than Toggl; tags of `ended` do not count."""
    world = life.world
    numbers = [row.id for row in world.entries.values() if row.user_id == world.me]
    held = ours(mirror, numbers, ended)
    found = []
    for number in numbers:
        there, here = theirs(world, number, ended), held.get(number)
        if there != here:
            starts = {world.entries[number].start} | ({here[1]} if here is not None else set())
            months = frozenset(month_of(world, start) for start in starts)  # type: ignore[arg-type]
            found.append(
                Difference(number, f"{there} in Toggl, {here} here", world.entries[number].at / MICROS, months)
            )
    counts = mirror.counts()
    strangers = counts.entries + counts.deleted - len(held)
    if strangers:
        found.append(Difference(0, f"{strangers} entries that Toggl never had", 0, frozenset()))
    return found


def name_differences(world: World, mirror: Mirror) -> list[str]:
    catalogue = mirror.catalogue()
    truth: dict[str, object] = {}
    held: dict[str, object] = {}
    for client in world.clients.values():
        truth[f"client {client.id}"] = None if client.deleted_at else (client.name, client.archived)
    for project in world.projects.values():
        told = (project.name, project.client_id, project.active, project.color)
        truth[f"project {project.id}"] = None if project.deleted_at else told
    for task in world.tasks.values():
        truth[f"task {task.id}"] = None if task.deleted_at else (task.name, task.project_id, task.active)
    for tag in world.tags.values():
        truth[f"tag {tag.id}"] = None if tag.deleted_at else tag.name
    for c in catalogue.clients.values():
        held[f"client {c.id}"] = None if c.deleted else (c.name, c.archived)
    for p in catalogue.projects.values():
        held[f"project {p.id}"] = None if p.deleted else (p.name, p.client_id, p.active, p.color)
    for t in catalogue.tasks.values():
        held[f"task {t.id}"] = None if t.deleted else (t.name, t.project_id, t.active)
    for g in catalogue.tags.values():
        held[f"tag {g.id}"] = None if g.deleted else g.name
    keys = sorted({*truth, *held})
    return [f"{k}: {truth.get(k)} in Toggl, {held.get(k)} here" for k in keys if truth.get(k) != held.get(k)]


def month_seconds(world: World) -> Counter[str]:
    """Seconds of living, finished entries by local month, as Toggl totals them."""
    found: Counter[str] = Counter()
    for row in world.entries.values():
        if row.deleted_at is None and row.stop is not None and row.user_id == world.me:
            found[month_of(world, row.start)] += row.duration
    return found


def held_seconds(world: World, mirror: Mirror) -> Counter[str]:
    """The same, added up from the mirror's own rows."""
    found: Counter[str] = Counter()
    for stored in mirror.entries(world.entries).values():
        if stored.deletion is None and stored.entry.stop is not None:
            found[month_of(world, epoch(stored.entry.start))] += stored.entry.duration
    return found


def month_differences(life: Life, mirror: Mirror) -> list[str]:
    """At rest: every month that is not verified with the true sum.

    The mirror's rows must add up to it, and a comparison made since anything changed must have come to it.
    """
    truth, held = month_seconds(life.world), held_seconds(life.world, mirror)
    months = {month.month: month for month in mirror.months()}
    changed = max((row.at for row in life.world.entries.values()), default=0) / MICROS
    found, compared = [], 0
    for name in sorted({*truth, *held, *months}):
        month, seconds = months.get(name), truth[name]
        if month is None or month.state != "verified":
            found.append(f"month {name} is {month.state if month else 'unknown'}")
            continue
        if held[name] != seconds:
            found.append(f"month {name} is verified: {seconds} s in Toggl, {held[name]} here")
        if month.checked_at is not None and (month.checked_at - life.skew).timestamp() > changed:
            compared += 1
            if (month.mirror_seconds, month.toggl_seconds) != (seconds, seconds):
                told = f"{month.mirror_seconds} s here and {month.toggl_seconds} in Toggl"
                found.append(f"month {name} has {seconds} s, and {told} were compared")
    return found if compared else [*found, "no month was compared since the last change"]


def differences(life: Life, mirror: Mirror) -> list[str]:
    """Everything in which the mirror is not Toggl, and every month that is not verified with the true sum."""
    found = [f"entry {d.entry}: {d.what}" for d in entry_differences(life, mirror)]
    return found + name_differences(life.world, mirror) + month_differences(life, mirror)


def below_the_reserve(life: Life) -> list[str]:
    """Requests of ours that left less than the reserve."""
    return [
        f"{request.at:%Y-%m-%d %H:%M:%S} {request.method} {request.path}: {left} left in {request.bucket}"
        for request, left in _counted(life)
        if left < RESERVE
    ]


def lowest(life: Life) -> int:
    """The least that a request of ours has left."""
    return min(left for _, left in _counted(life))


def _counted(life: Life) -> Iterator[tuple[Request, int]]:
    """Requests with what they have left; looks at the quota are not counted by Toggl."""
    for request in life.world.log:
        if request.bucket is not None and request.remaining is not None and not request.path.endswith("/me/quota"):
            yield request, request.remaining


def spent(life: Life) -> Counter[str]:
    """Requests by endpoint, numbers taken out."""
    found: Counter[str] = Counter()
    for request in life.world.log:
        path = "/".join("…" if part.isdigit() else part for part in request.path.split("/"))
        path = path.removeprefix("/api/v9").removeprefix("/reports/api/v3")
        if path == "/me/time_entries":
            path += "?since" if "since=" in request.query else "?start_date"
        found[path] += 1
    return found


class Watch:
    """Looks on while the product lives: at every month that becomes verified, and at what `status` says when asked.

    `lies` is what was found; `contacts` are the moments at which Toggl told its changes.
    """

    def __init__(self, life: Life, *, poll: timedelta = timedelta(minutes=10)) -> None:
        self.life = life
        self.poll = poll
        self.lies: list[str] = []
        self.looks = 0
        self.checked = 0
        self.contacts: list[datetime] = []
        self.fulls: list[datetime] = []
        self.running: int | None = None
        self.full_names_at = life.clock.now
        self._seen = 0
        self._months: dict[tuple[int, str], tuple[str, datetime | None]] = {}
        self._revision = 0
        life.after_turn.append(self.after_turn)

    # --- after each run ---------------------------------------------------------------------------------------

    def after_turn(self) -> None:
        """Take note of what the simulator answered; look at the months if totals were asked."""
        log = self.life.world.log
        fresh = [log[n] for n in range(self._seen - len(log), 0)] if self._seen < len(log) else []
        self._seen = len(log)
        for request in fresh:
            first = request.path == "/api/v9/me" and "related" in request.query and not self.contacts
            if request.status == 200 and (
                first or (request.path == "/api/v9/me/time_entries" and "since=" in request.query)
            ):
                self.contacts.append(request.at)
                row = self.life.world.running()
                self.running = row.id if row is not None else None
        self.fulls += [request.at for request in fresh if request.path == "/api/v9/me" and "related" in request.query]
        if any(request.path == "/api/v9/me/tags" and request.status == 200 for request in fresh):
            self.full_names_at = fresh[0].at
        reports = [place for place, request in enumerate(fresh) if "/reports/" in request.path]
        if reports:
            later = fresh[reports[0] :]
            self._look_at_months(still=not any("/me/time_entries" in request.path for request in later))

    def _look_at_months(self, *, still: bool) -> None:
        """Whatever has just become verified equals Toggl, but for what changed after the last contact.

        `still`: no rows have come since but Reports', so that what was compared is the sum of the mirror's rows.
        """
        mirror = self.life.service.mirror
        fresh: dict[str, int | None] = {}
        for month in mirror.months():
            key, now = (month.workspace_id, month.month), (month.state, month.checked_at)
            if self._months.get(key) != now and month.state == "verified":
                fresh[month.month] = month.mirror_seconds
            self._months[key] = now
        if fresh:
            self.checked += len(fresh)
            held = held_seconds(self.life.world, mirror)
            for name, seconds in fresh.items() if still else ():
                self._same(f"what was compared of {name}", seconds, held[name])
            for difference in self._beyond_the_lag(mirror):
                if difference.months & fresh.keys():
                    self._lie(f"verified though {difference.what} ({sorted(difference.months)})")

    def _beyond_the_lag(self, mirror: Mirror) -> list[Difference]:
        world = self.life.world
        ended = frozenset(
            tag.id
            for tag in world.tags.values()
            if tag.deleted_at is not None and tag.deleted_at / MICROS >= self.full_names_at.timestamp()
        )
        contact = self.contacts[-1].timestamp() if self.contacts else 0
        return [d for d in entry_differences(self.life, mirror, ended=ended) if d.at < contact - 1]

    def _lie(self, what: str) -> None:
        self.lies.append(f"{self.life.clock.now:%Y-%m-%d %H:%M:%S}: {what}")

    def _same(self, what: str, told: object, true: object) -> None:
        if told != true:
            self._lie(f"{what} is told as {told}, and is {true}")

    # --- status -----------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Hold `status` against the simulator; from a process of its own when none is running.

        Nobody asks a machine that sleeps: then it is asked later.
        """
        if self.life.asleep:
            self.life.at(self.life.clock.now + timedelta(hours=5), self.look)
            return
        if self.life.alive:
            self._look(self.life.service, alive=True)
            return
        service = self.life.open()
        try:
            self._look(service, alive=False)
        finally:
            service.mirror.close()

    def _look(self, service: Any, *, alive: bool) -> None:
        self.looks += 1
        life, told = self.life, service.status()
        now = life.now()
        self._same("now", told["now"], stamp(now))
        contact = self.contacts[-1] if self.contacts else None
        if contact is not None:
            heard = datetime.fromisoformat(told["data_as_of"])
            if not contact + life.skew - SECOND <= heard <= contact + life.skew + 3 * SECOND:
                self._lie(f"contact is told as {heard}, and was {contact}")
            if abs(told["seconds_behind"] - (life.clock.now - contact).total_seconds()) > 3:
                self._lie(f"lag is told as {told['seconds_behind']} s")
        self._same("whether a sync runs", told["sync"]["running"], False)
        self._look_at_rows(service, told)
        self._look_at_quota(told)
        self._look_at_runs(told, alive=alive)

    def _look_at_rows(self, service: Any, told: dict[str, Any]) -> None:
        life, world = self.life, self.life.world
        revision = told["mirror"]["revision"]
        if revision < self._revision:
            self._lie(f"the revision fell from {self._revision} to {revision}")
        self._revision = revision
        running = [entry.id for entry in service.mirror.running()]
        self._same("running", told["mirror"]["running"], len(running))
        self._same("what runs", running, [] if self.running is None else [self.running])
        held = service.mirror.entries(world.entries)
        living = [stored.entry for stored in held.values() if stored.deletion is None]
        self._same("entries", told["mirror"]["entries"], len(living))
        self._same("deleted", told["mirror"]["deleted"], len(held) - len(living))
        if living:
            self._same("first start", told["mirror"]["first_start"], stamp(min(entry.start for entry in living)))
            self._same("last start", told["mirror"]["last_start"], stamp(max(entry.start for entry in living)))
        complete = told["history"]["complete"] and told["history"]["gap"] is None
        doubted = {month["month"] for month in told["months"]["others"]}
        known = doubted | {month.month for month in service.mirror.months()}
        for difference in self._beyond_the_lag(service.mirror):
            if complete:
                self._lie(f"complete, though entry {difference.entry}: {difference.what}")
            elif not difference.months <= doubted | {m for m in difference.months if m not in known}:
                self._lie(f"verified, though entry {difference.entry}: {difference.what}")
        if not told["months"]["verified"] and complete and life.said["sync.run"] > 5:
            self._lie("nothing is verified")

    def _look_at_quota(self, told: dict[str, Any]) -> None:
        """What a bucket has left is what Toggl told at `seen_at`; an open one ends when Toggl's ends."""
        life = self.life
        self._same("reserve", told["quota"]["reserve"], RESERVE)
        for bucket in told["quota"]["buckets"]:
            seen = datetime.fromisoformat(bucket["seen_at"]) - life.skew
            ends = datetime.fromisoformat(bucket["resets_at"]) - life.skew
            self._same(f"whether {bucket['name']} is open", bucket["open"], ends > life.clock.now)
            if seen > life.clock.now + SECOND:
                self._lie(f"{bucket['name']} was seen in the future")
            if not bucket["open"]:
                continue
            true = self.life.world.bucket(bucket["name"])
            now = life.clock.now.timestamp()
            if bucket["remaining"] < true.remaining(now):
                self._lie(f"{bucket['name']} has {true.remaining(now)} left, told were {bucket['remaining']}")
            if abs(ends.timestamp() - now - true.resets_in(now)) > 2:
                self._lie(f"{bucket['name']} ends in {true.resets_in(now)} s, told was {ends}")
            at_then = [
                request.remaining
                for request in last_of(life, 400)
                if request.at <= seen + SECOND and (request.bucket == bucket["name"] or request.path.endswith("/quota"))
            ]
            if at_then and not bucket["name"].startswith("org"):
                self._same(f"what {bucket['name']} had left at {seen}", bucket["remaining"], at_then[-1])

    def _look_at_runs(self, told: dict[str, Any], *, alive: bool) -> None:
        life = self.life
        following = told["sync"]["next"]
        self._same("the next full sync", following["full"], stamp(next_full(life.now())))
        if alive:
            ahead = datetime.fromisoformat(following["poll"]) - life.now()
            if not timedelta(0) <= ahead <= self.poll:
                self._lie(f"the next poll is told as in {ahead}")
        else:
            self._same("what comes next", set(following), {"full"})


def stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def last_of(life: Life, count: int) -> list[Any]:
    log = life.world.log
    return [log[n] for n in range(max(-count, -len(log)), 0)]


def next_full(now: datetime) -> datetime:
    """02:00 and 14:00 UTC, by hand."""
    for days in (0, 1):
        for hour in (2, 14):
            at = datetime.combine(now.date() + timedelta(days=days), datetime.min.time(), UTC).replace(hour=hour)
            if at > now:
                return at
    raise AssertionError(now)


def silences(watch: Watch, longest: timedelta) -> list[tuple[datetime, datetime]]:
    """Stretches without contact longer than this, from the simulator's own log."""
    pairs = zip(watch.contacts, watch.contacts[1:], strict=False)
    return [(one, other) for one, other in pairs if other - one > longest]


def missed_fulls(watch: Watch, begin: datetime) -> list[str]:
    """Turns of 02:00 and 14:00 UTC after which Toggl was reached, but no full sync came within the next hours."""
    found = []
    due = next_full(begin)
    while due < watch.contacts[-1] - timedelta(hours=3):
        heard = next(contact for contact in watch.contacts if contact >= due)
        if not any(due <= full <= heard + timedelta(hours=2, minutes=10) for full in watch.fulls):
            found.append(f"the full sync of {due:%Y-%m-%d %H:%M} was never made, though Toggl answered at {heard}")
        due = next_full(due)
    return found
