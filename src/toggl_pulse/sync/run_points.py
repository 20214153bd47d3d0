"""Sync runs as points, so that whoever watches InfluxDB, Grafana's alerts above all, can watch the mirror.

Knows no request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from toggl_pulse.mirror import RunFigures, RunToTell
from toggl_pulse.model import RunPoint

__all__ = ["run_points"]


def run_points(runs: Iterable[RunToTell]) -> Iterator[RunPoint]:
    """What was not noted at a run's end stays unknown."""
    for run, figures in ((each.run, each.figures) for each in runs):
        known = figures or RunFigures()
        yield RunPoint(
            run_id=run.id,
            started_at=run.started_at,
            outcome=run.outcome,
            reason=run.reason,
            requests=run.requests,
            new=run.new,
            changed=run.changed,
            deleted=run.deleted,
            seconds_since_success=known.since_success,
            projection_lag=known.lag if figures else None,
            projection_lag_seconds=known.lag_seconds if figures else None,
            quota=known.quota,
            token_refused=known.token_refused,
        )
