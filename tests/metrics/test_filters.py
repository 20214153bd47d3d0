from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from metrics.reference import utc
from metrics.scenes import NAMES, answers_of, ask_range
from metrics.sources import MemorySource, Row
from toggl_pulse.errors import BadRequest
from toggl_pulse.metrics import Answers, Filter, parse_adhoc, parse_filters
from toggl_pulse.model import Catalogue, Project, Tag

AT = utc(2026, 6, 1, 9)

PROJECTS = ["Site", "(a|b)", "a", "b", "a.b", "axb", "2147483650", "Old", "x|y"]
TAGGED = [(), (31,), (31, 32), (32, 33)]


def source_of(names: list[str] = PROJECTS) -> MemorySource:
    """One entry for each project, with the project's id."""
    projects = {
        2147483648 + number: Project(2147483648 + number, 1, name, deleted=name == "Old")
        for number, name in enumerate(names)
    }
    rows = [Row(each, AT, AT + 60, project=each) for each in projects]
    return MemorySource.of([*rows, Row(1, AT, AT + 60)], Catalogue(projects=projects))


def tagged() -> Answers:
    """Entries 0 to 3 with the sets of tags of `TAGGED`."""
    return answers_of(
        MemorySource.of([Row(number, AT, AT + 60, tags=tags) for number, tags in enumerate(TAGGED)], NAMES)
    )


def passing(answers: Answers, filters: tuple[Filter, ...]) -> list[int]:
    return [row.id for row in answers.entries(ask_range(AT, filters=filters))]


def named(value: Any, *, adhoc: str = "") -> list[str]:
    """The projects' names of the entries that a payload's filter (or an ad-hoc one) lets pass; "" for none."""
    if adhoc:
        filters = parse_adhoc([{"key": "project", "operator": adhoc, "value": value}])
    else:
        filters = parse_filters({"project": value})
    return [row.project for row in answers_of(source_of()).entries(ask_range(AT, filters=filters))]


EVERY = ["", *(name if name != "Old" else "Old (deleted)" for name in PROJECTS)]


def test_an_exact_name_comes_before_any_form_of_grafana() -> None:
    assert ["(a|b)"] == named("(a|b)")
    assert ["a.b"] == named("a.b")


def test_grafanas_forms_are_undone_where_nothing_has_that_name() -> None:
    assert ["Site", "a"] == named("(Site|a)")
    assert ["a.b"] == named(r"a\.b")
    assert ["a", "a.b"] == named(r"(a|a\.b)")
    assert ["x|y"] == named(r"x\|y")
    assert ["a", "x|y"] == named(r"(a|x\|y)")
    assert ["(a|b)", "a"] == named(r"(\(a\|b\)|a)")


def test_elements_of_a_list_are_literal() -> None:
    assert ["(a|b)"] == named(["(a|b)"])
    assert [] == named([r"a\.b"])
    assert ["a", "b"] == named(["a", "b"])


@pytest.mark.parametrize(
    "everything", ["$__all", ["$__all"], ["a", "$__all"], "", [], None, [*PROJECTS, "(no project)"]]
)
def test_all_is_no_filter(everything: object) -> None:
    assert EVERY == named(everything)


def test_an_id_is_as_good_as_a_name_and_a_name_of_digits_stays_a_name() -> None:
    assert ["Site"] == named("2147483648")
    assert ["Site"] == named(2147483648)
    # the project called 2147483650, and the one with that id
    assert ["a", "2147483650"] == named("2147483650")


def test_what_has_none_is_chosen_by_its_label() -> None:
    assert [""] == named("(no project)")
    assert EVERY[1:] == named("(no project)", adhoc="!=")


def test_a_deleted_project_is_chosen_by_its_name_and_by_its_label() -> None:
    assert ["Old (deleted)"] == named("Old") == named("Old (deleted)")


def test_the_name_of_something_gone_matches_nothing() -> None:
    assert [] == named("Yesterday")
    assert [] == named(["Yesterday"])
    assert ["a"] == named(["Yesterday", "a"])
    assert EVERY == named("Yesterday", adhoc="!=")
    assert [] == named("Yesterday", adhoc="=")


def test_adhoc_filters_take_values_as_they_are() -> None:
    assert ["(a|b)"] == named("(a|b)", adhoc="=")
    assert [] == named(r"a\.b", adhoc="=")
    assert [name for name in EVERY if name != "a"] == named("a", adhoc="!=")


def test_regular_expressions_are_found_anywhere_in_a_name() -> None:
    assert ["a.b", "axb"] == named("^a.b$", adhoc="=~")
    assert ["a.b"] == named(r"a\.b", adhoc="=~")
    assert ["Site"] == named("it", adhoc="=~")
    assert ["Site"] == named("(?i)^s", adhoc="=~")
    assert [name for name in EVERY if name != "Site"] == named("it", adhoc="!~")
    assert EVERY == named("", adhoc="=~")


@pytest.mark.parametrize("operator", ["=|", "one_of"])
def test_one_of_and_not_one_of(operator: str) -> None:
    answers = answers_of(source_of())
    one = parse_adhoc([{"key": "project", "operator": operator, "values": ["a", "b"]}])
    none = parse_adhoc(
        [{"key": "project", "operator": operator.replace("o", "not_o", 1).replace("=|", "!=|"), "values": ["a", "b"]}]
    )

    assert ["a", "b"] == [row.project for row in answers.entries(ask_range(AT, filters=one))]
    assert [name for name in EVERY if name not in {"a", "b"}] == [
        row.project for row in answers.entries(ask_range(AT, filters=none))
    ]


def test_a_one_of_with_a_single_value_takes_that() -> None:
    (found,) = parse_adhoc([{"key": "tag", "operator": "=|", "value": "deep", "values": []}])

    assert Filter("tag", "one_of", ("deep",)) == found


def test_an_adhoc_filter_without_an_operator_means_equal_and_all_is_none() -> None:
    assert (Filter("tag", "=", ("deep",)),) == parse_adhoc([{"key": "tag", "value": "deep"}])
    assert () == parse_adhoc([{"key": "tag", "operator": "=", "value": "$__all"}])
    assert () == parse_adhoc(None) == parse_adhoc([])


def test_an_entry_passes_by_any_of_its_tags_and_is_kept_out_by_any() -> None:
    assert [1, 2] == passing(tagged(), parse_filters({"tag": "deep"}))
    assert [1, 2, 3] == passing(tagged(), parse_filters({"tag": ["deep", "home"]}))
    assert [0, 3] == passing(tagged(), parse_adhoc([{"key": "tag", "operator": "!=", "value": "deep"}]))
    assert [0] == passing(tagged(), parse_filters({"tag": ["(no tag)"]}))
    assert [0, 1] == passing(tagged(), parse_adhoc([{"key": "tag", "operator": "!~", "value": "call"}]))


def test_a_tag_is_chosen_by_the_label_that_says_it_is_shared() -> None:
    assert [1, 2] == passing(tagged(), parse_filters({"tag": ["deep (shared)"]}))


def test_filters_of_several_dimensions_and_of_one_must_all_pass() -> None:
    both = parse_filters({"tag": "deep"}) + parse_adhoc([{"key": "tag", "operator": "=", "value": "call"}])
    nothing = parse_filters({"tag": "deep", "billable": [True]})

    assert [2] == passing(tagged(), both)
    assert [] == passing(tagged(), nothing)


def test_an_entry_that_passes_by_one_tag_still_counts_under_its_others() -> None:
    series = tagged().answer(ask_range(AT, group_by="tag", filters=parse_filters({"tag": "deep"}))).series

    assert [(31, 2 / 60), (32, 1 / 60)] == [(each.key, each.values[0]) for each in series]


@pytest.mark.parametrize("yes", [True, "true", "billable", ["true"], [True]])
def test_billable_is_chosen_by_true_or_false_or_label(yes: object) -> None:
    rows = [Row(1, AT, AT + 60, billable=True), Row(2, AT, AT + 60)]

    assert [1] == passing(answers_of(MemorySource.of(rows)), parse_filters({"billable": yes}))


def test_a_project_filter_also_finds_those_of_a_client_by_client() -> None:
    rows = [Row(number, AT, AT + 60, project=number) for number in (11, 12, 13, 14)]
    answers = answers_of(MemorySource.of(rows, NAMES))

    assert [11, 14] == passing(answers, parse_filters({"client": "7"}))
    assert [13] == passing(answers, parse_filters({"client": "(no client)"}))
    assert [11, 12] == passing(answers, parse_filters({"project": "Site"}))
    assert [12] == passing(answers, parse_filters({"project": "Site (Zoo)"}))


def test_a_rename_is_seen_by_the_next_filter() -> None:
    source = source_of()
    answers = answers_of(source)
    assert [2147483648] == passing(answers, parse_filters({"project": "Site"}))
    source.rename(replace(source.names, projects={2147483648: Project(2147483648, 1, "Page")}))

    assert [] == passing(answers, parse_filters({"project": "Site"}))
    assert [2147483648] == passing(answers, parse_filters({"project": "Page"}))


def test_running_entries_are_filtered_too() -> None:
    rows = [Row(1, AT, None, project=11), Row(2, AT, None, project=13, billable=True)]
    answers = answers_of(MemorySource.of(rows, NAMES))

    assert [2] == passing(answers, parse_filters({"project": "Garden"}))
    for metric in ("tracked_hours", "running_hours", "entry_count"):
        series = answers.answer(
            ask_range(AT, metric=metric, group_by="project", filters=parse_filters({"project": "Garden"}))
        ).series
        assert [13] == [each.key for each in series]


def test_a_filter_written_as_json_text_is_read() -> None:
    assert (Filter("tag", "one_of", ("deep",)),) == parse_filters('{"tag": ["deep"]}')


@pytest.mark.parametrize(
    ("filters", "code"),
    [
        ({"colour": ["red"]}, "unknown_filter"),
        ({"colour": None}, "unknown_filter"),
        ({"tag": [None]}, "bad_value"),
        ({"tag": [1.5]}, "bad_value"),
        ({"tag": [["deep"]]}, "bad_value"),
        ({"tag": {"deep": 1}}, "bad_value"),
        ({"tag": "x" * 4097}, "bad_value"),
        ({"tag": ["x"] * 10_001}, "bad_value"),
        (["tag"], "bad_value"),
        ("tag=deep", "bad_value"),
        ("[" * 100_000, "bad_value"),
        (7, "bad_value"),
    ],
)
def test_bad_filters_are_refused_with_a_code_and_a_sentence(filters: object, code: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_filters(filters)

    assert code == refused.value.code
    assert refused.value.message.endswith(".")
    assert len(refused.value.message) < 300


@pytest.mark.parametrize(
    ("filters", "code"),
    [
        ({"key": "tag"}, "bad_value"),
        (["tag"], "bad_value"),
        ([{"operator": "=", "value": "deep"}], "unknown_filter"),
        ([{"key": ["tag"], "value": "deep"}], "unknown_filter"),
        ([{"key": "colour", "value": "red"}], "unknown_filter"),
        ([{"key": "tag", "operator": "<", "value": "deep"}], "bad_value"),
        ([{"key": "tag", "operator": ["="], "value": "deep"}], "bad_value"),
        ([{"key": "tag", "operator": "=", "value": None}], "bad_value"),
        ([{"key": "tag", "operator": "=~", "value": "(a"}], "bad_regex"),
        ([{"key": "tag", "operator": "!~", "value": "*"}], "bad_regex"),
        ([{"key": "tag", "operator": "=~", "value": r"(a)\1"}], "bad_regex"),
        ([{"key": "tag", "operator": "=~", "value": "(?=a)"}], "bad_regex"),
        ([{"key": "tag", "operator": "=~", "value": "\ud800"}], "bad_regex"),
        ([{"key": "tag", "operator": "=~", "value": "((a{1000}){1000}){1000}"}], "bad_regex"),
    ],
)
def test_bad_adhoc_filters_are_refused_with_a_code_and_a_sentence(filters: object, code: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse_adhoc(filters)

    assert code == refused.value.code
    assert refused.value.message.endswith((".", "(RE2 syntax)."))


def test_a_pattern_that_would_take_others_forever_takes_no_time() -> None:
    names = Catalogue(tags={31: Tag(31, 1, "a" * 4000 + "b")})
    answers = answers_of(MemorySource.of([Row(1, AT, AT + 60, tags=(31,))], names))

    assert [] == passing(answers, parse_adhoc([{"key": "tag", "operator": "=~", "value": "^(a+)+$"}]))
