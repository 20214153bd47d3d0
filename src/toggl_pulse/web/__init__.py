"""The web page: views of the metrics as HTML, and everything that they fetch, all below `/ui/`."""

from toggl_pulse.web.guard import BASE, SignInCheck, below
from toggl_pulse.web.routes import PageRoutes

__all__ = ["BASE", "PageRoutes", "SignInCheck", "below"]
