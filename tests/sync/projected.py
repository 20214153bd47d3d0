"""What tests of the projection share: what InfluxDB holds, what it should hold, and clients that break off."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

from influxdb import Server
from mirror.rows import NOW, WORKSPACE, entry, write
from toggl_pulse.influx import Influx
from toggl_pulse.mirror import Mirror
from toggl_pulse.model import Tag

ALL = "range(start: 1700-01-01T00:00:00Z, stop: 2200-01-01T00:00:00Z)"

Call = Callable[..., Any]

LEDGER = frozenset({"begin_anew", "doubt", "finish", "gone", "intend", "note", "set_aside", "take_back", "written"})
REQUESTS = frozenset({"delete", "query", "write"})


def held(server: Server, bucket: str) -> list[dict[str, str]]:
    """Every point of InfluxDB's as it says itself, read in another way than the program does."""
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    answer = server.flux(
        f'from(bucket: "{bucket}") |> {ALL} |> filter(fn: (r) => r._measurement == "toggl_time_entry")'
    )
    for block in answer.split("\r\n\r\n"):
        for row in csv.DictReader(io.StringIO(block, newline="")):
            tags = {
                name: value
                for name, value in row.items()
                if name and name[0] != "_" and name not in {"result", "table"}
            }
            point = rows.setdefault((row["_time"], *sorted(f"{key}={value}" for key, value in tags.items())), tags)
            point["_time"] = row["_time"]
            point[row["_field"]] = row["_value"].replace("\r\n", "\n")  # as InfluxDB's CSV ends a line within a text
    return sorted(rows.values(), key=lambda point: (point["_time"], point["entry_id"]))


def wanted(mirror: Mirror, names: dict[int, str] | None = None) -> list[tuple[Any, ...]]:
    """What each living, finished entry should be there."""
    ids = [int(one) for one in mirror.load()[1].entry_id]
    found = [stored.entry for stored in mirror.entries(ids).values() if stored.entry.stop is not None]
    return sorted(
        (
            one.start.strftime("%Y-%m-%dT%H:%M:%S"),
            str(one.id),
            str(one.workspace_id),
            str(one.project_id) if one.project_id else None,
            str(one.user_id),
            "true" if one.billable else "false",
            "|".join(name.replace("%", "%25").replace("|", "%7C") for name in sorted(one.tags)) or None,
            ",".join(map(str, sorted(one.tag_ids))) or " ",
            str(one.duration),
            one.description or " ",
            str(one.task_id or 0),
            str(int((one.stop or NOW).timestamp()) * 1000),
        )
        for one in found
    )


def as_wanted(points: list[dict[str, str]]) -> list[tuple[Any, ...]]:
    names = (
        "workspace_id",
        "project_id",
        "user_id",
        "billable",
        "tags",
        "tag_ids",
        "duration",
        "description",
        "task_id",
    )
    rows = [
        (point["_time"][:19], point["entry_id"], *(point.get(name) for name in names), point["stop_ms"])
        for point in points
    ]
    return sorted(rows, key=lambda row: (*row[:2], str(row)))  # of an entry with two points, one may lack a tag


def agree(mirror: Mirror, server: Server, bucket: str) -> bool:
    assert wanted(mirror) == as_wanted(held(server, bucket))
    assert (mirror.revision(), False) == mirror.points.projected()[:2]
    return True


def fill(mirror: Mirror, count: int = 40) -> None:
    with mirror.batch() as batch:
        batch.write_catalogue([Tag(5, WORKSPACE, "five"), Tag(6, WORKSPACE, "six")])
    write(
        mirror,
        *(
            entry(
                number,
                project_id=3 + number % 3 or None,
                billable=bool(number % 2),
                tag_ids=((), (5,), (5, 6))[number % 3],
                task_id=8 if number % 5 else None,
            )
            for number in range(count)
        ),
        entry(count, stop=None, duration=-1),
    )


class Cut:
    """A client whose process dies at the n-th request: before it is sent, or after it was done."""

    def __init__(self, inner: Influx, at: int, *, after: bool) -> None:
        self.inner = inner
        self.left = at
        self.after = after

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.inner, name)
        if name not in {"write", "delete"}:
            return real

        def call(*arguments: Any) -> Any:
            self.left -= 1
            if self.left == 0 and not self.after:
                raise KeyboardInterrupt
            result = real(*arguments)
            if self.left == 0:
                raise KeyboardInterrupt
            return result

        return call


class Watched:
    """The client or the ledger, whose every step is told before it is made."""

    def __init__(self, inner: object, names: frozenset[str], step: Call) -> None:
        self._inner = inner
        self._names = names
        self._step = step

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._inner, name)
        if name not in self._names:
            return real
        return lambda *arguments, **named: self._step(name, real, arguments, named)
