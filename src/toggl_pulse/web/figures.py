"""A chart as data: what the page draws, shows as a table and hands out as CSV, all three from the same numbers.

Knows the metrics' answers and nothing of the library that draws.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import orjson

from toggl_pulse.metrics import METRICS, OTHER, Answer
from toggl_pulse.metrics.export import spreadsheet_safe
from toggl_pulse.web.asked import Asked
from toggl_pulse.web.look import Look

__all__ = ["Figure", "Line", "as_csv", "as_json", "filter_value", "lines_of", "over_time", "steps_of"]

Kind = Literal["bars", "lines", "heat", "spans", "table"]


@dataclass(frozen=True, slots=True)
class Line:
    """One series. `colour` is Toggl's, or None for one of the page's own; `link` leads to its entries."""

    label: str
    values: tuple[float | None, ...]
    colour: str | None = None
    key: str | None = None
    other: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """What is drawn.

    `x` are local times without a zone (`2026-11-03T00:00`) where `step` is one of the metrics' intervals, else words.
    `spans` draws each pair of lines as from and to; a `table` is the template's own. `group`, `firsts` and `ends` (the
    first and last local day of each step that are shown) make a click lead to the entries of a bar.
    """

    name: str
    title: str
    meaning: str
    kind: Kind
    unit: str
    x: tuple[str, ...]
    lines: tuple[Line, ...]
    step: str = ""
    group: str = ""
    firsts: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to see."""
        return not any(value for line in self.lines for value in line.values)


def over_time(look: Look, name: str, metric: str, *, title: str = "", limit: int = 12, **payload: Any) -> Figure:
    """A metric by step and group, as asked: the chart that most views begin with."""
    asked = look.asked
    group = str(payload.pop("group_by", asked.group))
    answer = look.answer(metric, group_by=group, interval=asked.interval, limit=limit, **payload)
    x, firsts, ends = steps_of(answer, asked)
    return Figure(
        name=name,
        title=title or METRICS[metric].title,
        meaning=METRICS[metric].meaning,
        kind="bars",
        unit=answer.unit,
        x=x,
        lines=tuple(lines_of(look, answer, group)),
        step=answer.interval,
        group=group,
        firsts=firsts,
        ends=ends,
        notes=answer.notes,
    )


def lines_of(look: Look, answer: Answer, group: str) -> Iterable[Line]:
    for series in answer.series:
        yield Line(
            label=METRICS[answer.metric].title if group == "none" else series.label,
            values=tuple(None if math.isnan(value) else value for value in series.values.tolist()),
            colour=look.colour_of(group, series.key),
            key=filter_value(series.key, series.label, other=series.other),
            other=series.other,
        )


def filter_value(key: object, label: str, *, other: bool = False) -> str | None:
    """What means this group in a filter: its id, its label where it has none; None for what a limit has folded."""
    if other or label == OTHER:
        return None
    if isinstance(key, bool):
        return str(key).lower()
    return str(key) if isinstance(key, int) else label


def steps_of(answer: Answer, asked: Asked) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Each step's local beginning, and the first and last local day of it that are shown."""
    if not answer.series:
        return (), (), ()
    local = [
        datetime.fromtimestamp(time / 1000, UTC).astimezone(asked.zone) for time in answer.series[0].times_ms.tolist()
    ]
    ends = [(after - timedelta(seconds=1)).date() for after in local[1:]] + [asked.last]
    return (
        tuple(moment.replace(tzinfo=None).isoformat(timespec="minutes") for moment in local),
        tuple(max(moment.date(), asked.first).isoformat() for moment in local),
        tuple(min(end, asked.last).isoformat() for end in ends),
    )


def as_json(figure: Figure, more: Mapping[str, Any] | None = None) -> bytes:
    """For the page's script."""
    return orjson.dumps(asdict(figure) | {"empty": figure.empty, **(more or {})})


def as_csv(figure: Figure) -> bytes:
    """A line a step (or word) and a column a group; what has no value is empty."""
    text = io.StringIO(newline="")
    out = csv.writer(text)
    out.writerow([figure.step or "name", *(spreadsheet_safe(line.label) for line in figure.lines)])
    for number, x in enumerate(figure.x):
        out.writerow([spreadsheet_safe(x), *(line.values[number] for line in figure.lines)])
    return text.getvalue().encode("utf-8", "replace")
