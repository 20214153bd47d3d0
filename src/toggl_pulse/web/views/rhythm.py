"""When work is done: the hours of the week, a year of days, when days begin and end, and what is unusual."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from toggl_pulse.metrics import METRICS
from toggl_pulse.metrics.period import beginning
from toggl_pulse.web.figures import Figure, Line, steps_of
from toggl_pulse.web.heat import shade
from toggl_pulse.web.look import Look, Number
from toggl_pulse.web.views.view import View
from toggl_pulse.web.year import Year, days_shown

__all__ = ["VIEW"]

CLOCK = "clock"
"""Hours after midnight, which are a time and no length."""
SHADES_OF_A_DAY = (0.0, 2.0, 4.0, 6.0, 8.0)
"""More than so many hours make a day a shade darker."""
MOST_OVERLAPS, MOST_OVER_MIDNIGHT, LONGEST = 25, 15, 10
SUMS = ("active_days", "days_off", "evening_hours", "weekend_hours", "overlap_hours")


def show(look: Look) -> Mapping[str, Any]:
    first, last = days_shown(look.asked.first, look.asked.last, look.asked.today, look.asked.week_start)
    hours = _hours_of_days(look, first, last)
    overlaps = look.rows(look.answer("overlaps", limit=MOST_OVERLAPS + 1))
    over_midnight = look.rows(look.answer("entries", only="over_midnight", limit=MOST_OVER_MIDNIGHT + 1))
    return {
        "sums": [*_edges(look), *(look.number(metric) for metric in SUMS)],
        "week": _week(look),
        "year": (first, last),
        "months": Year(first, last, look.asked.week_start).months,
        "days": [
            (
                weekday,
                [(day, value, None if value is None else bisect_left(SHADES_OF_A_DAY, value)) for day, value in cells],
            )
            for weekday, cells in Year(first, last, look.asked.week_start).cells(hours)
        ],
        "shades": SHADES_OF_A_DAY,
        "any_day": any(hours.values()),
        "overlaps": [{**row, "day": _day_of(look, row["from"])} for row in overlaps[:MOST_OVERLAPS]],
        "more_overlaps": len(overlaps) > MOST_OVERLAPS,
        "over_midnight": over_midnight[:MOST_OVER_MIDNIGHT],
        "more_over_midnight": len(over_midnight) > MOST_OVER_MIDNIGHT,
        "longest": look.rows(look.answer("entries", sort="duration", limit=LONGEST)),
        "meanings": {name: metric.meaning for name, metric in METRICS.items()},
    }


def _edges(look: Look) -> list[Number]:
    """When a day begins and ends, as a rule: the medians of the range."""
    return [replace(look.number(metric), unit=CLOCK) for metric in ("first_start", "last_stop")]


# --- the week ---------------------------------------------------------------------------------------------------------


def week(look: Look) -> Figure:
    """Weekdays × hours of the clock; always split, or an afternoon would stand in the hour in which it began."""
    answer = look.answer("weekday_hour_hours", format="matrix", attribution="split")
    columns = () if answer.table is None else tuple(name for name, _ in answer.table.columns[1:])
    return Figure(
        name="week",
        title="Hours of the week",
        meaning=METRICS["weekday_hour_hours"].meaning,
        kind="table",
        unit="hours",
        x=columns,
        lines=tuple(Line(str(row[0]), tuple(row[1:])) for row in (answer.table.rows if answer.table else ())),
        notes=answer.notes,
    )


def _week(look: Look) -> Mapping[str, Any]:
    made = week(look)
    most = max((value or 0.0 for line in made.lines for value in line.values), default=0.0)
    return {
        "figure": made,
        "most": most,
        "rows": [
            ((look.asked.week_start + number) % 7, line.label, [(value, shade(value, most)) for value in line.values])
            for number, line in enumerate(made.lines)
        ],
    }


# --- the year ---------------------------------------------------------------------------------------------------------


def _hours_of_days(look: Look, first: date, last: date) -> dict[date, float]:
    zone = look.asked.zone
    span = (beginning(first, zone), beginning(last + timedelta(days=1), zone))
    answer = look.answer("tracked_hours", span=span, interval="day")
    if not answer.series:
        return {}
    times, values = answer.series[0].times_ms.tolist(), answer.series[0].values.tolist()
    return {_day_of(look, time): value for time, value in zip(times, values, strict=True)}


def _day_of(look: Look, epoch_ms: int) -> date:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).astimezone(look.asked.zone).date()


def year(look: Look) -> Figure:
    first, last = days_shown(look.asked.first, look.asked.last, look.asked.today, look.asked.week_start)
    hours = _hours_of_days(look, first, last)
    return Figure(
        name="year",
        title="Days of a year",
        meaning=METRICS["tracked_hours"].meaning,
        kind="table",
        unit="hours",
        x=tuple(day.isoformat() for day in hours),
        lines=(Line(METRICS["tracked_hours"].title, tuple(hours.values())),),
        step="day",
    )


# --- by step ----------------------------------------------------------------------------------------------------------


def day(look: Look) -> Figure:
    """From the first start to the last stop of each day; of longer steps the medians of their days."""
    made = _by_step(look, "day", "spans", CLOCK, ("first_start", "last_stop"))
    title = "First start to last stop" if made.step in {"", "hour", "day"} else f"A usual day of each {made.step}"
    return replace(made, title=title)


def off_hours(look: Look) -> Figure:
    made = _by_step(look, "off-hours", "lines", "hours", ("evening_hours", "weekend_hours"))
    return replace(made, title="Evenings, nights and weekends")


def _by_step(look: Look, name: str, kind: Any, unit: str, metrics: tuple[str, ...]) -> Figure:
    asked = look.asked
    interval = "day" if asked.interval == "hour" else asked.interval
    answers = [look.answer(metric, interval=interval) for metric in metrics]
    x, firsts, ends = steps_of(answers[0], asked)
    return Figure(
        name=name,
        title=METRICS[metrics[0]].title,
        meaning=" ".join(f"{METRICS[metric].title}: {METRICS[metric].meaning}" for metric in metrics),
        kind=kind,
        unit=unit,
        x=x,
        lines=tuple(
            Line(
                METRICS[answer.metric].title,
                tuple(None if math.isnan(value) else value for value in series.values.tolist()),
            )
            for answer in answers
            for series in answer.series
        ),
        step=answers[0].interval,
        firsts=firsts,
        ends=ends,
        notes=answers[0].notes,
    )


VIEW = View(
    slug="rhythm",
    title="Rhythm",
    show=show,
    figures={"day": day, "off-hours": off_hours},
    tables={"week": week, "year": year},
    controls=("interval", "attribution"),
)
