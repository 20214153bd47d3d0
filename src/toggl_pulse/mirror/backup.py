"""A consistent copy of the mirror in one new file while the mirror is being read and written."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from glob import escape
from pathlib import Path
from secrets import token_hex
from typing import TypeVar

from toggl_pulse.errors import BadRequest, NeedsUser
from toggl_pulse.mirror.sqlite import SqliteStore, translated

__all__ = ["copy", "flushed", "named_when_done"]

Result = TypeVar("Result")
PARTIAL = ".partial"
A_DAY = 86_400


def copy(store: SqliteStore, target: Path) -> None:
    """Write a copy to `target`, which must not exist; it appears whole or not at all.

    The copy is of one moment, holds no writer up, and is read through before it gets its name.
    """
    named_when_done(target, lambda beside: _write(store, beside, target))


def named_when_done(target: Path, write: Callable[[Path], Result]) -> Result:
    """Have a file written under a name of its own, and name it when it is whole; returns what `write` does."""
    if target.exists():
        raise BadRequest(f"The file {target} exists already; a backup never overwrites.", code="file_exists")
    # not by the process's number: in a container each has the same, and a killed one leaves its file behind
    beside = target.with_name(f".{target.name}.{token_hex(6)}{PARTIAL}")
    try:
        result = write(beside)
        _name(beside, target)
        flushed(target.parent)
        _sweep(target)
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
    return result


def _sweep(target: Path) -> None:
    """Remove what earlier backups to this name left behind when they were killed, a day or more ago."""
    now = target.stat().st_mtime
    for leftover in target.parent.glob(f".{escape(target.name)}.*{PARTIAL}*"):
        with suppress(OSError):
            if now - leftover.stat().st_mtime > A_DAY:
                leftover.unlink()


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
    flushed(beside)


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


def flushed(path: Path) -> None:
    """See that what was written has reached the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
