"""What does it cost to load the columns from SQLite until answers can be made, against summing one column there?"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.account import Account
from benchmarks.measure import Ratio, measure
from benchmarks.stored import stored
from toggl_pulse.metrics.columns import Columns, Snapshot
from toggl_pulse.mirror import Mirror
from toggl_pulse.mirror.columns import read_rows
from toggl_pulse.model import EntryColumns

__all__ = ["ratios"]

FLOOR = "SELECT sum(duration)"


def ratios(account: Account) -> Iterator[Ratio]:
    with (
        TemporaryDirectory() as folder,
        stored(account, Path(folder)) as mirror,
        closing(sqlite3.connect(f"{folder}/mirror-{account.size}.db")) as file,
    ):
        assert mirror.load()[1].duration.sum() == account.columns.duration.sum()
        floor = partial(_sum, file)
        yield measure("loading the columns at start", 9.0, partial(_ready, mirror), floor, of=FLOOR)
        yield measure(
            "reading them row by row, as before any sync has kept them", None, partial(_rows, mirror), floor, of=FLOOR
        )


def _sum(file: sqlite3.Connection) -> int:
    return int(file.execute("SELECT sum(duration) FROM entries").fetchone()[0])


def _ready(mirror: Mirror) -> Snapshot:
    """Read, compared with the rows, coded and sorted, and the names besides."""
    return Columns(mirror).newest()


def _rows(mirror: Mirror) -> EntryColumns:
    with mirror._store.reading() as connection:  # noqa: SLF001 - the way that is taken when nothing is kept
        return read_rows(connection)
