"""A made-up account of any size: five years, 200 projects, 40 tags, one person's working days; the same every time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from toggl_pulse.model import NO_ID, Catalogue, Client, EntryColumns, Project, Tag, Workspace

__all__ = ["BEGIN", "END", "Account"]

BEGIN = int(datetime(2021, 1, 1, tzinfo=UTC).timestamp())
END = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())

PROJECTS, CLIENTS, TAGS, TAG_SETS, TEXTS = 200, 25, 40, 120, 5_000
LONGEST = 12 * 3600


def _columns(size: int) -> EntryColumns:
    dice = np.random.default_rng(2026)
    days = dice.integers(BEGIN // 86_400, END // 86_400, size)
    # most of it in office hours, some at any hour, so that nights and changes of the clock are crossed
    second = np.where(dice.random(size) < 0.8, dice.normal(12 * 3600, 3 * 3600, size), dice.random(size) * 86_400)
    start = days * 86_400 + np.clip(second, 0, 86_399).astype(np.int64)
    length = np.minimum(dice.exponential(2_700, size), LONGEST).astype(np.int64)
    sets: list[tuple[int, ...]] = [()]
    while len(sets) < TAG_SETS:
        tags = dice.choice(TAGS, dice.integers(1, 4), replace=False) + 1
        if (one := tuple(sorted(tags.tolist()))) not in sets:
            sets.append(one)
    project = np.minimum(dice.exponential(40, size).astype(np.int64), PROJECTS)  # a few have most; 0 is none
    return EntryColumns(
        entry_id=np.arange(2**32, 2**32 + size, dtype=np.int64),
        start=start,
        stop=start + length,
        duration=length,
        workspace_id=np.ones(size, np.int64),
        project_id=np.where(project == 0, NO_ID, project),
        task_id=np.full(size, NO_ID, np.int64),
        user_id=np.ones(size, np.int64),
        billable=dice.random(size) < 0.6,
        deleted=np.zeros(size, np.bool_),
        tag_set=dice.integers(0, TAG_SETS, size).astype(np.int32),
        description=dice.integers(0, TEXTS, size).astype(np.int32),
        tag_sets=tuple(sets),
        descriptions=tuple(f"Text {number}" if number else "" for number in range(TEXTS)),
    )


@dataclass
class Account:
    """An entry source in memory; `edit` changes one entry."""

    size: int
    number: int = 1
    edited: dict[int, int] = field(default_factory=dict)
    exact: bool = True

    def __post_init__(self) -> None:
        self.columns = _columns(self.size)
        self.names = Catalogue(
            workspaces={1: Workspace(1, "Work")},
            clients={each: Client(each, 1, f"Client {each}") for each in range(1, CLIENTS + 1)},
            projects={each: Project(each, 1, f"Project {each}", each % CLIENTS + 1) for each in range(1, PROJECTS + 1)},
            tags={each: Tag(each, 1, f"Tag {each}") for each in range(1, TAGS + 1)},
        )

    def edit(self, row: int) -> None:
        """A minute longer."""
        self.number += 1
        self.columns.stop[row] += 60
        self.columns.duration[row] += 60
        self.edited[row] = self.number

    def revision(self) -> int:
        return self.number

    def load(self) -> tuple[int, EntryColumns]:
        return self.number, self.columns

    def changes(self, since: int) -> tuple[int, EntryColumns]:
        rows = np.array([row for row, number in self.edited.items() if number > since], np.int64)
        one = {
            name: getattr(self.columns, name)[rows]
            for name in self.columns.__dataclass_fields__
            if name not in {"tag_sets", "descriptions"}
        }
        return self.number, EntryColumns(**one, tag_sets=self.columns.tag_sets, descriptions=self.columns.descriptions)

    def catalogue(self) -> Catalogue:
        return self.names
