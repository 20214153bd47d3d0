"""What do answers from a real InfluxDB cost, against the bare download of what they are made from, and the mirror's?"""

from __future__ import annotations

import http.client
import json
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import structlog

from benchmarks.account import Account
from benchmarks.influx_server import server
from benchmarks.measure import Ratio, measure, seconds_of
from benchmarks.questions import QUESTIONS
from benchmarks.stored import NOW, stored
from toggl_pulse.influx import Influx, InfluxSource
from toggl_pulse.influx.client import Value, _extern
from toggl_pulse.metrics import Answers, Contact, Query
from toggl_pulse.metrics.columns import Columns
from toggl_pulse.mirror import Mirror
from toggl_pulse.model import EntrySource
from toggl_pulse.sync import Projector

if TYPE_CHECKING:
    from influxdb import OwnServer

__all__ = ["ratios"]

CHUNK = 1 << 17
EDITS = 5
BEGIN = datetime(2025, 12, 1, tzinfo=UTC)
WARM = ("days", "last")
"""The questions that are asked of both sources."""


def ratios(account: Account) -> Iterator[Ratio]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with TemporaryDirectory() as folder, server() as running:
        if running is not None:
            with stored(_with_habits(account.size), Path(folder)) as mirror:
                yield from _ratios(mirror, running)


def _with_habits(size: int) -> Account:
    """Four tag sets for each project, where the usual account has all of them: 1,600 series instead of 48,000."""
    account = Account(size)
    columns = account.columns
    columns.tag_set[:] = (columns.project_id * 7 + columns.tag_set % 4) % len(columns.tag_sets)
    return account


def _ratios(mirror: Mirror, running: OwnServer) -> Iterator[Ratio]:
    bucket = running.fresh()
    influx = Noting(running.url, running.service_token(bucket), running.org, bucket)
    projector = Projector(mirror, influx, clock=lambda: NOW)
    projector.project()
    source = InfluxSource(influx, mirror.points)
    influx.asked.clear()
    size, peak = _loaded(mirror, source)
    asked = tuple(influx.asked)
    yield measure(
        f"loading {size:,} entries from InfluxDB until answers can be made",
        2.0,
        lambda: Columns(source).newest(),
        lambda: _download(running, asked),
        of="the bare download of the same answers",
    )
    yield Ratio("memory at its peak while they are read", None, peak, size, unit="bytes", of="an entry")
    from_influxdb, from_mirror = _answers(source), _answers(mirror)
    for question in QUESTIONS:
        if question.name in WARM:
            assert _told(from_influxdb, question.query) == _told(from_mirror, question.query)
            yield measure(
                f"{question.text}; from InfluxDB, warm",
                1.2,
                partial(from_influxdb.answer, question.query),
                partial(from_mirror.answer, question.query),
                of="the same from the mirror",
            )
    yield _after_an_edit(mirror, projector, from_influxdb, from_mirror)
    influx.close()


def _loaded(mirror: Mirror, source: InfluxSource) -> tuple[int, int]:
    """How many entries, and the most bytes that reading them took."""
    tracemalloc.start()
    _, columns = source.load()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert columns.duration.sum() == mirror.load()[1].duration.sum()
    return len(columns), peak


def _answers(source: EntrySource) -> Answers:
    return Answers(source, clock=lambda: NOW, contact=lambda: Contact(NOW, timedelta(minutes=20)))


def _told(answers: Answers, query: Query) -> list[tuple[object, list[float]]]:
    return [(series.key, series.values.tolist()) for series in answers.answer(query).series]


def _after_an_edit(mirror: Mirror, projector: Projector, one: Answers, other: Answers) -> Ratio:
    """The point is read again, and the answer made; InfluxDB holds the edit already."""
    query = next(question.query for question in QUESTIONS if question.name == "last")
    entry = max(mirror.finished(1, BEGIN, NOW, user_id=1), key=lambda each: each.start)
    times: list[tuple[float, float]] = []
    for number in range(EDITS):
        with mirror.batch() as batch:
            batch.write_entries([replace(entry, tags=(), description=f"Edit {number}")])
        projector.project()
        times.append((seconds_of(partial(one.answer, query)), seconds_of(partial(other.answer, query))))
    best, floor = (min(seconds) for seconds in zip(*times, strict=True))
    return Ratio(
        "the answer after an edit, the last 30 days, from InfluxDB", None, best, floor, of="the same from the mirror"
    )


def _download(running: OwnServer, asked: Sequence[tuple[str, dict[str, Any]]]) -> int:
    """One kept connection, and nothing is done with what comes."""
    connection = http.client.HTTPConnection(urlsplit(running.url).netloc)
    headers = {"Authorization": f"Token {running.token}", "Content-Type": "application/json"}
    size, buffer = 0, bytearray(CHUNK)
    for flux, values in asked:
        body = {
            "type": "flux",
            "query": flux,
            "extern": _extern(values),
            "dialect": {"header": True, "annotations": []},
        }
        connection.request("POST", f"/api/v2/query?{urlencode({'org': running.org})}", json.dumps(body), headers)
        response = connection.getresponse()
        while count := response.readinto(buffer):
            size += count
    connection.close()
    return size


class Noting(Influx):
    """Notes what it asks, so that the same can be asked without it."""

    def __init__(self, url: str, token: str, org: str, bucket: str) -> None:
        super().__init__(url, token, org, bucket)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._name = bucket

    @contextmanager
    def query(self, flux: str, **values: Value) -> Iterator[Iterator[bytes]]:
        self.asked.append((flux, {"bucket": self._name, **values}))
        with super().query(flux, **values) as pieces:
            yield pieces
