"""Bringing the mirror up to Toggl: what to ask next, how to merge what came, and how far it is."""

from toggl_pulse.sync.checks import Check, check_influxdb, check_mirror, check_toggl
from toggl_pulse.sync.engine import RunReport, Syncer
from toggl_pulse.sync.gaps import Gap, sync_gaps
from toggl_pulse.sync.progress import Progress, contact, progress_state, silences
from toggl_pulse.sync.project import ProjectionProgress, ProjectionReport, Projector
from toggl_pulse.sync.report import iso, run_as_json, status_as_json
from toggl_pulse.toggl import REACH

__all__ = [
    "REACH",
    "Check",
    "Gap",
    "Progress",
    "ProjectionProgress",
    "ProjectionReport",
    "Projector",
    "RunReport",
    "Syncer",
    "check_influxdb",
    "check_mirror",
    "check_toggl",
    "contact",
    "iso",
    "progress_state",
    "run_as_json",
    "silences",
    "status_as_json",
    "sync_gaps",
]
