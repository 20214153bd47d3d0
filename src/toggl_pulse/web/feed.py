"""Entries as an iCalendar feed, for calendar programs that follow its address.

Times are UTC instants, which every calendar program shows in its own zone. Knows nothing of who may read it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from icalendar import TRANSP, Calendar, Event, vDuration

from toggl_pulse.metrics import EntryRow

__all__ = ["feed"]

UID = "calendar@toggl-pulse"
ASK_AGAIN = timedelta(minutes=15)
BLOCK = 200
_END = b"END:VCALENDAR\r\n"


def feed(entries: Iterable[EntryRow], *, now: datetime, until: datetime) -> Iterator[bytes]:
    """The calendar in pieces; it and each entry keep their UID whatever is edited, a running entry ends at `until`."""
    calendar = Calendar.new(name="Toggl Pulse", prodid="-//Toggl Pulse//EN", uid=UID, refresh_interval=ASK_AGAIN)
    calendar.add("X-PUBLISHED-TTL", vDuration(ASK_AGAIN))  # the same for programs that do not know the standard's word
    whole = calendar.to_ical()
    yield whole.removesuffix(_END)
    piece: list[bytes] = []
    for entry in entries:
        piece.append(_event(entry, now, until).to_ical())
        if len(piece) == BLOCK:
            yield b"".join(piece)
            piece.clear()
    yield b"".join(piece) + _END


def _event(entry: EntryRow, now: datetime, until: datetime) -> Event:
    what = _one_line(entry.description) or entry.project or "(no description)"
    told = [
        ("Project", entry.project),
        ("Client", entry.client),
        ("Task", entry.task),
        ("Tags", ", ".join(entry.tags)),
        ("Billable", "yes" if entry.billable else "no"),
    ]
    return Event.new(
        uid=f"toggl-entry-{entry.id}@toggl-pulse",
        stamp=now,
        start=entry.start,
        end=max(entry.start, until.replace(microsecond=0) if entry.stop is None else entry.stop),
        summary=what if entry.stop is not None else f"▶ {what}",
        description="\n".join(f"{name}: {_one_line(value)}" for name, value in told if value),
        categories=[_one_line(tag) for tag in entry.tags],
        # what was worked says nothing about whether somebody is free
        transparency=TRANSP.TRANSPARENT,
    )


def _one_line(text: str) -> str:
    """Without control characters, which no calendar file may hold."""
    return "".join(" " if unicodedata.category(character) == "Cc" else character for character in text)
