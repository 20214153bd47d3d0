from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from api.scene import NOW, fill
from toggl_pulse.mirror import Mirror
from web.scene import PagePulse, browsing, signed_in


@pytest.fixture(scope="session")
def page_mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    """One for all tests, for nothing here writes to it."""
    with Mirror.open(f"sqlite:///{tmp_path_factory.mktemp('web') / 'mirror.db'}", clock=lambda: NOW) as opened:
        fill(opened)
        yield opened


@pytest.fixture
def pulse(page_mirror: Mirror) -> PagePulse:
    return PagePulse(page_mirror)


@pytest.fixture
def stranger(pulse: PagePulse) -> Iterator[TestClient]:
    with browsing(pulse) as client:
        yield client


@pytest.fixture
def browser(stranger: TestClient, pulse: PagePulse) -> TestClient:
    """Signed in."""
    return signed_in(stranger, pulse.api_token)
