"""Toggl's hourly request buckets: a window opens at its first request and fills again an hour later."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Bucket"]


@dataclass(slots=True)
class Bucket:
    """`used` may pass `total`: refused requests count too, so that what remains can be negative."""

    total: int
    window: int
    opened: float | None = None
    used: int = 0

    def settle(self, now: float) -> None:
        """Close a window whose hour is over."""
        if self.opened is not None and now >= self.opened + self.window:
            self.opened = None
            self.used = 0

    def take(self, now: float, count: int = 1) -> bool:
        """Count requests; False when the last of them is beyond the limit."""
        self.settle(now)
        if self.opened is None:
            self.opened = now
        self.used += count
        return self.used <= self.total

    def remaining(self, now: float) -> int:
        self.settle(now)
        return self.total - self.used

    def resets_in(self, now: float) -> int:
        """Whole seconds until the bucket fills again, at least 1 in an open window; 0 when no window is open."""
        self.settle(now)
        if self.opened is None:
            return 0
        return max(1, -int(-(self.opened + self.window - now) // 1))
