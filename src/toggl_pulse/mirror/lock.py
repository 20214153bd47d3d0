"""The locks that let one sync run at a time, and one projection: the operating system's, gone when the process is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from toggl_pulse.errors import Busy, NeedsUser

__all__ = ["BUSY", "Purpose", "file_lock"]

Purpose = Literal["sync", "projection"]
BUSY: dict[Purpose, tuple[str, str]] = {
    "sync": ("Another run holds the mirror's lock; try again when it is done.", "sync_running"),
    "projection": ("Another process is writing to InfluxDB; try again when it is done.", "projection_running"),
}
"""What is said to whom a lock is refused: the sentence and its code."""


@contextmanager
def file_lock(path: Path, purpose: Purpose) -> Iterator[None]:
    """Hold the lock, or raise `Busy` at once; another thread of this process counts as another run.

    The empty file stays behind on purpose: removing it would let two runs lock two different files of one name.
    """
    # Every caller needs a lock object of its own, or one thread would enter through another's.
    # Whoever can open the file can hold the lock: nobody else on the machine may.
    lock = FileLock(path, timeout=0, mode=0o600, is_singleton=False, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        message, code = BUSY[purpose]
        raise Busy(message, code=code) from error
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise NeedsUser(f"The lock {path} cannot be made: {reason}.", code="mirror_unwritable") from error
    try:
        yield
    finally:
        lock.release()
