"""The end of a history: no more trouble and no more changes, and the repairs that are promised make the mirror exact.

What no repair can find is told apart here, by the reasons that decision 15 gives.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from sync.histories.answers import check_answers
from sync.histories.truths import catalogue_differences
from sync.histories.watch import Breach, Watch
from sync.scene import Scene
from toggl_pulse.metrics import Answers
from toggl_pulse.mirror import MonthCheck
from toggl_pulse.sync import progress_state

__all__ = ["Peace"]

QUIET_SYNCS = 14
"""Full syncs, two a day, within which everything is repaired that can be."""

HALF_A_DAY = 43_200


class Peace:
    """`sync` brings the mirror in step; `missed` says that an end may never have been told."""

    def __init__(
        self, scene: Scene, watch: Watch, answers: Answers, sync: Callable[[str], object], *, missed: Callable[[], bool]
    ) -> None:
        self.scene = scene
        self.watch = watch
        self.answers = answers
        self.sync = sync
        self.missed = missed
        self.syncs = 0
        self.excused = set[int]()

    def come(self) -> None:
        """Full syncs twice a day until everything is exact."""
        world = self.scene.world
        world.faults.clear()
        world.buckets.clear()
        self.watch.rest.clear()
        self.scene.clock.advance(max(world.behaviour.since_lag, world.behaviour.reports_lag) + 2)
        left: list[str] = ["nothing was read"]
        for number in range(QUIET_SYNCS):
            self._sync()
            left = self._left()
            if not left:
                break
            if number == 0:
                self.sync("poll")
            self.scene.clock.advance(HALF_A_DAY)
        if left:
            raise Breach("not repaired", "; ".join(left))
        if world.changes % 6 == 0:
            self._rest()
        self.watch.versions()
        if not self.watch.differences(strict_tags=True):
            for turn in range(4):
                check_answers(world, self.answers, turn)

    def _sync(self) -> None:
        self.sync("finish")
        self.syncs += 1

    def _rest(self) -> None:
        """Once everything is known, a full sync finds nothing."""
        before = 0
        for _ in range(2):
            self.scene.clock.advance(HALF_A_DAY)
            before = self.scene.mirror.revision()
            self._sync()
        if self.scene.mirror.revision() != before or self._left():
            raise Breach("restless", f"revision {before} became {self.scene.mirror.revision()}; {self._left()}")

    def _left(self) -> list[str]:
        """What is not yet as it must be in the end."""
        excused = self.excused = self._never_told()
        differences = self.watch.differences(strict_tags=True).items()
        found = [f"entry {number} {what}" for number, what in differences if number not in excused]
        found += catalogue_differences(self.scene.world, self.scene.mirror)
        found += [
            f"{month.month} of {month.workspace_id} is {month.state}"
            for month in self.scene.mirror.months()
            if month.state != "verified" and not self._is_hidden(month, excused)
        ]
        state = progress_state(self.scene.mirror)
        if not state["complete"] or state["gap"] or state["trouble"]:
            found.append(f"{state['detail']}, gap {state['gap']}, trouble {state['trouble']}")
        return found

    def _never_told(self) -> set[int]:
        """Entries whose end nobody told, and that decision 15 says cannot be proved gone: they live on here.

        Those of a month that is empty at Toggl and the oldest there, which looks like a plan that shows less.
        """
        found = set[int]()
        for number, stored in self.watch.held.items():
            row = self.scene.world.entries[number]
            if row.deleted_at is None or stored.deletion is not None or not self.missed():
                continue
            month = self.watch.month_of(stored)
            if self._empty_and_oldest(row.workspace_id, month):
                found.add(number)
        return found

    def _empty_and_oldest(self, workspace_id: int, month: str) -> bool:
        zone = ZoneInfo(self.scene.world.profile.timezone)
        starts = [
            f"{datetime.fromtimestamp(row.start, zone):%Y-%m}"
            for row in self.scene.world.live_entries()
            if row.workspace_id == workspace_id
            and row.user_id == self.scene.world.me
            and row.duration
            and (row.stop is not None or self.scene.world.behaviour.reports_running)
        ]
        return month < min(starts, default="9999")

    def _is_hidden(self, month: MonthCheck, excused: set[int]) -> bool:
        return month.state in {"differs", "not_verified"} and any(
            self.watch.held[number].entry.workspace_id == month.workspace_id
            and self.watch.month_of(self.watch.held[number]) == month.month
            for number in excused
        )
