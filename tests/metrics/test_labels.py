from __future__ import annotations

from dataclasses import replace

from metrics.reference import utc
from metrics.scenes import NAMES, answers_of, ask_range
from metrics.sources import MemorySource, Row
from toggl_pulse.model import NO_ID, Catalogue, Client, Profile, Project, Tag, Task, User, Workspace

AT = utc(2026, 6, 1, 9)


def labels(group_by: str, rows: list[Row], names: Catalogue = NAMES) -> dict[object, str]:
    """Key -> label of every group of an answer."""
    answer = answers_of(MemorySource.of(rows, names)).answer(ask_range(AT, group_by=group_by))
    return {series.key: series.label for series in answer.series}


def entries(**columns: list[object]) -> list[Row]:
    """One entry of an hour for each value of the one column given."""
    ((column, values),) = columns.items()
    return [
        replace(Row(2**31 + number, AT, AT + 3600), **{column: value})  # type: ignore[arg-type]
        for number, value in enumerate(values)
    ]


def test_what_is_missing_is_named_so() -> None:
    nothing = [Row(1, AT, AT + 60)]

    assert {None: "(no project)"} == labels("project", nothing)
    assert {None: "(no client)"} == labels("client", nothing)
    assert {None: "(no task)"} == labels("task", nothing)
    assert {None: "(no tag)"} == labels("tag", nothing)
    assert {"": "(no description)"} == labels("description", nothing)
    assert {None: "(no client)"} == labels("client", [replace(nothing[0], project=13)])


def test_a_name_alone_is_the_label_where_it_is_the_only_one() -> None:
    assert {13: "Garden"} == labels("project", entries(project=[13]))
    assert {1: "Home", 2: "Work"} == labels("workspace", entries(workspace=[1, 2]))


def test_two_projects_of_one_name_are_told_apart_by_their_clients() -> None:
    assert {11: "Site (Acme)", 12: "Site (Zoo)"} == labels("project", entries(project=[11, 12]))


def test_a_project_is_told_apart_even_when_the_other_of_its_name_has_no_entries() -> None:
    assert {11: "Site (Acme)"} == labels("project", entries(project=[11]))


def test_two_projects_of_one_name_and_client_are_told_apart_by_their_ids() -> None:
    projects = {5: Project(5, 1, "Site", 7), 6: Project(6, 1, "Site", 7), 8: Project(8, 1, "Site")}
    names = Catalogue(clients={7: Client(7, 1, "Acme")}, projects=projects)

    assert {5: "Site (5)", 6: "Site (6)", 8: "Site (no client)"} == labels("project", entries(project=[5, 6, 8]), names)


def test_clients_and_tags_of_one_name_are_told_apart_by_their_workspaces() -> None:
    names = replace(NAMES, tags={31: Tag(31, 1, "deep"), 32: Tag(32, 2, "deep")})

    assert {7: "Acme (Home)", 9: "Zoo"} == labels("client", entries(project=[11, 12]))
    assert {31: "deep (Home)", 32: "deep (Work)"} == labels("tag", entries(tags=[(31,), (32,)]), names)


def test_tasks_of_one_name_are_told_apart_by_their_projects_and_users_by_their_addresses() -> None:
    names = replace(
        NAMES,
        tasks={21: Task(21, 1, 11, "Draft"), 22: Task(22, 1, 13, "Draft")},
        users={1: User(1, "Ann", "ann@example.org"), 2: User(2, "Ann", "ann@example.com")},
    )

    assert {21: "Draft (Site)", 22: "Draft (Garden)"} == labels("task", entries(task=[21, 22]), names)
    assert {1: "Ann (ann@example.org)", 2: "Ann (ann@example.com)"} == labels("user", entries(user=[1, 2]), names)


def test_a_deleted_project_keeps_its_name_and_says_so_and_an_archived_one_is_as_any_other() -> None:
    archived = replace(NAMES, projects={**NAMES.projects, 13: replace(NAMES.projects[13], active=False)})

    assert {13: "Garden", 14: "Old (deleted)"} == labels("project", entries(project=[13, 14]), archived)


def test_a_project_that_is_not_known_is_shown_by_its_id_and_has_no_client() -> None:
    assert {15: "(unknown project 15)"} == labels("project", entries(project=[15]))
    assert {None: "(no client)"} == labels("client", entries(project=[15]))


def test_the_profiles_own_name_stands_for_a_user_that_may_not_be_read() -> None:
    names = Catalogue(profile=Profile(1, "ann@example.org", "Ann", "UTC", 1, None))

    assert {1: "Ann", 2: "(unknown user 2)"} == labels("user", entries(user=[1, 2]), names)


def test_a_tag_whose_entries_count_under_another_tag_too_says_so() -> None:
    assert {31: "deep (shared)", 32: "call (shared)", 33: "home"} == labels(
        "tag", entries(tags=[(31, 32), (33,), (33,)])
    )


def test_a_rename_changes_the_label_and_a_projects_new_client_its_group() -> None:
    source = MemorySource.of(entries(project=[13]), NAMES)
    answers = answers_of(source)
    before = answers.answer(ask_range(AT, group_by="client")).series[0]
    source.rename(replace(NAMES, projects={13: Project(13, 1, "Park", 9)}))

    after = answers.answer(ask_range(AT, group_by="client")).series[0]

    assert ((None, "(no client)"), (9, "Zoo")) == ((before.key, before.label), (after.key, after.label))
    assert "Park" == answers.answer(ask_range(AT, group_by="project")).series[0].label
    assert source.loads == 1


def test_billable_has_two_groups() -> None:
    assert {True: "billable", False: "not billable"} == labels("billable", entries(billable=[True, False]))


def test_one_series_is_named_after_the_metric_where_nothing_is_grouped() -> None:
    assert {None: "tracked_hours"} == labels("none", [])
    assert {} == labels("project", [])


def test_names_with_quotes_pipes_and_emoji_are_left_as_they_are() -> None:
    name = 'a|b "c", \\d (e) 🎉\n'
    names = Catalogue(projects={5: Project(5, 1, name)}, workspaces={1: Workspace(1, "")})

    assert {5: name} == labels("project", entries(project=[5]), names)


def test_values_to_choose_from_have_entries_or_still_exist_and_come_by_label() -> None:
    source = MemorySource.of([Row(1, AT, AT + 60, project=14), Row(2, AT, AT + 60, project=15)], NAMES)
    answers = answers_of(source)

    assert [
        (15, "(unknown project 15)"),
        (13, "Garden"),
        (14, "Old (deleted)"),
        (11, "Site (Acme)"),
        (12, "Site (Zoo)"),
    ] == answers.values("project")
    source.put(Row(1, AT, AT + 60, project=13))  # nothing is left on the deleted one
    source.delete(2)
    assert [13, 11, 12] == [key for key, _ in answers.values("project")]
    source.put(Row(3, AT, AT + 60, project=NO_ID, tags=(31, 34)))
    assert [(None, "(no project)"), (13, "Garden")] == answers.values("project")[:2]
    assert [(None, "(no tag)"), (34, "(unknown tag 34)")] == answers.values("tag")[:2]
    assert [(False, "not billable")] == answers.values("billable")
    assert [("", "(no description)")] == answers.values("description")


def test_the_catalogue_is_that_of_the_last_answer_and_costs_no_look_at_the_source() -> None:
    class Counting(MemorySource):
        looks = 0

        def revision(self) -> int:
            self.looks += 1
            return super().revision()

    source = Counting(NAMES)
    answers = answers_of(source)
    assert NAMES is answers.catalogue()
    looks = source.looks

    assert NAMES is answers.catalogue()
    assert looks == source.looks
    source.rename(replace(NAMES, profile=None))
    answers.revision()
    assert answers.catalogue().profile is None


def test_groups_of_the_same_size_come_by_label() -> None:
    query = ask_range(AT, group_by="project", limit=2)

    answer = answers_of(MemorySource.of(entries(project=[14, 13, 12, 11]), NAMES)).answer(query)

    assert ["Garden", "Old (deleted)", "(other)"] == [series.label for series in answer.series]


def test_an_entry_of_two_folded_tags_is_once_in_the_rest() -> None:
    rows = [*entries(tags=[(31,), (31,)]), replace(Row(9, AT, AT + 3600), tags=(32, 33))]

    answer = answers_of(MemorySource.of(rows, NAMES)).answer(ask_range(AT, group_by="tag", limit=1))

    assert [("deep", 2.0, False), ("(other)", 1.0, True)] == [
        (series.label, series.values[0], series.other) for series in answer.series
    ]
