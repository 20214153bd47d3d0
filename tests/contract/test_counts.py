"""The kept figures are those of the rows, whatever was written in whatever order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from toggl_pulse.mirror import Mirror
from toggl_pulse.mirror.counts import KEY, count_again
from toggl_pulse.model import Tag, TimeEntry

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def entry(number: int, dice: Random) -> TimeEntry:
    start = NOW - timedelta(hours=dice.randint(0, 60))
    stop = start + timedelta(minutes=5) if dice.random() < 0.9 else None
    return TimeEntry(
        number, 7, 1, start, stop, 300 if stop else 0, NOW, tag_ids=(1,) if dice.random() < 0.4 else (),
        deleted_at=NOW if dice.random() < 0.3 else None,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_the_kept_figures_are_those_of_the_rows(mirror: Mirror, seed: int) -> None:
    dice = Random(seed)  # noqa: S311  (no secret)
    for step in range(25):
        with mirror.batch() as batch:
            batch.write_catalogue([Tag(1, 7, f"tag {step}", deleted=step == 20)])
            batch.write_entries(entry(dice.randint(1, 12), dice) for _ in range(dice.randint(0, 5)))
            batch.infer_deleted([dice.randint(1, 12)], NOW)
            if step == 12:
                batch.set_state(KEY, None)  # as in a mirror that kept no figures yet
        kept = mirror.counts()
        with mirror._store.reading() as connection:
            counted = count_again(connection)
        starts = [None if start is None else int(start.timestamp()) for start in (kept.first_start, kept.last_start)]
        assert counted == {
            "living": kept.entries, "deleted": kept.deleted, "versions": kept.versions, "starts": starts,
        }, f"seed {seed}, step {step}"  # fmt: skip
        assert len(mirror.running()) == kept.running


def test_a_batch_that_fails_leaves_the_figures_alone(mirror: Mirror) -> None:
    dice = Random(1)  # noqa: S311  (no secret)
    with mirror.batch() as batch:
        batch.write_entries([replace(entry(1, dice), deleted_at=None)])
    before = mirror.counts()

    with pytest.raises(RuntimeError):
        _fail_after_writing(mirror, replace(entry(2, dice), deleted_at=None))

    assert before == mirror.counts()


def _fail_after_writing(mirror: Mirror, row: TimeEntry) -> None:
    with mirror.batch() as batch:
        batch.write_entries([row])
        raise RuntimeError
