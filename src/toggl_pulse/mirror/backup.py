"""A consistent copy of the mirror while it is being read and written."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from toggl_pulse.errors import BadRequest, NeedsUser
from toggl_pulse.mirror.sqlite import SqliteStore, translated

__all__ = ["copy"]


def copy(store: SqliteStore, target: Path) -> None:
    """Write a copy to `target`, which must not exist; it appears whole or not at all.

    The copy is of one moment, holds no writer up, and is read through before it gets its name.
    """
    if target.exists():
        raise BadRequest(f"The file {target} exists already; a backup never overwrites.", code="file_exists")
    beside = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        _write(store, beside, target)
        _name(beside, target)
        _flush(target.parent)
    except FileExistsError as error:
        raise BadRequest(f"The file {target} exists already; a backup never overwrites.", code="file_exists") from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise NeedsUser(f"The disk is full; {target} was not written.", code="disk_full") from error
        reason = (error.strerror or "unknown reason").lower()
        raise NeedsUser(f"The backup {target} cannot be written: {reason}.", code="backup_unwritable") from error
    finally:
        for leftover in (beside, Path(f"{beside}-journal"), Path(f"{beside}-wal"), Path(f"{beside}-shm")):
            with suppress(OSError):
                leftover.unlink(missing_ok=True)


def _write(store: SqliteStore, beside: Path, target: Path) -> None:
    # Made by us first, so that nobody else can read it at any moment.
    os.close(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with closing(store.driver_connection()) as source, translated(target), closing(sqlite3.connect(beside)) as copied:
        with translated(store.path):
            source.execute("SELECT 1 FROM sqlite_schema").fetchone()
        # All pages in one step: one snapshot, and no starting anew whenever somebody writes.
        source.backup(copied, pages=-1)
        if copied.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise NeedsUser(f"The copy {target} does not read back; the disk may be failing.", code="backup_damaged")
    _flush(beside)


def _name(beside: Path, target: Path) -> None:
    """Give the finished copy its name; a file that has appeared there meanwhile is not replaced."""
    try:
        os.link(beside, target)
    except FileExistsError:
        raise
    except OSError:
        # No second names on this file system (a memory stick, some network drives): take the name, then replace it.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        beside.replace(target)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
