"""The views of the page, in the order of its navigation: a module, a template and maybe a script each."""

from toggl_pulse.web.views import calendar, entries, health, overview, projects, rhythm
from toggl_pulse.web.views.view import View

__all__ = ["VIEWS", "View"]

VIEWS: tuple[View, ...] = (overview.VIEW, projects.VIEW, calendar.VIEW, rhythm.VIEW, entries.VIEW, health.VIEW)
