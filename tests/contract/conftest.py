"""One suite, every store: a test here knows nothing of the database behind the mirror."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from mirror.rows import clock
from toggl_pulse.mirror import Mirror

OpenMirror = Callable[[], Mirror]
FreshMirror = Callable[[], AbstractContextManager[Mirror]]


@pytest.fixture(params=["sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store."""
    assert request.param == "sqlite"
    return f"sqlite:///{tmp_path}/mirror.db"


@pytest.fixture
def open_mirror(url: str) -> Iterator[OpenMirror]:
    """Opens the same store again, as another process would."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(Mirror.open(url, clock=clock))


@pytest.fixture
def mirror(open_mirror: OpenMirror) -> Mirror:
    return open_mirror()


@pytest.fixture(params=["sqlite"])
def fresh_mirror(request: pytest.FixtureRequest) -> FreshMirror:
    """Gives a new empty store each time it is called, for tests of many examples."""
    assert request.param == "sqlite"

    @contextmanager
    def fresh() -> Iterator[Mirror]:
        with TemporaryDirectory() as folder, Mirror.open(f"sqlite:///{folder}/mirror.db", clock=clock) as mirror:
            yield mirror

    return fresh
