"""What a serving process asks of the operating system: enough open files, and no copy of its memory on disk.

Knows nothing of what is served; where the system has no such limits, nothing is done.
"""

from __future__ import annotations

from contextlib import suppress

__all__ = ["keep_no_memory_image", "room_for_connections"]

OPEN_FILES = 4096
OTHER_FILES = 200
"""The mirror's connections with their files, logs, the connection to Toggl."""


def room_for_connections(wanted: int) -> int:
    """How many connections there may be, `wanted` at most, after raising the limit on open files where that is allowed.

    As many again may be accepted at one moment, before the first of them is looked at.
    """
    with suppress(ImportError, OSError, ValueError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
        if soft != resource.RLIM_INFINITY and soft < most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            soft = most
        if soft != resource.RLIM_INFINITY:
            return max(1, min(wanted, (soft - OTHER_FILES) // 2))
    return wanted


def keep_no_memory_image() -> None:
    """A crash must not leave the tokens in a core file."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
