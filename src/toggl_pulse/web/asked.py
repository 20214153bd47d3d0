"""What a page is asked to show, read from its address and written back into one: range, groups, steps and filters.

An address is all the state that a view has, so that it can be kept, shared and gone back to. Asks nothing of anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from toggl_pulse.errors import BadRequest
from toggl_pulse.metrics import ATTRIBUTIONS, DIMENSIONS, INTERVAL_NAMES, Filter, Query, parse_query, parse_zone
from toggl_pulse.metrics.period import beginning, days_of, instant

__all__ = ["CHOICES", "DEFAULT_PERIOD", "FILTERS", "Asked"]

DEFAULT_PERIOD = "last-30-days"
FILTERS = tuple(name for name in DIMENSIONS if name not in {"task", "description"})
"""The dimensions that every view can be narrowed by."""

CHOICES: Mapping[str, tuple[str, ...]] = {
    "group": ("project", *(name for name in DIMENSIONS if name != "project")),
    "interval": tuple(name for name in INTERVAL_NAMES if name != "range"),
    "attribution": ATTRIBUTIONS,
}
"""What can be chosen beside range and filters; the first is the default."""

_TO_CUT = "all"
# up to so many days an interval is still easy to look at
_HOURS, _DAYS, _WEEKS, _MONTHS = 2, 62, 190, 2200
_MOST_TEXT = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """`first` and `last` are local days, both shown. `own` are the parameters that only one view knows."""

    period: str
    first: date
    last: date
    zone: ZoneInfo
    default_zone: ZoneInfo
    today: date
    week_start: int
    chosen: Mapping[str, str]
    filters: Mapping[str, tuple[str, ...]]
    own: Mapping[str, str]

    @staticmethod
    def read(
        given: Iterable[tuple[str, str]],
        *,
        now: datetime,
        zone: ZoneInfo,
        week_start: int,
        known: tuple[datetime, datetime] | None = None,
    ) -> Asked:
        """Read an address' parameters; `known` is when the first and the last entry begin, for the range `all`.

        Raises `BadRequest` with a sentence about what cannot be shown.
        """
        values: dict[str, list[str]] = {}
        for name, value in given:
            if value:
                values.setdefault(name, []).append(value)
        one = {name: many[-1] for name, many in values.items()}
        shown = parse_zone(one["timezone"]) if "timezone" in one else zone
        today = now.astimezone(shown).date()
        period = one.get("range", "" if "from" in one or "to" in one else DEFAULT_PERIOD)
        if period:
            first, end = days_of(period, today, week_start)
            if period == _TO_CUT:
                first, end = _cut(known, shown, today)
        else:
            first = _day(one.get("from"), shown, today)
            end = _day(one.get("to"), shown, max(first, today)) + timedelta(days=1)
        if first >= end:
            raise BadRequest("The range ends before it begins: choose a later last day.", code="bad_range")
        chosen = {name: one.get(name, choices[0]) for name, choices in CHOICES.items()}
        for name, word in chosen.items():
            if word not in CHOICES[name] and (name, word) != ("group", "none"):
                raise BadRequest(f"`{name}` cannot be “{word[:60]}”: use one of {', '.join(CHOICES[name])}.")
        return Asked(
            period=period,
            first=first,
            last=end - timedelta(days=1),
            zone=shown,
            default_zone=zone,
            today=today,
            week_start=week_start,
            chosen=chosen,
            filters={name: tuple(dict.fromkeys(values[name])) for name in FILTERS if name in values},
            own={
                name: value[:_MOST_TEXT]
                for name, value in one.items()
                if name not in {"range", "from", "to", "timezone", *CHOICES, *FILTERS}
            },
        )

    # --- what is asked of the metrics ---------------------------------------------------------------------------------

    @property
    def start(self) -> datetime:
        return beginning(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """The first instant that is no more shown."""
        return beginning(self.last + timedelta(days=1), self.zone)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def group(self) -> str:
        return self.chosen["group"]

    @property
    def attribution(self) -> str:
        return self.chosen["attribution"]

    @property
    def interval(self) -> str:
        """The step: the one asked for, else one that a range of this length is easy to look at with."""
        if self.chosen["interval"] != CHOICES["interval"][0]:
            return self.chosen["interval"]
        limits = ((_HOURS, "hour"), (_DAYS, "day"), (_WEEKS, "week"), (_MONTHS, "month"))
        return next((name for most, name in limits if self.days <= most), "year")

    def query(
        self,
        metric: str,
        *,
        span: tuple[datetime, datetime] | None = None,
        filters: Mapping[str, Any] = {},
        adhoc: Iterable[Filter] = (),
        **more: Any,
    ) -> Query:
        """The metric's query for what is asked; `span` instead of the range, `filters` and `adhoc` beside its own."""
        start, end = span or (self.start, self.end)
        payload = {"attribution": self.attribution, "filters": {**_as_lists(self.filters), **filters}, **more}
        return parse_query(
            metric,
            payload,
            start_ms=int(start.timestamp()) * 1000,
            end_ms=int(end.timestamp()) * 1000,
            zone=self.zone,
            week_start=self.week_start,
            adhoc=adhoc,
        )

    # --- addresses ------------------------------------------------------------------------------------------------

    def parameters(self, **changes: Any) -> list[tuple[str, str]]:
        """The parameters of an address that shows the same but for `changes`; what is the default is left out.

        A change to None or to nothing leaves the parameter out; `range` replaces `from` and `to` and the other way.
        """
        state: dict[str, Any] = {
            "range": self.period if self.period != DEFAULT_PERIOD else None,
            "from": None if self.period else self.first.isoformat(),
            "to": None if self.period else self.last.isoformat(),
            **{name: word for name, word in self.chosen.items() if word != CHOICES[name][0]},
            "timezone": self.zone.key if self.zone.key != self.default_zone.key else None,
            **self.filters,
        }
        if "range" in changes:
            state |= {"from": None, "to": None}
            changes = changes | {"range": changes["range"] if changes["range"] != DEFAULT_PERIOD else None}
        elif "from" in changes or "to" in changes:
            state |= {"range": None, "from": self.first.isoformat(), "to": self.last.isoformat()}
        found = []
        for name, value in {**state, **changes}.items():
            many = value if isinstance(value, tuple | list) else (value,)
            found += [(name, str(each)) for each in many if each not in {None, ""}]
        return found

    def link(self, view: str = "", /, **changes: Any) -> str:
        """An address relative to any page of this folder; `view` is empty for the first one."""
        text = urlencode(self.parameters(**changes))
        return f"{view or './'}?{text}" if text else (view or "./")

    def without(self, dimension: str, value: str) -> dict[str, tuple[str, ...]]:
        """The change that takes one value out of a filter."""
        return {dimension: tuple(each for each in self.filters.get(dimension, ()) if each != value)}

    def moved(self, direction: int) -> Asked:
        """The stretch of the same length before (-1) or after (1); a whole month or year moves by such ones."""
        first, last = self.first, self.last
        if first.day == 1 and (last + timedelta(days=1)).day == 1:
            months = (last.year - first.year) * 12 + last.month - first.month + 1
            begin = _month(first, direction * months)
            end = _month(first, (direction + 1) * months)
        else:
            begin = first + direction * timedelta(days=self.days)
            end = begin + timedelta(days=self.days)
        return replace(self, period="", first=begin, last=end - timedelta(days=1))


def _month(first: date, months: int) -> date:
    count = first.year * 12 + first.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _as_lists(filters: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    return {name: list(values) for name, values in filters.items()}


def _cut(known: tuple[datetime, datetime] | None, zone: ZoneInfo, today: date) -> tuple[date, date]:
    """All that there is, and today."""
    first, last = (moment.astimezone(zone).date() for moment in known) if known else (today, today)
    return min(first, today), max(last, today) + timedelta(days=1)


def _day(text: str | None, zone: ZoneInfo, default: date) -> date:
    return default if text is None else instant(text, zone).astimezone(zone).date()
