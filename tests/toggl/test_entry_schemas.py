from datetime import UTC, datetime
from typing import Any

import pytest

from toggl.scene import entry_row, report_row
from toggl_pulse.model import Amount, Project, Task, TimeEntry, User
from toggl_pulse.toggl.entry_schemas import Names, read_entry, read_report_row
from toggl_pulse.toggl.fields import Broken

WHOLE = TimeEntry(
    id=3_730_303_299,
    workspace_id=11,
    user_id=41,
    start=datetime(2026, 3, 1, 9, 0, tzinfo=UTC),
    stop=datetime(2026, 3, 1, 10, 30, tzinfo=UTC),
    duration=5400,
    at=datetime(2026, 3, 1, 10, 30, 5, 123450, tzinfo=UTC),
    description="Plan the week",
    project_id=21,
    billable=True,
    tags=("deep",),
    tag_ids=(31,),
)


def test_an_entry_is_read_whole() -> None:
    assert read_entry(entry_row()) == WHOLE


def test_an_entry_without_aliases_or_optional_fields_is_read() -> None:
    row = {
        "id": 1,
        "workspace_id": 11,
        "user_id": 41,
        "start": "2026-03-01T09:00:00Z",
        "stop": "2026-03-01T09:00:00Z",
        "duration": 0,
        "at": "2026-03-01T09:00:00Z",
    }

    entry = read_entry(row)

    assert (entry.description, entry.project_id, entry.tags, entry.tag_ids, entry.deleted_at) == (
        "",
        None,
        (),
        (),
        None,
    )


def test_an_entry_with_nothing_but_aliases_is_read() -> None:
    row = entry_row(wid=12, uid=42, pid=22, tid=52)
    for name in ("workspace_id", "user_id", "project_id", "task_id"):
        del row[name]

    entry = read_entry(row)

    assert (entry.workspace_id, entry.user_id, entry.project_id, entry.task_id) == (12, 42, 22, 52)


@pytest.mark.parametrize("name", ["description", "tags", "tag_ids", "project_id", "task_id", "billable"])
def test_nulls_are_at_home(name: str) -> None:
    read_entry(entry_row(pid=None, **{name: None}))


@pytest.mark.parametrize("duration", [-1772355600, -1, 0, None, "?"])
def test_running_is_told_by_the_stop_alone(duration: Any) -> None:
    entry = read_entry(entry_row(stop=None, duration=duration))

    assert entry.stop is None


def test_a_deleted_entry_keeps_its_fields() -> None:
    entry = read_entry(entry_row(server_deleted_at="2026-03-01T11:00:00Z"))

    assert (entry.deleted_at, entry.description) == (datetime(2026, 3, 1, 11, tzinfo=UTC), "Plan the week")


def test_fractions_of_start_and_stop_are_cut() -> None:
    entry = read_entry(entry_row(start="2026-03-01T09:00:00.9Z", stop="2026-03-01T10:30:00.999Z"))

    assert (entry.start, entry.stop) == (WHOLE.start, WHOLE.stop)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": None}, "id is missing"),
        ({"duration": None}, "the duration is missing"),
        ({"duration": -5}, "the duration is out of range"),
        ({"duration": 10**18}, "the duration is out of range"),
        ({"duration": 0.5}, "the duration is not a whole number"),
        ({"tags": "deep"}, "tags is not a list of names"),
        ({"tags": [None]}, "tags is not a list of names"),
        ({"tag_ids": ["31"]}, "tag_ids is not a list of ids"),
        ({"at": None}, "at is missing"),
    ],
)
def test_what_cannot_be_meant_is_broken(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Broken) as caught:
        read_entry(entry_row(**changes))

    assert str(caught.value) == reason


def test_a_report_row_says_the_same_as_the_entry_and_its_money() -> None:
    [(entry, amount)] = read_report_row(report_row(), 11)

    assert entry == TimeEntry(
        id=WHOLE.id,
        workspace_id=11,
        user_id=41,
        start=WHOLE.start,
        stop=WHOLE.stop,
        duration=5400,
        at=datetime(2026, 3, 1, 10, 30, 5, tzinfo=UTC),
        description="Plan the week",
        project_id=21,
        billable=True,
        tag_ids=(31,),
    )
    assert amount == Amount(WHOLE.id, 7500, 5000, "EUR")


def test_an_enriched_report_row_brings_the_tags_names() -> None:
    [(entry, _)] = read_report_row(report_row(tag_names=["deep"]), 11)

    assert entry.tags == ("deep",)


def test_no_amount_is_not_an_amount_of_zero() -> None:
    [(_, amount)] = read_report_row(report_row(billable_amount_in_cents=None, hourly_rate_in_cents=None), 11)

    assert amount == Amount(WHOLE.id, None, None, "EUR")


def test_a_row_of_several_entries_gives_all_of_them_and_no_amount() -> None:
    [part] = report_row()["time_entries"]

    pairs = read_report_row(report_row(time_entries=[part, part | {"id": 7}]), 11)

    assert [(entry.id, amount) for entry, amount in pairs] == [(WHOLE.id, None), (7, None)]


def test_a_running_entry_in_a_report_is_running() -> None:
    part = report_row()["time_entries"][0] | {"stop": None, "seconds": -1}

    [(entry, _)] = read_report_row(report_row(time_entries=[part]), 11)

    assert entry.stop is None


@pytest.mark.parametrize("inner", [None, [], {}, [7]])
def test_a_report_row_without_entries_is_broken(inner: Any) -> None:
    with pytest.raises(Broken):
        read_report_row(report_row(time_entries=inner), 11)


def test_names_come_from_the_first_entry_that_says_them() -> None:
    names = Names()
    for row in (
        entry_row(task_id=51, task_name="Draft"),
        entry_row(project_name="Old name"),
        entry_row(project_id=None, pid=None, project_name="", user_id=42, user_name=None),
        entry_row(project_id=22, project_name=""),
    ):
        names.take(row, read_entry(row))

    assert names.all() == (
        Project(21, 11, "Website", color="#0b83d9", billable=True),
        Task(51, 11, 21, "Draft"),
        User(41, "Kim"),
    )
