from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toggl.scene import NOW, Clock, MemoryQuota, bucket
from toggl_pulse.errors import NeedsUser, QuotaSpent
from toggl_pulse.model import QuotaBucket
from toggl_pulse.toggl import Quota


def quota(*buckets: QuotaBucket, reserve: int = 10, clock: Clock | None = None) -> Quota:
    return Quota(MemoryQuota(buckets), reserve=reserve, clock=clock or Clock())


def test_an_unknown_bucket_may_be_asked_once() -> None:
    quota().check("user")


def test_the_reserve_is_kept() -> None:
    kept = quota(bucket(remaining=11))
    kept.check("user")
    kept.observe("user", 10, 600)

    with pytest.raises(QuotaSpent) as caught:
        kept.check("user")

    assert (caught.value.bucket, caught.value.at) == ("user", NOW + timedelta(seconds=602))


def test_a_person_may_spend_the_reserve_but_nothing_beyond() -> None:
    kept = quota(bucket(remaining=1))

    kept.check("user", use_reserve=True)

    kept.observe("user", 0, 600)
    with pytest.raises(QuotaSpent):
        kept.check("user", use_reserve=True)


def test_a_window_that_is_over_no_longer_binds() -> None:
    clock = Clock()
    kept = quota(bucket(remaining=-3, resets_in=100), clock=clock)
    clock.advance(101)
    with pytest.raises(QuotaSpent):
        kept.check("user")

    clock.advance(1)

    kept.check("user")
    assert kept.spendable("user", clock()) is None


def test_one_bucket_does_not_stop_the_other() -> None:
    kept = quota(bucket(remaining=0), bucket("organization:5", 200))

    kept.check("organization:5")

    assert (kept.spendable("user", NOW), kept.spendable("organization:5", NOW)) == (0, 190)


def test_a_window_noted_by_a_clock_that_was_ahead_is_not_believed() -> None:
    kept = quota(bucket(remaining=0, resets_in=3 * 3600))

    kept.check("user")

    assert kept.spendable("user", NOW) is None


def test_a_reserve_as_large_as_the_bucket_needs_the_user() -> None:
    with pytest.raises(NeedsUser) as caught:
        quota(bucket(remaining=29, total=30), reserve=30).check("user")

    assert caught.value.code == "reserve_too_large"


def test_what_was_seen_outlives_the_process() -> None:
    store = MemoryQuota()
    first = Quota(store, reserve=10, clock=Clock())
    first.save(first.observe("user", 10, 600))

    with pytest.raises(QuotaSpent):
        Quota(store, reserve=10, clock=Clock()).check("user")


def test_headers_keep_the_total_that_was_told_before() -> None:
    kept = quota(bucket(total=30))

    kept.observe("user", 12, 600)

    assert kept.view()["user"].total == 30


def test_a_refusal_without_a_time_lasts_as_long_as_the_window() -> None:
    known, unknown = quota(bucket(remaining=15, resets_in=900)), quota()

    known.observe_refusal("user", None)
    unknown.observe_refusal("user", None)

    assert known.view()["user"].resets_at == NOW + timedelta(seconds=900)
    assert unknown.view()["user"].resets_at == NOW + timedelta(hours=1)
    with pytest.raises(QuotaSpent):
        unknown.check("user", use_reserve=True)


def test_a_request_without_an_answer_counts_as_spent() -> None:
    kept = quota(bucket(remaining=11))

    kept.observe_silence("user")

    assert kept.spendable("user", NOW) == 0


def test_an_absurd_reset_is_cut_to_an_hour() -> None:
    kept = quota()

    kept.observe("user", 0, 10**9)

    assert kept.view()["user"].resets_at == NOW + timedelta(hours=1)


def test_a_look_that_lowers_nothing_is_free() -> None:
    kept = quota()
    before = kept.observe("user", 20, 600)

    kept.judge_look(before, kept.observe("user", 20, 600))

    assert kept.free_look is True


def test_a_look_that_lowers_the_rest_is_counted() -> None:
    kept = quota()
    before = kept.observe("user", 20, 600)

    kept.judge_look(before, kept.observe("user", 19, 600))

    assert kept.free_look is False


@pytest.mark.parametrize(("pause", "resets_in"), [(30, 570), (1, 3600)])
def test_a_look_long_after_or_in_another_window_proves_nothing(pause: float, resets_in: float) -> None:
    clock = Clock()
    kept = quota(clock=clock)
    before = kept.observe("user", 20, 600)
    clock.advance(pause)

    kept.judge_look(before, kept.observe("user", 20, resets_in))

    assert kept.free_look is None


def test_only_a_free_look_is_worth_it_and_only_when_knowledge_is_old() -> None:
    clock = Clock()
    kept = quota(bucket(age=0), clock=clock)
    clock.advance(61)
    assert not kept.worth_a_look("user")
    kept.free_look = True

    assert kept.worth_a_look("user")
    kept.observe("user", 20, 600)
    assert not kept.worth_a_look("user")


def test_a_workspace_hands_its_knowledge_to_its_organisation() -> None:
    kept = quota(bucket("workspace:11", 3))

    kept.carry("workspace:11", "organization:5")

    with pytest.raises(QuotaSpent):
        kept.check("organization:5")


def test_newer_knowledge_of_the_organisation_is_not_overwritten() -> None:
    kept = quota(bucket("workspace:11", 3, age=100), bucket("organization:5", 25, age=50))

    kept.carry("workspace:11", "organization:5")

    assert kept.spendable("organization:5", NOW) == 15


@given(
    total=st.integers(1, 60),
    reserve=st.integers(0, 60),
    steps=st.lists(st.tuples(st.integers(0, 900), st.integers(0, 6)), max_size=60),
)
def test_the_reserve_is_never_touched_but_by_the_one_request_that_learns(
    total: int, reserve: int, steps: list[tuple[int, int]]
) -> None:
    """A server with an hourly window, other tools that drain it between our requests, and our bookkeeping."""
    clock = Clock()
    kept = quota(reserve=reserve, clock=clock)
    used, opened = 0, NOW
    below: list[int] = []
    for pause, others in steps:
        clock.advance(pause)
        if clock() - opened >= timedelta(hours=1):
            used, opened, below = 0, clock(), []
        used += others
        try:
            kept.check("user")
        except (QuotaSpent, NeedsUser):
            continue
        used += 1
        left = total - used
        if left < reserve:
            below.append(left)
        kept.observe("user", left, (opened + timedelta(hours=1) - clock()).total_seconds())

        assert len(below) <= 1
