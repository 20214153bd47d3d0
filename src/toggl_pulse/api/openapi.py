"""The OpenAPI document: what FastAPI sees of the routes, and the bodies, answers and errors that it cannot see.

Nothing in it is absolute, so that it holds behind any prefix.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from toggl_pulse.api.answer_schemas import ANSWERS, answer_schemas
from toggl_pulse.api.request_schemas import BODIES, request_schemas

__all__ = ["document"]

Json = dict[str, Any]

_REFUSALS: Mapping[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "What is wrong with the question, in one sentence",
    HTTPStatus.UNAUTHORIZED: "The token is missing or wrong",
    HTTPStatus.FORBIDDEN: "From another site's page, or without a JSON body",
    HTTPStatus.REQUEST_TIMEOUT: "The body did not arrive in time",
    HTTPStatus.CONFLICT: "A sync runs already",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too large",
    HTTPStatus.MISDIRECTED_REQUEST: "The Host is not one that this service answers to",
    HTTPStatus.SERVICE_UNAVAILABLE: "Nothing is wrong with the question; it cannot be answered now",
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
    made["components"] = {
        "schemas": {**request_schemas(), **answer_schemas()},
        "responses": {status.name: _refusal(sentence) for status, sentence in _REFUSALS.items()},
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer"},
            "download": {"type": "http", "scheme": "basic", "description": "GET only: any name, the token as password"},
        },
    }
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            schemes: list[Json] = [{"token": []}] if method == "post" else [{"token": []}, {"download": []}]
            operation["security"] = [] if path in public else schemes
            fine = next(iter(operation["responses"]))
            kind, schema = ANSWERS[method, path]
            operation["responses"] = {
                fine: {"description": "The answer", "content": {kind: {"schema": schema}}},
                **{
                    str(int(status)): {"$ref": f"#/components/responses/{status.name}"}
                    for status in _refusals(method, path, public)
                },
            }
            if path in parameters:
                operation["parameters"] = parameters[path]
            if method == "post" and path in BODIES:
                name, example, required = BODIES[path]
                content = {"schema": {"$ref": f"#/components/schemas/{name}"}, "example": example}
                operation["requestBody"] = {"required": required, "content": {"application/json": content}}
    return made


def _refusals(method: str, path: str, public: frozenset[str]) -> list[HTTPStatus]:
    """How this operation can say no; 500 is a bug and therefore none of them."""
    left_out = set()
    if path in public:
        left_out = {HTTPStatus.UNAUTHORIZED, HTTPStatus.SERVICE_UNAVAILABLE}
    if path == "/health/ready":
        left_out.remove(HTTPStatus.SERVICE_UNAVAILABLE)
    if method != "post":
        left_out.add(HTTPStatus.FORBIDDEN)
    if path != "/sync":
        left_out.add(HTTPStatus.CONFLICT)
    return [status for status in _REFUSALS if status not in left_out]


def _refusal(sentence: str) -> Json:
    return {
        "description": sentence,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
