"""What counts as proof that an entry is gone: each condition by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync.scene import Scene
from toggl_pulse.model import TimeEntry
from toggl_pulse.sync.history import Span
from toggl_pulse.sync.proof import SETTLED, _missing
from toggl_pulse.sync.session import Session
from toggl_pulse.sync.state import PREFIX, read_state


@pytest.mark.parametrize(("error", "age", "ends"), [(0, 2, True), (1, 2, False), (0, 0, False)])
def test_only_an_agreeing_total_and_a_day_of_rest_end_what_the_list_lacks(
    synced: Scene, error: int, age: int, *, ends: bool
) -> None:
    mirror = synced.mirror
    state = read_state(mirror.states(PREFIX))
    (history,) = state.histories.values()
    account = mirror.account()
    assert account is not None
    lives = [s.entry for s in mirror.entries([r.id for r in synced.world.live_entries()]).values()]
    finished = [entry for entry in lives if entry.stop is not None]
    days = [entry.start.date() for entry in finished]
    span = Span(min(days) - timedelta(days=2), max(days) + timedelta(days=2))
    shown: list[TimeEntry] = finished[7:]
    newest = max(entry.at for entry in finished[:7])
    at = newest + age * SETTLED
    session = Session(
        mirror=mirror,
        clock=lambda: at,
        user_id=account.user_id,
        run_id=0,
        client=None,  # type: ignore[arg-type]  # the judgement asks Toggl nothing
        catalogue=mirror.catalogue(),
        skew=timedelta(0),
    )
    total = sum(entry.duration for entry in shown) + 60 * error

    found = _missing(session, state, history, span, shown, total)

    assert (sorted(entry.id for entry in finished[:7]) if ends else []) == sorted(entry.id for entry in found)
