"""`toggl-pulse export`: the entries themselves as CSV or JSON, to a file or to standard output."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import typer

from toggl_pulse.api.export import csv_blocks, json_blocks
from toggl_pulse.cli.choose import FilterBy, From, Period, To, Zone, chosen
from toggl_pulse.cli.parts import Demo, opened_service
from toggl_pulse.errors import BadRequest

__all__ = ["export"]


def export(
    file: Annotated[Path | None, typer.Argument(help="The file to write; without it standard output.")] = None,
    form: Annotated[
        Literal["csv", "json"] | None, typer.Option("--format", help="csv or json; by the file's name if not given.")
    ] = None,
    start: From = None,
    end: To = None,
    period: Period = None,
    attribution: Annotated[
        str, typer.Option(help="start: entries that began in the range; split: all that touch it.")
    ] = "start",
    timezone: Zone = None,
    filters: FilterBy = None,
    spreadsheet_safe: Annotated[
        bool, typer.Option("--spreadsheet-safe", help="Guard text cells against being read as formulas.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    demo: Demo = False,
) -> None:
    """Write every entry with ids and names, times in UTC and in the zone; without a range, all of them."""
    as_json = (form or ("json" if file is not None and file.suffix == ".json" else "csv")) == "json"
    if file is not None and file.exists() and not force:
        raise BadRequest(f"{file} exists; use --force to overwrite it.", code="file_exists")
    with opened_service(demo=demo) as service:
        query = chosen(
            service,
            "entries",
            {"attribution": attribution},
            start=start,
            end=end,
            period=period,
            timezone=timezone,
            filters=filters,
            default_period="all",
        )
        entries = service.answers.entries(query)
        blocks = json_blocks(entries, query.zone) if as_json else csv_blocks(entries, query.zone, safe=spreadsheet_safe)
        _write(file, blocks)


def _write(file: Path | None, blocks: Iterator[bytes]) -> None:
    if file is None:
        for block in blocks:
            sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
        return
    # beside the file and renamed at the end: a reader never sees half an export, and a full disk spoils nothing
    unfinished = file.with_name(f".{file.name}.part")
    try:
        with unfinished.open("wb") as out:
            out.writelines(blocks)
        unfinished.replace(file)
    except OSError as error:
        raise BadRequest(f"Cannot write {file}: {error.strerror}.", code="cannot_write") from error
    finally:
        unfinished.unlink(missing_ok=True)
