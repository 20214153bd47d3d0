"""Each test that the threat model names exists and runs; and what no other test looks at is looked at here."""

from __future__ import annotations

import ast
import asyncio
import hmac
import os
import re
import socket
import stat
import statistics
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
import typer
from starlette.routing import Route
from starlette.testclient import TestClient

from api.asgi import call
from api.scene import NOW, TOKEN, SmallPulse, fill, serving
from e2e.processes import API_TOKEN, running, simulated_toggl
from e2e.processes import TOKEN as TOGGL_TOKEN
from toggl_pulse.api.auth import TokenCheck
from toggl_pulse.app import create_app
from toggl_pulse.cli.main import VERBS
from toggl_pulse.cli.main import app as commands
from toggl_pulse.mirror import Mirror

ROOT = Path(__file__).parent.parent
EVIL = "http://evil.example"


# --- the document ---------------------------------------------------------------------------------------------------


def named_tests() -> list[tuple[str, str]]:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    return re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)


def decorators(file: Path, name: str) -> list[str] | None:
    """Each decorator of a test as text, those of its module's `pytestmark` too; None where there is no such test."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    everywhere = [
        ast.unparse(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and any(ast.unparse(each) == "pytestmark" for each in node.targets)
    ]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            return everywhere + [ast.unparse(each) for each in node.decorator_list]
    return None


def test_every_test_that_the_threat_model_names_exists_and_is_not_left_out() -> None:
    known = {"parametrize", "usefixtures"} | {
        line.partition(":")[0]
        for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["markers"]
    }
    named = named_tests()

    assert len(named) > 30
    for file, name in named:
        found = decorators(ROOT / file, name)
        assert found is not None, f"SECURITY.md names {file}::{name}, which does not exist"
        marks = re.findall(r"pytest\.mark\.(\w+)", " ".join(found))
        # the one skip that is fine is that of a program which is not installed
        assert set(marks) <= known, f"{file}::{name} is marked {marks}"


def test_every_threat_of_the_model_has_a_test() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    table = text.partition("## Threats")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]

    assert len(rows) > 15
    assert [] == [row for row in rows if "::test_" not in row]


# --- who may ask ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pulse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallPulse]:
    with Mirror.open(f"sqlite:///{tmp_path_factory.mktemp('mirror') / 'mirror.db'}", clock=lambda: NOW) as mirror:
        fill(mirror)
        yield SmallPulse(mirror)


@pytest.fixture
def stranger(pulse: SmallPulse) -> Iterator[TestClient]:
    """A client without the token."""
    with TestClient(create_app(pulse), follow_redirects=False) as client:
        yield client


@pytest.fixture
def friend(pulse: SmallPulse) -> Iterator[TestClient]:
    with serving(pulse) as client:
        yield client


def routes(pulse: SmallPulse) -> list[tuple[str, str]]:
    """Every (method, path) that there is."""
    return sorted(
        (method, route.path)
        for route in create_app(pulse).routes
        if isinstance(route, Route)
        for method in route.methods or ()
    )


def test_every_address_but_health_wants_the_token_openapi_too(pulse: SmallPulse, stranger: TestClient) -> None:
    found = {(method, path): stranger.request(method, path).status_code for method, path in routes(pulse)}

    assert ("GET", "/openapi.json") in found
    assert {
        ("GET", "/"): 200,
        ("HEAD", "/"): 200,
        ("GET", "/health/live"): 200,
        ("HEAD", "/health/live"): 200,
        ("GET", "/health/ready"): 200,
        ("HEAD", "/health/ready"): 200,
        ("GET", "/ui"): 307,  # to its folder, which wants a session
        ("GET", "/ui/sign-in"): 200,
        ("GET", "/ui/calendar.ics"): 404,  # without its key
        # from nowhere
        **dict.fromkeys(
            (("POST", f"/ui/{form}") for form in ("sign-in", "sign-out", "sync", "feed/new-key", "feed/end")), 403
        ),
    } == {address: status for address, status in found.items() if status != 401}


@pytest.mark.parametrize(
    "path",
    [
        "/%73tatus", "//status", "/./status", "/health/live/../../status", "/health/live/..%2f..%2fstatus",
        "/health%2flive/../status", "/status;x=/health/live", "/status?/health/live", "/status#/health/live",
        "/health/live%00/status", "/..%2f..%2fetc%2fpasswd", "/entries.csv/../../../../etc/passwd", "/STATUS",
        "/ui/sign-in/../../status", "/ui/static/../../status", "/ui/static/..%2f..%2fstatus", "/ui/./entries",
        "/ui/static/x/../../entries", "/ui//sign-in/", "/UI/sign-in", "/ui/static/x%00/y",
    ],
)  # fmt: skip
def test_no_way_of_writing_an_address_gets_around_the_token(pulse: SmallPulse, path: str) -> None:
    """As it stands on the wire: an HTTP client would tidy it up first."""
    plain, _, query = path.partition("?")

    answer = asyncio.run(call(create_app(pulse), "GET", unquote(plain), query=query.encode()))

    assert answer.status == 401 or (answer.status, answer.json) == (200, {"status": "ok"})
    assert b"root:" not in answer.body


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Original-URL": "/health/live"}, {"X-Rewrite-URL": "/health/live"}, {"X-Forwarded-Prefix": "/status"},
        {"X-Forwarded-For": "127.0.0.1"}, {"X-Real-IP": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1;host=localhost"},
        {"X-Forwarded-Host": "localhost"}, {"X-HTTP-Method-Override": "HEAD"}, {"X-Forwarded-User": "admin"},
    ],
)  # fmt: skip
def test_no_header_of_a_proxy_opens_anything(stranger: TestClient, headers: dict[str, str]) -> None:
    assert stranger.get("/status", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "request_",
    [
        {"params": {"token": TOKEN}}, {"params": {"access_token": TOKEN}}, {"params": {"api_key": TOKEN}},
        {"headers": {"Cookie": f"token={TOKEN}"}}, {"headers": {"X-API-Key": TOKEN}},
        {"headers": {"X-Authorization": f"Bearer {TOKEN}"}}, {"headers": {"Proxy-Authorization": f"Bearer {TOKEN}"}},
    ],
)  # fmt: skip
def test_a_token_in_an_address_a_cookie_or_another_header_opens_nothing(
    stranger: TestClient, request_: dict[str, Any]
) -> None:
    answer = stranger.get("/status", **request_)

    assert answer.status_code == 401
    assert TOKEN not in answer.text + str(answer.headers)


AUTHORIZATIONS = [
    "", "Bearer", "Bearer ", "Bearer x", f"Bearer {TOKEN}", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x",
    "Bearer " + "y" * 10_000, "Basic eDp5", "Basic !!!", "Digest x", None,
]  # fmt: skip


@pytest.mark.parametrize("given", AUTHORIZATIONS, ids=range(len(AUTHORIZATIONS)))
def test_every_token_of_every_form_and_length_goes_through_one_comparison_of_equal_lengths(
    monkeypatch: pytest.MonkeyPatch, given: str | None, stranger: TestClient
) -> None:
    lengths: list[tuple[int, int]] = []
    compare = hmac.compare_digest

    def seen(left: bytes, right: bytes) -> bool:
        lengths.append((len(left), len(right)))
        return compare(left, right)

    monkeypatch.setattr(hmac, "compare_digest", seen)
    stranger.get("/status", headers={} if given is None else {"Authorization": given})

    assert [(32, 32)] == lengths


@pytest.mark.long
def test_the_time_of_a_wrong_token_is_printed_by_how_much_of_it_is_right() -> None:
    """No verdict: clocks on a busy machine prove nothing. Ratios near one are what to look for."""
    check = TokenCheck(lambda *_: None, TOKEN, ())  # type: ignore[arg-type]
    guesses = {right: (TOKEN[:right] + "#" * (len(TOKEN) - right)).encode() for right in (0, 1, 14, len(TOKEN) - 1)}
    best = dict.fromkeys(guesses, float("inf"))
    for _ in range(200):
        for right, guess in guesses.items():
            began = time.perf_counter()
            for _ in range(200):
                check._matches(guess)
            best[right] = min(best[right], time.perf_counter() - began)

    middle = statistics.median(best.values())
    print({right: f"{seconds / middle:.3f}" for right, seconds in best.items()})  # noqa: T201
    assert not any(check._matches(guess) for guess in guesses.values())


# --- other pages and other names ------------------------------------------------------------------------------------


def test_no_page_of_another_origin_is_ever_allowed_to_read_or_to_ask_first(
    pulse: SmallPulse, friend: TestClient
) -> None:
    asks = {"Origin": EVIL, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    for method, path in routes(pulse):
        for answer in (friend.request(method, path, headers={"Origin": EVIL}), friend.options(path, headers=asks)):
            assert not [name for name in answer.headers if name.startswith("access-control")]
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert friend.options(path, headers=asks).status_code in {403, 405}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("origin", [EVIL, "null", "http://localhost.evil.example", "http://testserver:81"])
def test_no_form_of_another_site_is_taken(pulse: SmallPulse, friend: TestClient, kind: str, origin: str) -> None:
    posts = [path for method, path in routes(pulse) if method == "POST"]
    before = list(pulse.asked)

    for path in posts:
        answer = friend.post(path, content="{}", headers={"Content-Type": kind, "Origin": origin})
        assert (403, "cross_site") == (answer.status_code, answer.json()["error"]["code"])
    assert before == pulse.asked


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_no_other_method_does_or_repeats_anything(friend: TestClient, method: str) -> None:
    answer = friend.request(method, "/status", headers={"X-Secret": "repeat me"})

    assert answer.status_code in {403, 405}
    assert "repeat me" not in answer.text


def test_what_is_asked_never_becomes_a_header(friend: TestClient) -> None:
    evil = "x\r\nSet-Cookie: a=b\r\nLocation: http://evil.example"
    plain = set(friend.get("/entries.csv").headers)
    questions = [
        *({"path": "/entries.csv", "params": {name: evil}} for name in ("from", "project", "timezone", evil)),
        {"path": f"/{quote(evil, safe='')}", "params": {}},
    ]
    for question in questions:
        answer = friend.get(question["path"], params=question["params"])  # type: ignore[arg-type]
        assert set(answer.headers) <= plain | {"content-length"}
        assert "evil" not in str(answer.headers)
    assert 'attachment; filename="entries.csv"' == friend.get("/entries.csv").headers["content-disposition"]


# --- the machine ----------------------------------------------------------------------------------------------------


def test_no_verb_takes_a_secret_as_an_argument_where_everyone_could_see_it() -> None:
    group: Any = typer.main.get_command(commands)
    verbs = [group, *(group.get_command(None, verb) for verb in VERBS)]
    found = {option for verb in verbs for parameter in verb.params for option in parameter.opts}

    assert {"--port", "--json"} <= found
    assert [] == [name for name in found if re.search("token|password|secret|email|key", name)]


def raw(address: str, request: bytes) -> bytes:
    host, _, port = address.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=60) as client:
        client.sendall(request)
        said = b""
        while piece := client.recv(1 << 16):
            said += piece
    return said


def test_files_are_private_arguments_hold_no_secret_no_core_is_written_and_other_targets_are_refused(
    tmp_path: Path,
) -> None:
    old = os.umask(0)  # the most careless one
    try:
        with simulated_toggl(tmp_path, "--empty") as toggl:
            account = {"TOGGL_API_TOKEN": TOGGL_TOKEN, "TOGGL_API_URL": toggl.url, "API_TOKEN": API_TOKEN}
            with running(["serve", "--port", "0"], tmp_path, DATA_DIR=str(tmp_path / "data"), **account) as (
                process,
                output,
            ):
                address = output.address()
                output.wait_for('"event": "sync.run"')
                bearer = f"Authorization: Bearer {API_TOKEN}\r\nConnection: close\r\n\r\n".encode()
                absolute = raw(address, b"GET http://evil.example/status HTTP/1.1\r\nHost: localhost\r\n" + bearer)
                rebound = raw(address, b"GET /status HTTP/1.1\r\nHost: evil.example\r\n" + bearer)
                fine = raw(address, b"GET /status HTTP/1.1\r\nHost: LOCALHOST.:1\r\n" + bearer)
                arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes()
                limits = Path(f"/proc/{process.pid}/limits").read_text(encoding="ascii")
                modes = {
                    str(path.relative_to(tmp_path)): stat.filemode(path.stat().st_mode)
                    for path in [tmp_path / "data", *(tmp_path / "data").rglob("*")]
                }
    finally:
        os.umask(old)

    assert b"serve" in arguments
    assert API_TOKEN.encode() not in arguments
    assert TOGGL_TOKEN.encode() not in arguments
    assert re.search(r"Max core file size +0 ", limits)
    assert {"data/mirror.db", "data/mirror.db.lock"} <= set(modes)
    assert {} == {name: mode for name, mode in modes.items() if mode[4:] != "------"}
    assert [b"404", b"421", b"200"] == [said.split()[1] for said in (absolute, rebound, fine)]


def test_nothing_that_answers_questions_imports_the_toggl_client() -> None:
    source = ROOT / "src" / "toggl_pulse"
    answering = [source / "app.py", *(source / "api").rglob("*.py"), *(source / "metrics").rglob("*.py")]
    imported = {
        name
        for path in answering
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    told = next(each for each in contracts if each.get("protected_modules") == ["toggl_pulse.toggl"])

    assert "toggl_pulse.metrics" in imported
    assert [] == sorted(name for name in imported if name.startswith(("toggl_pulse.toggl", "httpx")))
    assert ["toggl_pulse.sync", "toggl_pulse.service"] == told["allowed_importers"]


def test_the_linter_looks_for_known_dangers_and_is_told_of_no_exception_without_a_reason() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    lines = [
        f"{path.name}: {line.strip()}"
        for path in (ROOT / "src").rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"noqa: (?:\w+, ?)*S\d", line)
    ]

    assert ["ALL"] == told["select"]
    assert [] == [rule for rule in told["ignore"] if re.fullmatch(r"S\d*", rule)]
    assert {"src/toggl_pulse/demo/**": ["S311"]} == {
        place: [rule for rule in rules if re.fullmatch(r"S\d*", rule)]
        for place, rules in told["per-file-ignores"].items()
        if place.startswith("src/") and any(re.fullmatch(r"S\d*", rule) for rule in rules)
    }
    assert [] == [line for line in lines if not re.search(r"noqa: [A-Z0-9, ]+ [(-].+", line)]
