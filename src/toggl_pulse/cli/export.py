"""`toggl-pulse export`: the entries themselves as CSV or JSON, to a file or to standard output."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import typer

from toggl_pulse.cli.choose import FilterBy, From, Period, To, Zone, chosen
from toggl_pulse.cli.parts import Demo, SpreadsheetSafe, counted, opened_service, write_out
from toggl_pulse.errors import BadRequest, NeedsUser
from toggl_pulse.metrics.export import csv_blocks, json_blocks

__all__ = ["export"]

T = TypeVar("T")


def export(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="The file to write; without it, or with -, standard output."),
    ] = None,
    form: Annotated[
        Literal["csv", "json"] | None,
        typer.Option("--format", help="By the file's name if not given; CSV on standard output."),
    ] = None,
    start: From = None,
    end: To = None,
    period: Period = None,
    attribution: Annotated[
        str, typer.Option(metavar="HOW", help="start: entries that began in the range; split: all that touch it.")
    ] = "start",
    timezone: Zone = None,
    filters: FilterBy = None,
    spreadsheet_safe: SpreadsheetSafe = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    demo: Demo = False,
) -> None:
    """Write every entry with ids and names, times in UTC and in the zone; without a range, all of them."""
    target = None if file is None or str(file) == "-" else file
    as_json = (form or _form_of(target)) == "json"
    # a device or a pipe is not overwritten by writing to it
    if target is not None and not force and (target.is_file() or target.is_dir()):
        raise BadRequest(f"{target} exists; use --force to overwrite it.", code="file_exists")
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
        entries = _Counted(service.answers.entries(query))
        blocks = json_blocks(entries, query.zone) if as_json else csv_blocks(entries, query.zone, safe=spreadsheet_safe)
        if target is None:
            write_out(blocks, "json" if as_json else "csv")
            return
        _write(target, blocks)
    typer.echo(f"{target}: {counted(entries.number, 'row')}")


def _form_of(file: Path | None) -> str:
    ending = "" if file is None else file.suffix.lower().removeprefix(".")
    if ending in {"", "csv", "json"} or (file is not None and file.exists() and not file.is_file()):
        return ending or "csv"
    raise BadRequest(f"The name {file} says neither csv nor json: add --format csv or --format json.")


class _Counted(Iterable[T]):
    """Counts what is taken from it."""

    def __init__(self, items: Iterable[T]) -> None:
        self._items = items
        self.number = 0

    def __iter__(self) -> Iterator[T]:
        for item in self._items:
            self.number += 1
            yield item


def _write(file: Path, blocks: Iterable[bytes]) -> None:
    try:
        if file.exists() and not file.is_file() and not file.is_dir():
            with file.open("wb") as out:
                out.writelines(blocks)
            return
        _replace(file.resolve(), blocks)
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        if error.errno == errno.ENOSPC:
            raise NeedsUser(f"The disk is full; {file} was not written.", code="disk_full") from error
        raise BadRequest(f"{file} cannot be written: {reason}.", code="cannot_write") from error


def _replace(file: Path, blocks: Iterable[bytes]) -> None:
    """Write beside the file and rename at the end: nobody ever reads half an export, and a failure spoils nothing."""
    unfinished = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as out:
            out.writelines(blocks)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
