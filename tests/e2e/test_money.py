"""Money on its way from a simulated Toggl into the mirror: rates always, amounts as often as Reports are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.equal import State, differences, promised_amounts
from e2e.processes import TOKEN, SimulatedToggl, simulated_toggl
from e2e.warm import Nursery
from toggl_pulse.mirror import Mirror
from toggl_pulse.model import Amount
from toggl_pulse.service import utc_now

PLENTY = dict.fromkeys(("free", "starter", "premium"), 100_000)
DAY = 86_400


class Books:
    """A home that syncs, and what it then holds of money."""

    def __init__(self, home: Path, toggl: SimulatedToggl, nursery: Nursery) -> None:
        self._home, self._toggl, self._nursery = home, toggl, nursery

    def sync(self) -> tuple[State, dict[int, Amount]]:
        account = {"TOGGL_API_TOKEN": TOKEN, "TOGGL_API_URL": self._toggl.url}
        done = self._nursery.run(self._home, "sync", DATA_DIR=str(self._home / "data"), **account)
        assert done.said().startswith("done: "), done.said()
        state = self._toggl.get("state")
        with Mirror.open(f"sqlite:///{self._home}/data/mirror.db", clock=utc_now) as mirror:
            assert [] == differences(mirror, state)
            return state, mirror.amounts()


@pytest.mark.parametrize(
    "account",
    [
        pytest.param([], id="studio"),
        pytest.param(["--years", "0.3", "--entries", "200", "--plan", "premium"], id="premium", marks=pytest.mark.long),
    ],
)
def test_amounts_are_what_reports_tell_after_a_first_sync_and_when_all_is_read_again(
    tmp_path: Path, nursery: Nursery, account: list[str]
) -> None:
    """The studio rounds in its reports, has projects in two currencies and without a rate, and a free workspace."""
    with simulated_toggl(tmp_path, *account) as toggl:
        toggl.post("behaviour", {"user_quota": 100_000, "plan_quota": PLENTY})
        books = Books(tmp_path, toggl, nursery)
        begun, first = books.sync()
        promised = promised_amounts(begun, begun)
        assert promised == {number: first.get(number) for number in promised}
        earning = [amount for amount in promised.values() if amount.billable_cents]
        assert len(earning) > 50
        assert len(earning) < len(promised)
        if not account:
            assert {"EUR", "USD"} == {amount.currency for amount in earning}

        _reprice(toggl, begun)
        state, second = books.sync()
        untouched = promised_amounts(state, begun)
        assert untouched == {number: second.get(number) for number in untouched}
        assert len(untouched) < len(promised)

        toggl.post("clock", {"advance": 120 * DAY})  # too long ago for changes: all is read again
        state, third = books.sync()
        promised = promised_amounts(state, state)
        assert promised == {number: third.get(number) for number in promised}
        assert third != second


def _reprice(toggl: SimulatedToggl, state: State) -> None:
    """Every second project gets another rate, or none, and some entries are paid that were not, and the other way."""
    living = [row for row in state["projects"] if not row["deleted_at"]]
    for place, row in enumerate(living[::2]):
        rate = (None, 0.0, 33.33)[place % 3]
        toggl.do("edit_project", number=row["id"], rate=rate, currency=(None, "EUR", "USD")[place % 3])
    finished = [row for row in state["entries"] if row["stop"] is not None and not row["deleted_at"]]
    for row in finished[::20]:
        toggl.do("edit_entry", number=row["id"], billable=not row["billable"])
