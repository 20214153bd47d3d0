"""One built program, and each combination of compose files read once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from stack.model import DEMO, MISSING, PLAIN, POSTGRESQL, Model, build, resolve


@pytest.fixture(scope="session")
def compose_check(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("go") is None:
        pytest.skip(MISSING)
    return build(tmp_path_factory.mktemp("compose_check"))


@pytest.fixture(scope="session")
def models(compose_check: Path) -> dict[str, Model]:
    """The stack, the demo's and the one with PostgreSQL, for a domain."""
    every = {"plain": PLAIN, "demo": DEMO, "postgresql": POSTGRESQL}
    return {name: resolve(compose_check, files, DOMAIN="hours.example.com") for name, files in every.items()}


@pytest.fixture(params=["plain", "demo", "postgresql"])
def model(request: pytest.FixtureRequest, models: dict[str, Model]) -> Model:
    return models[str(request.param)]
