"""What can be said of the dependencies without asking anyone, and that `make audit` tells the cases apart."""

from __future__ import annotations

import http.server
import importlib.metadata
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from audit import CLEAN, FAILED, LOCKS, UNREACHABLE, VULNERABLE, audit

ROOT = Path(__file__).parent.parent
ONE = "h11==0.16.0 --hash=sha256:63cf8bbe7522de3bf65932fda1d9c2772064ffb3dae62d55932da54b31cb6c86\n"
# "LGPL" and the like are fine to use as libraries; what would bind our own code is not
BINDING = re.compile(
    r"(?<!L)(?<!Lesser )\bA?GPL|Affero|(?<!Lesser )General Public License|SSPL|Commons Clause|proprietary"
)


def locked(lock: str) -> dict[str, tuple[str, int]]:
    """{name: (version, hashes)} of what holds on this machine."""
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    found = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        requirement = Requirement(line.partition("--hash")[0].strip())
        if requirement.marker is None or requirement.marker.evaluate():
            (pin,) = requirement.specifier
            assert pin.operator == "==", line
            found[requirement.name.lower()] = (pin.version, line.count("--hash=sha256:"))
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_dependency_is_pinned_to_one_version_and_its_hashes(lock: str) -> None:
    pins = locked(lock)

    assert len(pins) > 20
    assert [] == [name for name, (_, hashes) in pins.items() if not hashes]


@pytest.mark.parametrize("lock", LOCKS)
def test_what_is_installed_is_what_is_locked(lock: str) -> None:
    pins = locked(lock)

    assert {name: version for name, (version, _) in pins.items()} == {
        name: importlib.metadata.version(name) for name in pins
    }


def licence(name: str) -> str:
    about = importlib.metadata.metadata(name)
    told = [*(about.get_all("License-Expression") or ()), *(about.get_all("Classifier") or ())]
    named = [line.removeprefix("License :: ") for line in told if "::" not in line or "License ::" in line]
    return "; ".join(named) or str((about.get_all("License") or [""])[0]).partition("\n")[0]


def test_every_runtime_dependency_names_a_licence_that_binds_no_one() -> None:
    licences = {name: licence(name) for name in locked("requirements.txt")}

    assert [] == [name for name, told in licences.items() if not told]
    assert {} == {name: told for name, told in licences.items() if BINDING.search(told)}


def test_no_dependency_says_that_it_is_given_up() -> None:
    given_up = [
        name
        for name in locked("requirements.txt")
        if "Development Status :: 7 - Inactive" in (importlib.metadata.metadata(name).get_all("Classifier") or ())
    ]

    assert [] == given_up


@contextmanager
def vulnerability_service(answer: dict[str, Any], status: int = 200) -> Iterator[str]:
    body = json.dumps(answer).encode()

    class Service(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name is the library's)
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1/query"
        finally:
            server.shutdown()
            thread.join()


FLAW = {
    "id": "PYSEC-0",
    "published": "2026-01-01T00:00:00Z",
    "modified": "2026-01-01T00:00:00Z",
    "details": "A flaw.",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "h11"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}],
            "versions": ["0.16.0"],
        }
    ],
}


@pytest.mark.long
def test_an_audit_says_clean_vulnerable_unreachable_or_failed(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text(ONE, encoding="utf-8")
    with vulnerability_service({}) as url:
        clean = audit(lock, "-s", "osv", "--osv-url", url)
    with vulnerability_service({"vulns": [FLAW]}) as url:
        bad = audit(lock, "-s", "osv", "--osv-url", url)
    nobody = audit(lock, "-s", "osv", "--osv-url", url, "--timeout", "1")  # stopped by now
    lock.write_text("this is no lock file at all\n", encoding="utf-8")
    broken = audit(lock, "-s", "osv", "--osv-url", url)

    assert (CLEAN, "lock.txt: 1 packages, none known to be vulnerable.") == clean
    assert (VULNERABLE, "lock.txt: h11 0.16.0: PYSEC-0") == bad
    assert (UNREACHABLE, "lock.txt: no vulnerability service could be reached, so nothing is known.") == nobody
    assert FAILED == broken[0]
