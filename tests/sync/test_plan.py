from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from toggl_pulse.sync import history as past
from toggl_pulse.sync import state as memory
from toggl_pulse.sync.plan import MARGIN, Ask, Budget, Done, Job, Tally, Wait, next_job
from toggl_pulse.sync.recent import full_reach
from toggl_pulse.sync.state import Contact, Cursor, Names, State, Trouble, read_state

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
BUCKETS = {1: "organization:9", 2: "organization:8"}
RICH = {name: Budget(20, NOW + HOUR) for name in ("user", *BUCKETS.values())}
FULL = Ask(full=True, history=True, identify=True)
POLL = Ask(full=False, history=False, identify=False)
BACK = Ask(full=False, history=True, identify=False)
READ = Tally(identified=True, deltas_at=NOW)


def history(number: int) -> past.History:
    return past.begin(number, "UTC", today=date(2026, 11, 23), created=date(2026, 1, 1), backfill_from=None)


STATE = State(
    cursor=Cursor(NOW - HOUR),
    contact=Contact(NOW, NOW),
    names=Names({"tags": NOW}, NOW, due=("changed:tags", "current", "list:1:projects")),
    reach=full_reach(NOW),
    histories={1: history(1), 2: history(2)},
    trouble=Trouble("toggl_failing", NOW),
    waits={"user": NOW},
)
IDLE = State(cursor=Cursor(NOW - HOUR))


def ask(state: State, ask_for: Ask, tally: Tally, budgets: dict[str, Budget] | None = None) -> Job | Wait | Done:
    return next_job(state, RICH if budgets is None else budgets, BUCKETS, ask_for, tally, NOW)


def test_the_first_question_is_whose_account_it_is() -> None:
    assert Job("me") == ask(State(), POLL, Tally())
    assert Job("me") == ask(STATE, FULL, Tally())
    assert Job("me") == ask(STATE, replace(POLL, identify=True), Tally())


def test_nothing_comes_before_that_question_even_when_it_has_to_wait() -> None:
    spent = {**RICH, "user": Budget(0, NOW + HOUR)}

    assert Wait(NOW + HOUR + MARGIN, {"user": NOW + HOUR + MARGIN}) == ask(STATE, FULL, Tally(), spent)


def test_then_changes_names_recent_months_and_the_past() -> None:
    order = []
    state, tally = STATE, Tally(identified=True)
    for _ in range(7):
        job = ask(state, FULL, tally)
        assert isinstance(job, Job)
        order.append(job.step or job.what)
        if job.what == "deltas":
            tally = READ
        elif job.what == "names" and state.names:
            state = replace(state, names=replace(state.names, due=state.names.due[1:]))
        elif job.what == "reach":
            state = replace(state, reach=replace(state.reach, windows=state.reach.windows[1:]))

    assert ["deltas", "changed:tags", "current", "list:1:projects", "reach", "reach", "report"] == order


def test_a_poll_asks_for_changes_and_for_new_names_only() -> None:
    assert Job("deltas") == ask(STATE, POLL, Tally())
    assert Done() == ask(STATE, POLL, READ)
    assert STATE.names is not None
    new = replace(STATE, names=replace(STATE.names, due=("new:tags", *STATE.names.due)))
    assert Job("names", "user", "new:tags") == ask(new, POLL, READ)


def test_changes_are_read_again_when_a_long_run_has_passed_a_poll() -> None:
    assert Job("deltas") == ask(STATE, BACK, Tally(identified=True, deltas_at=NOW - timedelta(minutes=10)))


def test_windows_of_the_user_s_bucket_leave_enough_for_the_polls_of_the_hour() -> None:
    state = replace(IDLE, reach=full_reach(NOW))

    assert isinstance(ask(state, BACK, READ, {"user": Budget(6, NOW + HOUR)}), Wait)
    assert Job("reach") == ask(state, BACK, READ, {"user": Budget(7, NOW + HOUR)})
    assert Job("reach") == ask(state, BACK, READ, {"user": Budget(1, NOW + timedelta(seconds=0))})


def test_an_empty_bucket_does_not_stop_the_other() -> None:
    no_user = {**RICH, "user": Budget(0, NOW + HOUR)}
    no_first = {**RICH, "organization:9": Budget(0, NOW + HOUR)}

    assert Job("names", "organization:9", "list:1:projects", 1) == ask(STATE, BACK, READ, no_user)
    bare = replace(STATE, names=None, reach=memory.Reach())
    assert Job("report", "organization:8", "", 2) == ask(bare, BACK, READ, no_first)


def test_a_bucket_that_refused_is_left_alone_until_its_time() -> None:
    later = NOW + timedelta(minutes=3)
    blocked = replace(READ, blocked={"user": later, "organization:9": later + HOUR, "organization:8": later})

    waits = {"user": later, "organization:9": later + HOUR, "organization:8": later}
    assert Wait(later, waits) == ask(STATE, BACK, blocked)


def test_a_window_whose_state_is_unknown_may_be_tried() -> None:
    assert Job("deltas") == ask(STATE, BACK, Tally(identified=True), {})


def test_a_blocked_workspace_is_left_out() -> None:
    state = replace(IDLE, histories={1: replace(history(1), blocked="no")})

    assert Done() == ask(state, BACK, READ)


def test_the_state_survives_being_saved() -> None:
    assert STATE.cursor is not None
    state = replace(STATE, cursor=replace(STATE.cursor, flooded=True, gap=(NOW - HOUR, NOW)))
    assert state.cursor is not None
    assert state.contact is not None
    assert state.names is not None
    assert state.trouble is not None

    values = {
        memory.CURSOR: memory.cursor_json(state.cursor),
        memory.CONTACT: memory.contact_json(state.contact),
        memory.NAMES: memory.names_json(state.names),
        memory.REACH_KEY: memory.reach_json(state.reach),
        memory.TROUBLE: memory.trouble_json(state.trouble),
        memory.WAITS: memory.waits_json(state.waits),
        **{memory.history_key(number): past.to_json(one) for number, one in state.histories.items()},
    }

    assert state == read_state(values)


budget = st.one_of(
    st.none(), st.builds(lambda n, m: Budget(n, NOW + timedelta(minutes=m)), st.integers(0, 30), st.integers(1, 60))
)


@given(
    st.fixed_dictionaries(dict.fromkeys(RICH, budget)),
    st.sampled_from([FULL, POLL, BACK]),
    st.sampled_from([Tally(), READ, Tally(identified=True)]),
)
def test_no_request_is_planned_from_a_spent_bucket(
    budgets: dict[str, Budget | None], ask_for: Ask, tally: Tally
) -> None:
    known = {name: budget for name, budget in budgets.items() if budget is not None}

    job = ask(STATE, ask_for, tally, known)

    if isinstance(job, Job):
        assert known.get(job.bucket, Budget(1)).spendable != 0
    elif isinstance(job, Wait):
        assert NOW < job.until == min(job.buckets.values())
