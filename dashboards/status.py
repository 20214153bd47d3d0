"""One figure of the sync's status as a large number."""

from __future__ import annotations

from grafana_foundation_sdk.builders import stat
from grafana_foundation_sdk.models.common import BigValueTextMode

from dashboards.ask import Ask, column_meaning
from dashboards.panels import numbers

__all__ = ["status"]

TABLE = "sync_status"


def status(title: str, column: str, *, unit: str, empty: str) -> stat.Panel:
    """A column of the status; the description is the column's own."""
    panel = numbers(title, Ask(TABLE), fields=f"/^{column}$/", unit=unit, empty=empty)
    return panel.description(column_meaning(TABLE, column)).text_mode(BigValueTextMode.VALUE)
