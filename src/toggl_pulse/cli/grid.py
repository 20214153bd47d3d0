"""An answer as a table on a terminal: steps and groups crossed where that fits the width, listed where it does not.

Knows nothing of where an answer comes from; whatever a name holds, it cannot steer the terminal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from toggl_pulse.cli.parts import printable
from toggl_pulse.metrics import METRICS, Answer, Query

__all__ = ["print_answer", "range_words"]

Cells = Sequence[Sequence[str]]

NARROWEST = 8
LONGEST = 200
"""Characters of a name that are shown at most; the width cuts most of them further."""

_ENTRY_COLUMNS = ("start", "hours", "description", "project", "client", "tags")
_STEPS: dict[str, Callable[[datetime], str]] = {
    "hour": lambda at: f"{at:%Y-%m-%d %H:%M}",
    "day": lambda at: f"{at:%Y-%m-%d}",
    "week": lambda at: f"{at:%Y-%m-%d}",
    "month": lambda at: f"{at:%Y-%m}",
    "quarter": lambda at: f"{at:%Y} Q{(at.month + 2) // 3}",
    "year": lambda at: f"{at:%Y}",
}


def print_answer(answer: Answer, query: Query) -> None:
    """Print the range, the numbers, a total where they add up, and what one should know about them."""
    console = Console()
    metric = METRICS[answer.metric]
    booked = "each entry whole where it began" if answer.attribution == "start" else "cut at the borders"
    when = f"as of now ({query.zone.key})" if metric.of_now else range_words(query)
    _say(console, f"{metric.title}, {when}, {booked}")
    if answer.table is None:
        grid = _points(answer, query) if metric.shape == "points" else _series(answer, query, console.width)
    else:
        grid = _table(answer, query, console.width)
    if grid is None:
        _say(console, "Nothing was tracked there.")
    else:
        console.print(grid)
    for line in (metric.meaning, *answer.notes):
        _say(console, line)


def range_words(query: Query) -> str:
    """The range as people say it: `2026-11-01 to 2026-11-30 (Europe/Berlin)`; both days are in it."""
    first, end = (_at(ms, query.zone) for ms in (query.start_ms, query.end_ms))
    if f"{first:%H%M%S}{end:%H%M%S}" == "000000000000" and end > first:
        last = _at(query.end_ms - 1, query.zone)
        words = f"{first:%Y-%m-%d}" + ("" if last.date() == first.date() else f" to {last:%Y-%m-%d}")
    else:
        words = f"{first:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"
    return f"{words} ({query.zone.key})"


def _say(console: Console, line: str) -> None:
    console.print(Text(printable(line)), soft_wrap=not console.is_terminal)


def _series(answer: Answer, query: Query, width: int) -> Grid | None:
    """One value a group: a list. Steps of one group: a list. Steps of groups: crossed, or listed without zeros."""
    if not answer.series:
        return None
    metric = METRICS[answer.metric]
    name = _STEPS.get(answer.interval, _STEPS["hour"])
    steps = [name(_at(ms, query.zone)) for ms in answer.series[0].times_ms.tolist()]
    groups = [_short(series.label) for series in answer.series]
    values = [series.values.tolist() for series in answer.series]
    # an entry with two tags counts under both, so tags do not add up
    total = metric.additive and query.group_by != "tag"
    rows: list[tuple[str, ...]]
    last: tuple[str, ...] | None
    if answer.interval == "range":
        rows = [(group, _number(row[0])) for group, row in zip(groups, values, strict=True)]
        last = ("total", _number(_sum(row[0] for row in values))) if total and len(rows) > 1 else None
        return _grid(["group", answer.unit], rows, last)
    by_step = list(zip(*values, strict=True))
    down = [(step, *map(_number, row)) for step, row in zip(steps, by_step, strict=True)]
    if len(groups) == 1:
        last = ("total", _number(_sum(values[0]))) if total and len(down) > 1 else None
        return _grid(["time", answer.unit if query.group_by == "none" else groups[0]], down, last)
    across = [(group, *map(_number, row)) for group, row in zip(groups, values, strict=True)]
    sums = [_number(_sum(row)) for row in values] if total else None
    step_sums = [_number(_sum(row)) for row in by_step] if total else None
    for head, rows, last in (
        ([answer.unit, *steps], across, ("total", *step_sums) if step_sums else None),
        ([answer.unit, *groups], down, ("total", *sums) if sums else None),
    ):
        if _width([head, *rows, *([last] if last else [])]) <= width:
            return _grid(head, rows, last)
    listed = [
        (step, group, _number(value))
        for step, row in zip(steps, by_step, strict=True)
        for group, value in zip(groups, row, strict=True)
        if value and not math.isnan(value)
    ]
    last = ("total", "", _number(_sum(map(_sum, values)))) if total else None
    return _grid(["time", "group", answer.unit], listed, last)


def _points(answer: Answer, query: Query) -> Grid | None:
    """Each entry by itself, oldest first."""
    points = sorted(
        (at, series.label, value)
        for series in answer.series
        for at, value in zip(series.times_ms.tolist(), series.values.tolist(), strict=True)
    )
    rows = [(f"{_at(at, query.zone):%Y-%m-%d %H:%M:%S}", _short(label), f"{value:,.0f}") for at, label, value in points]
    return _grid(["time", "group", answer.unit], rows) if rows else None


def _table(answer: Answer, query: Query, width: int) -> Grid | None:
    table = answer.table
    if table is None or not table.rows:
        return None
    names = [column[0] for column in table.columns]
    if answer.metric == "entries":
        chosen = [names.index(name) for name in _ENTRY_COLUMNS if name in names]
        return _grid(
            [names[n] for n in chosen],
            [[_cell(row[n], table.columns[n][1], query) for n in chosen] for row in table.rows],
        )
    if names == ["weekday", "hour", answer.unit]:
        days = list(dict.fromkeys(row[0] for row in table.rows))
        cells = {(row[0], row[1]): row[2] for row in table.rows}
        hours = [[f"{hour:02d}:00", *(_number(cells[day, hour]) for day in days)] for hour in range(24)]
        crossed = [[answer.unit, *days], *hours]
        if _width(crossed) <= width:
            return _grid(crossed[0], hours)
    kinds = [column[1] for column in table.columns]
    return _grid(
        names, [[_cell(cell, kind, query) for cell, kind in zip(row, kinds, strict=True)] for row in table.rows]
    )


def _grid(head: Sequence[str], rows: Cells, last: Sequence[str] | None = None) -> Grid:
    """Long names are cut until the grid fits the screen; numbers and times are not."""
    columns = [[name, *cells] for name, *cells in zip(head, *rows, *([last] if last else []), strict=True)]
    numeric = [all(map(_is_number, cells[1 : len(rows) + 1])) for cells in columns]
    widths = [max(Text(cell).cell_len for cell in column) for column in columns]
    texts = [n for n in range(1, len(head)) if not numeric[n]] or [0]
    while sum(widths) + 3 * len(widths) + 1 > Console().width:
        longest = max(texts, key=lambda n: widths[n])
        if widths[longest] <= NARROWEST:
            break
        widths[longest] -= 1
    grid = Grid()
    for number, name in enumerate(head):
        grid.add_column(
            Text(name),
            justify="right" if numeric[number] and number > 0 else "left",
            width=widths[number],
            no_wrap=True,
            overflow="ellipsis",
        )
    for row in rows:
        grid.add_row(*map(Text, row))
    if last is not None:
        grid.add_section()
        grid.add_row(*map(Text, last))
    return grid


def _width(rows: Cells) -> int:
    """What a grid of these cells takes, with its lines."""
    return 1 + sum(3 + max(Text(cell).cell_len for cell in column) for column in zip(*rows, strict=True))


def _cell(cell: Any, kind: str, query: Query) -> str:
    if cell is None:
        return "–"
    if kind == "time":
        return f"{_at(cell, query.zone):%Y-%m-%d %H:%M}"
    return _number(cell) if isinstance(cell, float) else _short(str(cell))


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:,.2f}"


def _is_number(text: str) -> bool:
    return text == "–" or text.replace(",", "").replace(".", "").replace("-", "").isdigit()


def _sum(values: Any) -> float:
    return math.fsum(value for value in values if not math.isnan(value))


def _short(name: str) -> str:
    shown = printable(name[: LONGEST + 1])
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"


def _at(ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(ms / 1000, zone)
