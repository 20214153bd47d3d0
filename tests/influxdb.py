"""An InfluxDB server for the tests: the program `influxd`, a folder and a loopback port of its own, gone at the end.

`INFLUXDB_TEST_URL` with `INFLUXDB_TEST_TOKEN` (one that may make buckets and tokens) and `INFLUXDB_TEST_ORG` names
another server instead: buckets and tokens are made and removed there. Fixtures in `conftest.py`: `influxdb` is the
server, `influxdb_bucket` the name of an empty bucket.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from postgresql import free_port

__all__ = ["MISSING", "MISSING_PROGRAM", "GivenServer", "OwnServer", "Right", "Server", "program"]

MISSING = "influxd is missing (put it on PATH, or name it in INFLUXD) and INFLUXDB_TEST_URL is not set"
MISSING_PROGRAM = (
    "influxd is missing (put it on PATH, or name it in INFLUXD), and this test stops or sets up its server"
)
START_SECONDS = 30.0
YEAR_SECONDS = 365 * 24 * 3600
OPTIONS = ("--reporting-disabled", "--ui-disabled")


def program() -> str | None:
    """Where `influxd` is."""
    return os.environ.get("INFLUXD") or shutil.which("influxd")


class Right(NamedTuple):
    """What a token may do with a kind of thing, or with one of them."""

    action: Literal["read", "write"]
    kind: str
    id: str | None = None


class Answer(NamedTuple):
    status: int
    body: bytes

    def json(self) -> Any:
        assert self.status < 300, (self.status, self.body)
        return json.loads(self.body)


class Server:
    """Buckets and tokens on one server, by plain HTTP, so that nothing here rests on what is tested."""

    def __init__(self, url: str, token: str, org: str) -> None:
        self.url = url
        self.token = token
        self.org = org
        self._numbers = count(1)
        self._buckets: list[str] = []
        self._tokens: list[str] = []

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | bytes | None = None,
        *,
        token: str | None = None,
        **params: str,
    ) -> Answer:
        """One request with the token that may do everything, or another."""
        parts = urlsplit(self.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.netloc, timeout=60)
        headers = {"Authorization": f"Token {self.token if token is None else token}"}
        if isinstance(body, Mapping):
            headers["Content-Type"] = "application/json"
            body = json.dumps(body).encode()
        try:
            connection.request(method, f"{parts.path}/api/v2/{path}?{urlencode(params)}", body, headers)
            response = connection.getresponse()
            return Answer(response.status, response.read())
        finally:
            connection.close()

    def version(self) -> str:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=5)
        try:
            connection.request("GET", "/health")
            return str(json.loads(connection.getresponse().read())["version"])
        finally:
            connection.close()

    def org_id(self) -> str:
        return str(self.ask("GET", "orgs", org=self.org).json()["orgs"][0]["id"])

    def name(self) -> str:
        """A name that no other bucket has; what is made under it is removed at the end."""
        name = f"pulse_test_{os.getpid()}_{next(self._numbers)}"
        self._buckets.append(name)
        return name

    def fresh(self, *, retention_seconds: int = 0) -> str:
        """The name of a new, empty bucket."""
        name = self.name()
        rule = {"type": "expire", "everySeconds": retention_seconds}
        if not retention_seconds:
            rule["shardGroupDurationSeconds"] = YEAR_SECONDS
        body = {"orgID": self.org_id(), "name": name, "retentionRules": [rule]}
        self.ask("POST", "buckets", body).json()
        return name

    def bucket_id(self, name: str) -> str | None:
        answer = self.ask("GET", "buckets", org=self.org, name=name)
        return None if answer.status == 404 else str(answer.json()["buckets"][0]["id"])

    def drop(self, name: str) -> None:
        """Remove a bucket, whether or not it is there."""
        if name in self._buckets:
            self._buckets.remove(name)
        if (found := self.bucket_id(name)) is not None:
            answer = self.ask("DELETE", f"buckets/{quote(found)}")
            assert answer.status in {204, 404}, answer

    def token_for(self, *rights: Right) -> str:
        """A token that may do only this."""
        org = self.org_id()
        permissions = [
            {
                "action": right.action,
                "resource": {"type": right.kind, "orgID": org, **({"id": right.id} if right.id else {})},
            }
            for right in rights
        ]
        made = self.ask("POST", "authorizations", {"orgID": org, "permissions": permissions}).json()
        self._tokens.append(str(made["id"]))
        return str(made["token"])

    def service_token(self, bucket: str) -> str:
        """A token that may read and write that bucket, and nothing else."""
        found = self.bucket_id(bucket)
        return self.token_for(Right("read", "buckets", found), Right("write", "buckets", found))

    def write(self, bucket: str, lines: str) -> None:
        """Write points, as somebody else would."""
        answer = self.ask("POST", "write", lines.encode(), org=self.org, bucket=bucket)
        assert answer.status == 204, answer

    def flux(self, statement: str) -> str:
        """The answer as CSV, headers but no annotations."""
        body = {"query": statement, "type": "flux", "dialect": {"header": True, "annotations": []}}
        answer = self.ask("POST", "query", body, org=self.org)
        assert answer.status == 200, answer
        return answer.body.decode()

    def close(self) -> None:
        for name in tuple(self._buckets):
            self.drop(name)
        for number in self._tokens:
            self.ask("DELETE", f"authorizations/{number}")


class GivenServer(Server):
    """The server of `INFLUXDB_TEST_URL`; what is made there is removed again, and nothing else is touched."""

    def __init__(self, url: str) -> None:
        super().__init__(url.rstrip("/"), os.environ["INFLUXDB_TEST_TOKEN"], os.environ["INFLUXDB_TEST_ORG"])


class OwnServer(Server):
    """A server of our own in a new folder; it may be stopped, killed and started again on the same port.

    Without `set_up` it is as before anyone has set it up, and knows no token yet.
    """

    def __init__(self, influxd: str, *, set_up: bool = True) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pulse-influxdb-"))
        self.log = self.folder / "log"
        self._program = influxd
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        super().__init__(f"http://127.0.0.1:{self.port}", "", "pulse")
        self.start()
        if set_up:
            self.token = str(self.ask("POST", "setup", self._set_up()).json()["auth"]["token"])

    def _set_up(self) -> dict[str, str]:
        return {"username": "tests", "password": secrets.token_urlsafe(24), "org": self.org, "bucket": "unused"}

    def start(self) -> None:
        """Start and wait until requests are taken; nothing happens where it runs already."""
        if self._process is not None:
            return
        settings = {name: value for name, value in os.environ.items() if not name.startswith("INFLUXD_")}
        places = ("--bolt-path", str(self.folder / "bolt"), "--engine-path", str(self.folder / "engine"))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*until_we_end(), self._program, *places, "--http-bind-address", f"127.0.0.1:{self.port}", *OPTIONS],
                cwd=self.folder,
                env=settings,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # an interrupt at the keyboard is for the tests, which then stop the server
            )
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                self.version()
            except (OSError, http.client.HTTPException) as error:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"influxd did not start: {self.log.read_text()[-2000:]}") from error
                time.sleep(0.01)
            else:
                return

    def stop(self) -> None:
        """Stop in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server at once, as a power switch would, but for the file system."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Let it take connections and answer nothing, until `resume`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.folder)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(START_SECONDS)
            self._process = None


def until_we_end() -> list[str]:
    """What stands before the server's command: an end when the tests' process ends."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
