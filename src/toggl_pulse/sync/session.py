"""One run at work: what it was given, what it has counted, and what it knows for its own length.

Knows no order of things: what to ask next is decided in `plan`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import structlog

from toggl_pulse.errors import PulseError
from toggl_pulse.mirror import Batch, CatalogueRow, Mirror, MonthCheck
from toggl_pulse.model import Catalogue, TimeEntry
from toggl_pulse.sync import state as memory
from toggl_pulse.sync.ended import Related
from toggl_pulse.sync.plan import Tally
from toggl_pulse.sync.save import Counts
from toggl_pulse.sync.state import State
from toggl_pulse.toggl import Named, PageToken, TogglClient

__all__ = ["Session", "in_thread"]

CLOCKS_APART = timedelta(days=1)
"""A clock of ours that is behind by more tells nothing."""

T = TypeVar("T")
log = structlog.get_logger()


async def in_thread(work: Callable[[], T]) -> T:
    """Run blocking work in a thread; when cancelled, first let it end, so that no write outlives the run's lock."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


@dataclass(slots=True)
class Session:
    """`pages` are where single days of more than a page go on; they live no longer than the run.

    `hindered` is what could not be had, with the reason, and `helped` what could: names of questions, see `state`.
    `succeeded` is when which step last had what it asked for.
    """

    client: TogglClient
    mirror: Mirror
    clock: Callable[[], datetime]
    user_id: int
    run_id: int
    catalogue: Catalogue
    silence: timedelta = timedelta(minutes=20)  # without contact, from which on that is worth a record
    counts: Counts = field(default_factory=Counts)
    tally: Tally = field(default_factory=Tally)
    pages: dict[tuple[int, str], PageToken] = field(default_factory=dict)
    skew: timedelta | None = None
    related: Related | None = None
    hindered: dict[str, PulseError] = field(default_factory=dict)
    helped: set[str] = field(default_factory=set)
    succeeded: dict[str, datetime] = field(default_factory=dict)

    async def blocking(self, work: Callable[[], T]) -> T:
        return await in_thread(work)

    def count(self, counts: Counts) -> None:
        """Add what a batch has committed."""
        self.counts.add(counts)

    def server_now(self, state: State) -> datetime:
        """Toggl's clock as far as it is known: ours, corrected by what was seen last."""
        if self.skew is not None:
            return self.clock() + self.skew
        return self.clock() + timedelta(seconds=state.contact.skew_seconds if state.contact else 0)

    def certain(self, server_time: datetime) -> datetime:
        """The earlier of Toggl's clock, as an answer told it, and ours; ours is not asked when it is days off.

        Either may be wrong, and a cursor that lies ahead of Toggl's true time loses changes; one that lags costs a
        few rows that are known.
        """
        ours = self.clock()
        return ours if timedelta(0) < server_time - ours <= CLOCKS_APART else server_time

    def zone_of(self, name: str) -> ZoneInfo:
        """The profile's zone; UTC for a name that this machine's tables do not know."""
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            return ZoneInfo("UTC")

    # names

    def only_unknown(self, named: Iterable[Named]) -> list[CatalogueRow]:
        """Names that came with entries are provisional: they count only where nothing better is known."""
        known = {"Project": self.catalogue.projects, "Task": self.catalogue.tasks, "User": self.catalogue.users}
        return [row for row in named if row.id not in known[type(row).__name__]]

    def unknown_kinds(self, entries: Iterable[TimeEntry]) -> set[str]:
        """Which lists have to be asked to name everything that these entries point at."""
        kinds = set()
        for entry in entries:
            if entry.project_id is not None and entry.project_id not in self.catalogue.projects:
                kinds |= {"projects", "clients"}
            if entry.task_id is not None and entry.task_id not in self.catalogue.tasks:
                kinds.add("tasks")
            if any(tag not in self.catalogue.tags for tag in entry.tag_ids) or (entry.tags and not entry.tag_ids):
                kinds.add("tags")
        return kinds

    def ask_for_names(self, batch: Batch, state: State, kinds: Iterable[str]) -> None:
        """Put lists of changes on the refresh's own list, first, in the order in which they lean on each other."""
        steps = tuple(f"new:{kind}" for kind in ("clients", "projects", "tasks", "tags") if kind in set(kinds))
        if not steps or state.names is None:
            return
        later = tuple(step for step in state.names.due if step not in steps)
        batch.set_state(memory.NAMES, memory.names_json(replace(state.names, due=(*steps, *later))))

    # months

    def doubt_months(self, batch: Batch, workspace_ids: Iterable[int] | None = None) -> None:
        """What was verified no longer is; what the plan does not show stays as it is."""
        chosen = None if workspace_ids is None else set(workspace_ids)
        for month in self.mirror.months():
            if month.state in {"verified", "differs"} and (chosen is None or month.workspace_id in chosen):
                batch.set_month(
                    MonthCheck(month.workspace_id, month.month, "not_verified", checked_at=month.checked_at)
                )

    # what happened

    def deltas_saved(self, *, missed: bool, why: str, since: datetime) -> None:
        self.tally = replace(self.tally, deltas_at=self.clock())
        if missed:
            log.warning("sync.changes_incomplete", reason=why, since=since.isoformat(), run=self.run_id)

    def refused(self, what: str, error: PulseError) -> None:
        """Toggl would not answer something that the run can do without."""
        self.hindered[what] = error
