"""The colours that things have at Toggl: a project its own, and what belongs to projects theirs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from toggl_pulse.metrics.groups import Key
from toggl_pulse.model import Catalogue

__all__ = ["Colours"]

_COLOUR = re.compile(r"#[0-9a-f]{6}")


@dataclass
class Colours:
    catalogue: Catalogue

    def of(self, dimension: str, key: Key) -> str | None:
        """`#rrggbb` of one thing: a project its own, a task its project's, a client its oldest project's in use.

        Whatever is no such colour is none.
        """
        if not isinstance(key, int) or isinstance(key, bool):
            return None
        if dimension == "task":
            task = self.catalogue.tasks.get(key)
            return None if task is None else self.of("project", task.project_id)
        if dimension == "client":
            return self._clients.get(key)
        project = self.catalogue.projects.get(key) if dimension == "project" else None
        return None if project is None else _clean(project.color)

    def of_groups(self, dimension: str, keys: Sequence[Key]) -> list[str | None]:
        """Those of an answer's groups; None also where it would not tell groups apart.

        What borrows its colour has it only where no other group of the answer does, for three tasks in one colour are
        one to the eye.
        """
        found = [self.of(dimension, key) for key in keys]
        if dimension == "project":
            return found
        times = Counter(found)
        return [colour if times[colour] == 1 else None for colour in found]

    @cached_property
    def _clients(self) -> dict[int, str]:
        found: dict[int, str] = {}
        for project in sorted(self.catalogue.projects.values(), key=lambda each: (not each.active, each.id)):
            colour = _clean(project.color)
            if colour is not None and project.client_id is not None and not project.deleted:
                found.setdefault(project.client_id, colour)
        return found


def _clean(colour: str | None) -> str | None:
    plain = (colour or "").lower()
    return plain if _COLOUR.fullmatch(plain) else None
