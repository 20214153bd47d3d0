"""Stretches in which Toggl was not reached for longer than usual, as the sync has recorded them; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from toggl_pulse.toggl import REACH

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
        told = f"Toggl was not reached for {_length(self.end - self.start)}"
        if self.end - self.start > REACH:
            return (
                f"{told}, longer than its list of changes reaches back; everything was read again afterwards, "
                "and what was deleted then is gone from the months that are verified."
            )
        return f"{told}; what happened then was fetched afterwards."


def sync_gaps(
    silences: Iterable[tuple[datetime, datetime]],
    *,
    last: datetime | None,
    start: datetime,
    end: datetime,
    now: datetime,
    longest: timedelta,
) -> list[Gap]:
    """The gaps longer than `longest` that touch `[start, end)`, oldest first; `last` is the last contact.

    Before the first contact nothing is a gap: the mirror did not exist.
    """
    found = [Gap(before, after, open=False) for before, after in sorted(silences) if after - before > longest]
    if last is not None and now - last > longest:
        found.append(Gap(last, now, open=True))
    return [gap for gap in found if gap.start < end and gap.end > start]


def _length(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
