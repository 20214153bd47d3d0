"""The entries that break naive code, sprinkled over the seeded year: each kind has its own days.

Over midnight, over clock changes, overlapping, of no length, with a duration of their own, deleted again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

__all__ = ["Odd", "clock_change", "odd_entries"]

_REACH_DAYS = 80


class Odd(NamedTuple):
    """One odd entry; `project` is a key of the studio's plans, None for none."""

    start: int
    stop: int
    project: str | None
    text: str
    tags: tuple[str, ...] = ()
    billable: bool = True
    duration: int | None = None
    deleted: bool = False


def odd_entries(day: date, zone: ZoneInfo, rng: Random, now: int) -> list[Odd]:
    """Return the odd entries that begin on a local day (or in the night before a clock change on it)."""
    number = day.toordinal()

    def at(hour: int, minute: int) -> int:
        return int(datetime.combine(day, time(hour, minute), zone).timestamp())

    rows = [odd for every, kind in _KINDS if number % every == 0 for odd in kind(at, rng)]
    if number % 6 == 0 and 0 <= now - at(12, 0) < _REACH_DAYS * 86_400:
        start = at(15, 5) + rng.randrange(900)
        rows.append(Odd(start, start + 1_500, "solar-web", "Entered twice", ("design",), deleted=True))
    change = clock_change(day, zone)
    if change is not None:
        rows += _around(change)
    return rows


def _over_midnight(at: Callable[[int, int], int], rng: Random) -> Iterator[Odd]:
    start = at(22, 40)
    yield Odd(start, start + 8_100 + rng.randrange(1_800), "portal", "Release night, watch the deploy", ('"urgent"',))


def _overlapping(at: Callable[[int, int], int], rng: Random) -> Iterator[Odd]:
    """Yield a call inside a longer entry, and one that starts before the former has ended."""
    start = at(9, 50) + rng.randrange(1_200)
    yield Odd(start, start + 3_600, "ebook", "Proofs with the editor", ("write|review",))
    yield Odd(start + 900, start + 1_620, "portal", "Hotline", ("call, external",))
    yield Odd(start + 3_480, start + 5_000, "acquisition", "First call", ("call, external",), billable=False)


def _of_no_length(at: Callable[[int, int], int], _: Random) -> Iterator[Odd]:
    yield Odd(at(11, 11), at(11, 11), "admin", "Wrong button", billable=False)
    yield Odd(at(16, 0), at(16, 0), None, "", billable=False)


def _with_own_duration(at: Callable[[int, int], int], _: Random) -> Iterator[Odd]:
    """Yield an entry as an older tool exported it, whose pauses are not in stop - start."""
    yield Odd(at(13, 0), at(15, 0), "atlas-tiles", "Imported: move of the archive", duration=5_400)


_KINDS = ((43, _over_midnight), (13, _overlapping), (37, _of_no_length), (150, _with_own_duration))
"""Every how many days each kind comes."""


def _around(change: int) -> list[Odd]:
    return [
        Odd(
            change - 4_200, change + 6_000, "solar-dash", "Server move in the night of the clock change", ("deep work",)
        ),
        Odd(change + 600, change + 2_400, "portal", "Hotline", ('"urgent"',)),
        Odd(change - 1_500, change - 300, None, "Night tea", billable=False),
    ]


def clock_change(day: date, zone: ZoneInfo) -> int | None:
    """Return the epoch second at which the zone's offset changes on this local day, or None."""
    low = int(datetime.combine(day, time(), zone).timestamp())
    high = int(datetime.combine(day + timedelta(days=1), time(), zone).timestamp())

    def offset(moment: int) -> timedelta | None:
        return datetime.fromtimestamp(moment, zone).utcoffset()

    before = offset(low)
    if before == offset(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if offset(middle) == before:
            low = middle
        else:
            high = middle
    return high
