"""A question as frozen data, and the reading of one from loose JSON values.

Says in one sentence what is wrong with a bad one. Knows no entry and no name: what a filter's value means is
decided where the names are.
"""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Literal
from zoneinfo import ZoneInfo

import re2

from toggl_pulse.errors import BadRequest
from toggl_pulse.metrics.calendar import INTERVALS, MAX_POINTS
from toggl_pulse.metrics.catalogue import METRICS
from toggl_pulse.metrics.elapsed import PERIODS, USUAL_PERIODS

__all__ = [
    "ALL",
    "ATTRIBUTIONS",
    "A_DAY_MS",
    "DIMENSIONS",
    "EARLIEST_MS",
    "INTERVAL_NAMES",
    "LATEST_MS",
    "LONGEST_TEXT",
    "MATRIX",
    "MOST_DAYS",
    "MOST_VALUES",
    "ONLY",
    "SORTS",
    "USUAL_DAYS",
    "Filter",
    "Query",
    "parse_adhoc",
    "parse_filters",
    "parse_query",
    "parse_range",
    "parse_zone",
    "pattern",
    "undo_grafana",
    "zone_names",
]

DIMENSIONS = ("workspace", "client", "project", "task", "tag", "user", "billable", "description")
INTERVAL_NAMES = ("auto", *INTERVALS, "range")
ATTRIBUTIONS = ("start", "split")
SORTS = ("start", "duration")
ONLY = ("all", "over_midnight", "long", "short", "running")
MATRIX = "matrix"
"""The `format` by which a heat map has a row a weekday."""

ALL = "$__all"
"""Grafana's value of a variable that is set to All."""

Operator = Literal["=", "!=", "=~", "!~", "one_of", "not_one_of", "text"]
_OPERATORS: Mapping[str, Operator] = {
    "=": "=", "==": "=", "!=": "!=", "=~": "=~", "!~": "!~",
    "=|": "one_of", "one_of": "one_of", "!=|": "not_one_of", "not_one_of": "not_one_of",
}  # fmt: skip

EARLIEST_MS = int(datetime(2006, 1, 1, tzinfo=UTC).timestamp() * 1000)
LATEST_MS = int(datetime(2101, 1, 1, tzinfo=UTC).timestamp() * 1000)
A_DAY_MS = 86_400_000
LONGEST_TEXT = 4_096
MOST_VALUES = 10_000
MOST_DAYS = 36_500
USUAL_DAYS = 30
_LONGEST_ZONE = 100
_LONGEST_QUOTE = 60
_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


@dataclass(frozen=True, slots=True)
class Filter:
    """Keeps the entries whose `dimension` matches `values`.

    `text` are values that Grafana may have put in: an exact name first, then its regular-expression forms undone.
    The values of all other operators are literal (`=~` and `!~`: patterns).
    """

    dimension: str
    operator: Operator
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked: `[start_ms, end_ms)` in UTC milliseconds, days and weeks in `zone`.

    `week_start` counts Toggl's way, 0 = Sunday. `interval_ms` and `max_points` guide the interval `auto` only;
    `sort` and `only` are of the list of entries, `periods` of changes, `days` of dormant projects, `matrix` of the heat
    map.
    """

    metric: str
    start_ms: int
    end_ms: int
    zone: ZoneInfo
    group_by: str = "none"
    interval: str = "auto"
    attribution: str = "start"
    filters: tuple[Filter, ...] = ()
    limit: int | None = None
    week_start: int = 1
    interval_ms: int = 0
    max_points: int = MAX_POINTS
    sort: str = SORTS[0]
    only: str = ONLY[0]
    periods: tuple[str, ...] = USUAL_PERIODS
    days: int = USUAL_DAYS
    matrix: bool = False


def parse_query(
    metric: str,
    payload: Mapping[str, Any],
    *,
    start_ms: int,
    end_ms: int,
    zone: ZoneInfo,
    week_start: int = 1,
    interval_ms: int = 0,
    max_points: int = MAX_POINTS,
    adhoc: Iterable[Filter] = (),
) -> Query:
    """Read a target's payload; what it does not say comes from the arguments.

    Keys that nobody knows are ignored, for Grafana adds its own; a dimension's name as a key is a filter too, for
    the builder of the JSON data source cannot nest. An empty string is what an unset variable sends: the default.
    """
    if metric not in METRICS:
        raise BadRequest(
            f"There is no metric {_quoted(metric)}: ask for one of {_list(METRICS)}.", code="unknown_metric"
        )
    start_ms, end_ms = parse_range(start_ms, end_ms)
    filters = list(parse_filters(payload.get("filters")))
    filters += parse_filters({key: payload[key] for key in DIMENSIONS if key in payload}, builder=True)
    zone_name = payload.get("timezone")
    return Query(
        metric=metric,
        start_ms=start_ms,
        end_ms=end_ms,
        zone=zone if zone_name is None or zone_name == "" else parse_zone(zone_name),
        group_by=_choice(payload, "group_by", ("none", *DIMENSIONS), code="unknown_group"),
        interval=_choice(payload, "interval", INTERVAL_NAMES, code="unknown_interval"),
        attribution=_choice(payload, "attribution", ATTRIBUTIONS, code="bad_value"),
        filters=(*filters, *adhoc),
        limit=_number(payload, "limit"),
        week_start=_week_start(payload.get("week_start"), week_start),
        interval_ms=max(0, interval_ms),
        max_points=max(1, min(max_points, MAX_POINTS)),
        sort=_choice(payload, "sort", SORTS, code="unknown_sort"),
        only=_choice(payload, "only", ONLY, code="unknown_only"),
        periods=_periods(payload.get("periods")),
        days=_number(payload, "days", most=MOST_DAYS) or USUAL_DAYS,
        matrix=payload.get("format") == MATRIX,
    )


def parse_range(start_ms: int, end_ms: int) -> tuple[int, int]:
    """A range that is in order and within 2006 to 2100 (a day more on each side, for zones)."""
    if start_ms > end_ms:
        raise BadRequest("The range ends before it begins: `from` must not be after `to`.", code="bad_range")
    if start_ms < EARLIEST_MS - A_DAY_MS or end_ms > LATEST_MS + A_DAY_MS:
        raise BadRequest("The range must lie within the years 2006 to 2100.", code="bad_range")
    return start_ms, end_ms


@cache
def zone_names() -> frozenset[str]:
    """Every IANA zone; files of this machine beside them (`localtime`, `right/…`) are no zones to ask for."""
    return frozenset(files("tzdata").joinpath("zones").read_text("ascii").split())


def parse_zone(name: object) -> ZoneInfo:
    """The IANA zone of that name, also with Grafana's backslashes before slashes; its `utc` is UTC."""
    if isinstance(name, str) and len(name) < _LONGEST_ZONE:
        for candidate in ("UTC" if name == "utc" else name, _unescape(name)):
            if candidate in zone_names():
                return ZoneInfo(candidate)
    raise BadRequest(
        f"There is no time zone {_quoted(name)}: use an IANA name such as Europe/Berlin.", code="unknown_timezone"
    )


def parse_filters(filters: object, *, builder: bool = False) -> tuple[Filter, ...]:
    """A payload's filters: dimension -> a list of literal names or ids, or one bare string.

    The query builder's lists are not literal: it puts a variable's values into an element as `(a|b)`.
    """
    if filters in (None, "", [], {}):
        return ()
    if isinstance(filters, str):
        try:
            filters = json.loads(filters)
        except (ValueError, RecursionError):
            filters = None
    if not isinstance(filters, Mapping):
        raise BadRequest("`filters` must be an object of dimension and values.", code="bad_value")
    found = (_filter(dimension, value, builder=builder) for dimension, value in filters.items())
    return tuple(each for each in found if each is not None)


def _filter(dimension: object, value: object, *, builder: bool) -> Filter | None:
    """None where every value will do."""
    dimension = _known_dimension(dimension)
    if value is None:
        return None
    literal = isinstance(value, list | tuple) and not builder
    values = _values(value if isinstance(value, list | tuple) else [value])
    if not literal:
        values = tuple(each for each in values if each)  # an unset variable is an empty one
    if not values or ALL in values:
        return None
    return Filter(dimension, "one_of" if literal else "text", values)


def parse_adhoc(filters: object) -> tuple[Filter, ...]:
    """Grafana's ad-hoc filters: a list of `{key, operator, value}` or `{key, operator, values}`."""
    if filters is None:
        return ()
    if not isinstance(filters, list | tuple):
        raise BadRequest("`filters` must be a list of key, operator and value.", code="bad_value")
    found = []
    for item in filters:
        if not isinstance(item, Mapping):
            raise BadRequest("An ad-hoc filter must be an object with key, operator and value.", code="bad_value")
        dimension, sign = _known_dimension(item.get("key")), item.get("operator", "=")
        operator = _OPERATORS.get(sign) if isinstance(sign, str) else None
        if operator is None:
            raise BadRequest(f"There is no filter operator {_quoted(sign)}: use {_list(_OPERATORS)}.", code="bad_value")
        many = item.get("values")
        if operator in {"one_of", "not_one_of"} and isinstance(many, list | tuple) and many:
            values = _values(many)
        else:
            values = _values([item.get("value")])
        if ALL in values:
            continue
        if operator in {"=~", "!~"}:
            pattern(values[0])
        found.append(Filter(dimension, operator, values))
    return tuple(found)


def pattern(text: str) -> Any:
    """A compiled regular expression that takes linear time; found anywhere in a name, as in InfluxQL."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except (re2.error, UnicodeError) as error:
        raise BadRequest(
            f"{_quoted(text)} is not a regular expression that can be used here (RE2 syntax).", code="bad_regex"
        ) from error


def undo_grafana(text: str) -> tuple[str, ...]:
    r"""The values that Grafana's regular-expression form stands for: `(a|b\.c)` is `a` and `b.c`, `a\.b` is `a.b`."""
    several = re.fullmatch(r"\(((?:\\.|[^\\])*)\)", text, re.DOTALL)  # an escaped bracket at the end is a name's
    if several:
        return tuple(_unescape(part) for part in re.findall(r"((?:\\.|[^\\|])+)(?:\||$)", several[1], re.DOTALL))
    return (_unescape(text),)


def _unescape(text: str) -> str:
    return re.sub(r"\\([\\^$*+?.()|\[\]{}/-])", r"\1", text)


def _known_dimension(dimension: object) -> str:
    if not isinstance(dimension, str) or dimension not in DIMENSIONS:
        raise BadRequest(
            f"There is no filter {_quoted(dimension)}: use one of {_list(DIMENSIONS)}.", code="unknown_filter"
        )
    return dimension


def _values(values: Iterable[object]) -> tuple[str, ...]:
    found = []
    for value in values:
        if isinstance(value, bool):
            found.append(str(value).lower())
        elif isinstance(value, int | str):
            found.append(str(value))
        else:
            raise BadRequest("A filter's values must be names or ids.", code="bad_value")
        if len(found[-1]) > LONGEST_TEXT:
            raise BadRequest(f"A filter's value may have {LONGEST_TEXT:,} characters at most.", code="bad_value")
        if len(found) > MOST_VALUES:
            raise BadRequest(f"A filter may have {MOST_VALUES:,} values at most.", code="bad_value")
    return tuple(found)


def _choice(payload: Mapping[str, Any], key: str, choices: tuple[str, ...], *, code: str) -> str:
    """The first choice is the default."""
    value = payload.get(key)
    if value in {None, ""} if isinstance(value, str | None) else False:
        return choices[0]
    for candidate in (value, _unescape(value) if isinstance(value, str) else value):
        if isinstance(candidate, str) and candidate in choices:
            return candidate
    raise BadRequest(f"`{key}` cannot be {_quoted(value)}: use one of {_list(choices)}.", code=code)


def _periods(value: object) -> tuple[str, ...]:
    """Each once, in the order in which they are asked for; Grafana's `(a|b)` names several."""
    words = [
        word for word in (value if isinstance(value, list | tuple) else [value]) if word is not None and word != ""
    ]
    if not words:
        return USUAL_PERIODS
    found = []
    for word in words:
        for name in PERIODS if word == ALL else undo_grafana(word) if isinstance(word, str) else [word]:
            if not isinstance(name, str) or name not in PERIODS:
                raise BadRequest(
                    f"There is no period {_quoted(name)}: use one of {_list(PERIODS)}.", code="unknown_period"
                )
            found.append(name)
    return tuple(dict.fromkeys(found))


def _number(payload: Mapping[str, Any], key: str, *, most: int | None = None) -> int | None:
    value = payload.get(key)
    if value is None or value == "":
        return None
    number = _whole(value)
    if number is None or number < 1 or (most is not None and number > most):
        words = "1 or more" if most is None else f"1 to {most:,}"
        raise BadRequest(f"`{key}` must be a whole number, {words}.", code="bad_value")
    return number


def _week_start(value: object, default: int) -> int:
    if value is None or value == "":
        return default
    if isinstance(value, str) and value.lower() in _WEEKDAYS:
        return _WEEKDAYS.index(value.lower())
    number = _whole(value)
    if number is None or not 0 <= number < len(_WEEKDAYS):
        raise BadRequest("`week_start` must be 0 (Sunday) to 6 (Saturday), or a weekday's name.", code="bad_value")
    return number


def _whole(value: object) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value.strip(), re.ASCII):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _quoted(value: object) -> str:
    text = value if isinstance(value, str) else reprlib.repr(value)  # which goes a few levels deep only
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in text[:_LONGEST_QUOTE])
    return f"“{shown}…”" if len(text) > _LONGEST_QUOTE else f"“{shown}”"


def _list(words: Iterable[str]) -> str:
    return ", ".join(words)
