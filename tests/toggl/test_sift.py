from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from toggl.scene import entry_row, report_row
from toggl_pulse.toggl import schemas
from toggl_pulse.toggl.entry_schemas import Names, read_entry, read_report_row
from toggl_pulse.toggl.sift import RAW_LIMIT, Sieve, scrub

JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def keep(text: str) -> str:
    return text


def test_one_broken_row_is_set_aside_and_the_others_are_kept() -> None:
    sieve = Sieve(keep)

    rows = sieve.rows("time_entry", [entry_row(id=1), entry_row(id=2, start="noon"), entry_row(id=3)], read_entry)

    assert [row.id for row in rows] == [1, 3]
    assert [(row.kind, row.row_id, row.reason) for row in sieve.set_aside] == [("time_entry", 2, "start is not a time")]


def test_rows_that_are_no_objects_are_set_aside() -> None:
    sieve = Sieve(keep)

    sieve.rows("tag", [None, 7, "x", [], {}], schemas.read_tag)

    assert [row.raw for row in sieve.set_aside] == ["null", "7", '"x"', "[]", "{}"]


def test_secrets_that_toggl_echoes_are_not_kept() -> None:
    sieve = Sieve(lambda text: text.replace("f00d", "[hidden]"))

    sieve.put("workspace", {"api_token": "t", "ical_url": "/u", "users": [{"Password": "p"}], "name": "f00d"}, "why")

    assert sieve.set_aside[0].raw == (
        '{"api_token":"[hidden]","ical_url":"[hidden]","users":[{"Password":"[hidden]"}],"name":"[hidden]"}'
    )


def test_a_word_that_merely_contains_ical_is_kept() -> None:
    assert scrub({"historical": 1}) == {"historical": 1}


def test_a_huge_row_is_cut() -> None:
    sieve = Sieve(keep)

    sieve.put("tag", {"name": "x" * 100_000}, "why")

    assert len(sieve.set_aside[0].raw) == RAW_LIMIT


@given(st.data())
def test_no_value_anywhere_breaks_more_than_its_row(data: st.DataObject) -> None:
    """Every reader, one field of a good row replaced by anything JSON can hold."""
    project = {"id": 1, "workspace_id": 2, "name": "x", "client_id": 3, "rate": 1.5, "color": "#000000", "active": True}
    readers: list[tuple[dict[str, Any], Any]] = [
        (entry_row(), read_entry),
        (report_row(), lambda row: read_report_row(row, 11)),
        (report_row()["time_entries"][0], lambda row: read_report_row(report_row(time_entries=[row]), 11)),
        (project, schemas.read_project),
        (project, schemas.read_client),
        (project | {"project_id": 4}, schemas.read_task),
        (project, schemas.read_tag),
        (project | {"fullname": "x"}, schemas.read_user),
        (project | {"default_hourly_rate": 3, "rounding": 1}, schemas.read_workspace),
        (project, schemas.read_organization),
        (project | {"beginning_of_week": 1, "timezone": "UTC", "created_at": None}, schemas.read_profile),
    ]
    good, read = data.draw(st.sampled_from(readers))
    name = data.draw(st.sampled_from(sorted(good)))
    sieve = Sieve(keep)

    kept = sieve.rows("any", [good, good | {name: data.draw(JSONS)}], read)

    assert len(kept) + len(sieve.set_aside) == 2


@given(st.dictionaries(st.sampled_from(sorted(entry_row())), JSONS))
def test_names_never_cost_an_entry(changes: dict[str, Any]) -> None:
    names = Names()

    names.take(entry_row(**changes), read_entry(entry_row()))

    assert len(names.all()) <= 3
