"""The token appears nowhere: not in a file, a log, an answer or an error, whatever happens."""

from __future__ import annotations

import base64
import gzip
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from e2e.processes import API_TOKEN, PATIENCE, TOKEN, environment, pulse, running, simulated_toggl
from e2e.warm import Nursery
from influxdb import OwnServer

PASSWORD = "a password that nobody may see 0123456789"
FORMS = (TOKEN, base64.b64encode(f"{TOKEN}:api_token".encode()).decode(), API_TOKEN, PASSWORD)

SOME_FAULTS = ("403", "quota402", "cut_body", "html", "broken_row")
ALL_FAULTS = (*SOME_FAULTS, "401", "429", "500", "502", "plan402", "cut", "lost", "non_json", "empty")
ROUTES = (
    ("GET", "/"), ("GET", "/health/ready"), ("GET", "/status"), ("GET", "/metrics"), ("GET", "/openapi.json"),
    ("GET", "/entries.csv"), ("GET", "/entries.json"), ("POST", "/search"), ("POST", "/metrics"),
    ("POST", "/metric-payload-options"), ("POST", "/query"), ("POST", "/variable"), ("POST", "/tag-keys"),
    ("POST", "/tag-values"), ("POST", "/annotations"), ("POST", "/sync"), ("GET", "/nowhere"), ("POST", "/"),
)  # fmt: skip


def secrets_in(data: bytes) -> list[str]:
    return [form for form in FORMS if form.encode() in data]


@pytest.mark.parametrize(
    "faults", [pytest.param(SOME_FAULTS, id="some"), pytest.param(ALL_FAULTS, id="all", marks=pytest.mark.long)]
)
def test_no_secret_is_written_logged_or_answered_whatever_happens(
    tmp_path: Path, nursery: Nursery, faults: tuple[str, ...]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "toggl").mkdir()
    said: list[str] = []
    with simulated_toggl(tmp_path / "toggl", "--years", "0.3", "--entries", "200") as toggl:
        account = {
            "TOGGL_API_TOKEN": TOKEN,
            "TOGGL_PASSWORD": PASSWORD,
            "TOGGL_EMAIL": "demo@example.com",
            "TOGGL_API_URL": toggl.url,
            "DATA_DIR": str(home / "data"),
            "LOG_LEVEL": "DEBUG",
            "API_TOKEN": API_TOKEN,
        }
        toggl.post("behaviour", {"user_quota": 10_000})
        for fault in faults:
            toggl.post("fault", {"kind": fault, "match": "", "skip": 1, "times": 1})
            said.append(nursery.run(home, "sync", **account).said())
            toggl.post("calm", {})
        verbs = (["config"], ["doctor"], ["status"], ["query"], ["export"], ["backup", str(home / "copy.db")], ["sync"])
        said += [nursery.run(home, *verb, **account).said() for verb in verbs]
        with running(["serve", "--port", "0"], home, **account) as (_, output):
            address = output.address()
            with httpx2.Client(base_url=address, timeout=PATIENCE) as client:
                for token in (API_TOKEN, TOKEN, "wrong"):
                    for method, route in ROUTES:
                        answer = client.request(
                            method,
                            route,
                            headers={"Authorization": f"Bearer {token}"},
                            json={} if method == "POST" else None,
                        )
                        said += [answer.text, str(answer.headers)]
        said.append(output.rest())
        other = {"TOGGL_API_TOKEN": f"{TOKEN}x", "DATA_DIR": str(home / "other")}
        wrong = nursery.run(home, "sync", **{**account, **other})
        said.append(wrong.said())

    assert len(said) > 100
    assert wrong.code == 4
    for text in said:
        assert secrets_in(text.encode()) == [], text[:2000]
    files = [path for path in home.rglob("*") if path.is_file()]
    assert {"mirror.db", "copy.db"} <= {path.name for path in files}
    for path in files:
        data = path.read_bytes()
        assert secrets_in(gzip.decompress(data) if path.suffix == ".gz" else data) == [], path


def test_influxdb_gets_no_secret_and_its_token_shows_nowhere(tmp_path: Path, own_influxdb: OwnServer) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "toggl").mkdir()
    bucket = own_influxdb.fresh()
    token = own_influxdb.service_token(bucket)
    with simulated_toggl(tmp_path / "toggl") as toggl:
        settings = {
            "TOGGL_API_TOKEN": TOKEN,
            "TOGGL_API_URL": toggl.url,
            "DATA_DIR": str(home / "data"),
            "LOG_LEVEL": "DEBUG",
            "API_TOKEN": API_TOKEN,
            "INFLUXDB_URL": own_influxdb.url,
            "INFLUXDB_TOKEN": token,
            "INFLUXDB_ORG": own_influxdb.org,
            "INFLUXDB_BUCKET": bucket,
        }
        done = [pulse(home, *verb, **settings) for verb in (["sync"], ["project", "--verify"], ["config"], ["status"])]
        own_influxdb.stop()
        toggl.do("create_entry", start="2026-01-05T09:00:00Z", stop="2026-01-05T10:00:00Z")
        done += [pulse(home, verb, **settings) for verb in ("sync", "project")]
        own_influxdb.start()
        done.append(pulse(home, "project", **{**settings, "INFLUXDB_TOKEN": f"{token}x"}))

    # the second sync meets the quota of the simulated organisation
    assert [0, 0, 0, 0, 3, 1, 4] == [each.returncode for each in done], [each.stderr for each in done]
    for text in (each.stdout + each.stderr for each in done):
        assert [] == secrets_in(text.encode())
        assert token not in text
    for path in (path for folder in (home, own_influxdb.folder) for path in folder.rglob("*") if path.is_file()):
        assert [] == secrets_in(path.read_bytes()), path
        assert token.encode() not in path.read_bytes() or path == own_influxdb.folder / "bolt", path


def test_a_crash_shows_no_secret(tmp_path: Path) -> None:
    """A bug in the middle of a request: its traceback, in the log, must not show what the frames held."""
    program = (
        "import asyncio, sys\n"
        "from toggl_pulse.service import Service\n"
        "from toggl_pulse.settings import load_settings\n"
        "from toggl_pulse.logs import configure_logs\n"
        "import toggl_pulse.toggl.exchange as exchange\n"
        "settings = load_settings()\n"
        "configure_logs('DEBUG', 'json', secrets=settings.secrets())\n"
        "async def scene():\n"
        "    service = Service(settings)\n"
        "    await service.connect()\n"
        "    def broken(*a, **k): raise RuntimeError('a bug')\n"
        "    service._client._exchange._http = None\n"
        "    for name in list(vars(service._client._exchange)):\n"
        "        if 'wire' in name or 'http' in name: setattr(service._client._exchange, name, broken)\n"
        "    await service._run('request')\n"
        "    await service.stop()\n"
        "asyncio.run(scene())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment(tmp_path, TOGGL_API_TOKEN=TOKEN, TOGGL_API_URL="http://127.0.0.1:9", DATA_DIR=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert "Traceback" in done.stderr
    assert secrets_in((done.stdout + done.stderr).encode()) == []
