"""How far the sync is: told step by step to whoever listens, and read from the mirror for a status.

Knows no request.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from toggl_pulse.mirror import Mirror, MonthCheck
from toggl_pulse.model import JSON
from toggl_pulse.sync.state import CONTACT, PREFIX, SILENCES, State, read_contact, read_silences, read_state
from toggl_pulse.sync.windows import Window

__all__ = ["Progress", "contact", "history_progress", "progress_as_json", "progress_of", "progress_state", "silences"]

STAGES = {
    "me": "account",
    "deltas": "changes",
    "names": "names",
    "reach": "recent",
    "report": "history",
    "totals": "history",
    "proof": "history",
}


@dataclass(frozen=True, slots=True)
class Progress:
    """`stage` is account, changes, names, recent, history, waiting or done; `done` of `total` windows are read.

    `waits_until` is set while the quota is spent: then it goes on.
    """

    stage: str
    done: int
    total: int
    detail: str
    waits_until: datetime | None = None


def progress_of(state: State, stage: str, *, waits_until: datetime | None = None) -> Progress:
    """The bar: windows of the last months and years of every workspace, read and compared."""
    done, left = windows(state)
    return Progress(stage, done, done + left, describe(state), waits_until)


def windows(state: State) -> tuple[int, int]:
    """Windows done and left."""
    done = state.reach.done + sum(history.done for history in state.histories.values())
    left = len(state.reach.windows) + sum(history.left for history in state.histories.values() if not history.blocked)
    return done, left


def describe(state: State) -> str:
    """One line: what is left, and where it is."""
    if state.cursor is None:
        return "nothing has been read yet"
    parts = []
    if state.reach.windows:
        parts.append(f"{len(state.reach.windows)} windows of the last months")
    years = sum(history.left for history in state.histories.values() if not history.blocked)
    if years:
        heads = [history.head for history in state.histories.values() if history.head and not history.blocked]
        at = max(head.until for head in heads)
        parts.append(f"{years} {'year' if years == 1 else 'years'} of history, now at {at:%Y-%m}")
    if state.names is not None and state.names.due:
        parts.append(f"{len(state.names.due)} lists of names")
    return f"{', '.join(parts)} left" if parts else "complete"


def history_progress(state: State) -> list[JSON]:
    """One line a workspace."""
    return [
        {
            "workspace_id": history.workspace_id,
            "from": history.floor.isoformat(),
            "years_done": history.done,
            "years_left": history.left,
            "rows": history.rows,
            "now_at": history.head.until.isoformat() if history.head else None,
            "reached": history.reached.isoformat() if history.reached else None,
            "complete": history.left == 0,
            "blocked": history.blocked or None,
        }
        for history in sorted(state.histories.values(), key=lambda history: history.workspace_id)
    ]


def progress_state(mirror: Mirror) -> dict[str, JSON]:
    """As `progress_as_json`, of what the mirror remembers now. Blocks."""
    return progress_as_json(read_state(mirror.states(PREFIX)), mirror.months())


def progress_as_json(state: State, months: list[MonthCheck]) -> dict[str, JSON]:
    """For a status: how far the first reading is, workspace by workspace, and when it goes on.

    `complete` says that everything Toggl shows has been read at least once, but for what may lie below a year without
    entries from before the account; `months` counts them by what the
    comparison with Toggl's totals found.
    """
    done, left = windows(state)
    waits = min(state.waits.values(), default=None)
    gap = state.cursor.gap if state.cursor else None
    return {
        "complete": state.cursor is not None and not state.reading_again,
        "detail": describe(state),
        "windows_done": done,
        "windows_left": left,
        "waits_until": waits.isoformat() if waits and state.reading_again else None,
        "workspaces": history_progress(state),
        "names_due": len(state.names.due) if state.names else 0,
        "refused": list(state.names.refused) if state.names else [],
        "last_contact": state.contact.ours.isoformat() if state.contact else None,
        "clock_behind_seconds": round(state.contact.skew_seconds, 1) if state.contact else None,
        "changes_until": state.cursor.since.isoformat() if state.cursor else None,
        "gap": [moment.isoformat() for moment in gap] if gap else None,
        "trouble": state.trouble.code if state.trouble else None,
        "trouble_since": state.trouble.since.isoformat() if state.trouble else None,
        "months": dict(Counter(month.state for month in months)),
    }


def silences(mirror: Mirror) -> list[Window]:
    """Stretches in which Toggl was not reached for longer than two polls, oldest first, by Toggl's clock. Blocks."""
    return read_silences(mirror.state(SILENCES))


def contact(mirror: Mirror) -> datetime | None:
    """When Toggl last told what has changed, on our clock: up to then a running entry is known to run. Blocks."""
    told = mirror.state(CONTACT)
    return None if told is None else read_contact(told).ours
