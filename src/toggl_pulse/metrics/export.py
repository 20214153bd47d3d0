"""The entries themselves as text: CSV and JSON in blocks, so that a million of them need no more memory than a few.

The columns are a promise to users; new ones go to the end. Knows nothing of where the text goes.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain, islice
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from toggl_pulse.metrics.rows import EntryRow

__all__ = ["COLUMNS", "csv_blocks", "json_blocks", "spreadsheet_safe"]

_ROWS_A_BLOCK = 1_000
# What makes a spreadsheet read a cell as a formula (OWASP, "CSV Injection").
_FORMULA = re.compile(r" *[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
# A program that takes semicolons, tabs or line breaks for separators begins a cell behind them, whatever is quoted.
_INNER_FORMULA = re.compile(r"""[;\t\r\n]["' ]*(?=[=+\-@\uff1d\uff0b\uff0d\uff20])""")

Row = dict[str, Any]


def _columns(entry: EntryRow, zone: ZoneInfo) -> Row:
    """Times in UTC and in the zone, with its offset; several tags are joined with `, ` only in CSV."""
    return {
        "id": entry.id,
        "start": _utc(entry.start),
        "stop": None if entry.stop is None else _utc(entry.stop),
        "start_local": entry.start.astimezone(zone).isoformat(),
        "stop_local": None if entry.stop is None else entry.stop.astimezone(zone).isoformat(),
        "timezone": zone.key,
        "seconds": entry.seconds,
        "running": entry.stop is None,
        "description": entry.description,
        "workspace_id": entry.workspace_id,
        "workspace": entry.workspace,
        "client_id": entry.client_id,
        "client": entry.client,
        "project_id": entry.project_id,
        "project": entry.project,
        "task_id": entry.task_id,
        "task": entry.task,
        "user_id": entry.user_id,
        "user": entry.user,
        "tag_ids": entry.tag_ids,
        "tags": entry.tags,
        "billable": entry.billable,
    }


COLUMNS = (
    "id", "start", "stop", "start_local", "stop_local", "timezone", "seconds", "running", "description",
    "workspace_id", "workspace", "client_id", "client", "project_id", "project", "task_id", "task",
    "user_id", "user", "tag_ids", "tags", "billable",
)  # fmt: skip


def _utc(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def csv_blocks(entries: Iterable[EntryRow], zone: ZoneInfo, *, safe: bool) -> Iterator[bytes]:
    """RFC 4180 in UTF-8, header first; `safe` guards text cells against being read as formulas, and quotes all."""
    rows = chain([COLUMNS], (_cells(_columns(entry, zone), safe=safe) for entry in entries))
    while block := list(islice(rows, _ROWS_A_BLOCK)):
        text = io.StringIO(newline="")
        csv.writer(text, quoting=csv.QUOTE_ALL if safe else csv.QUOTE_MINIMAL).writerows(block)
        yield text.getvalue().encode("utf-8", "replace")


def json_blocks(entries: Iterable[EntryRow], zone: ZoneInfo) -> Iterator[bytes]:
    """One array of one object an entry, a line each."""
    rows = iter(entries)
    before = b"[\n"
    while block := list(islice(rows, _ROWS_A_BLOCK)):
        yield before + b",\n".join(orjson.dumps(_columns(entry, zone)) for entry in block)
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


def _cells(row: Row, *, safe: bool) -> list[Any]:
    cells = []
    for value in row.values():
        cell: Any = value
        if isinstance(value, bool):
            cell = str(value).lower()
        elif isinstance(value, tuple):
            cell = ", ".join(map(str, value))
        cells.append(spreadsheet_safe(cell) if safe and isinstance(cell, str) else cell)
    return cells


def spreadsheet_safe(text: str) -> str:
    """Text that no spreadsheet takes for a formula: an apostrophe before whatever could begin one."""
    guarded = f"'{text}" if _FORMULA.match(text) else text
    return _INNER_FORMULA.sub(r"\g<0>'", guarded)
