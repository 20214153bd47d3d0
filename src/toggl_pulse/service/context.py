"""What every group of routes shares: the running product, and the threads in which its blocking calls are made."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from toggl_pulse.service.ports import Pulse
from toggl_pulse.service.work import Workers

__all__ = ["Context"]


def _threads() -> int:
    # an answer is arithmetic on arrays: more threads than processors only make each other wait
    return max(2, min(8, os.cpu_count() or 2))


@dataclass(frozen=True)
class Context:
    """`work` is for answers, `exports` for streams; `checks` is small and apart, so that health never queues."""

    pulse: Pulse
    work: Workers = field(default_factory=lambda: Workers(_threads()))
    exports: Workers = field(default_factory=lambda: Workers(2))
    checks: Workers = field(default_factory=lambda: Workers(1))

    def close(self) -> None:
        for workers in (self.work, self.exports, self.checks):
            workers.close()
