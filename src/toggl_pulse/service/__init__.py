"""The running product: the only place that builds the parts from settings, joins them and closes them."""

from toggl_pulse.service.parts import demo_settings, utc_now
from toggl_pulse.service.service import Service

__all__ = ["Service", "demo_settings", "utc_now"]
