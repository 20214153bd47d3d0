"""The query builder's fields of a metric, for Grafana's editor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toggl_pulse.metrics import DIMENSIONS, Metric
from toggl_pulse.metrics.query import USUAL_DAYS
from toggl_pulse.service.sync_rows import ROWS
from toggl_pulse.service.sync_tables import SyncTable

__all__ = ["builder", "sync_builder"]


def builder(metric: Metric) -> dict[str, Any]:
    """A metric with its payload fields, for `POST /metrics`."""
    fields = [] if metric.shape != "series" else [_select("group_by", "Group by"), _select("interval", "Interval")]
    if metric.attribution is None and metric.slug != "entries":
        fields.append(_select("attribution", "Attribution"))
    fields.append({**_select("timezone", "Time zone"), "placeholder": "the profile's"})
    if metric.shape == "series":
        fields += [
            {"name": "limit", "label": "Largest groups", "type": "input", "placeholder": "all"},
            _FIELDS["week_start"],
        ]
    fields += [_FIELDS[key] for key in dict.fromkeys((*metric.keys, "format"))]
    fields += [{"name": name, "label": name.capitalize(), "type": "multi-select"} for name in DIMENSIONS]
    return {"label": metric.title, "value": metric.slug, "payloads": fields}


def sync_builder(table: SyncTable) -> dict[str, Any]:
    """A table about the sync, likewise; it knows no filter, for it tells of no entry."""
    limit = {"name": "limit", "label": "Rows", "type": "input", "placeholder": str(ROWS)}
    fields = [*([limit] if table.limited else []), _FIELDS["format"]]
    return {"label": table.title, "value": table.slug, "payloads": fields}


def _select(name: str, label: str) -> dict[str, Any]:
    return {"name": name, "label": label, "type": "select"}


_FIELDS: Mapping[str, dict[str, Any]] = {
    "week_start": _select("week_start", "Week starts on"),
    "format": _select("format", "Format"),
    "sort": _select("sort", "Sort by"),
    "only": _select("only", "Only"),
    "limit": {"name": "limit", "label": "Rows", "type": "input", "placeholder": "all"},
    "days": {"name": "days", "label": "Days", "type": "input", "placeholder": str(USUAL_DAYS)},
    "periods": {"name": "periods", "label": "Periods", "type": "multi-select"},
}
