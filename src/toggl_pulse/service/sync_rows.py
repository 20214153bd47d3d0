"""The rows of the tables about the sync: what the status and the records under it say, a row for each thing.

Nothing is asked of Toggl, and nothing is worked out that the status does not know: there is no second truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from toggl_pulse.metrics import Table, parse_range
from toggl_pulse.model import epoch, from_epoch
from toggl_pulse.service.ports import Pulse
from toggl_pulse.service.sync_tables import SYNC_TABLES
from toggl_pulse.sync import Gap, silences, sync_gaps

__all__ = ["MOST_ROWS", "ROWS", "SyncRows", "gaps"]

MOST_ROWS = 1_000
"""Rows of a table that only ever grows; more than a panel can show."""

ROWS = 100
"""Of these, how many where no limit is named."""

_HOUR = 3_600
_BETWEEN_FULL_SYNCS = timedelta(hours=13)  # where polls are off

Row = Mapping[str, Any]


def gaps(pulse: Pulse, start_ms: int, end_ms: int) -> list[Gap]:
    """Stretches of the range in which Toggl was not reached for longer than usual. Raises `BadRequest`. Blocks."""
    parse_range(start_ms, end_ms)
    contact = pulse.contact()
    return sync_gaps(
        silences(pulse.mirror),
        last=contact.last,
        start=from_epoch(start_ms // 1000),
        end=from_epoch(-(-end_ms // 1000)),
        now=pulse.clock(),
        longest=contact.fresh_for or _BETWEEN_FULL_SYNCS,
    )


class SyncRows:
    """The tables of one moment; the gaps are those of `[start_ms, end_ms)`, all else is the present. Blocks."""

    def __init__(self, pulse: Pulse, start_ms: int, end_ms: int) -> None:
        self._pulse = pulse
        self._range = start_ms, end_ms

    def table(self, slug: str, limit: int | None = None) -> Table:
        """The table of that name. Raises `BadRequest` for a range that is none."""
        columns = SYNC_TABLES[slug].columns
        rows: Mapping[str, Callable[[], Iterable[Row]]] = {
            "sync_gaps": self._gaps,
            "sync_status": self._status,
            "sync_steps": self._steps,
            "sync_runs": lambda: self._runs(_rows(limit)),
            "sync_quota": self._quota,
            "sync_months": self._months,
            "sync_history": self._history,
            "sync_set_aside": lambda: self._set_aside(_rows(limit)),
        }
        return Table(
            tuple((column.name, column.kind) for column in columns),
            tuple(tuple(row[column.name] for column in columns) for row in rows[slug]()),
        )

    @cached_property
    def _told(self) -> Mapping[str, Any]:
        return self._pulse.status()

    @cached_property
    def _workspaces(self) -> Mapping[int, Any]:
        return self._pulse.mirror.catalogue().workspaces

    def _name(self, workspace_id: int) -> str:
        found = self._workspaces.get(workspace_id)
        return str(found.name) if found is not None else f"(unknown workspace {workspace_id})"

    def _gaps(self) -> Iterable[Row]:
        for gap in gaps(self._pulse, *self._range):
            yield {
                "time": _ms(gap.start),
                "timeEnd": _ms(gap.end),
                "title": "Sync gap",
                "text": gap.sentence,
                "tags": "sync",
            }

    def _status(self) -> Iterable[Row]:
        told = self._told
        sync, history, months, mirror = told["sync"], told["history"], told["months"], told["mirror"]
        projection: Mapping[str, Any] = told["projection"] or {}
        following = {name: _of(text) for name, text in sync["next"].items()}
        yield {
            "data_as_of": _of(told["data_as_of"]),
            "seconds_behind": told["seconds_behind"],
            "last_success": _of(sync["last_success"]),
            "syncing": sync["running"],
            "next_run": min((at for at in following.values() if at is not None), default=None),
            "next_full_sync": following.get("full"),
            "trouble": history["trouble"] or "",
            "trouble_since": _of(history["trouble_since"]),
            "history_complete": history["complete"],
            "history_share": _share(history["windows_done"], history["windows_left"]),
            "history_detail": history["detail"],
            "waits_until": _of(history["waits_until"]),
            "months_verified": months["verified"],
            "months": sum(history["months"].values()),
            "months_differing": history["months"].get("differs", 0),
            "entries": mirror["entries"],
            "entries_running": mirror["running"],
            "rows_set_aside": mirror["set_aside"],
            "revision": mirror["revision"],
            "projected_revision": projection.get("revision"),
            "lag": projection.get("lag"),
            "lag_seconds": projection.get("seconds_behind"),
            "projection_trouble": projection.get("trouble") or "",
            "version": told["version"],
        }

    def _steps(self) -> Iterable[Row]:
        now = _of(self._told["now"])
        for step in self._told["steps"]:
            at = _of(step["last_success"])
            yield {
                "step": step["step"],
                "last_success": at,
                "seconds_since": None if at is None or now is None else max(0, now - at) / 1000,
                "left": step["left"],
                "trouble": step["trouble"] or "",
                "trouble_since": _of(step["trouble_since"]),
            }

    def _runs(self, limit: int) -> Iterable[Row]:
        for run in self._pulse.mirror.runs(limit):
            yield {
                "began": _ms(run.started_at),
                "ended": _ms(run.finished_at),
                "reason": run.reason,
                "outcome": run.outcome,
                "why": run.why,
                "requests": run.requests,
                "new": run.new,
                "changed": run.changed,
                "deleted": run.deleted,
                "unchanged": run.unchanged,
                "set_aside": run.set_aside,
                "seconds": None if run.duration is None else run.duration.total_seconds(),
                "id": str(run.id),
            }

    def _quota(self) -> Iterable[Row]:
        quota = self._told["quota"]
        for bucket in quota["buckets"]:
            yield {
                "bucket": bucket["name"],
                "left": bucket["remaining"] if bucket["open"] else None,
                "total": bucket["total"],
                "reserve": quota["reserve"],
                "until": _of(bucket["resets_at"]),
                "seen": _of(bucket["seen_at"]),
                "open": bucket["open"],
            }

    def _months(self) -> Iterable[Row]:
        newest_first = sorted(self._pulse.mirror.months(), key=lambda month: month.month, reverse=True)
        for month in newest_first:
            ours, toggl = month.mirror_seconds, month.toggl_seconds
            yield {
                "workspace": self._name(month.workspace_id),
                "month": month.month,
                "state": month.state,
                "hours": None if ours is None else ours / _HOUR,
                "toggl_hours": None if toggl is None else toggl / _HOUR,
                "difference_seconds": None if ours is None or toggl is None else ours - toggl,
                "checked": _ms(month.checked_at),
                "workspace_id": str(month.workspace_id),
            }

    def _history(self) -> Iterable[Row]:
        for each in self._told["history"]["workspaces"]:
            yield {
                "workspace": self._name(each["workspace_id"]),
                "from": each["from"],
                "now_at": each["now_at"],
                "reached": each["reached"],
                "years_done": each["years_done"],
                "years_left": each["years_left"],
                "share": _share(each["years_done"], each["years_left"]),
                "rows": each["rows"],
                "complete": each["complete"],
                "blocked": each["blocked"] or "",
                "workspace_id": str(each["workspace_id"]),
            }

    def _set_aside(self, limit: int) -> Iterable[Row]:
        for row in self._pulse.mirror.set_aside_rows(limit):
            yield {
                "kind": row.kind,
                "id": None if row.row_id is None else str(row.row_id),
                "reason": row.reason,
                "times": row.times,
                "last_seen": _ms(row.last_seen),
                "run": None if row.run_id is None else str(row.run_id),
            }


def _share(done: int, left: int) -> float | None:
    return done / (done + left) if done + left else None


def _rows(limit: int | None) -> int:
    return ROWS if limit is None else min(limit, MOST_ROWS)


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else epoch(moment) * 1000


def _of(text: str | None) -> int | None:
    """A time of the status as milliseconds."""
    return None if text is None else _ms(datetime.fromisoformat(text))
