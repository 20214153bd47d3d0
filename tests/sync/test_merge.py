"""The table of decisions, and what holds for any two rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toggl_pulse.model import TimeEntry
from toggl_pulse.sync.merge import Feed, merge, same_content

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
AT = datetime(2026, 3, 2, 12, 0, 5, tzinfo=UTC)
FRACTION = timedelta(microseconds=400_000)
SECOND = timedelta(seconds=1)

ENTRY = TimeEntry(
    id=3_950_000_001,
    workspace_id=1,
    user_id=2,
    start=START,
    stop=START + timedelta(hours=1),
    duration=3600,
    at=AT + FRACTION,
    description="text",
    project_id=5,
    tags=("deep",),
    tag_ids=(7,),
)
REPORT = replace(ENTRY, at=AT)
GONE = replace(ENTRY, at=AT + 60 * SECOND, deleted_at=AT + 60 * SECOND)


def after(stored: TimeEntry | None, incoming: TimeEntry, feed: Feed, *, inferred: bool = False) -> TimeEntry | None:
    merged = merge(stored, incoming, feed, inferred=inferred)
    assert (merged.entry is None) == (merged.kind == "unchanged")
    return merged.entry or stored


@pytest.mark.parametrize(
    ("stored", "incoming", "feed", "kind"),
    [
        pytest.param(None, ENTRY, "delta", "new", id="unknown"),
        pytest.param(None, GONE, "delta", "deleted", id="unknown and already gone"),
        pytest.param(ENTRY, ENTRY, "delta", "unchanged", id="the same again"),
        pytest.param(ENTRY, REPORT, "report", "unchanged", id="the same from Reports, whole seconds"),
        pytest.param(REPORT, ENTRY, "delta", "unchanged", id="the same from the delta, with a fraction"),
        pytest.param(ENTRY, replace(REPORT, at=AT + SECOND), "report", "unchanged", id="Reports rounded at up"),
        pytest.param(ENTRY, replace(REPORT, tags=()), "report", "unchanged", id="Reports without tag names"),
        pytest.param(ENTRY, replace(ENTRY, tags=("deeper",)), "delta", "unchanged", id="a renamed tag is no edit"),
        pytest.param(
            ENTRY, replace(REPORT, description="x"), "report", "unchanged", id="same second, other text in Reports"
        ),
        pytest.param(ENTRY, replace(REPORT, stop=None), "report", "unchanged", id="same second, running in Reports"),
        pytest.param(ENTRY, replace(REPORT, tags=(), tag_ids=()), "report", "changed", id="same second, tag taken off"),
        pytest.param(ENTRY, replace(ENTRY, tags=(), tag_ids=()), "window", "changed", id="tag deletion moves no at"),
        pytest.param(REPORT, replace(ENTRY, description="x"), "delta", "changed", id="same second, the delta's text"),
        pytest.param(ENTRY, replace(REPORT, at=AT - SECOND, description="x"), "report", "unchanged", id="older report"),
        pytest.param(ENTRY, replace(ENTRY, at=AT, description="x"), "delta", "changed", id="same second, no fraction"),
        pytest.param(
            ENTRY, replace(ENTRY, at=AT + FRACTION / 2, description="x"), "delta", "unchanged", id="older fraction"
        ),
        pytest.param(ENTRY, replace(REPORT, at=AT + 9 * SECOND), "report", "changed", id="touched later"),
        pytest.param(ENTRY, GONE, "delta", "deleted", id="deleted"),
        pytest.param(ENTRY, replace(GONE, at=AT), "delta", "deleted", id="a deletion wins over an equal second"),
        pytest.param(ENTRY, replace(GONE, at=AT - SECOND), "delta", "unchanged", id="an older deletion"),
        pytest.param(GONE, ENTRY, "window", "unchanged", id="an older row does not lift a tombstone"),
        pytest.param(GONE, replace(ENTRY, at=GONE.at), "delta", "unchanged", id="an equal row does not either"),
        pytest.param(GONE, replace(ENTRY, at=GONE.at + SECOND), "report", "unchanged", id="nor a rounded one"),
        pytest.param(GONE, replace(ENTRY, at=GONE.at + SECOND), "delta", "revived", id="a later row does"),
        pytest.param(GONE, replace(ENTRY, at=GONE.at + 2 * SECOND), "report", "revived", id="a later report does"),
        pytest.param(GONE, GONE, "delta", "unchanged", id="the same tombstone again"),
    ],
)
def test_table(stored: TimeEntry | None, incoming: TimeEntry, feed: Feed, kind: str) -> None:
    assert kind == merge(stored, incoming, feed).kind


def test_a_report_that_may_be_late_takes_no_tag_off_within_the_second() -> None:
    before = replace(REPORT, tags=(), tag_ids=())

    assert "changed" == merge(ENTRY, before, "report").kind
    assert "unchanged" == merge(ENTRY, before, "report", settled=False).kind


def test_an_inferred_tombstone_is_lifted_by_any_row_that_shows_the_entry() -> None:
    old = replace(REPORT, at=AT - timedelta(days=400))

    assert "revived" == merge(GONE, old, "report", inferred=True).kind


def test_an_inferred_tombstone_becomes_one_of_the_feed() -> None:
    inferred = replace(ENTRY, deleted_at=AT)

    assert "deleted" == merge(inferred, GONE, "delta", inferred=True).kind


def test_a_running_entry_is_not_changed_by_the_number_that_stands_for_its_duration() -> None:
    running = replace(ENTRY, stop=None, duration=-1)

    assert "unchanged" == merge(running, replace(running, duration=-1_772_442_000), "delta").kind


moments = st.builds(
    lambda seconds, micros: AT + timedelta(seconds=seconds, microseconds=micros),
    st.integers(0, 3),
    st.sampled_from([0, 0, 100_000, 700_000]),
)
entries = st.builds(
    lambda at, text, stopped, tags, gone: replace(
        ENTRY,
        at=at,
        description=text,
        stop=ENTRY.stop if stopped else None,
        tags=tuple(f"t{tag}" for tag in tags),
        tag_ids=tuple(tags),
        deleted_at=at if gone else None,
    ),
    moments,
    st.sampled_from(["", "a", "b"]),
    st.booleans(),
    st.lists(st.sampled_from([1, 2]), unique=True),
    st.booleans(),
)
feeds = st.sampled_from(["delta", "window", "report"])


@given(entries, entries, feeds)
def test_the_same_row_twice_changes_nothing_more(stored: TimeEntry, incoming: TimeEntry, feed: Feed) -> None:
    once = after(stored, incoming, feed)

    assert once is not None
    assert "unchanged" == merge(once, incoming, feed).kind


@given(entries, entries, feeds)
def test_the_moment_of_the_last_change_never_goes_back_by_a_second(
    stored: TimeEntry, incoming: TimeEntry, feed: Feed
) -> None:
    kept = after(stored, incoming, feed)

    assert kept is not None
    assert kept.at.replace(microsecond=0) >= stored.at.replace(microsecond=0)


@given(entries.map(lambda entry: replace(entry, deleted_at=None)))
def test_alternating_feeds_make_no_versions(entry: TimeEntry) -> None:
    report = replace(entry, at=entry.at.replace(microsecond=0), tags=())
    kinds = []
    stored: TimeEntry | None = entry
    for feed, row in (("report", report), ("delta", entry), ("report", report), ("window", entry)):
        kinds.append(merge(stored, row, feed).kind)  # type: ignore[arg-type]
        stored = after(stored, row, feed)  # type: ignore[arg-type]

    assert ["unchanged"] * 4 == kinds


@given(st.lists(entries, min_size=2, max_size=4, unique_by=lambda entry: entry.at.replace(microsecond=0)))
def test_rows_of_the_delta_end_alike_in_any_order(rows: list[TimeEntry]) -> None:
    ends = []
    for order in permutations(rows):
        stored = None
        for row in order:
            stored = after(stored, row, "delta")
        assert stored is not None
        ends.append(stored)

    newest = max(rows, key=lambda row: row.at)
    assert all(same_content(newest, end) for end in ends)
