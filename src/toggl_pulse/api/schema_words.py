"""A few words of JSON Schema, for the modules that describe requests and answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["NULL", "TEXT", "Json", "any_of", "list_of", "object_of", "ref"]

Json = dict[str, Any]

NULL: Json = {"type": "null"}
TEXT: Json = {"type": "string"}


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def any_of(*schemas: Json, **more: Any) -> Json:
    return {"anyOf": list(schemas), **more}


def object_of(properties: Mapping[str, Json], *required: str, **more: Any) -> Json:
    return {"type": "object", "required": list(required), "properties": dict(properties), **more}


def list_of(items: Json, **more: Any) -> Json:
    return {"type": "array", "items": items, **more}
