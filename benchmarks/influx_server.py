"""A real InfluxDB server for the benchmarks, the tests' own; None where there is no program for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from influxdb import OwnServer

__all__ = ["server"]

TESTS = Path(__file__).parent.parent / "tests"


@contextmanager
def server() -> Iterator[OwnServer | None]:
    """Started in a folder of its own, and gone with it at the end; says so where it cannot be."""
    if str(TESTS) not in sys.path:
        sys.path.append(str(TESTS))
    from influxdb import MISSING, OwnServer, program

    found = program()
    if found is None:
        print(f"not measured: {MISSING}")
        yield None
        return
    running = OwnServer(found)
    try:
        yield running
    finally:
        running.close()
