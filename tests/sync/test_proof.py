"""What counts as proof that an entry is gone: each condition by itself."""

from __future__ import annotations

import asyncio
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sync.conftest import small_world
from sync.faults import Stormy
from sync.scene import Scene
from toggl_pulse.model import TimeEntry
from toggl_pulse.sync.history import Span
from toggl_pulse.sync.merge import SETTLED
from toggl_pulse.sync.proof import PAGES, _missing, _whole
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

    assert (sorted(entry.id for entry in finished[:7]) if ends else None) == (
        None if found is None else sorted(entry.id for entry in found)
    )


@pytest.fixture
def stormy(first_synced: tuple[datetime, Path], tmp_path: Path) -> Stormy:
    shutil.copy(first_synced[1], tmp_path / "mirror.db")
    scene = Stormy(small_world(), tmp_path)
    scene.clock.now = first_synced[0]
    return scene


@pytest.mark.parametrize(
    ("kind", "page_size", "whole"),
    [
        ("", 1000, True),
        ("", 1, False),
        ("broken_row", 1000, False),
        ("header later", 1000, False),
        ("header sooner", 1000, False),
    ],
)
def test_a_list_counts_only_when_it_came_whole(stormy: Stormy, kind: str, page_size: int, *, whole: bool) -> None:
    """A row that cannot be read, fewer days than asked for, or no end: what such a list lacks may well be there."""
    stormy.world.behaviour.max_page_size = page_size
    if kind:
        stormy.play(kind, skip=0, times=1)
    (workspace_id,) = stormy.world.workspaces
    session = Session(
        client=stormy.client,
        mirror=stormy.mirror,
        clock=stormy.our_clock,
        user_id=stormy.world.me,
        run_id=0,
        catalogue=stormy.mirror.catalogue(),
    )
    today = stormy.clock().date()
    span = Span(today - timedelta(days=99), today)

    pages = asyncio.run(_whole(session, workspace_id, span))

    assert whole == bool(pages)
    assert (1 if page_size > PAGES else PAGES) == stormy.network.sent
    stormy.close()
