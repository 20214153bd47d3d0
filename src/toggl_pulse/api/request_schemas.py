"""Every request's body as JSON Schema: the part of the OpenAPI document that tells what may be asked.

Says no more and no less than the routes take; where JSON Schema has no words for a rule, the description has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from toggl_pulse.api.requests import MAX_TARGETS, MOST_CHARACTERS_OF_A_REF
from toggl_pulse.api.schema_words import NULL, TEXT, Json, any_of, list_of, object_of, ref
from toggl_pulse.metrics import DIMENSIONS, INTERVAL_NAMES, METRICS
from toggl_pulse.metrics.choices import FORMATS, word_choices
from toggl_pulse.metrics.elapsed import PERIODS
from toggl_pulse.metrics.query import (
    A_DAY_MS,
    ALL,
    ATTRIBUTIONS,
    EARLIEST_MS,
    LATEST_MS,
    LONGEST_TEXT,
    MOST_DAYS,
    MOST_VALUES,
    ONLY,
    SORTS,
    USUAL_DAYS,
)
from toggl_pulse.service.sync_tables import SYNC_TABLES

__all__ = ["BODIES", "request_schemas"]

_RANGE = {"from": "2026-10-31T23:00:00.000Z", "to": "2026-11-30T23:00:00.000Z"}
_PAYLOAD = {
    "group_by": "project",
    "interval": "day",
    "timezone": "Europe/Berlin",
    "filters": {"client": ["Acme"], "billable": ["true"]},
    "limit": 10,
}
_BLANK = {"type": "string", "pattern": "^[ \\t\\n]*$"}
_NUMBER = {"type": "number"}
_JSON_TEXT = {
    "type": "string",
    "format": "json-object",
    "contentMediaType": "application/json",
    "description": "The same object as JSON text; empty text is an empty object",
}
_WORDS = "|".join((*METRICS, *SYNC_TABLES))


def _choice(words: Iterable[str], meaning: str) -> Json:
    """One of some words; null and the empty string are the default."""
    return {"enum": [None, "", *words], "description": meaning}


def request_schemas() -> dict[str, Json]:
    moment = any_of(
        {"type": "string", "format": "date-time"},
        {"type": "integer", "minimum": EARLIEST_MS - A_DAY_MS, "maximum": LATEST_MS + A_DAY_MS},
        description="An ISO time within 2006 to 2100 (UTC where it has no offset), or milliseconds since 1970",
    )
    word = any_of({"type": "string", "maxLength": LONGEST_TEXT}, {"type": "integer"}, {"type": "boolean"})
    values = any_of(
        NULL, word, list_of(word), description=f"Names or ids, {MOST_VALUES:,} at most; nothing is no filter"
    )
    dimensions = dict.fromkeys(DIMENSIONS, values)
    whole = {"type": "string", "pattern": "^0{0,3}[1-9][0-9]{0,4}$"}
    days = [day for _, name in word_choices()["week_start"] for day in (name, name.lower())]
    payload = {
        "group_by": _choice(("none", *DIMENSIONS), "What makes a series; none by default"),
        "interval": _choice(INTERVAL_NAMES, "The length of a step; auto by default"),
        "attribution": _choice(ATTRIBUTIONS, "Where an entry's time is booked; start by default"),
        "timezone": any_of(NULL, {"const": ""}, ref("Zone"), description="The profile's by default"),
        "format": _choice(FORMATS, "time_series by default; frame of all, matrix of the heat map (a table elsewhere)"),
        "sort": _choice(SORTS, "What the list of entries begins with: the newest (default) or the longest"),
        "only": _choice(ONLY, "Which entries the list has; all by default"),
        "periods": any_of(
            _choice((*PERIODS, ALL), "A period"),
            list_of(_choice((*PERIODS, ALL), "A period")),
            description="The rows of period_change; today, this_week and this_month by default",
        ),
        "days": any_of(
            NULL,
            {"const": ""},
            {"type": "integer", "minimum": 1, "maximum": MOST_DAYS},
            {"type": "string", "pattern": "^[1-9][0-9]{0,3}$"},
            description=f"For how long a dormant project has had no entry; {USUAL_DAYS} by default",
        ),
        "limit": any_of(
            NULL, {"const": ""}, {"type": "integer", "minimum": 1}, whole, description="How many groups to keep"
        ),
        "week_start": any_of(
            NULL,
            {"type": "integer", "minimum": 0, "maximum": 6},
            {"enum": ["", *"0123456", *days]},
            description="0 is Sunday; the profile's by default",
        ),
        "filters": any_of(
            NULL,
            _JSON_TEXT,
            list_of({}, maxItems=0),
            object_of(dimensions, additionalProperties=False),
            description="The values of one dimension are alternatives; all dimensions must hold",
        ),
        **dimensions,
    }
    asked = object_of(
        {
            "target": {
                "type": "string",
                "pattern": f"^[ ]*({_WORDS}|\\(({_WORDS})(\\|({_WORDS}))*\\))[ ]*$",
                "description": "A metric or a table about the sync; Grafana's (a|b) asks several",
            },
            "refId": any_of(NULL, {"type": "string", "maxLength": MOST_CHARACTERS_OF_A_REF}),
            "hide": {"enum": [None, False]},
            "payload": any_of(NULL, _JSON_TEXT, ref("Payload")),
        },
        "target",
        example={"refId": "A", "target": "tracked_hours", "payload": _PAYLOAD},
    )
    not_asked = {
        "refId": any_of(NULL, {"type": "string", "maxLength": MOST_CHARACTERS_OF_A_REF}),
        "payload": any_of(NULL, TEXT, {"type": "object"}),
    }
    key = {"enum": list(DIMENSIONS)}
    single = ["=", "==", "!=", "=|", "one_of", "!=|", "not_one_of"]
    adhoc = any_of(
        object_of({"key": key, "operator": {"enum": single}, "value": word}, "key", "value"),
        object_of(
            {"key": key, "operator": {"enum": single[3:]}, "values": list_of(word, minItems=1)},
            "key",
            "operator",
            "values",
        ),
        object_of(
            {
                "key": key,
                "operator": {"enum": ["=~", "!~"]},
                "value": any_of(
                    {"type": "string", "format": "re2", "maxLength": LONGEST_TEXT},
                    {"type": "integer"},
                    {"type": "boolean"},
                    description="A pattern in RE2's syntax, found anywhere in a name",
                ),
            },
            "key",
            "operator",
            "value",
        ),
    )
    filters = any_of(NULL, list_of(adhoc), description="Ad-hoc filters; all must hold")
    choosable = {"enum": [*DIMENSIONS, "timezone", *word_choices()]}
    wanted = {"enum": [*choosable["enum"], *(f"({word})" for word in choosable["enum"])]}
    described = object_of({"target": wanted}, "target")
    return {
        "Zone": {
            "type": "string",
            "format": "iana-zone",
            "description": "An IANA zone; `POST /variable` lists them as `timezone`",
            "example": "Europe/Berlin",
        },
        "Span": object_of({"from": moment, "to": moment}, "from", "to", description="`to` is no more of the range"),
        "Payload": object_of(payload, example=_PAYLOAD),
        "Target": any_of(
            ref("AskedTarget"),
            object_of({"target": any_of(NULL, _BLANK), "hide": {"enum": [None, False]}, **not_asked}),
            object_of({"hide": {"const": True}, "target": any_of(NULL, TEXT), **not_asked}, "hide"),
            description="A question; one without a name and a hidden one are not asked",
        ),
        "AskedTarget": asked,
        "AdHocFilters": filters,
        "Nothing": {"type": "object"},
        "SearchRequest": object_of({"target": any_of(NULL, TEXT, description="A part of the name looked for")}),
        "OptionsRequest": object_of(
            {"name": choosable, "metric": any_of(NULL, TEXT), "payload": any_of(NULL, TEXT, {"type": "object"})},
            "name",
        ),
        "VariableRequest": any_of(
            object_of({"payload": any_of(described, wanted), "target": any_of(NULL, TEXT)}, "payload"),
            object_of(
                {"payload": any_of(NULL, {"type": "object", "not": {"required": ["target"]}}), "target": wanted},
                "target",
            ),
            description="What to list, in the payload or, as older data sources send it, beside it",
        ),
        "TagValuesRequest": object_of({"key": key}, "key"),
        "AnnotationsRequest": object_of({"range": ref("Span")}, "range"),
        "QueryRequest": object_of(
            {
                "range": ref("Span"),
                "targets": list_of(ref("Target"), maxItems=MAX_TARGETS),
                "intervalMs": any_of(NULL, _NUMBER),
                "maxDataPoints": any_of(NULL, _NUMBER),
                "filters": ref("AdHocFilters"),
                "adhocFilters": ref("AdHocFilters"),
            },
            "range",
            "targets",
        ),
    }


BODIES: Mapping[str, tuple[str, Any, bool]] = {
    "/search": ("SearchRequest", {"target": "hours"}, False),
    "/metrics": ("Nothing", {"metric": "tracked_hours", "payload": {"group_by": "project"}}, False),
    "/metric-payload-options": (
        "OptionsRequest",
        {"metric": "tracked_hours", "name": "project", "payload": {}},
        True,
    ),
    "/query": (
        "QueryRequest",
        {
            "range": _RANGE,
            "intervalMs": 86_400_000,
            "maxDataPoints": 1000,
            "targets": [{"refId": "A", "target": "tracked_hours", "payload": _PAYLOAD}],
        },
        True,
    ),
    "/variable": ("VariableRequest", {"payload": {"target": "project"}}, True),
    "/tag-keys": ("Nothing", {}, False),
    "/tag-values": ("TagValuesRequest", {"key": "project"}, True),
    "/annotations": ("AnnotationsRequest", {"range": _RANGE}, True),
    "/sync": ("Nothing", {}, True),
}
"""Of each POST: the body's schema, an example, and whether there must be one; where not, none is as good as `{}`."""
