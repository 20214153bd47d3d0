"""Large simulated accounts for proofs and benchmarks: any number of years and entries, made in one pass."""

from __future__ import annotations

from datetime import datetime
from random import Random

from .behaviour import Behaviour
from .rows import ClientRow, EntryRow, ProjectRow, TagRow
from .world import DEMO_TOKEN, Clock, World

__all__ = ["large_world"]

_YEAR = 31_556_952
_COLORS = ("#0b83d9", "#9e5bd9", "#d94182", "#e36a00", "#bf7000", "#2da608", "#06a893", "#c9806b", "#465bb3", "#990099")


def large_world(
    now: datetime,
    *,
    years: float = 10,
    entries: int = 40_000,
    projects: int = 60,
    clients: int = 15,
    tags: int = 30,
    texts: int = 500,
    seed: int = 7,
    timezone: str = "Europe/Berlin",
    plan: str = "free",
    running: bool = True,
    token: str = DEMO_TOKEN,
    behaviour: Behaviour | None = None,
) -> World:
    """Spread `entries` evenly over the years up to `now`; neighbours sometimes overlap, one in fifty has no project.

    The account was created at the first entry. The clock stands still at `now`.
    """
    end = int(now.timestamp())
    first = end - int(years * _YEAR)
    created = datetime.fromtimestamp(first, now.tzinfo)
    world = World.empty(Clock(now), timezone=timezone, plan=plan, token=token, behaviour=behaviour, created_at=created)
    rng = Random(seed)
    home, owner = world.profile.default_workspace_id or 0, world.me
    at = first * 1_000_000
    for number in range(clients):
        world.clients[64_000_001 + number] = ClientRow(64_000_001 + number, home, f"Client {number + 1}", at)
    client_ids: list[int | None] = [None, *world.clients]
    for number in range(projects):
        world.projects[200_000_001 + number] = ProjectRow(
            200_000_001 + number, home, f"Project {number + 1}", at, rng.choice(client_ids),
            active=number % 5 != 0, color=_COLORS[number % len(_COLORS)], billable=number % 3 != 0,
            currency="EUR", rate=60.0 + number % 7 * 10, created_at=first,
        )  # fmt: skip
    for number in range(tags):
        world.tags[15_000_001 + number] = TagRow(15_000_001 + number, home, f"tag {number + 1}", at)
    tag_ids = list(world.tags)
    tag_sets = [(), (), ()] + [
        tuple(rng.sample(tag_ids, min(rng.choice((1, 1, 2, 3)), tags))) for _ in range(40 if tags else 0)
    ]
    descriptions = [f"Text {number + 1} of the work" for number in range(texts)] or [""]
    project_ids = [*world.projects] * 50 + [None] * max(1, projects) if projects else [None]
    step = (end - first) / max(1, entries)
    choice, uniform, below = rng.choice, rng.random, rng.randrange
    rows = []
    for number in range(entries):
        start = first + int(number * step + uniform() * step * 0.9)
        stop = min(start + 120 + int(uniform() * uniform() * 9_000), end)
        project = choice(project_ids)
        edited = stop + (below(40) if uniform() > 0.02 else below(30 * 86_400))  # noqa: PLR2004  (one in fifty later)
        rows.append(
            EntryRow(
                3_000_000_001 + number * 3,
                home,
                owner,
                start,
                stop,
                stop - start,
                min(edited, end) * 1_000_000 + below(1_000_000) - 1_000_000,
                choice(descriptions),
                project,
                None,
                project is not None and world.projects[project].billable,
                choice(tag_sets),
            )
        )
    if running and rows:
        rows[-1].stop, rows[-1].duration = None, 0
    world.load_entries(rows)
    return world
