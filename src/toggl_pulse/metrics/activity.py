"""When something was last done under each code: the latest stop so far, of all entries ever, filters kept."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.metrics.calendar import DAY, offsets_of
from toggl_pulse.metrics.selection import Selection, row_at

__all__ = ["NEVER", "days_since", "last_activity"]

Ints = NDArray[np.int64]

NEVER = -(1 << 40)


def last_activity(selection: Selection, wanted: NDArray[np.bool_], now: int) -> Ints:
    """By code, in UTC seconds, `now` for what goes on beyond it; `NEVER` where nothing has begun so far.

    Right for the codes that are wanted: the newest entries are looked at first, and most often they are enough.
    """
    last = np.full(selection.codes, NEVER)
    for rows in selection.rows:
        part = rows.part
        running = rows.of(part.running)
        running = running[part.start[running] <= now]
        np.maximum.at(last, selection.code_of(part, running), np.minimum(rows.stops(running), now))
        for begin, end, keep in rows.between(0, row_at(part, now + 1), newest_first=True):
            if np.all(last[wanted] >= min(part.latest_stop(end), now)):
                break
            stop = part.stop[begin:end] if keep is None else part.stop[begin:end].take(keep)
            code = selection.code(part, begin, end, keep).astype(np.intp)
            np.maximum.at(last, code, np.minimum(stop, now))
    return last


def days_since(moments: Ints, now: int, zone: ZoneInfo) -> Ints:
    """How many local midnights lie between some moments and now: 0 for today."""
    if not len(moments):
        return moments
    clock = offsets_of(zone, int(moments.min()), now)
    found: Ints = clock.local(np.array([now])) // DAY - clock.local(moments) // DAY
    return np.maximum(found, 0)
