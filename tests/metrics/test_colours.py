from __future__ import annotations

import pytest

from toggl_pulse.metrics.colours import Colours
from toggl_pulse.model import Catalogue, Client, Project, Task

PROJECTS = (
    Project(1, 9, "archived", 11, active=False, color="#111111"),
    Project(2, 9, "deleted", 11, color="#222222", deleted=True),
    Project(3, 9, "oldest in use", 11, color="#AABBCC"),
    Project(4, 9, "newer", 11, color="#444444"),
    Project(5, 9, "only archived", 12, active=False, color="#555555"),
    Project(6, 9, "as the third", 13, color="#aabbcc"),
    Project(7, 9, "nonsense", 14, color="red;}"),
    Project(8, 9, "short", None, color="#abc"),
    Project(10, 9, "none"),
)
COLOURS = Colours(
    Catalogue(
        projects={each.id: each for each in PROJECTS},
        clients={number: Client(number, 9, f"Client {number}") for number in (11, 12, 13, 14)},
        tasks={number: Task(number, 9, 4, f"Task {number}") for number in (21, 22)},
    )
)


@pytest.mark.parametrize(
    ("dimension", "key", "colour"),
    [
        ("project", 3, "#aabbcc"),
        ("project", 2, "#222222"),
        ("project", 7, None),
        ("project", 8, None),
        ("project", 10, None),
        ("project", 99, None),
        ("project", None, None),
        ("client", 11, "#aabbcc"),
        ("client", 12, "#555555"),
        ("client", 14, None),
        ("task", 21, "#444444"),
        ("task", 99, None),
        ("tag", 3, None),
        ("billable", True, None),
    ],
)
def test_a_thing_has_its_own_colour_or_its_projects(dimension: str, key: int | None, colour: str | None) -> None:
    assert colour == COLOURS.of(dimension, key)


def test_what_borrows_a_colour_has_it_only_where_it_tells_groups_apart() -> None:
    assert [None, "#555555", None] == COLOURS.of_groups("client", [11, 12, 13])
    assert ["#aabbcc", "#555555"] == COLOURS.of_groups("client", [11, 12])
    assert [None, None] == COLOURS.of_groups("task", [21, 22])
    assert ["#aabbcc", "#aabbcc"] == COLOURS.of_groups("project", [3, 6])
