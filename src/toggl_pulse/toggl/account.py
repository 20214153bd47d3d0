"""Toggl's answer for `/me` as the account it describes.

The answer holds the API token. Nothing here raises, so that no traceback keeps a frame in which it lies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from toggl_pulse.toggl import schemas
from toggl_pulse.toggl.answers import Me
from toggl_pulse.toggl.entry_schemas import read_entry
from toggl_pulse.toggl.fields import Broken, moment
from toggl_pulse.toggl.sift import Sieve, rows_of
from toggl_pulse.toggl.translate import server_date
from toggl_pulse.toggl.wire import Answer

__all__ = ["read_me"]

T = TypeVar("T")
Row = Mapping[str, Any]


def read_me(answer: Answer, *, hide: Callable[[str], str], otherwise: datetime) -> Me | str:
    """The account, or the reason why it cannot be read.

    `otherwise` is the server's time should neither the Date header nor the profile tell it.
    """
    data = answer.data
    if not isinstance(data, dict):
        return "it is not an object"
    sieve = Sieve(hide)

    def rows(kind: str, name: str, read: Callable[[Row], T]) -> tuple[T, ...]:
        found = rows_of(data.get(name))
        if found is None:
            raise Broken(f"{name} is not a list")
        return tuple(sieve.rows(kind, found, read))

    try:
        return Me(
            profile=schemas.read_profile(data),
            workspaces=rows("workspace", "workspaces", schemas.read_workspace),
            clients=rows("client", "clients", schemas.read_client),
            projects=rows("project", "projects", schemas.read_project),
            tasks=rows("task", "tasks", schemas.read_task),
            tags=rows("tag", "tags", schemas.read_tag),
            entries=rows("time_entry", "time_entries", read_entry),
            set_aside=tuple(sieve.set_aside),
            server_time=server_date(answer.headers) or _stamp(data) or otherwise,
        )
    except Broken as broken:
        return str(broken)


def _stamp(profile: Row) -> datetime | None:
    """`at` of the profile is the server's clock at the moment of the request."""
    try:
        return moment(profile.get("at"), "at")
    except Broken:
        return None
