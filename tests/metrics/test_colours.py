from dataclasses import replace

import pytest

from toggl_pulse.metrics.colours import colours
from toggl_pulse.model import Catalogue, Client, Project, Task

BLUE, PINK = "#0b83d9", "#d94182"


def catalogue(*projects: Project, tasks: tuple[Task, ...] = ()) -> Catalogue:
    return replace(
        Catalogue(),
        clients={number: Client(number, 1, f"client {number}") for number in (11, 12, 13)},
        projects={project.id: project for project in projects},
        tasks={task.id: task for task in tasks},
    )


def project(number: int, colour: str | None, client: int | None = None, *, deleted: bool = False) -> Project:
    return Project(number, 1, f"project {number}", client, color=colour, deleted=deleted)


def task(number: int, of: int) -> Task:
    return Task(number, 1, of, f"task {number}")


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (BLUE, BLUE),
        ("#D94182", PINK),
        (None, None),
        ("", None),
        ("#abc", None),
        ("0b83d9", None),
        ("#0b83d9ff", None),
        ("#0b83dg", None),
        ("red", None),
        ("#0b83d9\n", None),
        ('#0b83d9"}', None),
        ("url(x)", None),
    ],
)
def test_only_a_colour_of_six_digits_is_one(told: str | None, shown: str | None) -> None:
    assert [shown] == colours(catalogue(project(1, told)), "project", [1])


def test_projects_keep_their_colour_even_where_two_share_it() -> None:
    known = catalogue(project(1, BLUE), project(2, BLUE), project(3, PINK, deleted=True))

    assert [BLUE, BLUE, PINK, None, None] == colours(known, "project", [1, 2, 3, None, 99])


def test_a_client_has_the_colour_that_all_its_living_projects_have() -> None:
    known = catalogue(
        project(1, BLUE, 11),
        project(2, BLUE, 11),
        project(3, PINK, 11, deleted=True),
        project(4, BLUE, 12),
        project(5, PINK, 12),
    )

    assert [BLUE, None, None, None] == colours(known, "client", [11, 12, 13, None])


def test_a_task_has_its_projects_colour_unless_another_one_of_the_answer_has_it_too() -> None:
    known = catalogue(project(1, BLUE), project(2, PINK), tasks=(task(7, 1), task(8, 1), task(9, 2)))

    assert [None, None, PINK] == colours(known, "task", [7, 8, 9])
    assert [BLUE, PINK, None] == colours(known, "task", [7, 9, None])


@pytest.mark.parametrize("dimension", ["none", "workspace", "tag", "user", "billable", "description"])
def test_nothing_else_has_a_colour(dimension: str) -> None:
    assert [None, None, None] == colours(catalogue(project(1, BLUE)), dimension, [1, True, "text"])
