"""A PostgreSQL server for the tests: Debian's programs, a folder and a loopback port of its own, gone at the end.

`DATABASE_TEST_URL` names another server instead: databases are made and dropped there, or schemas where the role
may make no databases. Fixtures in `conftest.py`: `postgresql` is the server, `postgresql_url` an empty database.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql
from sqlalchemy import delete

from toggl_pulse.mirror import Mirror
from toggl_pulse.mirror.tables import metadata

__all__ = ["MISSING", "GivenServer", "OwnServer", "Server", "programs"]

MISSING = "PostgreSQL's server programs are missing (apt-get install postgresql) and DATABASE_TEST_URL is not set"
OWNER = "pulse"
START_SECONDS = 30.0
# Nothing here outlives the machine, so nothing is flushed; a killed process, ours or the server, still loses nothing.
OPTIONS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=32MB",
    "max_connections=200",
    "autovacuum=off",
    "log_min_messages=warning",
)
INITDB = (f"--username={OWNER}", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
# Everyone on loopback is let in, but for roles that are named like this: they must show their password.
GUARDED = "guarded"
HBA = f"host all {GUARDED} 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"


def programs() -> Path | None:
    """The folder that holds `initdb` and `postgres`, the newest of several."""
    found = [Path(path).parent for path in (shutil.which("initdb"),) if path]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return next((folder for folder in found if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


class Server:
    """Databases on one server; every URL is of the kind that `DATABASE_URL` takes."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._made: list[str] = []

    def url(self, database: str = "postgres", *, user: str = OWNER, password: str | None = None) -> str:
        raise NotImplementedError

    def run(self, statement: str, *values: object, url: str | None = None) -> list[tuple[object, ...]]:
        """Run one statement outside any transaction, in the database of that URL, and return its rows."""
        with psycopg.connect(conninfo(url or self.url()), autocommit=True) as connection:
            cursor = connection.execute(sql.SQL(statement), values)
            return cursor.fetchall() if cursor.description else []

    def fresh(self, *, like: str | None = None) -> str:
        """The URL of a new database, empty or a copy of another one that nobody is connected to."""
        name = f"pulse_test_{os.getpid()}_{next(self._numbers)}"
        template = f' TEMPLATE "{urlsplit(like).path[1:]}"' if like else ""
        self.run(f'CREATE DATABASE "{name}"{template}')
        self._made.append(name)
        return self.url(name)

    def drop(self, url: str) -> None:
        """Drop a database that `fresh` made, whoever is connected to it."""
        name = urlsplit(url).path[1:]
        self._made.remove(name)
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def template(self) -> str | None:
        """The URL of a database that is a mirror without content, to be copied by `fresh(like=…)`."""
        url = self.fresh()
        Mirror.open(url, clock=lambda: datetime(2026, 5, 4, tzinfo=UTC)).close()
        return url

    def emptied(self, url: str) -> bool:
        """Take every row out of a mirror, which is quicker than making another; False where it is none any more."""
        statements = [str(delete(table)) for table in reversed(metadata.sorted_tables)]
        statements += [
            f"SELECT setval(pg_get_serial_sequence('{table.name}', '{table.autoincrement_column.name}'), 1, false)"
            for table in metadata.sorted_tables
            if table.autoincrement_column is not None
        ]
        others = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database()"
        statements += ["INSERT INTO revision VALUES (1, 0)"]
        try:
            self.run(f"{others} AND pid <> pg_backend_pid()", url=url)
            self.run("; ".join(statements), url=url)
        except psycopg.Error:
            return False
        return True

    def close(self) -> None:
        for name in tuple(self._made):
            self.drop(self.url(name))


class GivenServer(Server):
    """The server of `DATABASE_TEST_URL`; what is made there is dropped again, and nothing else is touched."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._may_make_databases = self.run(
            "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
        ) == [(True,)]

    def url(self, database: str = "", *, user: str = "", password: str | None = None) -> str:
        parts = urlsplit(self._url)
        host = parts.netloc.rpartition("@")[2]
        login = f"{user}:{quote(password or '', safe='')}@{host}" if user else parts.netloc
        return parts._replace(netloc=login, path=f"/{database}" if database else parts.path).geturl()

    def fresh(self, *, like: str | None = None) -> str:
        if self._may_make_databases:
            return super().fresh(like=like)
        if like is not None:
            raise NotImplementedError("a schema cannot be copied like a database")
        name = f"pulse_test_{os.getpid()}_{next(self._numbers)}"
        self.run(f'CREATE SCHEMA "{name}"')
        self._made.append(name)
        mark = "&" if urlsplit(self._url).query else "?"
        return f"{self._url}{mark}options=-csearch_path%3D{name}"

    def template(self) -> str | None:
        return super().template() if self._may_make_databases else None

    def drop(self, url: str) -> None:
        if self._may_make_databases:
            super().drop(url)
            return
        name = url.rpartition("%3D")[2]
        self._made.remove(name)
        self.run(f'DROP SCHEMA IF EXISTS "{name}" CASCADE')

    def close(self) -> None:
        for name in tuple(self._made):
            self.drop(self.url(name) if self._may_make_databases else f"%3D{name}")


class OwnServer(Server):
    """A server of our own in a new folder; it may be stopped, killed and started again on the same port."""

    def __init__(self, bin_folder: Path, *options: str) -> None:
        super().__init__()
        self._bin = bin_folder
        self._options = (*OPTIONS, *options)
        self._process: subprocess.Popen[bytes] | None = None
        self.folder = Path(tempfile.mkdtemp(prefix="pulse-postgresql-"))
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        if os.geteuid() == 0:
            shutil.chown(self.folder, user().pw_uid, user().pw_gid)
        made = subprocess.run(
            [*as_user(), str(self._bin / "initdb"), "--pgdata", str(self.data), *INITDB],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed: {made.stderr}")
        (self.data / "pg_hba.conf").write_text(HBA)
        self.port = free_port()
        self.start()

    def url(self, database: str = "postgres", *, user: str = OWNER, password: str | None = None) -> str:
        login = user if password is None else f"{user}:{quote(password, safe='')}"
        return f"postgresql+psycopg://{login}@127.0.0.1:{self.port}/{database}"

    def start(self, *options: str) -> None:
        """Start and wait until connections are taken."""
        given = [part for option in (*self._options, *options) for part in ("-c", option)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*as_user(), str(self._bin / "postgres"), "-D", str(self.data), "-p", str(self.port), *given],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # an interrupt at the keyboard is for the tests, which then stop the server
            )
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(conninfo(self.url()), connect_timeout=5).close()
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"postgres did not start: {self.log.read_text()[-2000:]}") from error
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """Stop in good order; everyone who is connected is cut off."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End the server and all of its processes at once, as a power switch would, but for the file system."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        backends = [int(number) for number in children.read_text().split()] if children.exists() else []
        self._end(signal.SIGKILL)
        for backend in backends:
            try:
                os.kill(backend, signal.SIGKILL)
            except ProcessLookupError:
                continue
        until = time.monotonic() + START_SECONDS
        while any(alive(backend) for backend in backends) and time.monotonic() < until:
            time.sleep(0.01)

    def close(self) -> None:
        self._end(signal.SIGQUIT)
        shutil.rmtree(self.folder)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(START_SECONDS)
            self._process = None


def conninfo(url: str) -> str:
    """The URL as the driver itself wants it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def user() -> pwd.struct_passwd:
    """Whom the server runs as when we are root, which it refuses."""
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def as_user() -> list[str]:
    """What stands before the server's command: another user than root, and an end when the tests' process ends."""
    setpriv = shutil.which("setpriv")
    root = os.geteuid() == 0
    if setpriv:
        identity = [f"--reuid={user().pw_uid}", f"--regid={user().pw_gid}", "--clear-groups"] if root else []
        return [setpriv, *identity, "--pdeathsig", "QUIT", "--"]
    return ["runuser", "-u", user().pw_name, "--"] if root else []


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z" if sys.platform == "linux" else True
