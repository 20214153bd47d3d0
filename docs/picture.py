"""`make picture`: draws `docs/picture.svg` from what the product answers about the demo's year at a fixed moment.

The whole pipeline runs (simulated Toggl, sync, mirror, metrics); only the clock stands still, so that the same code
draws the same picture.
"""
# ruff: noqa: INP001 - a script beside the documents, no part of a package

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from toggl_pulse.metrics import Answer, parse_query
from toggl_pulse.service import Service
from toggl_pulse.settings import Settings

PICTURE = Path(__file__).with_name("picture.svg")
NOW = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")
START, END = (datetime(year, 11, day, tzinfo=ZONE) for year, day in ((2025, 24), (2026, 23)))  # 52 weeks from a Monday
SHOWN = 8

WIDTH, HEIGHT, EDGE = 1000, 680, 32
CHART_TOP, CHART_BOTTOM, CHART_LEFT = 188, 372, 62
TABLE_TOP, ROW = 456, 23
REST = "rest"
"""Stands for the colour of what has none at Toggl: the folded rest, and entries without a project."""

STYLE = """
  text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; fill: #1f2733 }
  .card { fill: #ffffff; stroke: #d9dee7 }
  .quiet { fill: #667085 }
  .line { stroke: #e6e9ef; stroke-width: 1 }
  .rail { fill: #eef1f5 }
  .rest { fill: #a3abba }
  .big { font-size: 27px; font-weight: 600 }
  .head { font-size: 15px; font-weight: 600 }
  .body { font-size: 13px }
  .small { font-size: 12px }
  .number { font-variant-numeric: tabular-nums; text-anchor: end }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6e9ef }
    .card { fill: #14181f; stroke: #2c3442 }
    .quiet { fill: #98a2b3 }
    .line { stroke: #262d39 }
    .rail { fill: #222935 }
    .rest { fill: #5d6778 }
    .ink { filter: brightness(1.25) }
  }
"""


@dataclass(frozen=True)
class Group:
    """One project as it is drawn."""

    label: str
    color: str
    weeks: tuple[float, ...]

    @property
    def hours(self) -> float:
        return sum(self.weeks)


@dataclass(frozen=True)
class Year:
    """Everything that the picture shows."""

    weeks: tuple[datetime, ...]
    groups: tuple[Group, ...]
    hours: float
    billable: float
    entries: int
    days: int
    verified: int
    months: int


async def ask() -> Year:
    """Sync the demo's year and ask what the picture needs."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.model_construct(data_dir=Path(folder), timezone=ZONE.key)  # whatever the environment says
        service = Service(settings, demo=True, clock=lambda: NOW)
        try:
            await service.sync("start")
            return await asyncio.to_thread(_year, service)
        finally:
            await service.stop()


def _year(service: Service) -> Year:
    def answer(metric: str, **payload: Any) -> Answer:
        start_ms, end_ms = (round(moment.timestamp() * 1000) for moment in (START, END))
        return service.answers.answer(parse_query(metric, payload, start_ms=start_ms, end_ms=end_ms, zone=ZONE))

    def one(metric: str) -> float:
        return float(answer(metric, interval="range").series[0].values[0])

    projects = service.mirror.catalogue().projects
    colors = {number: project.color for number, project in projects.items()}
    weeks = answer("tracked_hours", group_by="project", interval="week", limit=SHOWN)
    months: dict[str, bool] = {}
    for check in service.mirror.months():  # one for each workspace; a month is proven when all of them are
        if f"{START:%Y-%m}" <= check.month <= f"{END:%Y-%m}":
            months[check.month] = months.get(check.month, True) and check.state == "verified"
    return Year(
        weeks=tuple(datetime.fromtimestamp(ms / 1000, ZONE) for ms in weeks.series[0].times_ms.tolist()),
        groups=tuple(
            Group(
                "other projects" if series.other else series.label,
                (colors.get(series.key) if isinstance(series.key, int) else None) or REST,
                tuple(series.values.tolist()),
            )
            for series in weeks.series
        ),
        hours=one("tracked_hours"),
        billable=one("billable_share"),
        entries=round(one("entry_count")),
        days=round(one("active_days")),
        verified=sum(months.values()),
        months=len(months),
    )


def draw(year: Year) -> str:
    """The whole SVG."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t d">',
        '<title id="t">A year in Toggl Pulse</title>',
        f'<desc id="d">{escape(_in_words(year))}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="12"/>',
        *_figures(year),
        *_chart(year),
        *_table(year),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _in_words(year: Year) -> str:
    return (
        f"Demo data: {year.hours:,.0f} hours in 52 weeks, stacked by project, and the projects with the most hours: "
        + ", ".join(f"{group.label} {group.hours:,.0f}" for group in year.groups)
        + "."
    )


def _text(x: float, y: float, words: str, kind: str) -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{kind}">{escape(words)}</text>'


def _figures(year: Year) -> Iterator[str]:
    figures = (
        (f"{year.hours:,.0f} h", "tracked in 52 weeks"),
        (f"{year.billable:.0%}", "of it billable"),
        (f"{year.entries:,}", "entries"),
        (f"{year.days}", "active days"),
        (f"{year.verified} of {year.months}", "months equal Toggl's totals"),
    )
    step = (WIDTH - 2 * EDGE) / len(figures)
    for number, (value, words) in enumerate(figures):
        x = EDGE + number * step
        yield _text(x, 62, value, "big")
        yield _text(x, 84, words, "body quiet")
    yield f'<path class="line" d="M{EDGE} 110.5H{WIDTH - EDGE}"/>'


def _ink(group: Group) -> str:
    return 'class="rest"' if group.color == REST else f'class="ink" fill="{group.color}"'


def _chart(year: Year) -> Iterator[str]:
    yield _text(EDGE, 146, "Tracked time by week and project", "head")
    yield _text(EDGE, 165, "hours; a week begins on Monday in Europe/Berlin", "small quiet")
    totals = [sum(group.weeks[week] for group in year.groups) for week in range(len(year.weeks))]
    top = -(-max(totals) // 10) * 10
    scale = (CHART_BOTTOM - CHART_TOP) / top
    for mark in range(0, round(top) + 1, 10):
        height = CHART_BOTTOM - mark * scale
        yield f'<path class="line" d="M{CHART_LEFT} {height:.1f}H{WIDTH - EDGE}"/>'
        yield _text(CHART_LEFT - 10, height + 4, str(mark), "small quiet number")
    step = (WIDTH - EDGE - CHART_LEFT) / len(year.weeks)
    width = step - 3.5
    below = [0.0] * len(totals)
    for group in year.groups:
        path = []
        for week, hours in enumerate(group.weeks):
            if hours > 0:
                x, y = CHART_LEFT + week * step + 1.75, CHART_BOTTOM - below[week] * scale
                path.append(f"M{x:.1f} {y:.1f}v{-hours * scale:.1f}h{width:.1f}v{hours * scale:.1f}z")
            below[week] += hours
        yield f'<path {_ink(group)} d="{"".join(path)}"/>'
    for week, begins in enumerate(year.weeks):
        ends = begins + timedelta(days=6)
        if ends.day <= 7:  # noqa: PLR2004 (the week that holds the month's first day)
            yield _text(CHART_LEFT + week * step, CHART_BOTTOM + 19, f"{ends:%b}", "small quiet")
    yield f'<path class="line" d="M{EDGE} 410.5H{WIDTH - EDGE}"/>'


def _table(year: Year) -> Iterator[str]:
    yield _text(EDGE, 438, "Projects", "head")
    for x, words in ((WIDTH - 112, "hours"), (WIDTH - EDGE, "share")):
        yield _text(x, 438, words, "small quiet number")
    largest = max(group.hours for group in year.groups)
    left, room = 330, WIDTH - 190 - 330
    for number, group in enumerate(year.groups):
        y = TABLE_TOP + number * ROW
        yield f'<circle {_ink(group)} cx="{EDGE + 5}" cy="{y + 5}" r="5"/>'
        yield _text(EDGE + 20, y + 9.5, group.label, "body" if group.color != REST else "body quiet")
        yield f'<rect class="rail" x="{left}" y="{y + 1}" width="{room}" height="8" rx="4"/>'
        length = max(8.0, room * group.hours / largest)
        yield f'<rect {_ink(group)} x="{left}" y="{y + 1}" width="{length:.1f}" height="8" rx="4"/>'
        yield _text(WIDTH - 112, y + 9.5, f"{group.hours:,.1f}", "body number")
        yield _text(WIDTH - EDGE, y + 9.5, f"{group.hours / year.hours:.1%}", "body quiet number")


if __name__ == "__main__":
    PICTURE.write_text(draw(asyncio.run(ask())), encoding="utf-8")
