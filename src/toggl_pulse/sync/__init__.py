"""Bringing the mirror up to Toggl: what to ask next, how to merge what came, and how far it is."""

from toggl_pulse.sync.checks import Check, check_mirror, check_toggl
from toggl_pulse.sync.engine import RunReport, Syncer
from toggl_pulse.sync.progress import Progress, contact, progress_state

__all__ = ["Check", "Progress", "RunReport", "Syncer", "check_mirror", "check_toggl", "contact", "progress_state"]
