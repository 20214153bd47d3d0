"""The entries where they lie: up to a week as blocks by the hour, a longer range as weeks of days."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from toggl_pulse.metrics import METRICS, EntryRow
from toggl_pulse.metrics.period import beginning
from toggl_pulse.web.blocks import Block, blocks_of_days
from toggl_pulse.web.feed_key import feed_key
from toggl_pulse.web.look import Look
from toggl_pulse.web.views.view import View
from toggl_pulse.web.words import local, shortened

__all__ = ["VIEW"]

WEEK = 7
MOST_DAYS = 6 * WEEK
MOST_ENTRIES = 2_000
IN_A_CELL = 8
"""More of a day are counted, not listed: a month is to fit onto a page."""

HOUR_PIXELS = 46
WORKDAY = (8, 18)
"""Hours that are shown in any case."""

LOW_PIXELS, TALL_PIXELS = 38, 64
"""Below the first there is room for one line of text, from the second on for three."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A block with its place in per cent of the hours shown, and the words that say all of it."""

    block: Block
    colour: str | None
    x: float
    width: float
    y: float
    height: float
    size: str
    words: str
    link: str


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    begins_ms: int
    hours: float
    blocks: Sequence[Drawn]
    link: str
    left: int = 0
    """Blocks that are counted only."""
    shown: bool = True
    """Not so are days that only fill a row of weeks."""

    @property
    def rows(self) -> list[list[Drawn]]:
        """The blocks, those that overlap in one row."""
        found: list[list[Drawn]] = []
        for each in self.blocks:
            if found and each.block.lane > found[-1][-1].block.lane:
                found[-1].append(each)
            else:
                found.append([each])
        return found


def show(look: Look) -> Mapping[str, Any]:
    asked = look.asked
    first = max(asked.first, asked.last - timedelta(days=MOST_DAYS - 1))
    days = [first + timedelta(days=number) for number in range((asked.last - first).days + 1)]
    span = beginning(first, asked.zone), asked.end
    query = asked.query("entries", span=span, attribution="split")
    entries = list(itertools.islice(look.moment.entries(query, check=look.check), MOST_ENTRIES + 1))
    hours = _hours(look, span)
    blocks = blocks_of_days(entries[:MOST_ENTRIES], days, asked.zone, look.moment.counts_until)
    window = _window(block for many in blocks.values() for block in many)
    by_the_hour = len(days) <= WEEK
    most = None if by_the_hour else IN_A_CELL
    made = [_day(look, day, hours.get(day, 0.0), blocks[day], window, most) for day in days]
    return {
        "tracked": METRICS["tracked_hours"],
        "whole": look.number("tracked_hours", span=span, attribution="split"),
        "by_the_hour": by_the_hour,
        "days": made,
        "weeks": _weeks(look, made),
        "window": window,
        "height": (window[1] - window[0]) * HOUR_PIXELS,
        "cut": first > asked.first,
        "too_many": MOST_ENTRIES if len(entries) > MOST_ENTRIES else None,
        "now_at": _now(look, window),
        "feed": feed_key(look.pulse.mirror),
    }


def _hours(look: Look, span: tuple[datetime, datetime]) -> dict[date, float]:
    """Of each local day that has any."""
    answer = look.answer("tracked_hours", span=span, interval="day", attribution="split")
    return {
        datetime.fromtimestamp(time / 1000, UTC).astimezone(look.asked.zone).date(): value
        for series in answer.series
        for time, value in zip(series.times_ms.tolist(), series.values.tolist(), strict=True)
    }


def _window(blocks: Iterable[Block]) -> tuple[int, int]:
    """First and last hour to show."""
    low, high = WORKDAY
    for block in blocks:
        low, high = min(low, int(block.top // 60)), max(high, math.ceil(block.bottom / 60))
    return low, high


def _now(look: Look, window: tuple[int, int]) -> float | None:
    """Where today's clock stands, in per cent of the hours shown."""
    moment = look.now.astimezone(look.asked.zone)
    share = (moment.hour + moment.minute / 60 - window[0]) / (window[1] - window[0])
    return round(100 * share, 2) if 0 <= share <= 1 else None


def _day(
    look: Look, day: date, hours: float, blocks: Sequence[Block], window: tuple[int, int], most: int | None
) -> Day:
    minutes = (window[1] - window[0]) * 60
    drawn = [
        Drawn(
            block,
            look.colour_of("project", block.entry.project_id),
            x=round(100 * block.lane / block.lanes, 3),
            width=round(100 / block.lanes, 3),
            y=round(100 * (block.top - window[0] * 60) / minutes, 3),
            height=round(100 * (block.bottom - block.top) / minutes, 3),
            size=_size(block),
            words=_words(look, block),
            link=_entries_of(look, day, block.entry),
        )
        for block in blocks[:most]
    ]
    begins = int(beginning(day, look.asked.zone).timestamp()) * 1000
    link = look.asked.link("calendar", **{"from": day, "to": day})
    return Day(day, begins, hours, drawn, link, left=len(blocks) - len(drawn))


def _size(block: Block) -> str:
    pixels = (block.bottom - block.top) * HOUR_PIXELS / 60
    return "low" if pixels < LOW_PIXELS else "" if pixels >= TALL_PIXELS else "middling"


def _words(look: Look, block: Block) -> str:
    entry, zone = block.entry, look.asked.zone

    def clock(moment: datetime) -> str:
        return local(int(moment.timestamp()) * 1000, zone, "time")

    until = "now" if entry.stop is None else clock(entry.stop)
    parts = [
        f"{clock(entry.start)} to {until}",
        shortened(entry.description, 120) or "no description",
        shortened(entry.project, 60) or "no project",
        *([shortened(entry.client, 60)] if entry.client else []),
        *(["began on the day before"] if block.from_before else []),
        *(["goes on on the next day"] if block.goes_on else []),
        *(["side by side with others"] if block.lanes > 1 else []),
    ]
    return ", ".join(parts)


def _entries_of(look: Look, day: date, entry: EntryRow) -> str:
    """The list with this entry: by the day it began on, as the list has it."""
    began = entry.start.astimezone(look.asked.zone).date() if look.asked.attribution == "start" else day
    project = {} if entry.project_id is None else {"project": str(entry.project_id)}
    return look.asked.link("entries", **{"from": began, "to": began, "group": None, "interval": None, **project})


def _weeks(look: Look, days: Sequence[Day]) -> list[list[Day]]:
    """Rows of whole weeks; days outside of the range are blank."""
    first, last = days[0].day, days[-1].day
    start = first - timedelta(days=(first.isoweekday() - look.asked.week_start) % WEEK)
    by_day = {each.day: each for each in days}
    found = []
    while start <= last:
        row = [start + timedelta(days=number) for number in range(WEEK)]
        found.append([by_day.get(day) or _blank(look, day) for day in row])
        start += timedelta(days=WEEK)
    return found


def _blank(look: Look, day: date) -> Day:
    return Day(day, int(beginning(day, look.asked.zone).timestamp()) * 1000, 0.0, (), "", shown=False)


VIEW = View(slug="calendar", title="Calendar", show=show, controls=())
