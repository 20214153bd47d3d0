"""Answers as Grafana's data frames: columns of values, each with its name, unit and colour for people.

Made from arrays without a Python object for each number. Knows the shapes of Grafana and nothing of where answers
come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from toggl_pulse.api.encode import dump, meta_of
from toggl_pulse.metrics import METRICS, Answer, Query, Table
from toggl_pulse.metrics.choices import text_and_value
from toggl_pulse.metrics.colours import Colours
from toggl_pulse.metrics.query import ALL
from toggl_pulse.model import Catalogue
from toggl_pulse.service.sync_tables import SYNC_TABLES

__all__ = ["COUNT", "UNITS", "UNITS_OF_COLUMNS", "WORDS", "FrameTimes", "as_frames", "sync_frame"]

UNITS: Mapping[str, str] = {
    "hours": "suffix:h",
    "days": "suffix:d",
    "seconds": "s",
    "share": "percentunit",
}
"""Grafana's names of our units. Its own `h` and `d` turn 40 hours into 1.67 days, and 14 days into 2 weeks."""

COUNT, WORDS = "none", "string"
"""Of numbers that only count, and of texts: without one of their own they would take a panel's, ids and all."""

UNITS_OF_COLUMNS: Mapping[str, str] = {
    "hour": "",  # of the day
    "hours_before": "hours",
    "change": "share",
    "share": "share",
    "billable_share": "share",
    "entries": "",
    "days_since": "days",
}
"""The units of a metric's table by column; what ends in `hours` is hours, any other number has the metric's own."""


class FrameTimes:
    """Arrays of times as JSON, made once for all series that share them."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[NDArray[np.int64], orjson.Fragment]] = {}

    def of(self, times_ms: NDArray[np.int64]) -> orjson.Fragment:
        found = self._made.get(id(times_ms))
        if found is None:
            # the array is kept beside its text, so that its id cannot pass to another one
            found = self._made[id(times_ms)] = (times_ms, orjson.Fragment(dump(times_ms)))
        return found[1]


def as_frames(query: Query, answer: Answer, catalogue: Catalogue, ref_id: str, times: FrameTimes) -> Iterator[bytes]:
    """The answer's table as one frame, or a frame a series."""
    if answer.table is not None:
        yield _of_table(answer.table, answer, ref_id)
    else:
        yield from _of_series(query, answer, catalogue, ref_id, times)


def _of_series(query: Query, answer: Answer, catalogue: Catalogue, ref_id: str, times: FrameTimes) -> Iterator[bytes]:
    """A frame a series: its times and its values.

    Labels name the group and the `id` that means it in a filter, for links that lead on; from `(other)` to all.
    """
    meta = orjson.Fragment(dump(meta_of(answer)))
    grouped = query.group_by != "none"
    unit = UNITS.get(answer.unit, COUNT)
    found = Colours(catalogue).of_groups(query.group_by, [each.key for each in answer.series])
    for each, colour in zip(answer.series, found, strict=True):
        name = each.label if grouped else METRICS[answer.metric].title
        config = _config(name, unit)
        if colour is not None:
            config["color"] = {"mode": "fixed", "fixedColor": colour}
        labels = {query.group_by: each.label} if grouped else {}
        if grouped:
            labels["id"] = ALL if each.other else text_and_value(each.key, each.label)[0]
        values = np.ascontiguousarray(each.values)  # NaN and infinities become null
        fields = [
            {"name": "Time", "type": "time", "config": {}, "values": times.of(each.times_ms)},
            {"name": answer.metric, "type": "number", "labels": labels, "config": config, "values": values},
        ]
        yield dump({"refId": ref_id, "name": name, "fields": fields, "meta": meta})


def _of_table(table: Table, answer: Answer, ref_id: str) -> bytes:
    """A metric's table as one frame."""
    columns = [_Column(name, kind, _unit(name, answer.unit), _heading(name)) for name, kind in table.columns]
    return _frame(columns, table.rows, ref_id, METRICS[answer.metric].title, {"meta": meta_of(answer)})


def _unit(column: str, of_metric: str) -> str:
    return UNITS_OF_COLUMNS.get(column, "hours" if column.endswith("hours") else of_metric)


def sync_frame(slug: str, table: Table, ref_id: str) -> bytes:
    """A table about the sync as one frame."""
    known = SYNC_TABLES[slug]
    columns = [_Column(each.name, each.kind, each.unit, each.title or _heading(each.name)) for each in known.columns]
    return _frame(columns, table.rows, ref_id, known.title, {})


class _Column(NamedTuple):
    """A column as a frame shows it; the unit is one of ours, and counts for numbers only."""

    name: str
    kind: str
    unit: str
    heading: str

    @property
    def config(self) -> dict[str, Any]:
        if self.kind == "number":
            return _config(self.heading, UNITS.get(self.unit, COUNT))
        return _config(self.heading, WORDS if self.kind == "string" else None)


def _frame(
    columns: Sequence[_Column], rows: Sequence[Sequence[Any]], ref_id: str, name: str, more: Mapping[str, Any]
) -> bytes:
    cells = list(chain.from_iterable(rows))  # every so many are a column: half of the time that `zip` needs
    fields = [
        {"name": column.name, "type": column.kind, "config": column.config, "values": cells[number :: len(columns)]}
        for number, column in enumerate(columns)
    ]
    return dump({"refId": ref_id, "name": name, "fields": fields, **more})


def _config(name: str, unit: str | None) -> dict[str, Any]:
    return {"displayNameFromDS": name} if unit is None else {"displayNameFromDS": name, "unit": unit}


def _heading(column: str) -> str:
    """A column's name for people: `data_as_of` is `Data as of`."""
    words = column.replace("_", " ")
    return words[:1].upper() + words[1:]
