"""What a run could not have and could do without: remembered by its question, told once, and its end told once.

A run that could not even read the changes has failed, which is another matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import structlog

from toggl_pulse.mirror import SyncRun
from toggl_pulse.sync import archive, names
from toggl_pulse.sync.plan import Job
from toggl_pulse.sync.session import Session
from toggl_pulse.sync.state import State, Trouble

__all__ = ["after", "question", "tell"]

log = structlog.get_logger()

REPORTS = {"report", "totals", "proof"}


def question(state: State, job: Job) -> str:
    """The name under which it is remembered that a job could not be done."""
    if job.what == "names":
        return names.question(job.step)
    if job.what in REPORTS:
        return archive.question(archive.head(state, job.workspace_id)[1], job.workspace_id)
    return job.what


def after(state: State, session: Session, now: datetime) -> dict[str, Trouble]:
    """What is hindered after a run: what was and has not been had since, and what has come to it.

    Windows of starts that were refused are never asked again: it is over when Reports have told all that is in them.
    """
    lasting = {what: trouble for what, trouble in state.hindered.items() if what not in session.helped}
    fresh = {what: state.hindered.get(what, Trouble(error.code, now)) for what, error in session.hindered.items()}
    left = lasting | fresh
    return left if state.reading_again else {what: trouble for what, trouble in left.items() if what != "reach"}


def tell(state: State, session: Session, now: Mapping[str, Trouble], run: SyncRun) -> None:
    """One line for everything that a run newly could not have, and one for what it has again."""
    begun = {what: error for what, error in session.hindered.items() if what not in state.hindered}
    if begun:
        log.warning("sync.hindered", what=sorted(begun), code=next(iter(begun.values())).code, run=run.id)
    over = sorted({*state.hindered, *begun} - {*now})
    if over:
        since = min(state.hindered[what].since if what in state.hindered else run.started_at for what in over)
        log.info("sync.unhindered", what=over, since=since.isoformat(timespec="seconds"), run=run.id)
