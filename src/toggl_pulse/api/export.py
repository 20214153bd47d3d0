"""The entries themselves as CSV or JSON, streamed: the routes, and the reading of their parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from toggl_pulse.api.requests import instant_ms
from toggl_pulse.errors import BadRequest
from toggl_pulse.metrics import DIMENSIONS, EntryRow, Query, parse_query, parse_zone
from toggl_pulse.metrics.export import csv_blocks, json_blocks
from toggl_pulse.metrics.query import ATTRIBUTIONS, LONGEST_TEXT
from toggl_pulse.service.context import Context
from toggl_pulse.service.work import Check

__all__ = ["ExportRoutes"]

_EVERYTHING = (datetime(2006, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC))
_TRUTH: Mapping[str, bool] = {"true": True, "1": True, "false": False, "0": False, "": False}
_VARIABLES: Mapping[str, str] = {f"var-{name}": name for name in DIMENSIONS}
"""As a link on a dashboard carries its variables."""
_OWN = ("from", "to", "timezone", "attribution", "spreadsheet_safe")


class ExportRoutes:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def csv(self, request: Request) -> Response:
        """Every entry of the range as CSV, oldest first."""
        safe = _truth(request, "spreadsheet_safe")
        return await self._stream(request, "csv", "text/csv; charset=utf-8", partial(csv_blocks, safe=safe))

    async def json(self, request: Request) -> Response:
        """Every entry of the range as a JSON array, oldest first."""
        return await self._stream(request, "json", "application/json", json_blocks)

    async def _stream(
        self, request: Request, ending: str, kind: str, write: Callable[[Iterable[EntryRow], ZoneInfo], Iterator[bytes]]
    ) -> Response:
        def blocks(_: Check) -> Iterator[bytes]:
            query = self._read(request)
            return write(self._context.pulse.answers.entries(query), query.zone)

        stream = await self._context.exports.begun(blocks)
        headers = {"Content-Disposition": f'attachment; filename="entries.{ending}"'}
        return StreamingResponse(stream, headers=headers, media_type=kind)

    def _read(self, request: Request) -> Query:
        """The query of the parameters; a name that is not one is refused, lest a slip exports everything."""
        given = request.query_params
        unknown = [name for name in given if name not in (*_OWN, *DIMENSIONS, *_VARIABLES)]
        if unknown:
            names = ", ".join((*_OWN, *DIMENSIONS))
            raise BadRequest(f"There is no parameter “{unknown[0][:60]}”: use {names}.", code="unknown_filter")
        zone = parse_zone(given["timezone"]) if given.get("timezone") else self._context.pulse.default_zone()
        first, last = _EVERYTHING
        filters: dict[str, list[str] | str] = {}
        for name in DIMENSIONS:
            values = [value for value in given.getlist(name) if value]
            if values:
                filters[name] = values if len(values) > 1 else values[0]
        for variable, name in _VARIABLES.items():
            # literal, an empty one too: what the panels of that dashboard ask for
            if chosen := given.getlist(variable):
                filters[name] = [*(value for value in given.getlist(name) if value), *chosen]
        return parse_query(
            "entries",
            {"filters": filters, "attribution": given.get("attribution")},
            start_ms=_instant(given.get("from"), "from", zone, first),
            end_ms=_instant(given.get("to"), "to", zone, last),
            zone=zone,
        )

    @property
    def parameters(self) -> Mapping[str, list[dict[str, Any]]]:
        """The query parameters, for the OpenAPI document."""
        text = {"type": "string", "maxLength": LONGEST_TEXT}
        day, time, number = (
            {"type": "string", **more}
            for more in ({"format": "date"}, {"format": "date-time"}, {"pattern": "^(1[2-9]|[23][0-9])[0-9]{11}$"})
        )
        moment = {"anyOf": [day, time, number, {"const": ""}]}
        zone = {"anyOf": [{"$ref": "#/components/schemas/Zone"}, {"const": ""}]}
        attributions = {"enum": ["", *ATTRIBUTIONS]}
        shared = [
            _parameter(
                "from", moment, "First moment: an ISO time, a day (midnight in the zone) or epoch ms", "2026-11-01"
            ),
            _parameter("to", moment, "First moment that is no more of the range, in the same forms", "2026-12-01"),
            _parameter(
                "timezone", zone, "IANA zone of days and local times; the profile's by default", "Europe/Berlin"
            ),
            _parameter("attribution", attributions, "Entries that start in the range, or overlap it"),
            *(
                _parameter(name, {"type": "array", "items": text}, f"Only entries of this {name}; may be repeated")
                for name in DIMENSIONS
            ),
            *(
                _parameter(variable, {"type": "array", "items": text}, f"The same, as Grafana's links name it: {name}")
                for variable, name in _VARIABLES.items()
            ),
        ]
        safe = _parameter("spreadsheet_safe", {"type": "boolean"}, "Guard cells against being read as formulas")
        return {"/entries.csv": [*shared, safe], "/entries.json": shared}


def _parameter(name: str, schema: dict[str, Any], meaning: str, example: str | None = None) -> dict[str, Any]:
    shown = {} if example is None else {"example": example}
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": meaning, **shown}


def _instant(text: str | None, name: str, zone: ZoneInfo, default: datetime) -> int:
    """Milliseconds; a day without time of day begins at midnight in the zone."""
    if not text:
        return int(default.timestamp()) * 1000
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        try:
            return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)
        except (ValueError, OverflowError):
            pass  # the sentence below is the right one
    return instant_ms(text, name)


def _truth(request: Request, name: str) -> bool:
    text = request.query_params.get(name, "")
    if text.lower() not in _TRUTH:
        raise BadRequest(f"`{name}` must be true or false.", code="bad_value")
    return _TRUTH[text.lower()]
