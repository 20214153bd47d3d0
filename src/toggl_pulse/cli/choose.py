"""What `query` and `export` share: their options of range, zone and filters, made into a query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from toggl_pulse.errors import BadRequest
from toggl_pulse.metrics import Query, calendar, parse_query, parse_zone
from toggl_pulse.metrics.period import PERIODS, instant, span_of
from toggl_pulse.service import Service

__all__ = ["FilterBy", "From", "Period", "To", "Zone", "chosen"]

From = Annotated[
    str | None, typer.Option("--from", metavar="WHEN", help="Where the range begins: a date or time, in the zone.")
]
To = Annotated[
    str | None, typer.Option("--to", metavar="WHEN", help="Where it ends: the first date or time that is not in it.")
]
Period = Annotated[str | None, typer.Option(metavar="NAME", help=f"Instead of --from and --to: {', '.join(PERIODS)}.")]
Zone = Annotated[str | None, typer.Option("--timezone", metavar="ZONE", help="IANA zone, instead of your profile's.")]
FilterBy = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="DIMENSION=NAME",
        help="Only these entries, by name or id, for example client=Acme; may be repeated.",
    ),
]


def chosen(
    service: Service,
    metric: str,
    payload: Mapping[str, Any],
    *,
    start: str | None,
    end: str | None,
    period: str | None,
    timezone: str | None,
    filters: list[str] | None,
    default_period: str = "this-month",
    max_points: int = calendar.MAX_POINTS,
) -> Query:
    """The query that the options ask for; without a range, this month. Raises `BadRequest`."""
    zone = parse_zone(timezone) if timezone else service.default_zone()
    week_start = service.week_start()
    if period and (start or end):
        raise BadRequest("Use --period, or --from and --to, not both.")
    today = service.clock().astimezone(zone).date()
    first, last = span_of(period or default_period, today, zone, week_start)
    if start or end:
        whole = span_of("all", today, zone, week_start)
        first = instant(start, zone) if start else whole[0]
        last = instant(end, zone) if end else whole[1]
    return parse_query(
        metric,
        {**payload, "filters": _by_dimension(filters or [])},
        start_ms=round(first.timestamp() * 1000),
        end_ms=round(last.timestamp() * 1000),
        zone=zone,
        week_start=week_start,
        max_points=max_points,
    )


def _by_dimension(filters: list[str]) -> dict[str, list[str]]:
    """Values of one dimension are alternatives; different dimensions must all hold."""
    found: dict[str, list[str]] = {}
    for text in filters:
        dimension, sign, value = text.partition("=")
        if not sign:
            raise BadRequest(f"“{text[:60]}” is no filter: write dimension=name, for example client=Acme.")
        found.setdefault(dimension, []).append(value)
    return found
