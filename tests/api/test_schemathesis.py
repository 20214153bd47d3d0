"""The OpenAPI document against the real application: every kind of request it allows, and every kind it does not.

Nothing is switched off. The rules that JSON Schema has no words for are named below, with the code or sentence by which
the answer says so; only there may a request that the document allows be refused.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import strategies as st
from schemathesis.config import GenerationConfig
from schemathesis.engine import events, from_schema
from schemathesis.python.asgi import shutdown_lifespans

from toggl_pulse.app import create_app
from toggl_pulse.demo import DEMO_TOKEN, Clock, Loopback, World
from toggl_pulse.metrics import DIMENSIONS
from toggl_pulse.metrics.query import LONGEST_TEXT, zone_names
from toggl_pulse.service import Service
from toggl_pulse.settings import Settings, load_settings

NOW = datetime(2071, 11, 24, 9, 30, tzinfo=UTC)
TOKEN = "correct-horse-battery-staple"
WITH_TOKEN = {"Authorization": f"Bearer {TOKEN}"}
PUBLIC = {"/", "/health/live", "/health/ready"}

UNSAID = (
    ("bad_range", "The range ends before it begins"),  # two values of one request compared
    ("too_many_points", ""),  # range, interval and groups multiplied
    ("bad_value", "A request may ask 50 questions at most"),  # the parts of all names together
    ("unknown_timezone", ""),  # these three are formats of ours, which a generator takes for any text now and then
    ("bad_json", "`"),
    ("bad_regex", ""),
)


TEXTS = {*DIMENSIONS, *(f"var-{name}" for name in DIMENSIONS)}
"""Query parameters that may hold any text, any number of times; the others may be empty."""


@pytest.fixture(scope="module", autouse=True)
def formats() -> None:
    """Values of the document's formats that mean something here; all other values come from the document itself."""
    openapi = schemathesis.openapi
    moments = st.datetimes(datetime(2071, 8, 1), datetime(2071, 12, 1))  # noqa: DTZ001 (an offset is added)
    openapi.format("date-time", moments.map(lambda moment: moment.isoformat() + "Z"))
    openapi.format("date", st.dates(date(2071, 8, 1), date(2071, 12, 1)).map(str))
    openapi.format("iana-zone", st.sampled_from(sorted(zone_names())))
    openapi.format("json-object", st.sampled_from(["", "{}", '{"limit": 3}', '{"project": ["Site"]}']))
    openapi.format("re2", st.sampled_from(["", "S", "^(Site|calm)$", "(a+)+$", r"\pL"]))


def account() -> World:
    world = World.empty(Clock(NOW - timedelta(days=60)), plan="premium", created_at=NOW - timedelta(days=60))
    world.behaviour.user_quota = 1_000_000
    world.behaviour.plan_quota["premium"] = 1_000_000
    clock = world.clock
    assert isinstance(clock, Clock)
    site = world.create_project("Site", client_id=world.create_client("Acme").id, billable=True)
    for day in range(50):
        clock.now = NOW - timedelta(days=50 - day)
        begin = clock.now - timedelta(hours=5)
        world.create_entry(
            start=begin,
            stop=begin + timedelta(minutes=7 * day),
            description=f"text {day % 9}",
            project_id=site.id if day % 3 else None,
            tags=("deep", "calm")[: day % 3],
        )
    clock.now = NOW
    world.start_timer(description="running")
    return world


@pytest.fixture(scope="module")
def read_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A simulated account, and a mirror that has read it."""
    folder = tmp_path_factory.mktemp("schemathesis")
    with Loopback(account()) as toggl:
        settings = load_settings(
            data_dir=folder,
            database_url=f"sqlite:///{folder / 'mirror.db'}",
            toggl_api_url=toggl.url,
            toggl_api_token=DEMO_TOKEN,
            api_token=TOKEN,
            allowed_hosts="testserver",
        )

        async def read_once() -> None:
            service = Service(settings, clock=Clock(NOW))
            assert (await service.sync("request")).outcome == "done"
            await service.stop()

        asyncio.run(read_once())
        yield settings


@pytest.fixture
def app(read_account: Settings) -> Iterator[FastAPI]:
    """The whole product; `POST /sync` really syncs."""
    yield create_app(Service(read_account, clock=Clock(NOW)))
    shutdown_lifespans()


@dataclass
class Found:
    """What one run of all phases has seen."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    operations: set[str] = field(default_factory=set)
    checks: set[str] = field(default_factory=set)
    unsaid: int = 0
    troubles: list[str] = field(default_factory=list)


def examine(app: FastAPI, *, examples: int, headers: dict[str, str], bounds: bool = True) -> Found:
    """Examples, boundary values, generated data and, where operations are linked, chains of them; every check."""
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, headers=WITH_TOKEN)
    schema.config.headers = headers
    schema.config.generation = GenerationConfig(max_examples=examples, deterministic=True, database="none")
    schema.config.phases.coverage.enabled = bounds
    found = Found()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _note(event, found)
        elif isinstance(event, events.NonFatalError):
            found.troubles.append(f"{event.label}: {event.value}")
        elif isinstance(event, events.FatalError):
            raise event.exception
    return found


def _note(event: events.ScenarioFinished, found: Found) -> None:
    for number, checks in event.recorder.checks.items():
        response = event.recorder.interactions[number].response
        body = response.content if response is not None else b""
        found.requests += 1
        found.statuses[response.status_code if response is not None else 0] += 1
        found.operations.add(event.label or "")
        found.checks |= {check.name for check in checks}
        for check in checks:
            if check.failure_info is None:
                continue
            if check.name == "positive_data_acceptance" and _cannot_be_said(body):
                found.unsaid += 1
                continue
            interaction = event.recorder.interactions[number]
            if check.name == "negative_data_rejection" and _reads_as_legal(interaction.request.uri):
                found.unsaid += 1
                continue
            failure = check.failure_info.failure
            found.troubles.append(
                f"{event.label} {check.name}: {failure.title}: {failure.message}\n"
                f"{check.failure_info.code_sample[:2000]}\n{body[:300]!r}"
            )


def _cannot_be_said(body: bytes) -> bool:
    error: Any = orjson.loads(body)["error"]
    return any(error["code"] == code and error["message"].startswith(words) for code, words in UNSAID)


def _reads_as_legal(uri: str) -> bool:
    """Whether what was wrong before it stood in an address is a text there like any other: a number, or nothing."""
    given = parse_qs(urlsplit(uri).query, keep_blank_values=True)
    return bool(given) and all(
        all(len(value) <= LONGEST_TEXT for value in values) if name in TEXTS else values == [""]
        for name, values in given.items()
    )


ALL_CHECKS = {
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "negative_data_rejection", "positive_data_acceptance", "use_after_free",
    "ensure_resource_availability", "ignored_auth", "missing_required_header", "unsupported_method",
    "allow_header_conformance", "object_level_authorization",
}  # fmt: skip


def described(app: FastAPI) -> set[str]:
    paths = schemathesis.openapi.from_asgi("/openapi.json", app, headers=WITH_TOKEN).raw_schema["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


def test_the_document_tells_what_the_application_does(app: FastAPI) -> None:
    found = examine(app, examples=2, headers=WITH_TOKEN, bounds=False)

    assert "" == "\n\n".join(found.troubles)
    assert ALL_CHECKS <= found.checks
    assert described(app) <= found.operations
    assert {200, 202, 400} <= found.statuses.keys()


def test_without_the_token_the_document_holds_too(app: FastAPI) -> None:
    found = examine(app, examples=1, headers={}, bounds=False)

    assert "" == "\n\n".join(found.troubles)
    assert {200, 401} == found.statuses.keys()


@pytest.mark.long
@pytest.mark.parametrize("headers", [WITH_TOKEN, {}], ids=["token", "no token"])
def test_the_document_holds_for_long(app: FastAPI, headers: dict[str, str]) -> None:
    found = examine(app, examples=100 if headers else 10, headers=headers)
    sys.stdout.write(f"{found.requests} requests, {found.unsaid} refused by rules not in it: {found.statuses}\n")

    assert "" == "\n\n".join(found.troubles)
    assert found.requests > 500
    assert {401, 405} <= found.statuses.keys()
