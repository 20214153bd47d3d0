"""Points of a stretch of time, read by Flux into arrays: what answers need of them, field by field.

Each statement is a constant; the stretch and the lane go beside it as values. Knows nothing of the mirror.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from toggl_pulse.influx.client import Influx, Value
from toggl_pulse.influx.points import MEASUREMENT, read_text
from toggl_pulse.influx.rows import Codes, MisfitError, Rows, read_rows, unquoted
from toggl_pulse.model import NO_ID, Lane

__all__ = ["Arrays", "Stretch", "Words", "fetch"]

Arrays: TypeAlias = dict[str, NDArray[Any]]
"""The columns of some points by name; `tag_set` and `description` are numbers of words."""

LANE = "r.workspace_id == workspace and r.user_id == user and r.billable == billable"
FLUX, LANE_FLUX, NO_PROJECT_FLUX = (
    f"""
from(bucket: bucket)
    |> range(start: time(v: first), stop: time(v: stop))
    |> filter(fn: (r) => r._measurement == "{MEASUREMENT}"{narrower})
    |> group(columns: ["_field"])
    |> keep(columns: ["_time", "_field", "_value", "workspace_id", "project_id", "user_id", "billable"])
"""
    for narrower in ("", f" and {LANE} and r.project_id == project", f" and {LANE} and not exists r.project_id")
)
"""A table for each field. They are joined here, by time: InfluxDB takes longer for that than for all the rest."""

TEXTS = {"description": "description", "tag_ids": "tag_set"}
"""Fields whose values are words, and the columns of their numbers."""

FIELDS = ("entry_id", "duration", "stop_ms", "task_id", *TEXTS)
IDS = re.compile(r"-?[0-9]{1,19}(,-?[0-9]{1,19})*")
SECOND_NS, MILLISECOND_NS, SECOND_MS = 10**9, 10**6, 1000


class Stretch(NamedTuple):
    """Points with first <= time < stop in nanoseconds; of one lane, or of all."""

    first: int
    stop: int
    lane: Lane | None = None


class Words:
    """The texts and tag sets of several stretches, numbered in order of appearance."""

    def __init__(self) -> None:
        self.codes = {field: Codes() for field in TEXTS}

    def descriptions(self) -> list[str]:
        return [read_text(unquoted(raw)) for raw in self.codes["description"]]

    def tag_sets(self) -> list[tuple[int, ...]]:
        return [_ids(read_text(unquoted(raw))) for raw in self.codes["tag_ids"]]


def fetch(influx: Influx, stretch: Stretch, words: Words) -> Arrays | None:
    """The points there by rising time, None without any. Raises `MisfitError` where something is no point of ours."""
    flux, values = _question(stretch)
    found: dict[str, dict[str, list[NDArray[Any]]]] = {field: defaultdict(list) for field in FIELDS}
    with influx.query(flux, **values) as pieces:
        for table in (table for rows in read_rows(pieces) for table in rows.tables()):
            field = table.text("_field")
            if field in found:
                for name, array in _columns(field, table, words):
                    found[field][name].append(array)
    if not any(found.values()):
        return None
    fields = [{name: np.concatenate(parts) for name, parts in columns.items()} for columns in found.values()]
    return _in_seconds(_side_by_side(fields))


def _question(stretch: Stretch) -> tuple[str, dict[str, Value]]:
    values: dict[str, Value] = {"first": stretch.first, "stop": stretch.stop}
    if stretch.lane is None:
        return FLUX, values
    workspace, project, user, billable = stretch.lane
    values |= {"workspace": str(workspace), "user": str(user), "billable": "true" if billable else "false"}
    return (NO_PROJECT_FLUX, values) if project == NO_ID else (LANE_FLUX, values | {"project": str(project)})


def _columns(field: str, table: Rows, words: Words) -> Iterator[tuple[str, NDArray[Any]]]:
    yield "time_ns", table.times("_time")
    if field in TEXTS:
        yield TEXTS[field], table.coded("_value", words.codes[field])
    else:
        yield field, table.ints("_value")
    if field == "entry_id":
        yield "workspace_id", table.ints("workspace_id")
        yield "project_id", table.ints("project_id", missing=NO_ID)
        yield "user_id", table.ints("user_id")
        yield "billable", table.flags("billable")


def _side_by_side(fields: list[Arrays]) -> Arrays:
    """The fields of each point together: every point has all of them, and a time of its own."""
    columns: Arrays = {}
    given: NDArray[np.int64] | None = None
    for field in fields:
        times = field.pop("time_ns", None)
        if times is None:
            raise MisfitError
        if given is None or not np.array_equal(times, given):  # as a rule all fields come in the same order
            order = np.argsort(times, kind="stable")
            given = times
        if not np.array_equal(columns.setdefault("time_ns", times[order]), times[order]):
            raise MisfitError
        columns |= {name: array[order] for name, array in field.items()}
    if (np.diff(columns["time_ns"]) == 0).any():
        raise MisfitError
    return columns


def _in_seconds(columns: Arrays) -> Arrays:
    columns["start"], rest = np.divmod(columns["time_ns"], SECOND_NS)
    columns["stop"], more = np.divmod(columns.pop("stop_ms"), SECOND_MS)
    if (rest >= MILLISECOND_NS).any() or more.any():
        raise MisfitError
    return columns


def _ids(text: str) -> tuple[int, ...]:
    if text and not IDS.fullmatch(text):
        raise MisfitError
    ids = tuple(map(int, text.split(","))) if text else ()
    if any(one >= other for one, other in pairwise(ids)):
        raise MisfitError
    return ids
