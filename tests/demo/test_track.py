from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from toggl_pulse.demo import World

Ask = Callable[..., httpx2.Response]
DAY = timedelta(days=1)


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def rfc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ids(answer: httpx2.Response) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()]


def test_since_shows_deleted_entries_with_all_their_fields(world: World, ask: Ask, now: datetime) -> None:
    row = world.create_entry(start=now - DAY, stop=now, description="gone", tags=["t"])
    world.delete_entry(row.id)

    (shown,) = ask("/me/time_entries", since=seconds(now)).json()

    assert ("gone", ["t"], shown["at"]) == (shown["description"], shown["tags"], shown["server_deleted_at"])


def test_since_looks_at_the_modification_not_at_the_start(world: World, ask: Ask, now: datetime) -> None:
    old = world.create_entry(start=now - 60 * DAY, stop=now - 59 * DAY)
    world.clock.advance(86_400)  # type: ignore[attr-defined]
    world.create_entry(start=now, stop=now)
    world.clock.advance(86_400)  # type: ignore[attr-defined]
    world.edit_entry(old.id, description="edited late")

    assert [old.id] == ids(ask("/me/time_entries", since=seconds(now + 2 * DAY)))


def test_the_order_is_by_start_descending(world: World, ask: Ask, now: datetime) -> None:
    rows = [world.create_entry(start=now - DAY + timedelta(minutes=n * 37 % 600), stop=now) for n in range(20)]

    shown = ids(ask("/me/time_entries", since=seconds(now)))

    assert [row.id for row in sorted(rows, key=lambda row: row.start, reverse=True)] == shown


def test_since_and_before_together_are_refused_with_a_json_string(ask: Ask, now: datetime) -> None:
    answer = ask("/me/time_entries", since=seconds(now), before="2026-11-20")

    assert (400, str) == (answer.status_code, type(answer.json()))


@pytest.mark.parametrize(("floor", "days"), [("90 days", 90), ("3 months", 92), ("4 months", 123)])
def test_since_reaches_back_to_the_floor_and_no_further(
    world: World, ask: Ask, now: datetime, floor: Any, days: int
) -> None:
    world.behaviour.floor = floor

    assert ask("/me/time_entries", since=seconds(now - days * DAY)).status_code == 200
    assert ask("/me/time_entries", since=seconds(now - days * DAY) - 1).status_code == 400


def test_a_start_before_the_floor_is_refused_naming_a_day_that_is_allowed(ask: Ask, now: datetime) -> None:
    refused = ask("/me/time_entries", start_date="2026-06-01T00:00:00Z", end_date=rfc(now))
    earliest = refused.json().rpartition(" ")[2]

    assert (400, "2026-08-25") == (refused.status_code, earliest)
    assert ask("/me/time_entries", start_date=f"{earliest}T00:00:00Z", end_date=rfc(now)).status_code == 200


def test_one_bound_without_the_other_is_refused(ask: Ask) -> None:
    assert ask("/me/time_entries", start_date="2026-11-01").status_code == 400
    assert ask("/me/time_entries", end_date="2026-11-01").status_code == 400


def test_start_is_inclusive_end_is_exclusive_and_both_look_at_the_start_only(
    world: World, ask: Ask, now: datetime
) -> None:
    inside = world.create_entry(start=now - DAY, stop=now)
    world.create_entry(start=now - 2 * DAY, stop=now)
    world.create_entry(start=now, stop=now)

    assert [inside.id] == ids(ask("/me/time_entries", start_date=rfc(now - DAY), end_date=rfc(now)))


def test_a_date_only_pair_of_one_day_holds_nothing(world: World, ask: Ask, now: datetime) -> None:
    world.create_entry(start=now, stop=now)

    assert [] == ids(ask("/me/time_entries", start_date="2026-11-23", end_date="2026-11-23"))
    assert 1 == len(ids(ask("/me/time_entries", start_date="2026-11-23", end_date="2026-11-24")))


@pytest.mark.parametrize(("zone", "count"), [("profile", 1), ("utc", 0)])
def test_dates_are_read_in_the_profile_zone_or_in_utc(world: World, ask: Ask, zone: Any, count: int) -> None:
    world.behaviour.date_zone = zone
    night = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    world.create_entry(start=night, stop=night)

    assert count == len(ids(ask("/me/time_entries", start_date="2026-11-21", end_date="2026-11-22")))


@pytest.mark.parametrize("text", ["2026-11-20T10:00Z", "yesterday", "2026-11-20T10:00:00", "2026-11-20T10:00:00 00:00"])
def test_a_time_without_seconds_or_zone_is_refused(ask: Ask, text: str) -> None:
    assert ask("/me/time_entries", start_date=text, end_date="2026-11-22").status_code == 400


def test_no_more_than_a_thousand_rows_and_no_sign_of_it(world: World, ask: Ask, now: datetime) -> None:
    for n in range(1003):
        world.create_entry(start=now - timedelta(minutes=n), stop=now)

    answer = ask("/me/time_entries", since=seconds(now))
    world.behaviour.since_capped = False

    assert 1000 == len(ids(answer)) == len(ids(ask("/me/time_entries")))
    assert 1003 == len(ids(ask("/me/time_entries", since=seconds(now))))


def test_without_parameters_the_last_nine_days_are_shown(world: World, ask: Ask, now: datetime) -> None:
    recent = world.create_entry(start=now - 9 * DAY, stop=now)
    world.create_entry(start=now - 9 * DAY - timedelta(seconds=1), stop=now)

    assert [recent.id] == ids(ask("/me/time_entries"))


@pytest.mark.parametrize(("style", "offset"), [("start", 0), ("start-1", 1)])
def test_a_running_entry_has_no_stop_and_a_negative_duration(
    world: World, ask: Ask, now: datetime, style: Any, offset: int
) -> None:
    world.behaviour.running_duration = style
    world.start_timer()

    (shown,) = ask("/me/time_entries").json()

    assert (None, offset - seconds(now)) == (shown["stop"], shown["duration"])
    assert shown == ask("/me/time_entries/current").json()


def test_nothing_running_is_a_bare_null_or_404(world: World, ask: Ask) -> None:
    answer = ask("/me/time_entries/current")
    world.behaviour.current_missing = "404"

    assert (200, "null") == (answer.status_code, answer.text)
    assert ask("/me/time_entries/current").status_code == 404


def test_lists_have_the_aliases_of_what_is_there_and_a_single_entry_has_none(
    world: World, ask: Ask, now: datetime
) -> None:
    project = world.create_project("P")
    row = world.create_entry(start=now, stop=now, project_id=project.id)

    (listed,) = ask("/me/time_entries").json()
    single = ask(f"/me/time_entries/{row.id}").json()

    assert {"wid": row.workspace_id, "uid": world.me, "pid": project.id} == {
        name: value for name, value in listed.items() if name in {"wid", "uid", "pid", "tid"}
    }
    assert set(single) == set(listed) - {"wid", "uid", "pid"}


def test_an_entry_without_project_lacks_the_alias_but_not_the_field(world: World, ask: Ask, now: datetime) -> None:
    world.create_entry(start=now, stop=now)

    (shown,) = ask("/me/time_entries").json()

    assert (None, None) == (shown["project_id"], shown["task_id"])
    assert not {"pid", "tid"} & set(shown)


def test_a_deleted_or_unknown_single_entry_is_not_found(world: World, ask: Ask, now: datetime) -> None:
    row = world.create_entry(start=now, stop=now)
    world.delete_entry(row.id)

    assert ask(f"/me/time_entries/{row.id}").status_code == 404
    assert ask("/me/time_entries/1").status_code == 404


def test_names_come_only_with_meta(world: World, ask: Ask, now: datetime) -> None:
    client = world.create_client("C")
    project = world.create_project("P", client_id=client.id)
    task = world.create_task("T", project_id=project.id)
    world.create_entry(start=now, stop=now, project_id=project.id, task_id=task.id)

    (plain,) = ask("/me/time_entries").json()
    (named,) = ask("/me/time_entries", meta="true").json()

    assert "project_name" not in plain
    assert ("C", "P", "T", "Demo User") == tuple(
        named[name] for name in ("client_name", "project_name", "task_name", "user_name")
    )


def test_deleted_rows_may_come_without_names(world: World, ask: Ask, now: datetime) -> None:
    project = world.create_project("P")
    world.delete_entry(world.create_entry(start=now, stop=now, project_id=project.id).id)

    (named,) = ask("/me/time_entries", meta="true", since=seconds(now)).json()
    world.behaviour.meta_on_deleted = False
    (bare,) = ask("/me/time_entries", meta="true", since=seconds(now)).json()

    assert (True, False) == ("project_name" in named, "project_name" in bare)


def test_at_has_fractions_of_varying_length_or_whole_seconds(world: World, ask: Ask, now: datetime) -> None:
    for n in range(9):
        world.clock.advance(1)  # type: ignore[attr-defined]
        world.create_entry(start=now - n * timedelta(hours=1), stop=now)

    lengths = {len(row["at"]) for row in ask("/me/time_entries").json()}
    world.behaviour.at_style = "seconds"
    plain = {row["at"][19:] for row in ask("/me/time_entries").json()}

    assert len(lengths) >= 3
    assert {"+00:00"} == plain


def test_empty_tags_are_null_on_some_rows_and_a_list_on_others(world: World, ask: Ask, now: datetime) -> None:
    for _ in range(2):
        world.create_entry(start=now, stop=now)

    shown = ask("/me/time_entries").json()

    assert [None, []] == sorted((row["tags"] for row in shown), key=lambda tags: tags is not None)


def test_entries_of_others_are_not_mine(world: World, ask: Ask, now: datetime) -> None:
    other = world.create_user("Colleague", "colleague@example.com", workspace_ids=list(world.workspaces))
    world.create_entry(start=now, stop=now, user_id=other.id)

    assert [] == ids(ask("/me/time_entries", since=seconds(now)))


def test_ids_do_not_fit_into_31_bits(world: World, now: datetime) -> None:
    assert world.create_entry(start=now, stop=now).id > 2**31
