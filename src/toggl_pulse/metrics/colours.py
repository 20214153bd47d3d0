"""The colours that things have at Toggl: a project its own, and what belongs to projects theirs where that is plain."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from toggl_pulse.metrics.groups import Key
from toggl_pulse.model import Catalogue

__all__ = ["colours"]

_COLOUR = re.compile(r"#[0-9a-f]{6}")


def colours(catalogue: Catalogue, dimension: str, keys: Sequence[Key]) -> list[str | None]:
    """`#rrggbb` of each group of an answer; None where there is none, or where it would not tell groups apart.

    A task has its project's colour, a client that of its projects if it is one: but only what one group of the answer
    has, for three tasks in one colour are one to the eye. Whatever is no such colour is none.
    """
    if dimension == "project":
        return [_of_project(catalogue, key) for key in keys]
    if dimension not in {"client", "task"}:
        return [None] * len(keys)
    found = [_of_task(catalogue, key) if dimension == "task" else _of_client(catalogue, key) for key in keys]
    times = Counter(found)
    return [colour if times[colour] == 1 else None for colour in found]


def _of_project(catalogue: Catalogue, key: Key) -> str | None:
    project = catalogue.projects.get(key) if isinstance(key, int) else None
    return _clean(project.color) if project is not None else None


def _of_task(catalogue: Catalogue, key: Key) -> str | None:
    task = catalogue.tasks.get(key) if isinstance(key, int) else None
    return _of_project(catalogue, task.project_id) if task is not None else None


def _of_client(catalogue: Catalogue, key: Key) -> str | None:
    if not isinstance(key, int):
        return None
    found = {_clean(each.color) for each in catalogue.projects.values() if each.client_id == key and not each.deleted}
    return found.pop() if len(found) == 1 else None


def _clean(colour: str | None) -> str | None:
    plain = (colour or "").lower()
    return plain if _COLOUR.fullmatch(plain) else None
