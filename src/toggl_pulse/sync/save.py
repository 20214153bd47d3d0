"""Rows that were read, into one batch of the mirror, and how many of them said something new.

Called inside `mirror.batch()`, so that the caller can put the cursor that covers the rows beside them.
Knows no request.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from toggl_pulse.mirror import Batch, CatalogueRow, MonthCheck, MonthState
from toggl_pulse.model import Amount, SetAside, TimeEntry
from toggl_pulse.sync.merge import SETTLED, Feed, merge
from toggl_pulse.sync.windows import month_name

__all__ = ["Counts", "save_entries", "save_names", "set_months"]


@dataclass(slots=True)
class Counts:
    """Rows of a run by what they were to the mirror; names count like entries."""

    new: int = 0
    changed: int = 0
    deleted: int = 0
    unchanged: int = 0
    set_aside: int = 0

    def add(self, other: Counts) -> None:
        self.new += other.new
        self.changed += other.changed
        self.deleted += other.deleted
        self.unchanged += other.unchanged
        self.set_aside += other.set_aside


def save_entries(
    batch: Batch,
    entries: Iterable[TimeEntry],
    feed: Feed,
    *,
    amounts: Iterable[Amount] = (),
    set_aside: Iterable[SetAside] = (),
    run_id: int,
    now: datetime | None = None,
) -> Counts:
    """Merge rows of one answer into the mirror; rows that say nothing new are not written.

    `now`, by Toggl's clock, tells which rows of Reports may be late; without it none is.
    """
    rows = list(entries)
    stored = batch.stored({row.id for row in rows})
    standing = {number: (found.entry, found.deletion == "inferred") for number, found in stored.items()}
    written: dict[int, TimeEntry] = {}
    kinds = dict.fromkeys(("new", "changed", "deleted", "revived", "unchanged"), 0)
    for row in rows:
        before, inferred = standing.get(row.id, (None, False))
        settled = now is None or now - row.at > SETTLED
        merged = merge(before, row, feed, inferred=inferred, settled=settled)
        kinds[merged.kind] += 1
        if merged.entry is not None:
            written[row.id] = merged.entry
            standing[row.id] = (merged.entry, False)
    said_new = batch.write_entries(written.values(), amounts=amounts)
    aside = list(set_aside)
    batch.set_aside(aside, run_id)
    # The mirror leaves tags off that it knows as deleted: such a row looked changed and was not.
    idle = len(written) - said_new
    return Counts(
        new=kinds["new"],
        changed=max(0, kinds["changed"] + kinds["revived"] - idle),
        deleted=kinds["deleted"],
        unchanged=kinds["unchanged"] + idle,
        set_aside=len(aside),
    )


def save_names(
    batch: Batch, rows: Iterable[CatalogueRow], *, set_aside: Iterable[SetAside] = (), run_id: int
) -> Counts:
    """Write catalogue rows as they came; what is absent from a list stays as it is."""
    counts = batch.write_catalogue(rows)
    aside = list(set_aside)
    batch.set_aside(aside, run_id)
    return Counts(new=counts.new, changed=counts.changed, unchanged=counts.unchanged, set_aside=len(aside))


def set_months(
    batch: Batch,
    workspace_id: int,
    months: Iterable[tuple[date, date]],
    state: MonthState,
    now: datetime,
    *,
    mirror_seconds: int | None = None,
    toggl_seconds: int | None = None,
) -> None:
    """Note the same finding for each of these months."""
    for first, _last in months:
        check = MonthCheck(workspace_id, month_name(first), state, mirror_seconds, toggl_seconds, now)
        batch.set_month(check)
