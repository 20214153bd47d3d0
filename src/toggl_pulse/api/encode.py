"""Answers as the JSON that Grafana reads.

A year of hours for two hundred projects is a million numbers: they go from arrays to text without a Python object
for each. Knows the shapes of the JSON data source and nothing of where answers come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from toggl_pulse.metrics import Answer, Query, Table

__all__ = ["Times", "as_series", "as_table", "datapoints", "dump", "joined", "meta_of", "table_of"]

_GRAFANA_UNITS: Mapping[str, str] = {"hours": "suffix:h", "seconds": "s", "share": "percentunit"}
"""Grafana's names of our units; its own `h` makes 1.7 days of 40 hours. One it has no name for is the panel's."""


class Times:
    """Epoch milliseconds as text, made once for all series that share them."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[NDArray[np.int64], list[bytes]]] = {}

    def tails(self, times_ms: NDArray[np.int64]) -> list[bytes]:
        """`,1700000000000],[` for each time: what stands between a value and the next one."""
        found = self._made.get(id(times_ms))
        if found is None:
            # the array is kept beside its text, so that its id cannot pass to another one
            found = self._made[id(times_ms)] = (times_ms, [b",%d],[" % time for time in times_ms.tolist()])
        return found[1]


def datapoints(values: NDArray[np.float64], times_ms: NDArray[np.int64], times: Times) -> bytes:
    """`[[value, epoch_ms], …]`; NaN and infinities become null."""
    if not len(values):
        return b"[]"
    pieces: list[bytes] = [b""] * (2 * len(values))
    packed = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)
    pieces[0::2] = packed[1:-1].split(b",")
    pieces[1::2] = times.tails(times_ms)
    return b"[[" + b"".join(pieces)[:-2] + b"]"


def dump(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)


def joined(parts: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(parts) + b"]"


def as_series(answer: Answer, ref_id: str, times: Times) -> Iterator[bytes]:
    """One object a series, as Grafana's older time series form; how it was worked out stands in `meta`."""
    more = dump({"meta": meta_of(answer), **_unit(answer)})[1:]
    reference = dump(ref_id)
    for each in answer.series:
        yield b"".join(
            (
                b'{"target":',
                dump(each.label),
                b',"refId":',
                reference,
                b',"datapoints":',
                datapoints(each.values, each.times_ms, times),
                b",",
                more,
            )
        )


def table_of(query: Query, answer: Answer) -> Table:
    """The answer's table; or its series as rows of time, group (where there are groups) and value."""
    if answer.table is not None:
        return answer.table
    grouped = query.group_by != "none"
    group = ((query.group_by, "string"),) if grouped else ()
    return Table(
        (("time", "time"), *group, (answer.metric, "number")),
        tuple(
            (time, each.label, value) if grouped else (time, value)
            for each in answer.series
            for time, value in zip(each.times_ms.tolist(), each.values.tolist(), strict=True)
        ),
    )


def as_table(table: Table, ref_id: str, answer: Answer | None = None) -> bytes:
    """Columns and rows; how an answer was worked out stands in `meta`."""
    return dump(
        {
            "type": "table",
            "refId": ref_id,
            "columns": [{"text": text, "type": kind} for text, kind in table.columns],
            "rows": table.rows,
            **({} if answer is None else {"meta": meta_of(answer)}),
        }
    )


def _unit(answer: Answer) -> dict[str, str]:
    unit = _GRAFANA_UNITS.get(answer.unit)
    return {} if unit is None else {"unit": unit}


def meta_of(answer: Answer) -> dict[str, Any]:
    """How an answer was worked out."""
    return {
        "custom": {
            "metric": answer.metric,
            "unit": answer.unit,
            "attribution": answer.attribution,
            "interval": answer.interval,
            "revision": answer.revision,
            "running": answer.running_flagged,
            "notes": answer.notes,
        }
    }
