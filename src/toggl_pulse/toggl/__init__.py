"""The typed client of Toggl's HTTP API, its quota and its errors; the only folder that makes HTTP requests."""

from toggl_pulse.toggl.answers import Entries, Me, Named, Organization, PageToken, ReportPage, RequestNote, Rows
from toggl_pulse.toggl.assumptions import ASSUMPTIONS, ENTRY_CAP, PAGE_SIZE, REACH, REPORT_DAYS, Assumption
from toggl_pulse.toggl.client import TogglClient
from toggl_pulse.toggl.credentials import Credentials
from toggl_pulse.toggl.quota import Quota, QuotaStore
from toggl_pulse.toggl.translate import TooOld
from toggl_pulse.toggl.wire import Transport

__all__ = [
    "ASSUMPTIONS",
    "ENTRY_CAP",
    "PAGE_SIZE",
    "REACH",
    "REPORT_DAYS",
    "Assumption",
    "Credentials",
    "Entries",
    "Me",
    "Named",
    "Organization",
    "PageToken",
    "Quota",
    "QuotaStore",
    "ReportPage",
    "RequestNote",
    "Rows",
    "TogglClient",
    "TooOld",
    "Transport",
]
