"""A panel's question in the words of the JSON data source, and the data sources themselves.

Knows how a question is written so that Grafana can put variables into it, not which questions there are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from toggl_pulse.metrics.catalogue import METRICS
from toggl_pulse.service.sync_tables import SYNC_TABLES

__all__ = [
    "FILTERS",
    "HERE",
    "INFLUXDB",
    "PULSE",
    "ZONE",
    "Ask",
    "Flux",
    "column_meaning",
    "meaning",
    "several",
    "word",
]

PULSE = DataSourceRef(type_val="simpod-json-datasource", uid="toggl-pulse")
INFLUXDB = DataSourceRef(type_val="influxdb", uid="toggl-pulse-influxdb")


def several(variable: str) -> str:
    """A variable that may hold several values: they are put in as a JSON array, whatever stands in them."""
    return f"${{{variable}:json}}"


def word(variable: str) -> str:
    """A variable that holds one word; percent signs keep a word that somebody typed from ending the JSON text."""
    return f"${{{variable}:percentencode}}"


HERE = "${__timezone}"
"""The zone in which Grafana shows times: steps begin at its midnights, so nothing looks shifted."""

ZONE = "${zone:uriencode}"
"""The zone that the variable names; like `word`, but a zone's slash stays."""

FILTERS = {name: several(name) for name in ("workspace", "client", "project", "tag", "billable")}
"""What the variables at the top of a dashboard keep."""


def meaning(target: str) -> str:
    """What a target counts, in the catalogue's words."""
    return METRICS[target].meaning if target in METRICS else SYNC_TABLES[target].meaning


def column_meaning(target: str, column: str) -> str:
    """What stands in a column of a table about the sync, as a sentence."""
    said = next(each.meaning for each in SYNC_TABLES[target].columns if each.name == column)
    return f"{said[0].upper()}{said[1:]}."


class _Question(Dataquery):
    """What the plugin keeps of a target."""

    def __init__(self, target: str, payload: Mapping[str, Any]) -> None:
        self.ref_id = "A"
        self.target = target
        self.payload = payload

    def to_json(self) -> dict[str, object]:
        return {
            "refId": self.ref_id,
            "datasource": PULSE,
            "target": self.target,
            "editorMode": "code",
            "payload": _text(self.payload),
        }


class Ask(Builder[Dataquery]):
    """A question to Toggl Pulse; the payload is code mode's, the only one whose variables arrive as JSON."""

    def __init__(self, target: str, **payload: Any) -> None:
        self.target = target
        self._question = _Question(target, payload)

    def build(self) -> Dataquery:
        return self._question

    def framed(self) -> Ask:
        """With names, units and Toggl's colours, where no other form is asked for."""
        self._question.payload = {"format": "frame"} | dict(self._question.payload)
        return self

    def ref(self, ref_id: str) -> Ask:
        self._question.ref_id = ref_id
        return self


class _Statement(Dataquery):
    def __init__(self, query: str) -> None:
        self.ref_id = "A"
        self.query = query

    def to_json(self) -> dict[str, object]:
        return {"refId": self.ref_id, "datasource": INFLUXDB, "query": self.query}


class Flux(Builder[Dataquery]):
    """A question to InfluxDB."""

    def __init__(self, query: str) -> None:
        self._statement = _Statement(query)

    def build(self) -> Dataquery:
        return self._statement


def _text(payload: Mapping[str, Any]) -> str:
    """JSON in which variables of several values stand without quotation marks."""
    return re.sub(r'"(\$\{\w+:json\})"', r"\1", json.dumps(payload, ensure_ascii=False))
