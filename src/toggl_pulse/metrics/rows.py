"""What answers show beside series: tables, entries with their names, points, the heat map."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.errors import BadRequest
from toggl_pulse.metrics.calendar import MAX_POINTS
from toggl_pulse.metrics.columns import Snapshot
from toggl_pulse.metrics.fold import Folding, Shown
from toggl_pulse.metrics.groups import Dimension, dimension_of
from toggl_pulse.metrics.selection import Range, Rows, Selection, matching_rows
from toggl_pulse.model import NO_ID, from_epoch

__all__ = ["EntryRow", "Table", "Told", "named", "points", "weekday_hour_table"]

Ints = NDArray[np.int64]

WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


@dataclass(frozen=True, slots=True)
class Table:
    """`columns` are (name, type) with the types of Grafana's tables: `time` (epoch ms), `string`, `number`."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A table, whether a running entry counts in it, and sentences for people."""

    table: Table
    running: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry with ids and names. `stop` is None while it runs; `seconds` then count up to the horizon."""

    id: int
    start: datetime
    stop: datetime | None
    seconds: int
    description: str
    workspace_id: int
    workspace: str
    client_id: int | None
    client: str
    project_id: int | None
    project: str
    task_id: int | None
    task: str
    user_id: int
    user: str
    tag_ids: tuple[int, ...]
    tags: tuple[str, ...]
    billable: bool


def points(
    selection: Selection,
    range_: Range,
    fold: Callable[[NDArray[Any], NDArray[np.bool_]], Folding],
) -> tuple[Folding, list[Ints], list[NDArray[np.float64]]]:
    """Finished entries as (start in ms, seconds) of each group, by start, then by id."""
    found = [
        np.stack((part.start[row], part.entry_id[row], part.seconds[row], selection.code_of(part, row)))
        for rows in selection.rows
        for part in (rows.part,)
        for row in matching_rows(rows, range_, "start")
    ]
    start, entry, seconds, code = np.concatenate(found, axis=1)
    present = np.bincount(code, minlength=selection.codes) > 0
    folding = fold(np.bincount(code, seconds, minlength=selection.codes), present)
    order = np.lexsort((entry, start))
    which, group = folding.expand(code[order])
    which = order[which]
    by_group = np.argsort(group, kind="stable")
    which, group = which[by_group], group[by_group]
    edges = np.searchsorted(group, np.arange(len(folding.groups) + 1))
    if len(edges) > 1 and int(np.diff(edges).max()) > MAX_POINTS:
        raise BadRequest(
            f"This range has more than {MAX_POINTS:,} entries in one series: ask for a shorter range.",
            code="too_many_points",
        )
    pieces = [which[low:high] for low, high in itertools.pairwise(edges)]
    return folding, [start[piece] * 1000 for piece in pieces], [seconds[piece].astype(np.float64) for piece in pieces]


def weekday_hour_table(
    groups: tuple[Shown, ...], cells: NDArray[np.float64], week_start: int, *, grouped: bool, matrix: bool
) -> Table:
    """168 rows a group, or as a matrix seven of 24 columns, from the week's first day on.

    `cells` are values by 24 × weekday + hour.
    """
    days = [day % 7 for day in range(week_start, week_start + 7)]
    columns: tuple[tuple[str, str], ...]
    if matrix:
        columns = (("weekday", "string"), *((f"{hour:02d}:00", "number") for hour in range(24)))
        rows = [
            (group.label, WEEKDAYS[day], *row[24 * day : 24 * day + 24].tolist())
            for group, row in zip(groups, cells, strict=True)
            for day in days
        ]
    else:
        columns = (("weekday", "string"), ("hour", "number"), ("hours", "number"))
        rows = [
            (group.label, WEEKDAYS[day], hour, float(row[24 * day + hour]))
            for group, row in zip(groups, cells, strict=True)
            for day in days
            for hour in range(24)
        ]
    if grouped:
        return Table((("group", "string"), *columns), tuple(rows))
    return Table(columns, tuple(row[1:] for row in rows))


def named(snapshot: Snapshot, parts: tuple[Rows, ...], part: Ints, row: Ints) -> Iterator[EntryRow]:
    """Entries by the numbers of their parts and their rows there, made one by one."""
    of = {name: dimension_of(snapshot, name) for name in ("workspace", "client", "project", "task", "user", "tag")}
    tag_labels = dict(zip(of["tag"].keys, of["tag"].labels, strict=True))
    running = [frozenset(rows.part.running.tolist()) for rows in parts]
    for number, at in zip(part.tolist(), row.tolist(), strict=True):
        rows = parts[number]
        columns = rows.part
        runs = at in running[number]
        start, stop = int(columns.start[at]), int(columns.stop[at])
        project = int(columns.project[at])
        tags = snapshot.numbers.tag_set.values[int(columns.tag_set[at])]
        client_id, client = _of(of["client"], project)
        project_id, project_name = _of(of["project"], project)
        task_id, task = _of(of["task"], int(columns.task[at]))
        user_id, user = _of(of["user"], int(columns.user[at]))
        workspace_id, workspace = _of(of["workspace"], int(columns.workspace[at]))
        yield EntryRow(
            id=int(columns.entry_id[at]),
            start=from_epoch(start),
            stop=None if runs else from_epoch(stop),
            seconds=max(0, rows.horizon - start) if runs else int(columns.seconds[at]),
            description=snapshot.numbers.description.values[int(columns.description[at])],
            workspace_id=workspace_id or NO_ID,
            workspace=workspace,
            client_id=client_id,
            client=client,
            project_id=project_id,
            project=project_name,
            task_id=task_id,
            task=task,
            user_id=user_id or NO_ID,
            user=user,
            tag_ids=tags,
            tags=tuple(tag_labels[tag] for tag in tags),
            billable=bool(columns.billable[at]),
        )


def _of(dimension: Dimension, code: int) -> tuple[int | None, str]:
    """Id and label; no label for none, which in a table is an empty cell."""
    group = code if dimension.group_of is None else int(dimension.group_of[code])
    key = dimension.keys[group]
    return key, "" if key is None else dimension.labels[group]
