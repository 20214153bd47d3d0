"""Steps cut to the evenings and nights or to the weekends in them, by the local clock. Knows nothing of entries."""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.metrics.calendar import DAY, Offsets, offsets_of
from toggl_pulse.metrics.grid import Grid
from toggl_pulse.metrics.selection import Range

__all__ = ["Window", "windowed"]

Ints = NDArray[np.int64]
Window = Literal["evening", "weekend"]

_HOUR = 3_600
_EVENING, _MORNING = 19 * _HOUR, 6 * _HOUR
_SATURDAY, _WEEK = 2, 7  # 1970-01-01 was a Thursday


def windowed(borders: Ints, range_: Range, window: Window, zone: ZoneInfo) -> Grid:
    """A grid with the place of each step for its part of the window, and one more place for all other time.

    Only the window's edges within the range are borders of it; before and behind nothing counts.
    """
    steps = len(borders) - 1
    low, high = range_.touched
    clock = offsets_of(zone, low, high)
    begins, ends = _evenings(clock, low, high) if window == "evening" else _weekends(clock, low, high)
    edges = np.concatenate((begins, ends))
    fine = np.union1d(borders, edges[(edges > low) & (edges < high)])
    begun = np.maximum(fine[:-1], low)
    inside = begins.searchsorted(begun, side="right") > ends.searchsorted(begun, side="right")
    place = np.where(inside, borders.searchsorted(fine[:-1], side="right") - 1, steps)
    return Grid(fine, steps + 1, place.astype(np.int32))


def _evenings(clock: Offsets, low: int, high: int) -> tuple[Ints, Ints]:
    """Where the clock first shows 19:00, and 06:00 of the day after."""
    days = _days(clock, low, high) * DAY
    return clock.instants(days + _EVENING), clock.instants(days + DAY + _MORNING)


def _weekends(clock: Offsets, low: int, high: int) -> tuple[Ints, Ints]:
    days = _days(clock, low, high)
    saturdays = days[(days - _SATURDAY) % _WEEK == 0] * DAY
    return clock.instants(saturdays), clock.instants(saturdays + 2 * DAY)


def _days(clock: Offsets, low: int, high: int) -> Ints:
    """Days around a range, from more than a week before it."""
    first, last = clock.local(np.array([low, high])) // DAY
    return np.arange(first - 9, last + 2, dtype=np.int64)
