"""`toggl-pulse query`: any metric as a table on the terminal, as JSON or as CSV."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import orjson
import typer
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from toggl_pulse.cli.choose import FilterBy, From, Period, To, Zone, chosen
from toggl_pulse.cli.parts import Demo, opened_service, printable
from toggl_pulse.errors import BadRequest
from toggl_pulse.metrics import METRICS, Answer

__all__ = ["query"]

Row = list[Any]


def query(
    metric: Annotated[str, typer.Argument(help=f"One of: {', '.join(METRICS)}.", show_default=False)] = "tracked_hours",
    start: From = None,
    end: To = None,
    period: Period = None,
    group_by: Annotated[
        str, typer.Option(help="none, workspace, client, project, task, tag, user, billable or description.")
    ] = "project",
    interval: Annotated[
        str, typer.Option(help="range (one value), hour, day, week, month, quarter or year.")
    ] = "range",
    attribution: Annotated[
        str, typer.Option(help="start books an entry where it began, split cuts it at the borders.")
    ] = "start",
    timezone: Zone = None,
    filters: FilterBy = None,
    limit: Annotated[int | None, typer.Option(help="Show the largest groups, fold the rest.", min=1)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    demo: Demo = False,
) -> None:
    """Print any metric: by default this month's tracked hours by project."""
    if as_json and as_csv:
        raise BadRequest("Use --json or --csv, not both.")
    payload = {"group_by": group_by, "interval": interval, "attribution": attribution, "limit": limit}
    with opened_service(demo=demo) as service:
        asked = chosen(
            service, metric, payload, start=start, end=end, period=period, timezone=timezone, filters=filters
        )
        answer = service.answers.answer(asked)
    names, rows = flat(answer, asked.zone)
    if as_json:
        typer.echo(orjson.dumps(_as_json(answer, names, rows, asked.zone), option=orjson.OPT_INDENT_2).decode())
    elif as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(names)
        writer.writerows(rows)
    else:
        # an entry with two tags counts under both, so tags do not add up
        _print(answer, names, rows, summable=group_by != "tag")


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


def _as_json(answer: Answer, names: list[str], rows: list[Row], zone: ZoneInfo) -> dict[str, Any]:
    return {
        "metric": answer.metric,
        "unit": answer.unit,
        "timezone": zone.key,
        "interval": answer.interval,
        "attribution": answer.attribution,
        "revision": answer.revision,
        "running": answer.running_flagged,
        "notes": list(answer.notes),
        "rows": [dict(zip(names, row, strict=True)) for row in rows],
    }


def _print(answer: Answer, names: list[str], rows: list[Row], *, summable: bool) -> None:
    """A table for people: names cannot steer the terminal, and a total stands below what adds up."""
    console = Console()
    metric = METRICS[answer.metric]
    # one value a group needs no time beside it
    first = 1 if answer.table is None and answer.interval == "range" else 0
    grid = Grid()
    for name in names[first:]:
        grid.add_column(Text(name), justify="right" if name == answer.unit else "left")
    for row in rows:
        grid.add_row(*(Text(_shown(cell)) for cell in row[first:]))
    if summable and metric.additive and metric.shape == "series" and len(answer.series) > 1:
        grid.add_section()
        total = math.fsum(row[2] for row in rows if row[2] is not None)
        grid.add_row(*(Text(cell) for cell in ["", "total", _shown(total)][first:]))
    console.print(grid)
    booked = "each entry whole where it began" if answer.attribution == "start" else "cut at the borders"
    for line in (f"{metric.title}, {booked}. {metric.meaning}", *answer.notes):
        console.print(Text(line))


def _shown(cell: Any) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, float):
        return f"{cell:,.2f}"
    return printable(str(cell))
