"""When each step of a sync last had what it asked for, what is left of it, and what stands in its way.

Noted at the end of a run, in the transaction of the run's own record. Knows no request; no decision rests on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from toggl_pulse.mirror import Batch, MonthCheck
from toggl_pulse.model import JSON
from toggl_pulse.sync.state import State, Trouble

__all__ = ["KEY", "STEP_OF", "Step", "note", "steps_of"]

KEY = "steps.succeeded"

STEP_OF: Mapping[str, str] = {
    "me": "account",
    "names": "names",
    "reach": "recent",
    "report": "history",
    "totals": "checks",
    "proof": "checks",
}
"""The step of each job of a run. The changes (`deltas`) are not among them: the last contact tells of those."""


@dataclass(frozen=True, slots=True)
class Step:
    """`left` counts lists of names, windows, years or months; None where a step leaves nothing to count.

    `last_success` is None for a step that has had nothing since this is noted.
    """

    name: str
    last_success: datetime | None = None
    left: int | None = None
    trouble: Trouble | None = None


def note(batch: Batch, succeeded: Mapping[str, datetime]) -> None:
    """Remember when these steps succeeded; of all others what is known stays."""
    if succeeded:
        known = batch.state(KEY) or {}
        batch.set_state(KEY, known | {name: moment.isoformat() for name, moment in succeeded.items()})


def steps_of(state: State, noted: JSON | None, months: list[MonthCheck], trouble: Trouble | None) -> list[Step]:
    """The steps in the order in which a run takes them; `noted` is what the mirror has under `KEY`."""
    succeeded = {name: datetime.fromisoformat(text) for name, text in (noted or {}).items()}
    hindered = {name: _worst(state, name) for name in ("names", "reach", "reports")}
    unproven = sum(month.state in {"differs", "not_verified"} for month in months)
    years = sum(history.left for history in state.histories.values() if not history.blocked)
    return [
        Step("account", succeeded.get("account"), trouble=trouble),
        Step("changes", state.contact.ours if state.contact else None, trouble=trouble),
        Step("names", succeeded.get("names"), len(state.names.due) if state.names else None, hindered["names"]),
        Step("recent", succeeded.get("recent"), len(state.reach.windows), hindered["reach"]),
        Step("history", succeeded.get("history"), years, hindered["reports"]),
        Step("checks", succeeded.get("checks"), unproven, hindered["reports"]),
    ]


def _worst(state: State, kind: str) -> Trouble | None:
    """What has been in the way of this kind of question for the longest."""
    found = [trouble for what, trouble in state.hindered.items() if what.partition(":")[0] == kind]
    return min(found, key=lambda trouble: trouble.since, default=None)
