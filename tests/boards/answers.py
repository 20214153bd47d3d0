"""An answer's series and columns, whichever of the plugin's three forms they come in."""

from __future__ import annotations

from typing import Any

Answer = list[dict[str, Any]]


def columns(answer: Answer) -> list[str]:
    """The names of fields as Grafana's overrides know them."""
    found: list[str] = []
    for each in answer:
        if "columns" in each:
            found += [column["text"] for column in each["columns"]]
        elif "fields" in each:
            found += [field["name"] for field in each["fields"]]
        else:
            found += ["Time", each["target"]]
    return found


def is_empty(answer: Answer) -> bool:
    """Nothing to draw: no series, no rows, or no value but 0 and null."""
    return not any(value not in (None, 0) for each in answer for value in values(each))


def values(each: dict[str, Any]) -> list[Any]:
    """What stands in an answer beside its times."""
    if "columns" in each:
        times = {number for number, column in enumerate(each["columns"]) if column["type"] == "time"}
        return [value for row in each["rows"] for number, value in enumerate(row) if number not in times]
    if "fields" in each:
        return [value for field in each["fields"] if field["type"] != "time" for value in field["values"]]
    return [value for value, _ in each["datapoints"]]
