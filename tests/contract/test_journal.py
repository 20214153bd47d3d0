"""What the sync remembers: the account, cursors, quota, runs, set-aside rows, months, sums."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.conftest import FreshMirror, OpenMirror
from mirror.rows import NOW, USER, WORKSPACE, entry, write
from toggl_pulse.errors import NeedsUser
from toggl_pulse.mirror import Account, Mirror, MirrorCounts, MonthCheck, SetAsideRow, SyncRun
from toggl_pulse.model import JSON, Profile, QuotaBucket, SetAside

json_values = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=8,
)


def test_a_mirror_belongs_to_whoever_claims_it_first(open_mirror: OpenMirror) -> None:
    mirror = open_mirror()
    assert mirror.account() is None
    mirror.claim("toggl", USER)
    mirror.claim("toggl", USER)

    assert Account("toggl", USER) == open_mirror().account()


@pytest.mark.parametrize(
    ("other", "named"), [(("toggl", USER + 1), str(USER + 1)), (("demo", USER), "demo data")], ids=["user", "demo"]
)
def test_another_account_is_refused_with_a_sentence(mirror: Mirror, other: tuple[str, int], named: str) -> None:
    mirror.claim("toggl", USER)
    with mirror.batch() as batch:
        batch.write_catalogue([Profile(USER, "me@example.org", "Me", "UTC", 1, None)])

    with pytest.raises(NeedsUser, match=f"me@example.org.*{named}") as caught:
        mirror.claim(*other)
    assert "another_account" == caught.value.code
    assert Account("toggl", USER, "me@example.org") == mirror.account()


def test_states_come_back_by_key_and_prefix(mirror: Mirror) -> None:
    with mirror.batch() as batch:
        for key, value in {"sync_a": 1, "sync_b": [None, {"x": "ü"}], "syncXc": 0, "Sync_d": ""}.items():
            batch.set_state(key, value)
        assert batch.state("sync_a") == 1

    assert {"sync_a": 1, "sync_b": [None, {"x": "ü"}]} == mirror.states("sync_")
    assert {"Sync_d", "sync_a", "sync_b", "syncXc"} == mirror.states().keys()
    assert mirror.state("missing") is None


def test_a_state_is_replaced_and_forgotten(mirror: Mirror) -> None:
    for value in (1, 2, None):
        with mirror.batch() as batch:
            batch.set_state("cursor", value)
        assert value == mirror.state("cursor")

    assert {} == mirror.states()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\0")), json_values, max_size=20))
def test_any_json_survives_as_a_state(fresh_mirror: FreshMirror, values: dict[str, JSON]) -> None:
    with fresh_mirror() as mirror:
        with mirror.batch() as batch:
            for key, value in values.items():
                batch.set_state(key, value)

        assert values == mirror.states()


def test_quota_outlives_the_process_to_the_microsecond(open_mirror: OpenMirror) -> None:
    mirror = open_mirror()
    user = QuotaBucket("user", -3, NOW + timedelta(minutes=5, microseconds=1), NOW)
    mirror.save_quota(user)
    organization = QuotaBucket("organization:4", 240, NOW + timedelta(hours=1), NOW, 240)
    mirror.save_quota(organization)
    mirror.save_quota(replace(user, remaining=29, total=30))

    assert [organization, replace(user, remaining=29, total=30)] == open_mirror().load_quota()


def test_runs_come_back_newest_first(mirror: Mirror) -> None:
    with mirror.batch() as batch:
        first = batch.start_run("start", NOW)
        second = batch.start_run("poll")
    done = SyncRun(first, "start", NOW, NOW + timedelta(seconds=3), "partly", "The quota is spent.", 7, 1, 2, 3, 4, 5)
    with mirror.batch() as batch:
        batch.finish_run(done)

    assert [SyncRun(second, "poll", NOW), done] == mirror.runs(5)
    assert [SyncRun(second, "poll", NOW)] == mirror.runs(1)
    assert (timedelta(seconds=3), None) == (done.duration, mirror.runs(1)[0].duration)


def test_a_row_that_stays_broken_is_kept_once_and_counted(mirror: Mirror) -> None:
    broken = SetAside("time_entry", 2**40, "start is missing", '{"id": 1}')
    with mirror.batch() as batch:
        run = batch.start_run("poll")
        batch.set_aside([broken, SetAside("tag", None, "no object", "7")], run)
    with mirror.batch() as batch:
        batch.set_aside([broken], batch.start_run("poll"))

    kept = {row.kind: row for row in mirror.set_aside_rows()}
    assert SetAsideRow("time_entry", 2**40, "start is missing", '{"id": 1}', run, 2, NOW) == kept["time_entry"]
    assert kept["tag"].times == 1
    assert len(mirror.set_aside_rows(1)) == 1


def test_months_are_kept_by_workspace(mirror: Mirror) -> None:
    verified = MonthCheck(WORKSPACE, "2026-04", "verified", 3600, 3600, NOW)
    unknown = MonthCheck(WORKSPACE + 1, "2026-04", "not_verified")
    with mirror.batch() as batch:
        for month in (unknown, replace(verified, state="differs", mirror_seconds=0), verified):
            batch.set_month(month)

    assert [verified, unknown] == mirror.months()


def test_tracked_seconds_are_toggls_durations_of_what_lives_and_has_ended(mirror: Mirror) -> None:
    write(
        mirror,
        entry(0, duration=10),
        entry(1, duration=200),
        entry(2, duration=3000),
        entry(3, duration=1, stop=None),
        entry(4, duration=1, deleted_at=NOW),
        entry(5, duration=1, user_id=USER + 1),
        entry(6, duration=1, workspace_id=WORKSPACE + 1),
    )

    def between(first: int, last: int) -> int:
        return mirror.tracked_seconds(
            WORKSPACE, NOW + timedelta(hours=first), NOW + timedelta(hours=last), user_id=USER
        )

    assert (210, 200, 3210, 0) == (between(0, 2), between(1, 2), between(0, 9), between(7, 9))


def test_counts_say_how_much_there_is(mirror: Mirror) -> None:
    assert MirrorCounts(0, 0, 0, 0, 0, None, None) == mirror.counts()
    write(mirror, entry(1), entry(2, stop=None), entry(3, deleted_at=NOW))
    write(mirror, entry(1, description="again"))
    with mirror.batch() as batch:
        batch.set_aside([SetAside("tag", None, "no object", "7")])

    assert MirrorCounts(2, 1, 1, 1, 1, NOW + timedelta(hours=1), NOW + timedelta(hours=2)) == mirror.counts()


def test_a_batch_that_fails_leaves_nothing_behind(mirror: Mirror) -> None:
    write(mirror, entry(0))
    with suppress(RuntimeError), mirror.batch() as batch:
        batch.write_entries([entry(0, description="lost"), entry(1)])
        batch.set_state("cursor", 1)
        batch.start_run("poll")
        raise RuntimeError

    assert (1, None, []) == (mirror.revision(), mirror.state("cursor"), mirror.runs(1))
    assert ["entry 0"] == [one.entry.description for one in mirror.entries([entry(0).id, entry(1).id]).values()]
    write(mirror, entry(1))
    assert mirror.revision() == 2


def test_an_empty_batch_takes_no_revision(mirror: Mirror) -> None:
    with mirror.batch() as batch:
        assert batch.write_entries([]) == 0

    assert mirror.revision() == 0
