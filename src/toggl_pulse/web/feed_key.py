"""The secret in the calendar feed's address: made when somebody wants it, kept in the mirror, ended at will.

It opens the feed and nothing else. It is text that people copy into other programs, so that the page can show it again.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable

from toggl_pulse.mirror import Mirror

__all__ = ["end_feed_key", "feed_key", "new_feed_key", "opens_feed"]

STATE = "page:feed_key"
BYTES = 24


def feed_key(mirror: Mirror) -> str | None:
    found = mirror.state(STATE)
    return found if isinstance(found, str) else None


def new_feed_key(mirror: Mirror, make: Callable[[int], str] = secrets.token_urlsafe) -> None:
    """A key where there was none, or another one: the former then opens nothing."""
    with mirror.batch() as batch:
        batch.set_state(STATE, make(BYTES))


def end_feed_key(mirror: Mirror) -> None:
    with mirror.batch() as batch:
        batch.set_state(STATE, None)


def opens_feed(mirror: Mirror, given: str) -> bool:
    key = feed_key(mirror)
    return key is not None and hmac.compare_digest(key.encode(), given.encode("utf-8", "replace"))
