"""What the mirror knows of itself as JSON, for a status that people and programs read.

Times are ISO text in UTC. Asks nothing of Toggl.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from toggl_pulse.mirror import Mirror, MonthCheck, SyncRun
from toggl_pulse.mirror.values import from_micros
from toggl_pulse.model import QuotaBucket
from toggl_pulse.sync.progress import progress_as_json
from toggl_pulse.sync.state import PREFIX, Trouble, read_state
from toggl_pulse.sync.steps import KEY as STEPS
from toggl_pulse.sync.steps import Step, steps_of

__all__ = ["iso", "run_as_json", "status_as_json"]

RUNS_SHOWN = 5


def status_as_json(
    mirror: Mirror,
    now: datetime,
    *,
    running: bool,
    next_runs: Mapping[str, datetime],
    reserve: int,
    unwritable: Trouble | None,
    projecting: bool,
) -> dict[str, Any]:
    """Account, contact, runs, quota, history and months; `unwritable` is trouble that could not be written down."""
    account, months = mirror.account(), mirror.months()
    state = read_state(mirror.states(PREFIX))
    last = state.contact.ours if state.contact is not None else None
    trouble = {"trouble": unwritable.code, "trouble_since": iso(unwritable.since)} if unwritable is not None else {}
    projection = _projection(mirror, now) if projecting else None
    success = mirror.last_run("done")
    steps = steps_of(state, mirror.state(STEPS), months, unwritable or state.trouble)
    return {
        "account": {"origin": account.origin, "email": account.email} if account else None,
        "data_as_of": iso(last),
        # a clock that was put back has not made the answers newer than now
        "seconds_behind": max(0.0, (now - last).total_seconds()) if last is not None else None,
        "sync": {
            "running": running,
            "last_success": iso(success.finished_at) if success is not None else None,
            "runs": [run_as_json(run) for run in mirror.runs(RUNS_SHOWN)],
            "next": {name: iso(at) for name, at in next_runs.items()},
        },
        "mirror": {"revision": mirror.revision(), **_counts(mirror)},
        "quota": {"reserve": reserve, "buckets": [_bucket(bucket, now) for bucket in mirror.load_quota()]},
        "history": progress_as_json(state, months) | trouble,
        "months": _months(months),
        "projection": projection,
        "steps": [*map(_step, steps), *(_projection_steps(projection) if projection else ())],
    }


def run_as_json(run: SyncRun) -> dict[str, Any]:
    """A run as JSON: times in ISO form, the duration in seconds (None while it runs)."""
    return {
        "id": run.id,
        "reason": run.reason,
        "outcome": run.outcome,
        "why": run.why,
        "started_at": iso(run.started_at),
        "finished_at": iso(run.finished_at),
        "seconds": run.duration.total_seconds() if run.duration is not None else None,
        "requests": run.requests,
        "new": run.new,
        "changed": run.changed,
        "deleted": run.deleted,
        "unchanged": run.unchanged,
        "set_aside": run.set_aside,
    }


def _counts(mirror: Mirror) -> dict[str, Any]:
    counts = mirror.counts()
    return {
        "entries": counts.entries,
        "running": counts.running,
        "deleted": counts.deleted,
        "versions": counts.versions,
        "set_aside": counts.set_aside,
        "first_start": iso(counts.first_start),
        "last_start": iso(counts.last_start),
    }


def _bucket(bucket: QuotaBucket, now: datetime) -> dict[str, Any]:
    """A bucket as last seen; `open` says whether its window still runs, so that the numbers still hold."""
    return {
        "name": bucket.name,
        "remaining": bucket.remaining,
        "total": bucket.total,
        "resets_at": iso(bucket.resets_at),
        "seen_at": iso(bucket.seen_at),
        "open": bucket.resets_at > now,
    }


def _projection(mirror: Mirror, now: datetime) -> dict[str, Any]:
    """How far InfluxDB follows the mirror: `lag` in revisions, and the seconds since it was in step (None: never)."""
    (state, lag), counts = mirror.points.followed(), mirror.points.counts()
    at = from_micros(state.at_us)
    return {
        "revision": state.revision,
        "lag": lag,
        "seconds_behind": (max(0.0, (now - at).total_seconds()) if at is not None else None) if lag else 0.0,
        "in_step_at": iso(at),
        "writing": state.writing,
        "pending": counts.pending,
        "stale": counts.stale,
        "set_aside": counts.set_aside,
        "verified_at": iso(from_micros(state.verified_us)),
        "trouble": state.trouble or None,
        "trouble_since": iso(from_micros(state.trouble_us)),
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "step": step.name,
        "last_success": iso(step.last_success),
        "left": step.left,
        "trouble": step.trouble.code if step.trouble else None,
        "trouble_since": iso(step.trouble.since) if step.trouble else None,
    }


def _projection_steps(projection: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The two steps that lie behind a run: bringing InfluxDB along, and comparing what stands there."""
    trouble = {"trouble": projection["trouble"], "trouble_since": projection["trouble_since"]}
    return [
        {"step": "projection", "last_success": projection["in_step_at"], "left": projection["lag"], **trouble},
        {"step": "comparison", "last_success": projection["verified_at"], "left": None, **trouble},
    ]


def _months(months: list[MonthCheck]) -> dict[str, Any]:
    """How many months are proven against Toggl's totals, and each of the others."""
    return {
        "verified": sum(month.state == "verified" for month in months),
        "others": [
            {
                "workspace_id": month.workspace_id,
                "month": month.month,
                "state": month.state,
                "mirror_seconds": month.mirror_seconds,
                "toggl_seconds": month.toggl_seconds,
                "checked_at": iso(month.checked_at),
            }
            for month in months
            if month.state != "verified"
        ],
    }


def iso(moment: datetime | None) -> str | None:
    """ISO text in UTC, to the second."""
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")
