from datetime import UTC, datetime

import pytest

from toggl_pulse.demo import large_world

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)


def test_a_large_account_has_the_entries_and_years_asked_for() -> None:
    world = large_world(NOW, years=10, entries=40_000)
    rows = world.live_entries()

    assert 40_000 == len(rows)
    assert 9.9 < (rows[-1].start - rows[0].start) / 31_556_952 < 10.1
    assert world.profile.created_at <= rows[0].start
    assert all(row.stop is None or row.start <= row.stop for row in rows)
    assert all(row.at <= NOW.timestamp() * 1_000_000 for row in rows)
    assert 1 == sum(row.stop is None for row in rows)
    assert all(world.projects[row.project_id].billable == row.billable for row in rows if row.project_id is not None)
    assert any(row.project_id is None for row in rows)


def test_the_same_seed_gives_the_same_account() -> None:
    first, second, other = (large_world(NOW, entries=500, seed=seed) for seed in (1, 1, 2))

    assert first.entries == second.entries
    assert first.entries != other.entries


@pytest.mark.parametrize("nothing", ["entries", "projects", "tags", "clients"])
def test_an_account_may_lack_a_kind_of_thing(nothing: str) -> None:
    world = large_world(NOW, **{"entries": 50, nothing: 0})  # type: ignore[arg-type]

    assert (0 if nothing == "entries" else 50) == len(world.entries)
