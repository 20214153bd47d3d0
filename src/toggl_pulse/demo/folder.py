"""The folder of a demo's own data: emptied at each start, and one demo's at a time."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from toggl_pulse.errors import Busy, NeedsUser

__all__ = ["fresh_folder"]


def fresh_folder(folder: Path) -> FileLock:
    """Remove what the last demo left in its folder, and hold the folder until `stop` or this process's end.

    Only the mirror's own files go: the folder may be somebody's whose DATA_DIR is not ours alone.
    """
    lock = FileLock(folder.with_suffix(".lock"), mode=0o600)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
        for left in folder.glob("mirror.db*"):
            left.unlink()
    except Timeout:
        raise Busy("Another demo uses this DATA_DIR; stop it, or set another DATA_DIR.") from None
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise NeedsUser(f"The demo's folder {folder} cannot be used: {reason}.", code="folder_unusable") from error
    return lock
