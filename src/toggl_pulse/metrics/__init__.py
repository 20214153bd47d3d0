"""Answers to questions about time entries: one engine over columns in memory, fed by an entry source."""

from toggl_pulse.metrics.catalogue import METRICS, Metric
from toggl_pulse.metrics.engine import Answer, Answers, Contact, Moment, Series
from toggl_pulse.metrics.fold import OTHER
from toggl_pulse.metrics.query import (
    ATTRIBUTIONS,
    DIMENSIONS,
    INTERVAL_NAMES,
    Filter,
    Query,
    parse_adhoc,
    parse_filters,
    parse_query,
    parse_range,
    parse_zone,
    undo_grafana,
)
from toggl_pulse.metrics.rows import EntryRow, Table

__all__ = [
    "ATTRIBUTIONS",
    "DIMENSIONS",
    "INTERVAL_NAMES",
    "METRICS",
    "OTHER",
    "Answer",
    "Answers",
    "Contact",
    "EntryRow",
    "Filter",
    "Metric",
    "Moment",
    "Query",
    "Series",
    "Table",
    "parse_adhoc",
    "parse_filters",
    "parse_query",
    "parse_range",
    "parse_zone",
    "undo_grafana",
]
