"""An answer as the panel draws it: read in whichever form it comes, then transformed as Grafana does it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

Answer = list[dict[str, Any]]
Frame = dict[str, list[Any]]
"""Fields by the names that people see."""


def frames(answer: Answer) -> list[Frame]:
    """What the plugin makes of an answer: series, tables and frames alike."""
    return [_frame(each) for each in answer]


def _frame(each: dict[str, Any]) -> Frame:
    if "columns" in each:
        names = [column["text"] for column in each["columns"]]
        return {name: [row[number] for row in each["rows"]] for number, name in enumerate(names)}
    if "fields" in each:
        return {field["config"].get("displayNameFromDS", field["name"]): field["values"] for field in each["fields"]}
    return {"Time": [at for _, at in each["datapoints"]], each["target"]: [value for value, _ in each["datapoints"]]}


def raw_names(answer: Answer) -> dict[str, str]:
    """The other name of a frame's field, which overrides and links know too -> the one that people see."""
    return {
        field["name"]: field["config"].get("displayNameFromDS", field["name"])
        for each in answer
        for field in each.get("fields", ())
    }


def shown(panel: dict[str, Any], answer: Answer) -> list[Frame]:
    """The frames that the panel draws. Raises `KeyError` where a transformation names a field that there is not.

    Fields are kept and left out by either name; sorting and dividing know only the one that people see.
    """
    found, seen = frames(answer), raw_names(answer)

    def headings(names: Iterable[str]) -> list[str]:
        return [seen.get(name, name) for name in names]

    for step in panel.get("transformations") or ():
        options = step["options"]
        match step["id"]:
            case "filterFieldsByName":
                found = [_only(frame, headings(options["include"]["names"]), found) for frame in found]
            case "organize":
                found = [_without(frame, headings(options["excludeByName"])) for frame in found]
            case "joinByField":
                found = [_joined(found, options["byField"])]
            case "sortBy":
                found = [_sorted(frame, **options["sort"][0]) for frame in found]
            case "calculateField":
                found = [_divided(frame, options["alias"], **options["binary"]) for frame in found]
            case other:
                raise AssertionError(other)
    return found


def _only(frame: Frame, names: list[str], every: list[Frame]) -> Frame:
    for name in names:
        if all(name not in each for each in every):
            raise KeyError(name)
    return {name: values for name, values in frame.items() if name in names}


def _without(frame: Frame, names: Iterable[str]) -> Frame:
    for name in names:
        frame[name]
    return {name: values for name, values in frame.items() if name not in names}


def _joined(every: list[Frame], by: str) -> Frame:
    keys = list(dict.fromkeys(key for frame in every for key in frame[by]))
    joined: Frame = {by: keys}
    for frame in every:
        row_of = {key: row for row, key in enumerate(frame[by])}
        for name, values in frame.items():
            if name != by:
                assert name not in joined, f"two fields called {name}"
                joined[name] = [values[row_of[key]] if key in row_of else None for key in keys]
    return joined


def _sorted(frame: Frame, field: str, *, desc: bool) -> Frame:
    order = sorted(range(len(frame[field])), key=lambda row: frame[field][row], reverse=desc)
    return {name: [values[row] for row in order] for name, values in frame.items()}


def _divided(frame: Frame, name: str, left: str, operator: str, right: str) -> Frame:
    assert operator == "/"
    pairs = zip(frame[left], frame[right], strict=True)
    return frame | {name: [above / below if above is not None and below else None for above, below in pairs]}


def columns(panel: dict[str, Any], answer: Answer) -> set[str]:
    """The names of all fields that the panel has at its end, both of each."""
    found = {name for frame in shown(panel, answer) for name in frame}
    return found | {raw for raw, name in raw_names(answer).items() if name in found}


def is_empty(panel: dict[str, Any], answer: Answer) -> bool:
    """Nothing to draw: no row, or none that has a value. In a chart 0 is no value, a single number it is."""
    nothing = (None, "") if panel["type"] in {"stat", "gauge"} else (None, "", 0)
    return not any(
        value not in nothing
        for frame in shown(panel, answer)
        for name, values in frame.items()
        if name not in {"Time", "time"} and _wanted(panel, name)
        for value in values
    )


def _wanted(panel: dict[str, Any], name: str) -> bool:
    """Whether a stat shows this field."""
    fields = panel["options"].get("reduceOptions", {}).get("fields")
    if not fields:
        return True
    _, pattern, flags = fields.split("/")
    return re.search(pattern, name, re.IGNORECASE if flags == "i" else 0) is not None


def by_step(frame: Frame) -> tuple[tuple[int, float | None], ...]:
    """A series as pairs of step and value."""
    ((_, times), (_, values)) = frame.items()
    return tuple(zip(times, values, strict=True))


def custom(answer: Answer) -> Mapping[str, Any]:
    """How it was worked out."""
    found: Mapping[str, Any] = answer[0]["meta"]["custom"]
    return found
