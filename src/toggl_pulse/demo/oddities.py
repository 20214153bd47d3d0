"""The entries that break naive code, sprinkled over the seeded year: each kind has its own days.

Over midnight, over clock changes, overlapping, of no length, with a duration of their own, deleted again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Protocol
from zoneinfo import ZoneInfo

from .rows import EntryRow

__all__ = ["clock_change", "odd_entries"]

_REACH_DAYS = 80


class Names(Protocol):
    @property
    def projects(self) -> dict[str, int]: ...
    @property
    def tags(self) -> dict[str, int]: ...


def odd_entries(
    day: date, zone: ZoneInfo, rng: Random, ids: Names, *, now: int, template: Callable[[int, int], EntryRow]
) -> list[EntryRow]:
    """Return the odd entries that begin on `day`; `template(start, stop)` makes a plain one."""
    rows: list[EntryRow] = []
    number = day.toordinal()

    def add(start: int, stop: int, project: str | None, text: str, *tags: str, billable: bool = True) -> EntryRow:
        row = template(start, stop)
        if project is not None:
            row.project_id, row.billable = ids.projects[project], billable
        row.description = text
        row.tag_ids = tuple(ids.tags[name] for name in tags)
        rows.append(row)
        return row

    def at(hour: int, minute: int = 0) -> int:
        return int(datetime.combine(day, time(hour, minute), zone).timestamp())

    if number % 43 == 0:
        start = at(22, 40)
        add(start, start + 8_100 + rng.randrange(1_800), "portal", "Release night, watch the deploy", '"urgent"')
    if number % 13 == 0:
        # a call inside a longer entry, and one that starts before the former has ended
        start = at(9, 50) + rng.randrange(1_200)
        add(start, start + 3_600, "ebook", "Proofs with the editor", "write|review")
        add(start + 900, start + 1_620, "portal", "Hotline", "call, external")
        add(start + 3_480, start + 5_000, "acquisition", "First call", "call, external", billable=False)
    if number % 31 == 0:
        start = at(11, 11)
        add(start, start, "admin", "Wrong button", billable=False)
    if number % 59 == 0:
        add(at(16), at(16), None, "")
    if number % 150 == 0:
        # imported from an older tool, whose pauses were not in stop - start
        row = add(at(13), at(15), "atlas-tiles", "Imported: move of the archive")
        row.duration = 5_400
    if 0 <= now - at(12) < _REACH_DAYS * 86_400 and number % 6 == 2:
        start = at(15, 5) + rng.randrange(900)
        row = add(start, start + 1_500, "solar-web", "Entered twice", "design")
        row.at = (start + 90_000) * 1_000_000 + 54_321
        row.deleted_at = row.at
    change = clock_change(day, zone)
    if change is not None:
        add(change - 4_200, change + 6_000, "solar-dash", "Server move in the night of the clock change", "deep work")
        add(change + 600, change + 2_400, "portal", "Hotline", '"urgent"')
        add(change - 1_500, change - 300, None, "Night tea")
    return rows


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
