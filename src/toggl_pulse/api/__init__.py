"""The HTTP interface: Grafana's JSON data source protocol, exports, state and health, and the guards before them."""

from toggl_pulse.api.auth import SameOrigin, TokenCheck
from toggl_pulse.api.connections import Patience, patient
from toggl_pulse.api.errors import LastResort, error_response, install_error_handlers
from toggl_pulse.api.export import ExportRoutes
from toggl_pulse.api.grafana import GrafanaRoutes
from toggl_pulse.api.health import HealthRoutes
from toggl_pulse.api.hosts import HostCheck
from toggl_pulse.api.leaving import Leaving
from toggl_pulse.api.limits import BodyLimit, Headers, Prefix
from toggl_pulse.api.openapi import document
from toggl_pulse.api.prometheus import CountRequests, Traffic
from toggl_pulse.api.status import StatusRoutes
from toggl_pulse.service.context import Context
from toggl_pulse.service.ports import Pulse

__all__ = [
    "BodyLimit",
    "Context",
    "CountRequests",
    "ExportRoutes",
    "GrafanaRoutes",
    "Headers",
    "HealthRoutes",
    "HostCheck",
    "LastResort",
    "Leaving",
    "Patience",
    "Prefix",
    "Pulse",
    "SameOrigin",
    "StatusRoutes",
    "TokenCheck",
    "Traffic",
    "document",
    "error_response",
    "install_error_handlers",
    "patient",
]
