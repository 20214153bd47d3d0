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


STORES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


# What asks much of a server, and shows nothing there that the others do not.
LONG_ON_POSTGRESQL = (
    "test_columns_share_texts_and_tag_sets[postgresql]",
    *(f"test_the_kept_figures_are_those_of_the_rows[postgresql-{seed}]" for seed in range(1, 6)),
    "test_thousands_of_entries_fit_one_batch[postgresql]",
    "test_more_changes_than_are_read_at_once_are_all_there[postgresql]",
    "test_a_large_catalogue_is_written_and_changed_at_once[postgresql]",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.name in LONG_ON_POSTGRESQL:
            item.add_marker(pytest.mark.long)


@pytest.fixture(params=STORES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("prepared_url"))
    return f"sqlite:///{tmp_path}/mirror.db"


@pytest.fixture
def open_mirror(url: str) -> Iterator[OpenMirror]:
    """Opens the same store again, as another process would."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(Mirror.open(url, clock=clock))


@pytest.fixture
def mirror(open_mirror: OpenMirror) -> Mirror:
    return open_mirror()


# Hundreds of examples: on PostgreSQL among the long proofs.
@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.long])])
def fresh_mirror(request: pytest.FixtureRequest) -> FreshMirror:
    """Gives a new empty store each time it is called, for tests of many examples."""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql")
        template = request.getfixturevalue("prepared_template")

        @contextmanager
        def fresh() -> Iterator[Mirror]:
            url = server.fresh(like=template)
            with Mirror.open(url, clock=clock) as mirror:
                yield mirror
            server.drop(url)
    else:

        @contextmanager
        def fresh() -> Iterator[Mirror]:
            with TemporaryDirectory() as folder, Mirror.open(f"sqlite:///{folder}/mirror.db", clock=clock) as mirror:
                yield mirror

    return fresh
