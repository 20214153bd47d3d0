"""Where the hours go: the mix over time, clients, projects and tags with what of them is billable, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from toggl_pulse.metrics import METRICS
from toggl_pulse.web.figures import Figure, Line, filter_value, lines_of, over_time, steps_of
from toggl_pulse.web.heat import shade
from toggl_pulse.web.look import Look, Number
from toggl_pulse.web.views.view import View

__all__ = ["VIEW"]

MOST_ROWS = 40
"""So many groups are shown of each table; the CSV has them all."""
MATRIX_ROWS = 24
MOST_STEPS = 100
MOST_DORMANT = 12
SHARE = "share"
SUMS = ("tracked_hours", "billable_hours", "billable_share", "entry_count")
TITLES = {
    "client": "Clients",
    "tag": "Tags",
    "project": "Projects",
    "task": "Tasks",
    "user": "People",
    "workspace": "Workspaces",
    "billable": "Billable or not",
    "description": "Descriptions",
}


def show(look: Look) -> Mapping[str, Any]:
    group = look.asked.group
    tables = ["client", "tag"] if group in {"none", "project", "client", "tag"} else ["client", group, "tag"]
    return {
        "sums": [look.number(metric) for metric in SUMS],
        "as_share": _as_share(look),
        "tables": [_table(look, dimension) for dimension in tables],
        "projects": _projects(look),
        "matrix": matrix_of(look),
        "most_steps": MOST_STEPS,
        "dormant": look.rows(look.answer("dormant_projects", limit=MOST_DORMANT + 1)),
        "most_dormant": MOST_DORMANT,
        "meanings": {name: metric.meaning for name, metric in METRICS.items()},
    }


# --- the mix ----------------------------------------------------------------------------------------------------------


def _as_share(look: Look) -> bool:
    return look.asked.own.get("mix") == SHARE


def mix(look: Look) -> Figure:
    """Hours by step and group; or the groups' shares of each step's hours."""
    made = over_time(look, "mix", "tracked_hours", title="Mix over time")
    if not _as_share(look) or not made.lines:
        return made
    whole = look.answer("tracked_hours", interval=look.asked.interval).series[0].values.tolist()
    lines = tuple(
        replace(line, values=tuple(_ratio(value, all_) for value, all_ in zip(line.values, whole, strict=True)))
        for line in made.lines
    )
    meaning = f"{made.meaning} Here as a share of all tracked time of the step."
    return replace(made, unit=SHARE, lines=lines, meaning=meaning)


def _ratio(value: float | None, whole: float) -> float | None:
    return None if value is None or not whole else value / whole


# --- tables of groups -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """A group's part of the range; `key` is what means it in a filter. `named`: not what belongs to no group."""

    label: str
    named: bool
    key: str | None
    colour: str | None
    hours: float
    share: float | None
    billable: float
    billable_share: float | None
    entries: float


def _rows(look: Look, dimension: str) -> Iterator[Row]:
    """All groups, the largest first."""
    whole = look.number("tracked_hours").value or 0.0
    by_label = {
        metric: {series.label: float(series.values[0]) for series in _of_range(look, metric, dimension)}
        for metric in ("billable_hours", "billable_share", "entry_count")
    }
    for series in _of_range(look, "tracked_hours", dimension):
        share = by_label["billable_share"].get(series.label)
        hours = float(series.values[0])
        yield Row(
            label=series.label,
            named=series.key is not None,
            key=filter_value(series.key, series.label),
            colour=look.colour_of(dimension, series.key),
            hours=hours,
            share=_ratio(hours, whole),
            billable=by_label["billable_hours"].get(series.label, 0.0),
            billable_share=share if share == share else None,  # noqa: PLR0124 (NaN: nothing to divide by)
            entries=by_label["entry_count"].get(series.label, 0.0),
        )


def _of_range(look: Look, metric: str, dimension: str) -> Any:
    return look.answer(metric, group_by=dimension, interval="range").series


def _table(look: Look, dimension: str) -> Mapping[str, Any]:
    rows = list(_rows(look, dimension))
    return {
        "dimension": dimension,
        "title": TITLES[dimension],
        "rows": rows[:MOST_ROWS],
        "left_out": max(0, len(rows) - MOST_ROWS),
        "most": max((row.hours for row in rows), default=0.0),
    }


def table_figure(look: Look, *, name: str, dimension: str | None = None) -> Figure:
    """A table of groups whole, for its CSV."""
    group = look.asked.group
    dimension = dimension or (group if group != "none" else "project")
    rows = list(_rows(look, dimension))
    columns: Mapping[str, list[Any]] = {
        "hours": [row.hours for row in rows],
        "share of all": [row.share for row in rows],
        "billable hours": [row.billable for row in rows],
        "billable share": [row.billable_share for row in rows],
        "entries": [row.entries for row in rows],
    }
    return _as_table(name, TITLES[dimension], "tracked_hours", [row.label for row in rows], columns)


def _as_table(name: str, title: str, metric: str, words: list[str], columns: Mapping[str, list[Any]]) -> Figure:
    return Figure(
        name=name,
        title=title,
        meaning=METRICS[metric].meaning,
        kind="table",
        unit="",
        x=tuple(words),
        lines=tuple(Line(label, tuple(values)) for label, values in columns.items()),
    )


# --- projects ---------------------------------------------------------------------------------------------------------


def _projects(look: Look) -> Mapping[str, Any]:
    billable = {row.label: float(row.values[0]) for row in _of_range(look, "billable_hours", "project")}
    answer = look.answer("project_overview")
    rows = look.rows(answer)
    for row in rows:
        number = row["project_id"]
        row["key"] = row["project"] if number is None else number
        row["colour"] = None if number is None else look.colour_of("project", int(number))
        row["billable"] = billable.get(row["project"], 0.0)
    return {
        "rows": rows[:MOST_ROWS],
        "left_out": max(0, len(rows) - MOST_ROWS),
        "most": max((row["hours"] for row in rows), default=0.0),
        "notes": answer.notes,
    }


def projects_figure(look: Look) -> Figure:
    rows = look.rows(look.answer("project_overview"))
    words = [f"{row['project']} ({row['client']})" if row["client"] else row["project"] for row in rows]
    names = ("hours", "share", "billable_share", "entries", "hours_before", "change", "days_since")
    columns = {name.replace("_", " "): [row[name] for row in rows] for name in names}
    return _as_table("projects", "Projects", "project_overview", words, columns)


# --- by step ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Matrix:
    """Hours of groups (rows) by step (columns) with the metrics' own sums of both, and each cell's shade."""

    figure: Figure
    rows: tuple[tuple[Line, tuple[tuple[float | None, int], ...], float], ...]
    totals: tuple[float, ...]
    whole: Number
    shared: bool


def matrix_of(look: Look) -> Matrix:
    figure = matrix(look)
    group = figure.group
    sums = look.answer("tracked_hours", group_by=group, interval="range", limit=MATRIX_ROWS).series
    steps = look.answer("tracked_hours", interval=look.asked.interval).series
    most = max((value or 0.0 for line in figure.lines for value in line.values), default=0.0)
    return Matrix(
        figure=figure,
        rows=tuple(
            (line, tuple((value, shade(value, most)) for value in line.values), float(whole.values[0]))
            for line, whole in zip(figure.lines, sums, strict=True)
        ),
        totals=tuple(steps[0].values.tolist()) if steps else (),
        whole=look.number("tracked_hours"),
        shared=group == "tag",
    )


def matrix(look: Look) -> Figure:
    asked = look.asked
    answer = look.answer("tracked_hours", group_by=asked.group, interval=asked.interval, limit=MATRIX_ROWS)
    x, firsts, ends = steps_of(answer, asked)
    return Figure(
        name="matrix",
        title=f"Each {answer.interval}",
        meaning=METRICS["tracked_hours"].meaning,
        kind="table",
        unit=answer.unit,
        x=x,
        lines=tuple(lines_of(look, answer, asked.group)),
        step=answer.interval,
        group=asked.group,
        firsts=firsts,
        ends=ends,
        notes=answer.notes,
    )


TABLES: Mapping[str, Callable[[Look], Figure]] = {
    "client": partial(table_figure, name="client", dimension="client"),
    "tag": partial(table_figure, name="tag", dimension="tag"),
    "group": partial(table_figure, name="group"),
    "projects": projects_figure,
    "matrix": matrix,
}

VIEW = View(slug="projects", title="Projects & clients", show=show, figures={"mix": mix}, tables=TABLES, keeps=("mix",))
