"""What Grafana and other programs send, read from JSON: tolerant of what is added, strict in what is used.

Knows shapes only, not what a metric or a filter means; `request_schemas` tells the OpenAPI document of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError
from starlette.requests import Request

from toggl_pulse.errors import BadRequest

__all__ = [
    "MAX_TARGETS",
    "MOST_CHARACTERS_OF_A_REF",
    "AnnotationsRequest",
    "NoBody",
    "OptionsRequest",
    "QueryRequest",
    "SearchRequest",
    "Span",
    "TagValuesRequest",
    "Target",
    "VariableRequest",
    "instant_ms",
    "object_of",
    "read_body",
]

MAX_TARGETS = 50
MOST_CHARACTERS_OF_A_REF = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_FARTHEST_MS = 10**15

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)] | StrictInt
Payload = dict[str, Any] | StrictStr | None
"""An object, or the same as a JSON string, or nothing: Grafana's editor sends all of these."""


class _Request(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class NoBody(_Request):
    """A request that says nothing; what it carries is ignored."""


class Span(_Request):
    """From and to, as ISO times (UTC where no offset is given) or milliseconds since 1970."""

    start: StrictStr | Number = Field(alias="from")
    end: StrictStr | Number = Field(alias="to")

    def milliseconds(self) -> tuple[int, int]:
        return instant_ms(self.start, "range.from"), instant_ms(self.end, "range.to")


class Target(_Request):
    """One question of a panel. One without a name (a row just added in the editor) and a hidden one are not asked."""

    target: StrictStr | None = None
    refId: StrictStr | None = Field(None, max_length=MOST_CHARACTERS_OF_A_REF)  # noqa: N815 (Grafana's name)
    hide: StrictBool | None = None
    payload: Payload = None


class QueryRequest(_Request):
    span: Span = Field(alias="range")
    targets: list[Target] = Field(max_length=MAX_TARGETS)
    intervalMs: Number | None = None  # noqa: N815 (Grafana's name)
    maxDataPoints: Number | None = None  # noqa: N815 (Grafana's name)
    filters: list[dict[str, Any]] | None = None
    adhocFilters: list[dict[str, Any]] | None = None  # noqa: N815


class SearchRequest(_Request):
    target: StrictStr | None = None


class OptionsRequest(_Request):
    name: StrictStr
    metric: StrictStr | None = None
    payload: Payload = None


class VariableRequest(_Request):
    payload: Payload = None
    target: StrictStr | None = None


class TagValuesRequest(_Request):
    key: StrictStr


class AnnotationsRequest(_Request):
    span: Span = Field(alias="range")


Model = TypeVar("Model", bound=_Request)


async def read_body(request: Request, model: type[Model]) -> Model:
    """The body as `model`; an empty body is an empty object. Raises `BadRequest` in one sentence."""
    body = await request.body()
    if not body.strip():
        return _validated({}, model)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error.msg}.", code="bad_json") from None
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object.", code="bad_json")
    return _validated(value, model)


def _validated(value: dict[str, Any], model: type[Model]) -> Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise BadRequest(_sentence(error), code="bad_value") from None


def _sentence(error: ValidationError) -> str:
    """The first fault; within a choice of types the path's last steps name types and are left out."""
    first = error.errors(include_url=False, include_context=True, include_input=False)[0]
    path = ""
    for step in first["loc"]:
        if isinstance(step, int):
            path += f"[{step}]"
        elif step.isidentifier() and step not in {"str", "int", "float", "dict", "nullable"}:
            path += f".{step}" if path else step
    if first["type"] == "missing":
        return f"`{path}` is missing."
    if first["type"] == "too_long":
        return f"`{path}` may have {first['ctx']['max_length']} elements at most."
    return f"`{path}` cannot be used: {first['msg'][0].lower()}{first['msg'][1:]}."


def object_of(payload: Payload, name: str = "payload") -> Mapping[str, Any]:
    """A payload as an object, whichever way it was sent; nothing and the empty string are an empty one."""
    if isinstance(payload, str):
        if not payload.strip():
            return {}
        try:
            value = orjson.loads(payload)
        except orjson.JSONDecodeError as error:
            raise BadRequest(f"`{name}` is not JSON: {error.msg}.", code="bad_json") from None
        if not isinstance(value, dict):
            raise BadRequest(f"`{name}` must be a JSON object.", code="bad_value")
        return value
    return payload or {}


def instant_ms(value: float | str, name: str) -> int:
    """UTC milliseconds of an ISO time (UTC where it has no offset) or of milliseconds since 1970."""
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{9,15}", value, re.ASCII):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise BadRequest(
                f"`{name}` must be a time such as 2026-11-01T00:00:00Z, or milliseconds since 1970.", code="bad_range"
            ) from None
        return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND
    return int(max(-_FARTHEST_MS, min(float(value), _FARTHEST_MS)))
