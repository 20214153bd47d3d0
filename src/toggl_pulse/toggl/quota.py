"""How many requests Toggl's hourly buckets still hold, and whether one more may be spent.

The buckets are shared with the person's other Toggl tools: what is known is always an upper bound that only the
next answer renews. Knows no HTTP: it is told the two numbers of an answer's headers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from toggl_pulse.errors import NeedsUser, QuotaSpent
from toggl_pulse.model import QuotaBucket
from toggl_pulse.toggl.assumptions import KNOWLEDGE_FRESH, LOOK_COMPARABLE, PLAUSIBLE_WINDOW, QUOTA_WINDOW, RESET_MARGIN

__all__ = ["USER", "Quota", "QuotaStore"]

STALE_MARGIN = 1
"""Requests kept above the reserve when what is known is old: other tools may have asked since."""

USER = "user"
"""The bucket of everything under `/me`."""


class QuotaStore(Protocol):
    """Where buckets outlive the process; both calls may block."""

    def load_quota(self) -> Iterable[QuotaBucket]: ...

    def save_quota(self, bucket: QuotaBucket) -> None: ...


class Quota:
    """Every bucket as last seen, less a reserve left to the person's other tools.

    `free_look` tells whether `/me/quota` is known not to be counted itself: None until proved either way.
    Reads the store once, when made (this blocks); writing is left to whoever calls `save`.
    """

    def __init__(
        self,
        store: QuotaStore,
        *,
        reserve: int,
        clock: Callable[[], datetime],
        free_look: bool | None = None,
    ) -> None:
        self._store = store
        self._reserve = reserve
        self._clock = clock
        self._buckets = {bucket.name: bucket for bucket in store.load_quota()}
        self.free_look = free_look

    @property
    def reserve(self) -> int:
        return self._reserve

    def check(self, bucket: str, *, use_reserve: bool = False) -> None:
        """Raise `QuotaSpent` when the next request would take an open window's rest below the reserve.

        Passes when nothing is known of the window: then one request is spent to learn. Raises `NeedsUser` when the
        reserve is as large as the whole bucket, for then no hour will ever do.
        """
        now = self._clock()
        known = self._open(bucket, now)
        if known is None or known.remaining > self._floor(known, now, use_reserve=use_reserve):
            return
        if not use_reserve and known.total is not None and known.total <= self._reserve:
            raise NeedsUser(
                f"The reserve of {self._reserve} requests is all that Toggl grants in an hour ({known.total});"
                " lower QUOTA_RESERVE.",
                code="reserve_too_large",
            )
        raise QuotaSpent(
            f"Toggl's hourly quota is used up but for the reserve ({bucket}: {known.remaining} left).",
            at=known.resets_at + RESET_MARGIN,
            bucket=bucket,
        )

    def spendable(self, bucket: str, now: datetime, *, use_reserve: bool = False) -> int | None:
        """Requests that may be spent in the open window; None when its state is unknown (one may be spent then)."""
        known = self._open(bucket, now)
        if known is None:
            return None
        return max(0, known.remaining - self._floor(known, now, use_reserve=use_reserve))

    def view(self) -> dict[str, QuotaBucket]:
        """Every bucket by name as last seen, windows that are over included."""
        return dict(self._buckets)

    def worth_a_look(self, bucket: str) -> bool:
        """Whether to ask `/me/quota` before a request: free, and what is known is missing or old."""
        now = self._clock()
        known = self._open(bucket, now)
        return self.free_look is True and (known is None or now - known.seen_at > KNOWLEDGE_FRESH)

    def observe(self, bucket: str, remaining: int, resets_in: float, *, total: int | None = None) -> QuotaBucket:
        """Take note of what an answer told: the bucket's rest, and the seconds until its window ends."""
        now = self._clock()
        before = self._buckets.get(bucket)
        seen = QuotaBucket(
            name=bucket,
            remaining=remaining,
            # in this order also what is no number at all becomes 0
            resets_at=now + timedelta(seconds=min(max(0.0, resets_in), QUOTA_WINDOW.total_seconds())),
            seen_at=now,
            total=total if total is not None or before is None else before.total,
        )
        self._buckets[bucket] = seen
        return seen

    def observe_refusal(self, bucket: str, resets_in: float | None) -> QuotaBucket:
        """Take note of a quota refusal; without a told end it lasts to the end of the known window, or an hour."""
        now = self._clock()
        known = self._open(bucket, now)
        if resets_in is None:
            resets_in = (known.resets_at - now if known else QUOTA_WINDOW).total_seconds()
        return self.observe(bucket, min(0, known.remaining if known else 0), resets_in)

    def observe_silence(self, bucket: str) -> QuotaBucket | None:
        """Take note of a request whose answer told nothing: it may have been counted."""
        known = self._open(bucket, self._clock())
        if known is None:
            return None
        lowered = replace(known, remaining=known.remaining - 1)
        self._buckets[bucket] = lowered
        return lowered

    def judge_look(self, before: QuotaBucket | None, after: QuotaBucket) -> None:
        """Learn from the rest just before and after asking `/me/quota` whether asking is counted.

        Other tools can only make a free look appear counted, which is the safe side.
        """
        if (
            before is not None
            and after.seen_at - before.seen_at <= LOOK_COMPARABLE
            and abs(after.resets_at - before.resets_at) <= RESET_MARGIN
        ):
            self.free_look = after.remaining >= before.remaining

    def carry(self, old: str, new: str) -> QuotaBucket | None:
        """Move what is known under one name to the bucket's better name, unless that one knows something newer."""
        known = self._buckets.pop(old, None)
        there = self._buckets.get(new)
        if known is None or (there is not None and there.seen_at >= known.seen_at):
            return None
        moved = replace(known, name=new, total=known.total if there is None else there.total)
        self._buckets[new] = moved
        return moved

    def save(self, bucket: QuotaBucket) -> None:
        """Blocks: call it from a thread."""
        self._store.save_quota(bucket)

    def _floor(self, known: QuotaBucket, now: datetime, *, use_reserve: bool) -> int:
        """What has to be left; one more while others may have been at work unseen, and looking is not free."""
        if use_reserve:
            return 0
        stale = self.free_look is not True and now - known.seen_at > KNOWLEDGE_FRESH
        return self._reserve + (STALE_MARGIN if stale else 0)

    def _open(self, bucket: str, now: datetime) -> QuotaBucket | None:
        known = self._buckets.get(bucket)
        if known is None or now >= known.resets_at + RESET_MARGIN:
            return None
        if known.resets_at - now > PLAUSIBLE_WINDOW:
            return None
        return known
