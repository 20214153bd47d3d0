"""The made-up account as a mirror in a file, put there by plain SQL: quicker than a sync, and the same rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.account import Account
from toggl_pulse.mirror import Mirror
from toggl_pulse.mirror.values import digest
from toggl_pulse.model import NO_ID

__all__ = ["NOW", "stored"]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = (
    "id, revision, workspace_id, user_id, project_id, start, stop, duration, billable, tag_set, at_us, description"
)


def stored(account: Account, folder: Path) -> Mirror:
    """A mirror of the account as a sync leaves it, columns kept; the caller closes it."""
    path = folder / f"mirror-{account.size}.db"
    mirror = Mirror.open(f"sqlite:///{path}", clock=lambda: NOW)
    with mirror.batch() as batch:
        names = account.catalogue()
        for kind in (names.workspaces, names.clients, names.projects, names.tags):
            batch.write_catalogue(kind.values())
        batch.set_state("sync.user", 1)
    mirror.claim("toggl", 1)
    first = mirror.revision() + 1
    c = account.columns
    project = [None if each == NO_ID else each for each in c.project_id.tolist()]
    with closing(sqlite3.connect(path)) as file, file:
        file.executemany(
            "INSERT INTO tag_sets (id, digest) VALUES (?, ?)",
            [(n, digest(*c.tag_sets[n])) for n in range(1, len(c.tag_sets))],
        )
        file.executemany(
            "INSERT INTO tag_set_members VALUES (?, ?)", [(n, tag) for n, tags in enumerate(c.tag_sets) for tag in tags]
        )
        file.executemany(
            f"INSERT INTO entries ({COLUMNS}) VALUES ({', '.join('?' * 12)})",  # noqa: S608 - constants
            zip(
                c.entry_id.tolist(),
                range(first, first + account.size),
                c.workspace_id.tolist(),
                c.user_id.tolist(),
                project,
                c.start.tolist(),
                c.stop.tolist(),
                c.duration.tolist(),
                c.billable.astype(int).tolist(),
                [number or None for number in c.tag_set.tolist()],
                (c.stop * 1_000_000).tolist(),
                map(c.descriptions.__getitem__, c.description.tolist()),
                strict=True,
            ),
        )
        file.execute("UPDATE revision SET value = ?", (first + account.size - 1,))
        file.execute("DELETE FROM states WHERE key = 'mirror.counts'")
    mirror.keep_columns()
    return mirror
