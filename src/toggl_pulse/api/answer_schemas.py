"""Every answer as JSON Schema: the part of the OpenAPI document that tells what comes back."""

from __future__ import annotations

from collections.abc import Mapping

from toggl_pulse.api.frames import COUNT, UNITS, WORDS
from toggl_pulse.api.schema_words import TEXT, Json, any_of, list_of, object_of, ref
from toggl_pulse.metrics import METRICS
from toggl_pulse.metrics.export import COLUMNS
from toggl_pulse.metrics.query import ATTRIBUTIONS
from toggl_pulse.service.sync_tables import SYNC_TABLES

__all__ = ["ANSWERS", "answer_schemas"]

_ERROR: Json = {
    "type": "object",
    "required": ["message", "error"],
    "additionalProperties": False,
    "properties": {
        "message": TEXT,
        "error": object_of({"code": TEXT, "message": TEXT}, "code", "message", additionalProperties=False),
    },
    "example": {
        "message": "There is no metric “hours”.",
        "error": {"code": "unknown_metric", "message": "There is no metric “hours”."},
    },
}


def answer_schemas() -> dict[str, Json]:
    meta = object_of(
        {
            "custom": object_of(
                {
                    "metric": TEXT,
                    "unit": TEXT,
                    "attribution": {"enum": list(ATTRIBUTIONS)},
                    "interval": TEXT,
                    "revision": {"type": "integer"},
                    "running": {"type": "boolean"},
                    "notes": list_of(TEXT),
                },
                "metric",
                "unit",
                "attribution",
                "revision",
                "notes",
            )
        },
        "custom",
    )
    whole_or_null = {"type": ["integer", "null"]}
    text_or_null = {"type": ["string", "null"]}
    columns: dict[str, Json] = dict.fromkeys(COLUMNS, TEXT)
    columns |= {key: {"type": "integer"} for key in ("id", "seconds", "workspace_id", "user_id")}
    columns |= dict.fromkeys(("client_id", "project_id", "task_id"), whole_or_null)
    columns |= dict.fromkeys(("stop", "stop_local"), text_or_null)
    columns |= {key: {"type": "boolean"} for key in ("running", "billable")}
    columns |= {"tag_ids": list_of({"type": "integer"}), "tags": list_of(TEXT)}
    return {
        "Error": _ERROR,
        "Ok": object_of({"status": {"const": "ok"}}, "status", additionalProperties=False),
        "Column": object_of({"text": TEXT, "type": {"enum": ["time", "string", "number", "boolean"]}}, "text", "type"),
        "Series": object_of(
            {
                "target": TEXT,
                "refId": TEXT,
                "datapoints": {
                    "type": "array",
                    "description": "Value (null where there is none) and epoch milliseconds of the step's start",
                    "items": {
                        "type": "array",
                        "minItems": 2,
                        "maxItems": 2,
                        "prefixItems": [{"type": ["number", "null"]}, {"type": "integer"}],
                    },
                },
                "meta": meta,
                "unit": TEXT,
            },
            "target",
            "refId",
            "datapoints",
            example={
                "target": "Website (Acme)",
                "refId": "A",
                "datapoints": [[7.5, 1793487600000], [0, 1793574000000]],
            },
        ),
        "Table": object_of(
            {
                "type": {"const": "table"},
                "refId": TEXT,
                "columns": list_of(ref("Column")),
                "rows": list_of(list_of({"type": ["number", "string", "boolean", "null"]})),
                "meta": meta,
            },
            "type",
            "refId",
            "columns",
            "rows",
        ),
        "Frame": object_of(
            {
                "refId": TEXT,
                "name": TEXT,
                "fields": list_of(
                    object_of(
                        {
                            "name": TEXT,
                            "type": {"enum": ["time", "string", "number", "boolean"]},
                            "labels": object_of({}, additionalProperties=TEXT),
                            "config": object_of(
                                {
                                    "displayNameFromDS": TEXT,
                                    "unit": {"enum": [*UNITS.values(), COUNT, WORDS]},
                                    "color": object_of(
                                        {
                                            "mode": {"const": "fixed"},
                                            "fixedColor": {"type": "string", "pattern": "^#[0-9a-f]{6}$"},
                                        },
                                        "mode",
                                        "fixedColor",
                                        additionalProperties=False,
                                    ),
                                },
                                additionalProperties=False,
                            ),
                            "values": list_of({"type": ["number", "string", "boolean", "null"]}),
                        },
                        "name",
                        "type",
                        "config",
                        "values",
                        additionalProperties=False,
                    )
                ),
                "meta": meta,
            },
            "refId",
            "name",
            "fields",
            additionalProperties=False,
            description="Grafana's data frame: all fields have as many values; times are epoch milliseconds",
        ),
        "Entry": object_of(columns, *COLUMNS),
    }


def _texts(*keys: str) -> Json:
    return list_of(object_of(dict.fromkeys(keys, TEXT), *keys))


_FIELD = object_of({"name": TEXT, "label": TEXT, "type": TEXT, "placeholder": TEXT}, "name", "label", "type")
_STATUS: dict[str, Json] = {
    "version": TEXT,
    "demo": {"type": "boolean"},
    "now": TEXT,
    "account": {"type": ["object", "null"]},
    "data_as_of": {"type": ["string", "null"]},
    "seconds_behind": {"type": ["number", "null"]},
    "sync": object_of(
        {"running": {"type": "boolean"}, "runs": list_of({"type": "object"}), "next": {"type": "object"}}
    ),
    "mirror": object_of({"revision": {"type": "integer"}, "entries": {"type": "integer"}}, "revision", "entries"),
    "quota": object_of({"reserve": {"type": "integer"}, "buckets": list_of({"type": "object"})}, "reserve", "buckets"),
    "history": {"type": "object"},
    "months": {"type": "object"},
    "steps": list_of({"type": "object"}),
}
_SAID = object_of({"status": TEXT, "message": TEXT}, "status", "message")
_REGION = object_of(
    {
        "time": {"type": "integer"},
        "timeEnd": {"type": "integer"},
        "isRegion": {"type": "boolean"},
        "title": TEXT,
        "text": TEXT,
        "tags": list_of(TEXT),
    },
    "time",
    "timeEnd",
    "title",
    "text",
)

ANSWERS: Mapping[tuple[str, str], tuple[str, Json]] = {
    ("get", "/"): ("application/json", ref("Ok")),
    ("get", "/health/live"): ("application/json", ref("Ok")),
    ("get", "/health/ready"): ("application/json", ref("Ok")),
    ("post", "/search"): ("application/json", list_of({"enum": [*METRICS, *SYNC_TABLES]})),
    ("post", "/metrics"): (
        "application/json",
        list_of(object_of({"label": TEXT, "value": TEXT, "payloads": list_of(_FIELD)}, "label", "value", "payloads")),
    ),
    ("post", "/metric-payload-options"): ("application/json", _texts("label", "value")),
    ("post", "/query"): ("application/json", list_of(any_of(ref("Series"), ref("Table"), ref("Frame")))),
    ("post", "/variable"): ("application/json", _texts("__text", "__value")),
    ("post", "/tag-keys"): ("application/json", _texts("type", "text")),
    ("post", "/tag-values"): ("application/json", _texts("text")),
    ("post", "/annotations"): ("application/json", list_of(_REGION)),
    ("get", "/status"): ("application/json", object_of(_STATUS, *_STATUS)),
    ("post", "/sync"): ("application/json", _SAID),
    ("get", "/metrics"): ("text/plain", TEXT),
    ("get", "/entries.csv"): ("text/csv", TEXT),
    ("get", "/entries.json"): ("application/json", list_of(ref("Entry"))),
}
"""Of each route: the content type of what it answers when all is well, and its schema."""
