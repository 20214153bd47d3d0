"""A parent that has imported everything and forks `toggl-pulse` on demand: a real process for the price of a fork.

    python -m e2e.warm

A line of JSON on standard input is one order, `{"start": [arguments], "home": …, "environment": {…}, "output": …}` or
`{"wait": pid}`; a line on standard output is its answer. When its input ends, it kills what it has started, and ends.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import toggl_pulse

PATIENCE = 120
WARMED = (
    "alembic.command", "alembic.config", "alembic.ddl.sqlite", "alembic.runtime.migration", "alembic.script",
    "anyio._backends._asyncio", "apscheduler.schedulers.asyncio", "asyncio", "encodings.idna", "influxdb_client",
    "multiprocessing", "psycopg", "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite.pysqlite",
    "toggl_pulse.app", "toggl_pulse.service", "uvicorn.lifespan.off", "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto",
)  # fmt: skip


class Child:
    """A forked `toggl-pulse`; `code` is None while it lives, and negative when a signal ended it."""

    def __init__(self, nursery: Nursery, pid: int, output: Path) -> None:
        self.pid = pid
        self.code: int | None = None
        self.output = output
        self._nursery = nursery
        self._handle = os.pidfd_open(pid)

    def said(self) -> str:
        return self.output.read_text()

    def alive(self) -> bool:
        return self.code is None and not select.select([self._handle], [], [], 0)[0]

    def ends_within(self, seconds: float) -> bool:
        return self.code is not None or bool(select.select([self._handle], [], [], seconds)[0])

    def send(self, number: signal.Signals) -> None:
        if self.code is None:
            os.kill(self.pid, number)

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        if self.code is None:
            assert self.ends_within(PATIENCE), f"it does not end: {self.said()}"
            self.code = self._nursery.reap(self.pid)
            os.close(self._handle)
        return self.code

    def kill(self) -> int:
        self.send(signal.SIGKILL)
        return self.wait()


class Nursery:
    """The warm parent seen from a test, as a context manager; it forks the program that the test itself imports."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started = 0
        places = [str(Path(toggl_pulse.__file__).parent.parent), str(Path(__file__).parent.parent)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "e2e.warm"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(places), "OPENBLAS_NUM_THREADS": "1"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=PATIENCE)

    def start(self, home: Path, *arguments: str, **settings: str) -> Child:
        """Fork one verb in an environment with nothing in it but PATH and these settings."""
        self._started += 1
        output = self._folder / f"output-{self._started}"
        output.touch()
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8", **settings,
        }  # fmt: skip
        order = {"start": arguments, "home": str(home), "environment": environment, "output": str(output)}
        return Child(self, int(self._ask(order)), output)

    def run(self, home: Path, *arguments: str, **settings: str) -> Child:
        """One verb to its end."""
        child = self.start(home, *arguments, **settings)
        child.wait()
        return child

    def reap(self, pid: int) -> int:
        return int(self._ask({"wait": pid}))

    def _ask(self, order: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _warm_up() -> None:
    import toggl_pulse.cli

    for module in pkgutil.iter_modules(toggl_pulse.cli.__path__):
        importlib.import_module(f"toggl_pulse.cli.{module.name}")
    for name in WARMED:
        importlib.import_module(name)


def _obey() -> dict[str, Any] | None:
    """Serve orders; in a child, returns the order that it was forked for."""
    children: set[int] = set()
    # not `for line in sys.stdin`: it would read ahead, and a child must find nothing half read
    while line := sys.stdin.readline():
        order: dict[str, Any] = json.loads(line)
        if "wait" in order:
            _, status = os.waitpid(order["wait"], 0)
            children.discard(order["wait"])
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = os.fork()
            if answer == 0:
                return order
            children.add(answer)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()
    for pid in children:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return None


def _become(order: dict[str, Any]) -> None:
    """Be `toggl-pulse` with these arguments, as if it had been started from a shell."""
    from toggl_pulse.cli import main

    output = os.open(order["output"], os.O_WRONLY | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, file in ((0, nothing), (1, output), (2, output)):
        os.dup2(file, number)
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    os.chdir(order["home"])
    code: object = 0
    try:
        main(order["start"])
    except SystemExit as end:
        code = end.code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)  # to tear down what the parent had imported costs most of a run


if __name__ == "__main__":
    _warm_up()
    gc.freeze()  # a child then need not copy all that it has inherited at its first collection
    mine = _obey()
    if mine is not None:
        _become(mine)
