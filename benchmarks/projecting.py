"""How quick is the projection into a real InfluxDB on this machine? Floors are bare requests to the same server."""

from __future__ import annotations

import gzip
import http.client
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import structlog

from benchmarks.account import PROJECTS, TAGS, Account
from benchmarks.influx_server import server
from benchmarks.measure import Ratio
from benchmarks.stored import NOW, stored
from toggl_pulse.influx import Influx, encode
from toggl_pulse.mirror import Mirror
from toggl_pulse.model import Point, Tag, TimeEntry
from toggl_pulse.sync import Projector

if TYPE_CHECKING:
    from influxdb import OwnServer

__all__ = ["ratios"]

BATCH = 5_000
MANY = 5_000
EDITS = 5
MEASUREMENT = '_measurement="toggl_time_entry"'


def ratios(account: Account) -> Iterator[Ratio]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with TemporaryDirectory() as folder, server() as running:
        if running is not None:
            with stored(account, Path(folder)) as mirror:
                yield from _ratios(account, mirror, running)


def _ratios(account: Account, mirror: Mirror, running: OwnServer) -> Iterator[Ratio]:
    bucket = running.fresh()
    influx = Influx(running.url, running.service_token(bucket), running.org, bucket)
    projector = Projector(mirror, influx, clock=lambda: NOW)
    seconds = _time(projector)
    points = _all(mirror)
    assert len(points) == account.size
    other = Bare(running, running.fresh())
    batches = [gzip.compress(encode(points[at : at + BATCH]), 1) for at in range(0, len(points), BATCH)]
    bare = other.send(batches)
    running.drop(other.bucket)
    yield Ratio(
        f"projecting {account.size:,} entries: points a second",
        0.5,
        account.size / seconds,
        account.size / bare,
        unit="/s",
        of="a bare loop that sends the same batches",
        at_least=True,
    )
    here = Bare(running, bucket)
    yield _one_edit(mirror, projector, here, points)
    yield _project_moved(mirror, projector, here, points)
    yield _tag_renamed(mirror, projector, here, points)
    influx.close()


def _one_edit(mirror: Mirror, projector: Projector, here: Bare, points: Sequence[Point]) -> Ratio:
    """A project is changed: the old point is deleted, the new one written."""
    times, floors = [], []
    for number in range(EDITS):
        point = points[len(points) // 2 + number * 1000]
        _edit(mirror, [point], project_id=point.project_id + 1)
        times.append(_time(projector))
        line = gzip.compress(encode([point]), 1)
        lane = f'{MEASUREMENT} AND workspace_id="{point.workspace_id}" AND project_id="{point.project_id}"'
        lane += f' AND user_id="{point.user_id}" AND billable="{"true" if point.billable else "false"}"'
        begin = perf_counter()
        here.delete(point.time_ns, point.time_ns, lane)
        here.write(line)
        floors.append(perf_counter() - begin)
        here.delete(point.time_ns, point.time_ns, lane)  # its entry has another project by now
    return Ratio(
        "after one edit among them, until InfluxDB holds it",
        3.0,
        min(times),
        min(floors),
        of="one delete and one write",
    )


def _project_moved(mirror: Mirror, projector: Projector, here: Bare, points: Sequence[Point]) -> Ratio:
    """All entries of a project go to another one: they lie all over the years, in few lanes."""
    sizes = Counter(point.project_id for point in points)
    project = min(sizes, key=lambda each: abs(sizes[each] - MANY))
    moved = [point for point in points if point.project_id == project]
    _edit(mirror, moved, project_id=PROJECTS + 1)
    seconds = _time(projector)
    return Ratio(
        f"all {len(moved):,} entries of a project moved to another, until InfluxDB holds it",
        3.0,
        seconds,
        here.rewrite_months(_all(mirror), moved),
        of="rewriting their months whole",
    )


def _tag_renamed(mirror: Mirror, projector: Projector, here: Bare, points: Sequence[Point]) -> Ratio:
    """A tag of many entries gets another name: they lie all over the years, in hundreds of lanes."""
    some = Random(1).sample(points, min(MANY, len(points) // 20))  # noqa: S311 - entries, not secrets
    with mirror.batch() as batch:
        batch.write_catalogue([Tag(TAGS + 1, 1, "Rare")])
    _edit(mirror, some, tag_ids=(TAGS + 1,))
    projector.project()
    with mirror.batch() as batch:
        batch.write_catalogue([Tag(TAGS + 1, 1, "Seldom")])
    seconds = _time(projector)
    return Ratio(
        f"a tag of {len(some):,} entries renamed, until InfluxDB holds it",
        3.0,
        seconds,
        here.rewrite_months(_all(mirror), some),
        of="rewriting their months whole",
    )


def _edit(mirror: Mirror, points: Sequence[Point], **changes: object) -> None:
    found = mirror.entries(point.entry_id for point in points)
    with mirror.batch() as batch:
        batch.write_entries(_with(found[point.entry_id].entry, changes) for point in points)


def _with(entry: TimeEntry, changes: dict[str, object]) -> TimeEntry:
    values = {name: getattr(entry, name) for name in TimeEntry.__slots__} | {"tags": ()} | changes
    return TimeEntry(**values)


def _time(projector: Projector) -> float:
    begin = perf_counter()
    projector.project()
    return perf_counter() - begin


def _all(mirror: Mirror) -> list[Point]:
    found: list[Point] = []
    while page := mirror.points.page(found[-1].time_ns if found else -(2**63), 50_000):
        found += page
    return found


class Bare:
    """One kept connection and nothing else."""

    def __init__(self, running: OwnServer, bucket: str) -> None:
        self.bucket = bucket
        self._where = urlencode({"org": running.org, "bucket": bucket})
        self._headers = {"Authorization": f"Token {running.token}"}
        self._connection = http.client.HTTPConnection(urlsplit(running.url).netloc)

    def send(self, batches: Sequence[bytes]) -> float:
        begin = perf_counter()
        for batch in batches:
            self.write(batch)
        return perf_counter() - begin

    def write(self, batch: bytes) -> None:
        self._ask("write", batch, {"Content-Encoding": "gzip"})

    def delete(self, first_ns: int, last_ns: int, predicate: str) -> None:
        body = {"start": _text(first_ns), "stop": _text(last_ns), "predicate": predicate}
        self._ask("delete", json.dumps(body).encode(), {"Content-Type": "application/json"})

    def rewrite_months(self, points: Sequence[Point], changed: Sequence[Point]) -> float:
        """Seconds of deleting and writing every month in which something has changed, all made ready before."""
        months: dict[str, list[Point]] = {}
        wanted = {_month(point) for point in changed}
        for point in points:
            if (month := _month(point)) in wanted:
                months.setdefault(month, []).append(point)
        ready = [
            (
                held[0].time_ns,
                held[-1].time_ns,
                [gzip.compress(encode(held[at : at + BATCH]), 1) for at in range(0, len(held), BATCH)],
            )
            for held in months.values()
        ]
        begin = perf_counter()
        for first, last, batches in ready:
            self.delete(first, last, MEASUREMENT)
            for batch in batches:
                self.write(batch)
        return perf_counter() - begin

    def _ask(self, path: str, body: bytes, headers: dict[str, str]) -> None:
        self._connection.request("POST", f"/api/v2/{path}?{self._where}", body, self._headers | headers)
        response = self._connection.getresponse()
        response.read()
        assert response.status == 204


def _month(point: Point) -> str:
    return f"{datetime.fromtimestamp(point.time_ns // 10**9, UTC):%Y-%m}"


def _text(time_ns: int) -> str:
    seconds, rest = divmod(time_ns, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
