"""What does the whole process need: memory, time from its start to the first answer, room on the disk?"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import orjson

from benchmarks.account import Account
from benchmarks.measure import Ratio
from benchmarks.stored import stored

__all__ = ["ratios"]

USUAL = 20_000
ROUNDS = 5
MIB, MEGABYTE = 2**20, 10**6
ROOT = Path(__file__).parent.parent
LIBRARIES = (
    "apscheduler.schedulers.asyncio fastapi filelock httpx2 numpy orjson platformdirs prometheus_client "
    "pydantic pydantic_settings re2 rich sqlalchemy stamina structlog typer uvicorn"
)
IMPORTS = "import " + ", ".join(LIBRARIES.split())
YEAR = orjson.dumps(
    {
        "range": {"from": "2025-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
        "targets": [
            {"target": "tracked_hours", "refId": "A", "payload": {"group_by": "project", "interval": "day"}},
        ],
    }
)


def ratios(account: Account) -> Iterator[Ratio]:
    with TemporaryDirectory() as folder:
        usual, large = Path(folder) / "usual", Path(folder) / "large"
        for size, where in ((USUAL, usual), (account.size, large)):
            where.mkdir()
            stored(Account(size), where).close()
            (where / f"mirror-{size}.db").rename(where / "mirror.db")
        imports, answers, rests = [], [], []
        for _ in range(ROUNDS):
            imports.append(_run([sys.executable, "-c", IMPORTS]))
            with _serving(usual) as (seconds, process):
                answers.append(seconds)
                rests.append(_memory(process, "VmRSS"))
        yield Ratio(
            f"from the start of serve to the first answer, {USUAL:,} entries",
            3.0,
            min(answers),
            min(imports),
            of="merely importing its libraries",
        )
        yield Ratio(
            f"memory at rest after a first answer, {USUAL:,} entries", 150.0, max(rests), MIB, unit="bytes", of="MiB"
        )
        with _serving(large) as (_, process):
            yield Ratio(
                f"memory of the whole process at its peak, {account.size:,} entries loaded and asked about",
                300.0,
                _memory(process, "VmHWM"),
                MIB,
                unit="bytes",
                of="MiB",
            )
    yield Ratio("installed size of the runtime dependencies", 250.0, _installed(), MEGABYTE, unit="bytes", of="MB")


@contextmanager
def _serving(folder: Path) -> Iterator[tuple[float, int]]:
    """A `toggl-pulse serve` whose Toggl cannot be reached: seconds to its first answer, and its process id."""
    environment = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(folder),
        "TOGGL_API_TOKEN": "benchmark",
        "TOGGL_API_URL": "http://127.0.0.1:9",
        "PORT": "0",
        "LOG_FORMAT": "json",
    }
    begin = perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "toggl_pulse", "serve"],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = next(found[0] for line in process.stdout if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
        _asked(address)
        yield perf_counter() - begin, process.pid
    finally:
        process.terminate()
        process.communicate()


def _asked(address: str) -> None:
    request = urllib.request.Request(  # noqa: S310 - a loopback address
        f"{address}/query", data=YEAR, headers={"Content-Type": "application/json"}
    )
    for attempt in range(100):
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310
                assert orjson.loads(answer.read()), "an empty answer proves nothing"
        except ConnectionRefusedError:
            time.sleep(0.01 * attempt)
        else:
            return


def _run(command: list[str]) -> float:
    begin = perf_counter()
    subprocess.run(command, check=True)  # noqa: S603
    return perf_counter() - begin


def _memory(process: int, name: str) -> float:
    """Bytes, as the kernel counts them."""
    status = Path(f"/proc/{process}/status").read_text("ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(f"{name}:"))


def _installed() -> float:
    """Bytes of every file that the locked runtime dependencies brought."""
    names = re.findall(r"(?m)^([A-Za-z0-9_.-]+)==", (ROOT / "requirements.txt").read_text("utf-8"))
    total = 0
    for name in names:
        try:
            files = distribution(name).files or []
        except PackageNotFoundError:  # for another system
            continue
        total += sum(path.stat().st_size for each in files if (path := Path(str(each.locate()))).is_file())
    return total
