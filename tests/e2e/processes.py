"""The real programs as processes: a simulated Toggl to be changed from outside, and `toggl-pulse` with its verbs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

TOKEN = "e2e-token-that-must-stay-secret-0123456789"
API_TOKEN = "the-service's-own-token-0123456789"
PATIENCE = 120


class SimulatedToggl:
    """A running simulator; `do` plays the user of Toggl."""

    def __init__(self, url: str) -> None:
        self.url = url

        self._client = httpx2.Client(base_url=f"{url}/_control/", timeout=PATIENCE)

    def do(self, operation: str, **arguments: Any) -> dict[str, Any]:
        return self.post(f"do/{operation}", arguments)

    def post(self, route: str, content: dict[str, Any]) -> dict[str, Any]:
        answer = self._client.post(route, json=content)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def get(self, route: str, **query: str) -> Any:
        answer = self._client.get(route, params=query)
        assert answer.is_success, answer.text
        return answer.json()

    def close(self) -> None:
        self._client.close()


class Output:
    """What a process prints, line by line, kept."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._process = process
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()

    def wait_for(self, word: str) -> str:
        """The first line that holds `word`."""
        with self._news:
            found = self._news.wait_for(lambda: self._find(word) or not self._reader.is_alive(), PATIENCE)
        line = self._find(word)
        assert found, f"no line with {word!r} within {PATIENCE} s: {self.lines}"
        assert line is not None, f"the process ended without a line with {word!r}: {self.lines}"
        return line

    def _find(self, word: str) -> str | None:
        return next((line for line in self.lines if word in line), None)

    def address(self) -> str:
        """Where a service says that it listens, taken from the command that it prints."""
        return self.wait_for("curl ").split("curl -s ")[1].split("/query")[0]

    def rest(self) -> str:
        self._reader.join(PATIENCE)
        return "\n".join(self.lines)


def environment(home: Path, **settings: str) -> dict[str, str]:
    """A bare environment: nothing of this machine's user but PATH."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8", **settings}


@contextmanager
def running(
    arguments: list[str], home: Path, module: str = "toggl_pulse", **settings: str
) -> Iterator[tuple[subprocess.Popen[str], Output]]:
    """A Python module as a process with its output gathered; ended with SIGTERM, then waited for."""
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=home,
        env=environment(home, **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        output = Output(process)
        try:
            yield process, output
        finally:
            process.terminate()
            process.wait(PATIENCE)
            output.rest()


@contextmanager
def simulated_toggl(home: Path, *arguments: str, token: str = TOKEN) -> Iterator[SimulatedToggl]:
    with running(["--control", "--token", token, *arguments], home, module="toggl_pulse.demo") as (_, output):
        toggl = SimulatedToggl(output.wait_for("http://"))
        try:
            yield toggl
        finally:
            toggl.close()


def pulse(home: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """One verb of the command line, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "toggl_pulse", *arguments],
        cwd=home,
        env=environment(home, **settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
