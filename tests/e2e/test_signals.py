"""SIGTERM and SIGINT while a sync is under way: the record of its run is finished, and the next one goes on."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from e2e.equal import differences
from e2e.processes import TOKEN, SimulatedToggl
from e2e.warm import PATIENCE, Child, Nursery
from toggl_pulse.mirror import Mirror
from toggl_pulse.service import utc_now

STOPPED = "Stopped. What was read is kept, and the next sync goes on from there.\n"
REQUESTS = {
    "the account": "/me.with_related",
    "names": "/tags",
    "the last months": "start_date",
    "the past": "/search/",
}


def waiting(nursery: Nursery, toggl: SimulatedToggl, home: Path, match: str, *arguments: str) -> Child:
    """A process that waits for the answer to such a request, for as long as one likes."""
    toggl.post("fault", {"kind": "slow", "match": match, "seconds": PATIENCE})
    asked = len(toggl.get("log"))
    child = start(nursery, toggl, home, *arguments)
    until = time.monotonic() + PATIENCE
    while not any(note["fault"] for note in toggl.get("log", skip=str(asked))):
        assert not child.ends_within(0.005), child.said()
        assert time.monotonic() < until, f"it does not ask for {match}: {child.said()}"
    return child


def start(nursery: Nursery, toggl: SimulatedToggl, home: Path, *arguments: str) -> Child:
    return nursery.start(
        home, *arguments, TOGGL_API_TOKEN=TOKEN, TOGGL_API_URL=toggl.url, DATA_DIR=str(home / "data"), LOG_FORMAT="json"
    )


def assert_it_goes_on(nursery: Nursery, toggl: SimulatedToggl, home: Path) -> None:
    with Mirror.open(f"sqlite:///{home}/data/mirror.db", clock=utc_now) as mirror:
        assert [("partly", "It was stopped before it was done.")] == [(run.outcome, run.why) for run in mirror.runs()]
    again = start(nursery, toggl, home, "sync", "--wait", "0", "--json")
    assert (0, "done") == (again.wait(), json.loads(again.said())["outcome"])
    with Mirror.open(f"sqlite:///{home}/data/mirror.db", clock=utc_now) as mirror:
        assert [] == differences(mirror, toggl.get("state"))


SIGNALS = [(signal.SIGTERM, 143), (signal.SIGINT, 130)]


def cases() -> list[object]:
    """Every signal at every kind of request; one of them in the short suite."""
    return [
        pytest.param(number, code, match, id=f"{number.name} at {what}", marks=marks)
        for number, code in SIGNALS
        for what, match in REQUESTS.items()
        for marks in ([] if (number, what) == (signal.SIGTERM, "the past") else [pytest.mark.long],)
    ]


@pytest.mark.parametrize(("number", "code", "match"), cases())
def test_a_signal_ends_a_sync_with_a_sentence_and_a_finished_record(
    tmp_path: Path, toggl: SimulatedToggl, nursery: Nursery, number: signal.Signals, code: int, match: str
) -> None:
    child = waiting(nursery, toggl, tmp_path, match, "sync")
    child.send(number)

    assert (code, STOPPED) == (child.wait(), child.said())
    assert_it_goes_on(nursery, toggl, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize(("number", "code", "match"), cases())
def test_a_signal_ends_a_service_in_good_order(
    tmp_path: Path, toggl: SimulatedToggl, nursery: Nursery, number: signal.Signals, code: int, match: str
) -> None:
    child = waiting(nursery, toggl, tmp_path, match, "serve", "--port", "0")
    child.send(number)

    assert child.wait() in {0, code, -number}, child.said()
    assert '"event": "serve.stopped"' in child.said()
    assert "Traceback" not in child.said()
    assert_it_goes_on(nursery, toggl, tmp_path)


@pytest.mark.long
def test_two_signals_in_a_row_leave_a_finished_record_too(
    tmp_path: Path, toggl: SimulatedToggl, nursery: Nursery
) -> None:
    """A process manager that is in a hurry, or a person's second Ctrl-C."""
    child = waiting(nursery, toggl, tmp_path, REQUESTS["the past"], "sync")
    for _ in range(2):
        child.send(signal.SIGTERM)

    assert 143 == child.wait(), child.said()
    assert_it_goes_on(nursery, toggl, tmp_path)
