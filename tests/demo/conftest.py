"""A world at a fixed moment, and a way to ask it over the simulated HTTP without a server."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from toggl_pulse.demo import Clock, World, create_simulator

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)

Ask = Callable[..., httpx2.Response]


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def world() -> World:
    """An account without entries, in a zone that is not UTC, with as many requests as a test likes."""
    world = World.empty(Clock(NOW), plan="starter")
    world.behaviour.user_quota = 100_000
    world.behaviour.plan_quota["starter"] = 100_000
    return world


@pytest.fixture
def ask(world: World) -> Ask:
    """Ask the world: a path below /api/v9, or a whole one; a body makes it a POST."""
    return asker(world)


def asker(world: World) -> Ask:
    app = create_simulator(world, control=True)

    def ask(path: str, body: Any = None, *, auth: tuple[str, str] | None = None, **query: str | int) -> httpx2.Response:
        whole = path if path.startswith(("/api", "/reports", "/_control")) else f"/api/v9{path}"

        async def request() -> httpx2.Response:
            transport = httpx2.ASGITransport(app=app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://toggl.example") as client:
                return await client.request(
                    "GET" if body is None else "POST",
                    whole,
                    params=query or None,
                    json=body,
                    auth=auth or (world.token, "api_token"),
                )

        return asyncio.run(request())

    return ask


@pytest.fixture
def make_ask() -> Callable[[World], Ask]:
    return asker
