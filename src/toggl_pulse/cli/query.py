"""`toggl-pulse query`: any metric as a table on the terminal, as JSON or as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from toggl_pulse.cli.choose import FilterBy, From, Period, To, Zone, chosen
from toggl_pulse.cli.grid import print_answer
from toggl_pulse.cli.parts import AsJson, Demo, SpreadsheetSafe, opened_service, say_json, write_out
from toggl_pulse.errors import BadRequest
from toggl_pulse.metrics import DIMENSIONS, METRICS, Answer, Query, calendar
from toggl_pulse.metrics.elapsed import PERIODS
from toggl_pulse.metrics.export import spreadsheet_safe as spreadsheet_safe_text
from toggl_pulse.metrics.query import MATRIX, MOST_DAYS, ONLY, SORTS

__all__ = ["query"]

Row = list[Any]

STEPS_OF_AUTO = 60


def query(
    metric: Annotated[
        str, typer.Argument(metavar="METRIC", help=f"One of: {', '.join(METRICS)}.", show_default=True)
    ] = "tracked_hours",
    start: From = None,
    end: To = None,
    period: Period = None,
    group_by: Annotated[
        str | None,
        typer.Option(
            metavar="DIMENSION",
            help=f"none, {', '.join(DIMENSIONS[:-1])} or {DIMENSIONS[-1]}; by project if not given, tables ungrouped.",
        ),
    ] = None,
    interval: Annotated[
        str,
        typer.Option(
            metavar="STEP",
            help="range (one value), hour, day, week, month, quarter, year, or auto: what fits a screen.",
        ),
    ] = "range",
    attribution: Annotated[
        str, typer.Option(metavar="HOW", help="start books an entry where it began, split cuts it at the borders.")
    ] = "start",
    timezone: Zone = None,
    filters: FilterBy = None,
    limit: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Show the largest groups, fold the rest into one; the first rows of tables.", min=1
        ),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(metavar="HOW", help=f"Of entries: {' or '.join(SORTS)}, the newest or the longest first."),
    ] = None,
    only: Annotated[str | None, typer.Option(metavar="KIND", help=f"Of entries: {', '.join(ONLY)}.")] = None,
    periods: Annotated[
        list[str] | None,
        typer.Option("--compare", metavar="PERIOD", help=f"Of period_change: {', '.join(PERIODS)}; may be repeated."),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(metavar="N", help="Of dormant_projects: how long without an entry.", min=1, max=MOST_DAYS),
    ] = None,
    matrix: Annotated[
        bool, typer.Option("--matrix", help="Of weekday_hour_hours: a row a weekday, in CSV and JSON too.")
    ] = False,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    spreadsheet_safe: SpreadsheetSafe = False,
    demo: Demo = False,
) -> None:
    """Print any metric: by default this month's tracked hours by project.

    The table is for people; --json and --csv have every column, every digit and times with their offset.
    """
    if as_json and as_csv:
        raise BadRequest("Use --json or --csv, not both.")
    known = METRICS.get(metric)
    by = group_by or ("none" if known is not None and known.shape == "table" else "project")
    payload = {
        "group_by": by,
        "interval": interval,
        "attribution": attribution,
        "limit": limit,
        "sort": sort,
        "only": only,
        "periods": periods,
        "days": days,
        "format": MATRIX if matrix else None,
    }
    with opened_service(demo=demo) as service:
        asked = chosen(
            service,
            metric,
            payload,
            start=start,
            end=end,
            period=period,
            timezone=timezone,
            filters=filters,
            max_points=STEPS_OF_AUTO if interval == "auto" else calendar.MAX_POINTS,
        )
        answer = service.answers.answer(asked)
    if not as_json and not as_csv:
        print_answer(answer, asked)
        return
    names, rows = flat(answer, asked.zone)
    if as_json:
        say_json(_as_json(answer, names, rows, asked))
    else:
        write_out(_as_csv(names, rows, safe=spreadsheet_safe), "csv")


def flat(answer: Answer, zone: ZoneInfo) -> tuple[list[str], list[Row]]:
    """An answer as column names and rows; times as ISO text in the zone, a missing value as None."""
    if answer.table is not None:
        times = {n for n, column in enumerate(answer.table.columns) if column[1] == "time"}
        return [column[0] for column in answer.table.columns], [
            [_local(cell, zone) if n in times else cell for n, cell in enumerate(row)] for row in answer.table.rows
        ]
    return ["time", "group", answer.unit], list(_series_rows(answer, zone))


def _series_rows(answer: Answer, zone: ZoneInfo) -> Iterator[Row]:
    for series in answer.series:
        for at, value in zip(series.times_ms.tolist(), series.values.tolist(), strict=True):
            yield [_local(at, zone), series.label, None if math.isnan(value) else value]


def _local(ms: int | None, zone: ZoneInfo) -> str | None:
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone).isoformat(timespec="seconds")


def _as_csv(names: list[str], rows: list[Row], *, safe: bool) -> Iterator[bytes]:
    for row in (names, *rows):
        text = io.StringIO(newline="")
        cells = [spreadsheet_safe_text(cell) if safe and isinstance(cell, str) else cell for cell in row]
        csv.writer(text, quoting=csv.QUOTE_ALL if safe else csv.QUOTE_MINIMAL).writerow(cells)
        yield text.getvalue().encode("utf-8", "replace")


def _as_json(answer: Answer, names: list[str], rows: list[Row], query: Query) -> dict[str, Any]:
    return {
        "metric": answer.metric,
        "unit": answer.unit,
        "from": _local(query.start_ms, query.zone),
        "to": _local(query.end_ms, query.zone),
        "timezone": query.zone.key,
        "interval": answer.interval,
        "attribution": answer.attribution,
        "revision": answer.revision,
        "running": answer.running_flagged,
        "notes": list(answer.notes),
        "rows": [dict(zip(names, row, strict=True)) for row in rows],
    }
