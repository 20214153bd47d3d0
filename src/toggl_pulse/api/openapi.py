"""The OpenAPI document: what FastAPI sees of the routes, and the bodies, errors and examples that it cannot see.

Nothing in it is absolute, so that it holds behind any prefix.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from toggl_pulse.api.requests import (
    AnnotationsRequest,
    NoBody,
    OptionsRequest,
    QueryRequest,
    SearchRequest,
    TagValuesRequest,
    VariableRequest,
)

__all__ = ["document"]

Json = dict[str, Any]

_RANGE = {"from": "2026-10-31T23:00:00.000Z", "to": "2026-11-30T23:00:00.000Z"}
_PAYLOAD = {
    "group_by": "project",
    "interval": "day",
    "timezone": "Europe/Berlin",
    "filters": {"client": ["Acme"], "billable": ["true"]},
    "limit": 10,
}
_EXAMPLES: Mapping[str, tuple[type[BaseModel], Any]] = {
    "/search": (SearchRequest, {"target": "hours"}),
    "/metrics": (NoBody, {"metric": "tracked_hours", "payload": {"group_by": "project"}}),
    "/metric-payload-options": (OptionsRequest, {"metric": "tracked_hours", "name": "project", "payload": {}}),
    "/query": (
        QueryRequest,
        {
            "range": _RANGE,
            "intervalMs": 86_400_000,
            "maxDataPoints": 1000,
            "targets": [{"refId": "A", "target": "tracked_hours", "payload": _PAYLOAD}],
        },
    ),
    "/variable": (VariableRequest, {"payload": {"target": "project"}}),
    "/tag-keys": (NoBody, {}),
    "/tag-values": (TagValuesRequest, {"key": "project"}),
    "/annotations": (AnnotationsRequest, {"range": _RANGE}),
}

_ERROR: Json = {
    "type": "object",
    "required": ["message", "error"],
    "properties": {
        "message": {"type": "string"},
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        },
    },
    "example": {
        "message": "There is no metric “hours”.",
        "error": {"code": "unknown_metric", "message": "There is no metric “hours”."},
    },
}
_COLUMN: Json = {
    "type": "object",
    "required": ["text", "type"],
    "properties": {"text": {"type": "string"}, "type": {"enum": ["time", "string", "number", "boolean"]}},
}
_SERIES: Json = {
    "type": "object",
    "required": ["target", "refId", "datapoints"],
    "properties": {
        "target": {"type": "string"},
        "refId": {"type": "string"},
        "datapoints": {
            "type": "array",
            "description": "Value (null where there is none) and epoch milliseconds of the step's start",
            "items": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": ["number", "null"]}},
        },
    },
    "example": {"target": "Website (Acme)", "refId": "A", "datapoints": [[7.5, 1793487600000], [0, 1793574000000]]},
}
_TABLE: Json = {
    "type": "object",
    "required": ["type", "refId", "columns", "rows"],
    "properties": {
        "type": {"const": "table"},
        "refId": {"type": "string"},
        "columns": {"type": "array", "items": {"$ref": "#/components/schemas/Column"}},
        "rows": {"type": "array", "items": {"type": "array"}},
    },
}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _list_of(*keys: str) -> Json:
    item = {"type": "object", "required": list(keys), "properties": {key: {"type": "string"} for key in keys}}
    return {"type": "array", "items": item}


_ANSWERS: Mapping[str, tuple[str, Json]] = {
    "/metric-payload-options": ("application/json", _list_of("label", "value")),
    "/variable": ("application/json", _list_of("__text", "__value")),
    "/tag-values": ("application/json", _list_of("text")),
    "/query": ("application/json", {"type": "array", "items": {"anyOf": [_ref("Series"), _ref("Table")]}}),
    "/status": ("application/json", {"type": "object"}),
    "/entries.csv": ("text/csv", {"type": "string"}),
    "/entries.json": ("application/json", {"type": "array", "items": {"type": "object"}}),
}


def document(app: FastAPI, *, public: frozenset[str], parameters: Mapping[str, list[Json]]) -> Json:
    """The document; `public` paths need no token, `parameters` are the query parameters of a path."""
    made = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        servers=[{"url": ".", "description": "where this document is"}],
    )
    refs, shared = models_json_schema(
        [(model, "validation") for model in dict.fromkeys(model for model, _ in _EXAMPLES.values())],
        ref_template="#/components/schemas/{model}",
    )
    components = made.setdefault("components", {})
    components["schemas"] = {
        **shared.get("$defs", {}),
        "Error": _ERROR,
        "Column": _COLUMN,
        "Series": _SERIES,
        "Table": _TABLE,
    }
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer"},
        "download": {"type": "http", "scheme": "basic", "description": "GET only: any name, the token as password"},
    }
    error = {
        "description": "What is wrong, in one sentence",
        "content": {"application/json": {"schema": _ref("Error")}},
    }
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            schemes: list[Json] = [{"token": []}] if method == "post" else [{"token": []}, {"download": []}]
            operation["security"] = [] if path in public else schemes
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = error
            if path in parameters:
                operation["parameters"] = parameters[path]
            if method == "post" and path in _EXAMPLES:
                model, example = _EXAMPLES[path]
                content = {"schema": refs[model, "validation"], "example": example}
                operation["requestBody"] = {"required": True, "content": {"application/json": content}}
            if path in _ANSWERS:
                kind, schema = _ANSWERS[path]
                operation["responses"]["200"]["content"] = {kind: {"schema": schema}}
    return made
