"""What an entry is after one more row about it has been read: pure, and the only place that decides it.

Two kinds of feed tell about entries. Toggl Track (`delta` and `window`) knows deletions, the running state and `at`
to the fraction; Reports (`report`) has whole seconds and may lag behind. Absence is no row, so it never gets here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from toggl_pulse.model import TimeEntry, epoch

__all__ = ["SETTLED", "Feed", "Kind", "Merged", "merge", "same_content"]

Feed = Literal["delta", "window", "report"]
Kind = Literal["new", "changed", "deleted", "revived", "unchanged"]

REPORT_LEAD = timedelta(seconds=1)
"""Whether Reports cut or round the fraction of `at` is not documented; this much ahead is the same version."""

SETTLED = timedelta(days=1)
"""Reports may lag: of what was changed more recently than this they may still tell what was before."""


@dataclass(frozen=True, slots=True)
class Merged:
    """`entry` is what to write, None when there is nothing to write (`kind` is then `unchanged`)."""

    entry: TimeEntry | None
    kind: Kind


UNCHANGED = Merged(None, "unchanged")


def merge(
    stored: TimeEntry | None, incoming: TimeEntry, feed: Feed, *, inferred: bool = False, settled: bool = True
) -> Merged:
    """Decide between the stored version and a row just read.

    `inferred` says that the stored tombstone was not told by the delta feed: then any row that shows the entry
    lifts it. `settled` says that a row of Reports cannot be late: its last change is long enough ago. Applying the
    same row twice is harmless, and rows of both feeds in any order end alike.
    """
    if stored is None:
        return Merged(incoming, "deleted" if incoming.deleted_at else "new")
    if stored.deleted_at is not None:
        return _over_tombstone(stored, incoming, feed, inferred=inferred)
    age = _compare(incoming.at, stored.at)
    if incoming.deleted_at is not None:
        return UNCHANGED if age < 0 else Merged(incoming, "deleted")
    if age < 0:
        return UNCHANGED
    if age > 0:
        return _newer(stored, incoming, feed)
    return _same_moment(stored, incoming, feed, settled=settled)


def _over_tombstone(stored: TimeEntry, incoming: TimeEntry, feed: Feed, *, inferred: bool) -> Merged:
    age = _compare(incoming.at, stored.at)
    if incoming.deleted_at is not None:
        told_now = inferred or age > 0
        return Merged(incoming, "deleted") if told_now and incoming != stored else UNCHANGED
    if feed == "report":
        age = int(incoming.at - stored.at > REPORT_LEAD)
    return Merged(incoming, "revived") if inferred or age > 0 else UNCHANGED


def _newer(stored: TimeEntry, incoming: TimeEntry, feed: Feed) -> Merged:
    if feed == "report" and incoming.at - stored.at <= REPORT_LEAD and same_content(stored, incoming):
        return UNCHANGED
    return Merged(_with_known_names(stored, incoming), "changed")


def _same_moment(stored: TimeEntry, incoming: TimeEntry, feed: Feed, *, settled: bool) -> Merged:
    """Both carry the same second: Track's row decides everything but the tags, which the newer read does.

    Tags, because Toggl takes a deleted tag off its entries without moving `at`. A report that may be late is no newer
    read: it may show the version before, changed within the same second.
    """
    if same_content(stored, incoming):
        return UNCHANGED
    if feed == "report":
        if not settled or _same_tags(stored, incoming):
            return UNCHANGED
        incoming = replace(stored, tags=incoming.tags, tag_ids=incoming.tag_ids)
    return Merged(_with_known_names(stored, incoming), "changed")


def same_content(one: TimeEntry, other: TimeEntry) -> bool:
    """Whether both say the same, apart from `at`, the order of tags, and a running entry's meaningless duration."""
    return (
        (one.start, one.stop, one.description, one.project_id, one.task_id, one.billable, one.workspace_id)
        == (
            other.start,
            other.stop,
            other.description,
            other.project_id,
            other.task_id,
            other.billable,
            other.workspace_id,
        )
        and (one.stop is None or one.duration == other.duration)
        and one.user_id == other.user_id
        and (one.deleted_at is None) == (other.deleted_at is None)
        and _same_tags(one, other)
    )


def _same_tags(one: TimeEntry, other: TimeEntry) -> bool:
    """By id where both have ids: a renamed tag is a change of the tag, not of its entries."""
    if one.tag_ids and other.tag_ids:
        return set(one.tag_ids) == set(other.tag_ids)
    if one.tags and other.tags:
        return set(one.tags) == set(other.tags)
    return not (one.tags or one.tag_ids or other.tags or other.tag_ids)


def _with_known_names(stored: TimeEntry, incoming: TimeEntry) -> TimeEntry:
    """A report may bring ids without names; the names already known to belong to the same ids are kept."""
    if not incoming.tags and incoming.tag_ids and set(incoming.tag_ids) == set(stored.tag_ids):
        return replace(incoming, tags=stored.tags, tag_ids=stored.tag_ids)
    return incoming


def _compare(incoming: datetime, stored: datetime) -> int:
    """Negative when `incoming` is older, positive when newer, 0 when one of them cannot tell within the second."""
    seconds = epoch(incoming) - epoch(stored)
    if seconds or not (incoming.microsecond and stored.microsecond):
        return seconds
    return (incoming > stored) - (incoming < stored)
