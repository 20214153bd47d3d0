"""Stretches in which Toggl was not reached for longer than usual, found in the recorded sync runs; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from toggl_pulse.mirror import SyncRun

__all__ = ["Gap", "sync_gaps"]


@dataclass(frozen=True, slots=True)
class Gap:
    """From the last contact before to the first after; `open` when there was none after."""

    start: datetime
    end: datetime
    open: bool

    @property
    def sentence(self) -> str:
        if self.open:
            return f"Toggl has not been reached for {_length(self.end - self.start)}; what happened since is missing."
        return f"Toggl was not reached for {_length(self.end - self.start)}; what happened then was fetched afterwards."


def sync_gaps(
    runs: Iterable[SyncRun], *, start: datetime, end: datetime, now: datetime, longest: timedelta
) -> list[Gap]:
    """The gaps longer than `longest` that touch `[start, end)`, oldest first; `runs` in any order.

    Before the first known contact nothing is a gap: the mirror did not exist, or the runs given do not reach so far.
    """
    contacts = sorted(
        run.finished_at for run in runs if run.finished_at is not None and run.outcome in {"done", "partly"}
    )
    found = [Gap(before, after, open=False) for before, after in pairwise(contacts) if after - before > longest]
    if contacts and now - contacts[-1] > longest:
        found.append(Gap(contacts[-1], now, open=True))
    return [gap for gap in found if gap.start < end and gap.end > start]


def _length(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
