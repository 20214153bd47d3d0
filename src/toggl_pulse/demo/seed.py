"""A freelancer's year up to a given moment: about 3,500 entries, with every oddity that real accounts have.

A day's entries depend on its date and the seed alone, so that the same day looks the same tomorrow.
Only the edges move with `now`: the running timer, the entry ahead, the archived project's end.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from .oddities import Odd, odd_entries
from .rows import ClientRow, EntryRow, OrganizationRow, ProjectRow, TagRow, TaskRow, UserRow, WorkspaceRow
from .studio import CLIENTS, LOOSE_TEXTS, PROJECTS, TAGS, TASKS, Plan
from .world import World

__all__ = ["YEAR_DAYS", "sow"]

YEAR_DAYS = 372
"""Days back to the first entry: 53 weeks and a day always hold both clock changes."""

STUDIO, CHOIR = 7_412_903, 7_518_240
USER = 9_041_337
CHOIR_PROJECT = 201_450_900
CHOIR_TAG = 15_300_900
_FIRST_ENTRY_ID = 3_700_000_000
_HOLIDAYS = {(1, 1), (5, 1), (10, 3), (12, 24), (12, 25), (12, 26), (12, 31)}
_FREE_WEEKS = {15, 31, 32, 52}
"""ISO weeks without work."""


class Ids(NamedTuple):
    """Where the seeded names ended up."""

    projects: dict[str, int]
    tags: dict[str, int]
    tasks: dict[str, tuple[int, ...]]


def sow(world: World, now: datetime, *, seed: int, timezone: str) -> None:
    """Fill an empty world."""
    zone = ZoneInfo(timezone)
    today = now.astimezone(zone).date()
    first = today - timedelta(days=YEAR_DAYS)
    ids = _names(world, first, timezone, gone=int(now.timestamp()) - 20 * 86_400)
    archived_from = (today.replace(day=1) - timedelta(days=150)).replace(day=1)
    running_since = int(now.timestamp()) - 2_834
    rows: list[EntryRow] = []
    for ago in range(YEAR_DAYS, -1, -1):
        day = today - timedelta(days=ago)
        rng = Random(f"{seed}:{day.toordinal()}")
        drawn = list(_day(day, zone, rng, ids, kiosk=day < archived_from))
        drawn += [_odd(odd, ids) for odd in odd_entries(day, zone, rng, int(now.timestamp()))]
        for number, row in enumerate(drawn):
            row.id = _FIRST_ENTRY_ID + (day.toordinal() - 735_000) * 1000 + number
            rows.append(row)
    rows = [row for row in rows if row.stop is not None and row.stop <= running_since]
    last = rows[-1].id
    rows += _edges(now, zone, ids, running_since, last)
    latest = int(now.timestamp()) * 1_000_000 - 1_000_000
    for row in rows:
        row.at = min(row.at, latest)
        if row.deleted_at is not None:
            row.deleted_at = row.at
    world.load_entries(rows)


def _names(world: World, first: date, timezone: str, *, gone: int) -> Ids:
    """Make the catalogue; ids are fixed, so that a demo started again tomorrow has the same.

    A client, a tag and a project's archiving date from `gone`.
    """
    late = gone * 1_000_000
    created = int(datetime.combine(first - timedelta(days=21), time(9), ZoneInfo(timezone)).timestamp())
    at = created * 1_000_000
    for number, name, tier in ((6_100_201, "Studio", "starter"), (6_100_877, "Lakeside choir", "free")):
        world.organizations[number] = OrganizationRow(number, name, tier, at)
    world.workspaces[STUDIO] = WorkspaceRow(
        STUDIO, 6_100_201, "Studio", at, default_hourly_rate=80.0, rounding=1, rounding_minutes=15
    )
    world.workspaces[CHOIR] = WorkspaceRow(CHOIR, 6_100_877, "Lakeside choir", at)
    world.users[USER] = UserRow(
        USER, "Demo User", world.email, timezone, at,
        created_at=created, default_workspace_id=STUDIO, workspace_ids=[STUDIO, CHOIR],
    )  # fmt: skip
    world.me = USER
    clients = {key: 64_200_100 + place for place, key in enumerate(CLIENTS)}
    for key, number in clients.items():
        world.clients[number] = ClientRow(number, STUDIO, CLIENTS[key], at, archived=key == "kiosk")
    world.clients[64_200_190] = ClientRow(64_200_190, STUDIO, "Old prospect", late, deleted_at=late)
    projects = {plan.key: 201_450_100 + place for place, plan in enumerate(PROJECTS)}
    for plan in PROJECTS:
        number = projects[plan.key]
        client = clients[plan.client] if plan.client else None
        world.projects[number] = ProjectRow(
            number, STUDIO, plan.name, late if plan.archived else at, client,
            active=not plan.archived, color=plan.color, billable=plan.client is not None,
            currency=plan.currency if plan.client else None, rate=plan.rate, fixed_fee=plan.fixed_fee,
            created_at=created,
        )  # fmt: skip
    world.projects[CHOIR_PROJECT] = ProjectRow(
        CHOIR_PROJECT, CHOIR, "Choir website", at, color="#c9806b", created_at=created
    )
    tags = {name: 15_300_100 + place for place, name in enumerate(TAGS)}
    for name, number in tags.items():
        world.tags[number] = TagRow(number, STUDIO, name, at)
    world.tags[CHOIR_TAG] = TagRow(CHOIR_TAG, CHOIR, "meeting", at)
    world.tags[15_300_190] = TagRow(15_300_190, STUDIO, "old process", late, deleted_at=late)
    tasks: dict[str, tuple[int, ...]] = {}
    number = 88_120_100
    for key, names in TASKS.items():
        for title in names:
            number += 1
            world.tasks[number] = TaskRow(number, STUDIO, projects[key], title, at)
            tasks[key] = (*tasks.get(key, ()), number)
    return Ids(projects, tags, tasks)


def _day(day: date, zone: ZoneInfo, rng: Random, ids: Ids, *, kiosk: bool) -> Iterator[EntryRow]:
    """Yield the plain entries of one local day, in order of their start."""
    weekend = day.weekday() >= 5  # noqa: PLR2004  (Saturday)
    off = (day.month, day.day) in _HOLIDAYS or day.isocalendar().week in _FREE_WEEKS or rng.random() < 0.02  # noqa: PLR2004
    if off or (weekend and rng.random() > 0.12):  # noqa: PLR2004
        return
    moment = datetime.combine(day, time(8, 20), zone) + timedelta(minutes=rng.randrange(70))
    end = datetime.combine(day, time(17, 0), zone) + timedelta(minutes=rng.randrange(80))
    if weekend:
        end = moment + timedelta(hours=2, minutes=rng.randrange(60))
    clock, last = int(moment.timestamp()), int(end.timestamp())
    lunch = int(datetime.combine(day, time(12, 15), zone).timestamp()) + rng.randrange(2_400)
    eaten = False
    plan: Plan | None = None
    while clock < last:
        if not eaten and clock >= lunch:
            clock += rng.randrange(1_800, 4_200)
            eaten = True
        if plan is None or rng.random() < 0.45:  # noqa: PLR2004
            plan = _choose(day, rng, kiosk=kiosk, weekend=weekend)
        length = max(150, min(int(rng.lognormvariate(7.43, 0.6)), 9_000))
        yield _entry(rng, ids, clock, length, plan if rng.random() > 0.04 else None)  # noqa: PLR2004
        clock += length + rng.choice((0, 0, 0, 20, 75, 180, 420, 700))
    if day.weekday() == 1 and day.isocalendar().week % 2:
        start = int(datetime.combine(day, time(19, 30), zone).timestamp())
        evening = _blank(start, start + rng.randrange(2_400, 5_400))
        evening.workspace_id, evening.project_id = CHOIR, CHOIR_PROJECT
        evening.description = rng.choice(("Programme page", "Photos of the concert", "Members' area"))
        evening.tag_ids = (CHOIR_TAG,) if rng.random() < 0.3 else ()  # noqa: PLR2004
        yield evening


def _choose(day: date, rng: Random, *, kiosk: bool, weekend: bool) -> Plan:
    if weekend:
        return rng.choice([plan for plan in PROJECTS if plan.client is None])
    plans = [plan for plan in PROJECTS if kiosk or not plan.archived]
    month = day.month + day.day / 31
    weights = [
        plan.weight * (1 - plan.swing * (1 - math.cos((month - plan.peak) / 12 * math.tau)) / 2) for plan in plans
    ]
    return rng.choices(plans, weights)[0]


def _entry(rng: Random, ids: Ids, start: int, length: int, plan: Plan | None) -> EntryRow:
    row = _blank(start, start + length)
    row.at += rng.randrange(90_000_000)
    if rng.random() < 0.12:  # noqa: PLR2004  (written up or mended later)
        row.at += rng.randrange(3 * 86_400) * 1_000_000
    if plan is None:
        row.description = rng.choice(LOOSE_TEXTS)
        return row
    row.project_id = ids.projects[plan.key]
    row.billable = plan.client is not None and rng.random() > 0.07  # noqa: PLR2004
    chance = rng.random()
    row.description = None if chance < 0.015 else "" if chance < 0.04 else rng.choice(plan.texts)  # noqa: PLR2004
    wanted = rng.choices((0, 1, 2), (45, 42, 13))[0]
    row.tag_ids = tuple(ids.tags[name] for name in rng.sample(plan.tags, min(wanted, len(plan.tags))))
    if plan.key in ids.tasks and rng.random() < 0.6:  # noqa: PLR2004
        row.task_id = rng.choice(ids.tasks[plan.key])
    return row


def _odd(odd: Odd, ids: Ids) -> EntryRow:
    row = _blank(odd.start, odd.stop)
    if odd.project is not None:
        row.project_id, row.billable = ids.projects[odd.project], odd.billable
    row.description = odd.text
    row.tag_ids = tuple(ids.tags[name] for name in odd.tags)
    if odd.duration is not None:
        row.duration = odd.duration
    if odd.deleted:
        row.at += 90_054_321_000
        row.deleted_at = row.at
    return row


def _blank(start: int, stop: int) -> EntryRow:
    return EntryRow(
        id=0,
        workspace_id=STUDIO,
        user_id=USER,
        start=start,
        stop=stop,
        duration=stop - start,
        at=stop * 1_000_000 + 412_070,
    )


def _edges(now: datetime, zone: ZoneInfo, ids: Ids, running_since: int, last: int) -> list[EntryRow]:
    """Return what lies around `now`: the running timer, and an entry booked for tomorrow."""
    running = _blank(running_since, running_since)
    running.id, running.stop, running.duration = last + 1, None, 0
    running.project_id, running.billable = ids.projects["solar-dash"], True
    running.description, running.tag_ids = "Live chart of the roof", (ids.tags["deep work"],)
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    start = int(datetime.combine(tomorrow, time(10), zone).timestamp())
    ahead = _blank(start, start + 5_400)
    ahead.id = last + 2
    ahead.project_id, ahead.billable = ids.projects["portal"], True
    ahead.description, ahead.tag_ids = "Workshop, booked ahead", (ids.tags["meeting"], ids.tags["on site"])
    ahead.at = (int(now.timestamp()) - 26 * 3600) * 1_000_000 + 730_500
    return [running, ahead]
