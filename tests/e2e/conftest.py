"""A simulated account and a warm parent of processes, shared by the tests that end processes and spoil disks."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.processes import SimulatedToggl, simulated_toggl
from e2e.warm import Nursery

PLENTY = dict.fromkeys(("free", "starter", "premium"), 1_000_000)
ROWS_A_PAGE = 60
"""So that the past of a small account comes in many batches."""


@contextmanager
def account_without_limits(folder: Path) -> Iterator[SimulatedToggl]:
    """A small account of a year and some weeks, and a quota that nothing exhausts."""
    account = ("--years", "1.2", "--entries", "300", "--plan", "premium")
    with simulated_toggl(folder, *account) as simulated:
        simulated.post("behaviour", {"user_quota": 1_000_000, "plan_quota": PLENTY, "max_page_size": ROWS_A_PAGE})
        yield simulated


@pytest.fixture(scope="session")
def toggl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedToggl]:
    """An account that has its changes kept from test to test, and its clock, which a test may have moved."""
    with account_without_limits(tmp_path_factory.mktemp("toggl")) as simulated:
        yield simulated


@pytest.fixture
def toggl_in_step(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedToggl]:
    """An account of the test's own, whose clock goes with ours."""
    with account_without_limits(tmp_path_factory.mktemp("toggl")) as simulated:
        yield simulated


def pytest_configure() -> None:
    """What is started in the background ignores SIGINT, and so would every process that the tests start from there."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    if not hasattr(os, "pidfd_open"):
        pytest.skip("processes are waited for as Linux does it")
    with Nursery(tmp_path_factory.mktemp("nursery")) as parent:
        yield parent
