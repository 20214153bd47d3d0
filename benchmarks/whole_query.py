"""What does a whole `/query` over HTTP cost, against the engine and a bare route that returns the same bytes?"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from pydantic import SecretStr

from benchmarks.account import Account
from benchmarks.measure import Ratio, measure
from benchmarks.questions import BERLIN
from toggl_pulse.metrics import Query
from toggl_pulse.mirror import Mirror
from toggl_pulse.model import Client, Project, TimeEntry, Workspace, epoch
from toggl_pulse.service import Service
from toggl_pulse.settings import Settings

__all__ = ["TOKEN", "ratios", "settings_of"]

TOKEN = "a token for the benchmark only"  # noqa: S105
BEGIN, END = datetime(2024, 12, 31, 23, tzinfo=UTC), datetime(2025, 12, 31, 23, tzinfo=UTC)  # a year in Berlin
ENTRIES, PROJECTS = 100_000, 20
AT_ONCE = 5_000
ASKED = json.dumps(
    {
        "range": {"from": BEGIN.isoformat(), "to": END.isoformat()},
        "intervalMs": 86_400_000,
        "maxDataPoints": 1000,
        "targets": [
            {
                "target": "tracked_hours",
                "refId": "A",
                "payload": {"group_by": "project", "interval": "day", "timezone": "Europe/Berlin"},
            }
        ],
    }
).encode()
NOTE = (
    "More than half of what is beyond the floor is the making of the text, 0.45 ms or 60 ns a datapoint: 14 to write "
    "the number, 20 to cut it out, the rest to put it beside its time. orjson needs 48 for ready pairs, which alone is "
    "most of what the goal leaves. The ten guards share 0.05 ms, the way to a worker thread and back takes 0.05, the "
    "reading of the request 0.02; the rest is what engine and text drive out of each other's cache. Tried without "
    "a gain that can be told from noise: one text for all series, one copy less, marks that are replaced by times, "
    "pairs of Python's numbers, templates, formatting by `%`. Since all targets of a request are answered from one "
    "look at the mirror, which takes 0.09 ms and no longer 0.13 for each, less is left to save, in the floor too."
)
QUERY = Query("tracked_hours", epoch(BEGIN) * 1000, epoch(END) * 1000, BERLIN, group_by="project", interval="day")


def settings_of(folder: Path) -> Settings:
    return Settings(_env_file=None, data_dir=folder, api_token=SecretStr(TOKEN), database_url="")  # type: ignore[call-arg]


def ratios(account: Account) -> Iterator[Ratio]:
    del account
    with TemporaryDirectory() as name, ExitStack() as opened:
        folder = Path(name)
        settings = settings_of(folder)
        _fill(settings.mirror_url)
        service = Service.reading(settings)
        opened.enter_context(service.mirror)
        ports = opened.enter_context(_server(folder))
        whole, bare = (opened.enter_context(closing(HTTPConnection("127.0.0.1", port))) for port in ports)
        answer = _ask(whole)
        expected = json.loads(answer)
        assert len(expected) == PROJECTS
        assert {len(each["datapoints"]) for each in expected} == {365}
        bare.request("PUT", "/query", answer)
        bare.getresponse().read()
        assert answer == _ask(bare)

        def floor() -> None:
            service.answers.answer(QUERY)
            _ask(bare)

        text = f"a whole HTTP /query: a year by day, {PROJECTS} projects, {len(answer) / 1000:,.0f} kB"
        plain = measure(text, 1.5, lambda: _ask(whole), floor, of="engine + bare route", note=NOTE)
        packed = measure(
            "the same, packed with gzip as Grafana asks for it", None, _packed(whole), floor, of="engine + bare route"
        )
        # two processes find each other awake or not: one floor for both, the lowest that was seen
        lowest = min(plain.floor, packed.floor)
        yield from (replace(each, floor=lowest) for each in (plain, packed))


def _ask(connection: HTTPConnection, **more: str) -> bytes:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}", **more}
    connection.request("POST", "/query", ASKED, headers)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, body
    return body


def _packed(connection: HTTPConnection) -> Callable[[], object]:
    return lambda: _ask(connection, **{"Accept-Encoding": "gzip"})


@contextmanager
def _server(folder: Path) -> Iterator[list[int]]:
    command = [sys.executable, "-m", "benchmarks.server", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 - ourselves
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.communicate()


def _fill(url: str) -> None:
    dice = np.random.default_rng(1)
    starts = np.sort(dice.integers(0, int((END - BEGIN).total_seconds()) - 20_000, ENTRIES)).tolist()
    lengths = np.minimum(dice.exponential(2_700, ENTRIES), 40_000).astype(np.int64).tolist()
    projects = dice.integers(1, PROJECTS + 1, ENTRIES).tolist()
    with Mirror.open(url, clock=lambda: END) as mirror:
        with mirror.batch() as batch:
            batch.write_catalogue([Workspace(1, "Work"), Client(1, 1, "Client")])
            batch.write_catalogue([Project(each, 1, f"Project {each}", 1) for each in range(1, PROJECTS + 1)])
        for begin in range(0, ENTRIES, AT_ONCE):
            some = slice(begin, begin + AT_ONCE)
            with mirror.batch() as batch:
                batch.write_entries(
                    TimeEntry(
                        begin + number + 1, 1, 1, BEGIN + timedelta(seconds=start),
                        BEGIN + timedelta(seconds=start + length), length, END, project_id=project,
                    )
                    for number, (start, length, project) in enumerate(
                        zip(starts[some], lengths[some], projects[some], strict=True)
                    )
                )  # fmt: skip
