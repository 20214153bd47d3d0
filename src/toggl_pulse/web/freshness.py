"""How true the page's numbers are, in one sentence: never synced, still reading, in step, behind, or in trouble.

Made from the status that everyone can ask for; pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Freshness", "freshness"]

# two full syncs of the default schedule apart, where there are no polls
_LONG_SECONDS = 13 * 3600


@dataclass(frozen=True, slots=True)
class Freshness:
    """`state` is empty, reading, fresh, behind or trouble; `share` is how much of the past has been read, 0 to 1."""

    state: str
    sentence: str
    data_as_of: str | None
    running: bool
    share: float | None
    revision: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def freshness(status: Mapping[str, Any]) -> Freshness:
    history: Mapping[str, Any] = status.get("history", {})
    running = bool(status.get("sync", {}).get("running"))
    behind, trouble = status.get("seconds_behind"), history.get("trouble")
    done, left = int(history.get("windows_done", 0)), int(history.get("windows_left", 0))
    share = done / (done + left) if done + left else None
    state, sentence = "fresh", "In step with Toggl."
    if trouble:
        state, sentence = "trouble", _why(status) or f"Toggl cannot be read ({str(trouble).replace('_', ' ')})."
    elif behind is None:
        state = "reading" if running else "empty"
        sentence = (
            "The first sync is running: numbers appear as they arrive."
            if running
            else "Nothing has been read yet: “Sync now” begins the first sync."
        )
    elif not history.get("complete", True):
        state, sentence = "reading", _left(history)
    elif behind > _LONG_SECONDS:
        state, sentence = "behind", "Toggl has not been reached for a while: what happened since is missing."
    return Freshness(
        state=state,
        sentence=sentence,
        data_as_of=status.get("data_as_of"),
        running=running,
        share=share,
        revision=int(status.get("mirror", {}).get("revision", 0)),
    )


def _why(status: Mapping[str, Any]) -> str:
    """What the last run that failed says, in a sentence."""
    runs = status.get("sync", {}).get("runs", ())
    return next((str(run["why"]) for run in runs if run["outcome"] == "failed" and run["why"]), "")


def _left(history: Mapping[str, Any]) -> str:
    sentence = f"Older entries are still being read: {history.get('detail', '')}."
    if history.get("waits_until"):
        sentence += " It goes on when Toggl allows more requests."
    return sentence
