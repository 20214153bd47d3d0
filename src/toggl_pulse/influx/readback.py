"""Points as InfluxDB holds them, whole, to be compared with what they should be.

Where answers are made, `source.py` reads the same points with less of them and more quickly.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from toggl_pulse.influx.client import Influx
from toggl_pulse.influx.points import MEASUREMENT, join_tags, read_text
from toggl_pulse.influx.troubles import failed_inside, not_influxdb
from toggl_pulse.model import NO_ID, Point

__all__ = ["Content", "read_back", "told"]

Content = tuple[tuple[str, str], ...]
"""Every tag and field by name in rising order, as text; what a point has not is left out."""

FLUX = """
from(bucket: bucket)
    |> range(start: time(v: first), stop: time(v: last))
    |> filter(fn: (r) => r._measurement == measurement)
    |> drop(columns: ["_start", "_stop", "_measurement"])
    |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
"""
"""One row for each time of each series."""

NANOSECONDS = 10**9
TEXTS = {"description", "tag_ids"}
FIRST = ["", "result", "table"]
"""The columns with which every table begins."""

OURS = {*FIRST, "_time"}


def read_back(influx: Influx, first_ns: int, last_ns: int) -> Iterator[tuple[int, Content]]:
    """Every point there with its time, both ends included; two series with a point of one time are two points."""
    with influx.query(FLUX, first=first_ns, last=last_ns + 1, measurement=MEASUREMENT) as pieces:
        try:
            for values in _rows(pieces):
                values |= {name: read_text(values[name]) for name in TEXTS & values.keys()}
                content = tuple(sorted((name, value) for name, value in values.items() if name not in OURS))
                yield _time_ns(values["_time"]), content
        except (ValueError, LookupError, csv.Error):  # not raised by who reads: nothing is thrown into here
            raise not_influxdb() from None


def _rows(pieces: Iterable[bytes]) -> Iterator[dict[str, str]]:
    """Every row of every table by the names in its header; an error that came on the way is one of ours."""
    header: list[str] = []
    for row in csv.reader(_lines(pieces)):
        if not row:
            header = []
        elif not header:
            header = row
            if "error" in header[:2]:
                raise failed_inside()
            if header[:3] != FIRST:
                raise ValueError("not a header of InfluxDB's")
        else:
            yield dict(zip(header, row, strict=True))


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """Lines with their ends, which a text may hold too."""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    rest = ""
    for piece in pieces:
        *whole, rest = (rest + decode(piece)).split("\n")
        yield from (line + "\n" for line in whole)
    if rest:
        yield rest


def _time_ns(text: str) -> int:
    whole, _, rest = text.removesuffix("Z").partition(".")
    return int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp()) * NANOSECONDS + int(rest.ljust(9, "0"))


def told(point: Point) -> Content:
    """What `read_back` gives of this point when it stands as it should."""
    values = {
        "workspace_id": str(point.workspace_id),
        "user_id": str(point.user_id),
        "billable": "true" if point.billable else "false",
        "duration": str(point.duration),
        "description": point.description,
        "entry_id": str(point.entry_id),
        "task_id": str(point.task_id),
        "stop_ms": str(point.stop * 1000),
        "tag_ids": ",".join(map(str, point.tag_ids)),
    }
    if point.project_id != NO_ID:
        values["project_id"] = str(point.project_id)
    if point.tags:
        values["tags"] = join_tags(point.tags)
    return tuple(sorted(values.items()))
